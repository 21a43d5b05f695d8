/* Neither point, rows nor columns. */
#include <dunlin/target.h>

const struct dun_target dun_target_no_density = {
    .type = {DUN_TYPE(struct dun_target), .name = "no_density", .doc = "Cannot be evaluated."},
    .dimension = 1,
};

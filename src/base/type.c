#include "base/type.h"
#include "base/text.h"
#include <string.h>

const char *dun_kind_name(enum dun_kind kind)
{
  static const char *const names[DUN_KINDS] = {
      [DUN_KIND_TARGET] = "target", [DUN_KIND_PATH] = "path",     [DUN_KIND_KERNEL] = "kernel",
      [DUN_KIND_METHOD] = "method", [DUN_KIND_FINISH] = "finish", [DUN_KIND_PROBE] = "probe",
  };
  return names[kind];
}

const struct dun_type *dun_type_find(enum dun_kind kind, const char *name)
{
  for (const struct dun_type *const *type = dun_registry(kind); *type; type++)
    if (!strcmp((*type)->name, name))
      return *type;
  return NULL;
}

const char *dun_type_nearest(enum dun_kind kind, const char *name)
{
  const char *nearest = NULL;
  int least = 1 + (int)(strlen(name) / 3) + 1; /* a third of the letters may be wrong, and one */
  for (const struct dun_type *const *type = dun_registry(kind); *type; type++) {
    int distance = dun_text_distance((*type)->name, name);
    if (distance < least) {
      least = distance;
      nearest = (*type)->name;
    }
  }
  return nearest;
}

size_t dun_option_size(enum dun_option_type type)
{
  static const size_t size[] = {
      [DUN_INTEGER] = sizeof(long long),
      [DUN_NUMBER] = sizeof(double),
      [DUN_FLAG] = sizeof(int),
      [DUN_CHOICE] = sizeof(int),
      [DUN_TEXT] = sizeof(char *),
      [DUN_DURATION] = sizeof(double),
      [DUN_NUMBERS] = sizeof(struct dun_numbers),
      [DUN_MATRIX] = sizeof(struct dun_matrix),
      [DUN_FILE] = sizeof(char *),
      [DUN_DATA] = sizeof(struct dun_data),
      [DUN_SECTION] = 0,
  };
  return (unsigned)type < sizeof size / sizeof *size ? size[type] : 0;
}

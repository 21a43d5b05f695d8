#include "base/guard.h"

struct dun_guarded dun_guarded;

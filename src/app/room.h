/* Whether there is room for a run, before it takes any. */
#ifndef DUNLIN_APP_ROOM_H
#define DUNLIN_APP_ROOM_H

#include "app/assemble.h"

/* Collective.  Memory of node and job for the particles, and the disk's for the result:
 * DUN_ERROR_MEMORY or DUN_ERROR_FILE with a sentence if there is too little; DUN_ERROR_INPUT if no
 * file can hold so many draws. */
int dun_room_check(struct dun_context *context, const struct dun_assembly *assembly);

#endif

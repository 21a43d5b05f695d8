/* A library of a target tried at length, in a process that may die of it. */
#ifndef DUNLIN_APP_CHILD_H
#define DUNLIN_APP_CHILD_H

#include "app/arguments.h"
#include "app/crash.h"
#include "population/promises.h"

/* Shared with the parent, zeroed. */
struct dun_child {
  /* where it is, for the parent to see */
  struct dun_caller_place place;
  struct dun_crash crash;

  /* what it found */
  volatile int done;
  int code; /* < 0: the library or its options are refused, with the sentence */
  char sentence[4096];
  struct dun_findings findings;
  uint64_t bits; /* of the first points, to compare processes by */

  /* what it tells of a target that can be used */
  char name[64];
  const char *layout;
  int dimension, points, draws, thrifty;
  double density, gradient; /* seconds of an evaluation; NAN: not known */
};

/* Local, needs no MPI: loads the library that is the first operand, with its options, and tries
 * everything; with `bits_only` no more than where the first points give which bits. */
void dun_child_work(struct dun_child *child, const struct dun_arguments *arguments, int bits_only);

#endif

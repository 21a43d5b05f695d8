/* Every registered target keeps its promises as the program tries them, with little effort and with
 * much, from starts near and far: what is right is never refused. */
#include "population/promises.h"
#include "settings.h"

static const struct dun_effort efforts[] = {
    {.lanes = 64, .passes = 4, .tiles = 8},
    {.lanes = 9, .passes = 1, .tiles = 2},
    {.lanes = 1, .passes = 1, .thrifty = 1},
};
enum { EFFORTS = sizeof efforts / sizeof *efforts, SEEDS = 10, KINDS = 6 };

static struct dun_address address_of(int seed, int kind)
{
  return (struct dun_address){(uint64_t)seed, DUN_PURPOSE_TEST, 0, 0, (uint32_t)kind};
}

/* Where shares and bounds are met to the last digit, densities of constrained parameters have
 * none. */
static int is_constrained(const struct subject *s, const struct setting *setting)
{
  return s->evaluator.transformed || strstr(setting->options, "bridgestan");
}

/* Exact draws, or normals near 0 and far, also around another place. */
static void set_points(struct subject *s, const struct setting *setting, int seed, int kind)
{
  static const double size[KINDS] = {.01, .1, 1, 3, 30, 1000};
  double place = seed % 5 == 4 && !is_constrained(s, setting) ? 100 : 0;
  subject_numbers(s, seed);
  dun_normals(address_of(seed, kind), s->d, s->x);
  for (int i = 0; i < s->d * L; i++)
    s->x[i] = s->x[i] * size[kind] + place * sin(seed + i / L);
  if (kind == 0 && s->target->draw)
    s->target->draw(s->self, s->uniform, s->normal, s->x);
}

/* A single point may well be outside the support. */
static void check_none(const struct dun_findings *findings, int points)
{
  for (int i = 0; i < findings->count; i++)
    if (points > 1 || findings->finding[i].level == DUN_FINDING_REFUSED) {
      fprintf(stderr, "%d points: %s\n", points, findings->finding[i].text);
      CHECK(0);
    }
  CHECK(!findings->other_bits);
}

static void keeps_promises(struct subject *s, const struct setting *setting)
{
  int kinds = is_constrained(s, setting) ? KINDS - 2 : KINDS;
  for (int e = 0; e < EFFORTS; e++) {
    struct dun_caller caller;
    CHECK(dun_caller_init(&caller, &s->evaluator, e == 0) == 0);
    for (int seed = 0; seed < SEEDS; seed++) {
      struct dun_findings findings = {0};
      struct dun_address address = address_of(seed, KINDS);
      for (int kind = 0; kind < kinds; kind++) {
        set_points(s, setting, seed, kind);
        CHECK(dun_promises_target(&caller, &efforts[e], address_of(seed, kind), s->x, &findings) ==
              0);
      }
      if (efforts[e].tiles > 0 && s->target->draw_prior)
        CHECK(dun_promises_prior(&caller, &efforts[e], address, &findings) == 0);
      if (efforts[e].tiles > 0 && s->target->draw)
        CHECK(dun_promises_draws(&caller, &efforts[e], address, &findings) == 0);
      check_none(&findings, efforts[e].lanes);
    }
    dun_caller_free(&caller);
  }
}

static void test_every_target(void)
{
  each(keeps_promises);
}

TEST_MAIN({"files", test_files}, {"every_target", test_every_target},
          {"files_removed", test_files_removed})

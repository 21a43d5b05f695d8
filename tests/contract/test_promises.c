/* Every registered target keeps its promises as the program tries them, with little effort and with
 * much, from starts near and far, behind huge constants too: what is right is never refused. */
#include "population/promises.h"
#include "settings.h"

static const struct dun_effort efforts[] = {
    {.lanes = 64, .passes = 8, .tiles = 16},
    {.lanes = 7, .passes = 1, .tiles = 4},
    {.lanes = 1, .passes = 1, .thrifty = 1},
};
enum { EFFORTS = sizeof efforts / sizeof *efforts };

static void check_none(const struct dun_findings *findings, const char *where)
{
  for (int i = 0; i < findings->count; i++)
    fprintf(stderr, "%s: %s\n", where, findings->finding[i].text);
  CHECK(findings->count == 0);
  CHECK(!findings->other_bits);
}

static void set_points(struct subject *s, int kind)
{
  static const double size[] = {.1, 1, 30};
  subject_numbers(s, 100 + kind);
  if (kind == 0 && s->target->draw)
    s->target->draw(s->self, s->uniform, s->normal, s->x);
  else if (kind == 0 && s->target->draw_prior)
    s->target->draw_prior(s->self, s->uniform, s->normal, s->x);
  else
    dun_normals((struct dun_address){5, DUN_PURPOSE_TEST, 0, 0, (uint32_t)kind}, s->d, s->x);
  for (int i = 0; i < s->d * L && kind > 0; i++)
    s->x[i] *= size[kind - 1];
}

static void keeps_promises(struct subject *s, const struct setting *setting)
{
  struct dun_address address = {11, DUN_PURPOSE_TEST, 0, 0, 0};
  char where[64];
  (void)setting;
  for (int e = 0; e < EFFORTS; e++) {
    struct dun_caller caller;
    CHECK(dun_caller_init(&caller, &s->evaluator, e == 0) == 0);
    for (int kind = 0; kind < 4; kind++) {
      struct dun_findings findings = {0};
      set_points(s, kind);
      address.step = (uint32_t)kind;
      CHECK(dun_promises_target(&caller, &efforts[e], address, s->x, &findings) == 0);
      snprintf(where, sizeof where, "effort %d, points %d", e, kind);
      check_none(&findings, where);
    }
    struct dun_findings findings = {0};
    if (efforts[e].tiles > 0 && s->target->draw_prior)
      CHECK(dun_promises_prior(&caller, &efforts[e], address, &findings) == 0);
    if (efforts[e].tiles > 0 && s->target->draw)
      CHECK(dun_promises_draws(&caller, &efforts[e], address, &findings) == 0);
    check_none(&findings, "draws");
    dun_caller_free(&caller);
  }
}

static void test_every_target(void)
{
  each(keeps_promises);
}

TEST_MAIN({"files", test_files}, {"every_target", test_every_target},
          {"files_removed", test_files_removed})

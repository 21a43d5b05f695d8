/* Splitting programs: what is read, what is refused and where, shares, palindromes, evaluations. */
#include "base/error.h"
#include "check.h"
#include "numerics/phase_program.h"

static int parse(const char *text, struct dun_program *program)
{
  return dun_program_parse("program", text, "SOABH", NULL, program);
}

static void operators_are_read(void)
{
  struct dun_program p;
  char text[64];

  CHECK(parse("O S B/2 A S' B.5", &p) == 0);
  CHECK(p.count == 6 && dun_program_evaluations(&p) == 2 && dun_program_has(&p, 'B') == 2);
  CHECK(p.operation[4].letter == 'S' && p.operation[4].end && !p.operation[1].end);
  CHECK(p.operation[2].share == .5 && p.operation[5].share == .5 && p.operation[3].share == 1);
  dun_program_text(&p, text, sizeof text);
  CHECK(!strcmp(text, "O S B/2 A S' B/2"));
  CHECK(parse("  B/4A B0.75 ", &p) == 0 && p.count == 3);
}

static void mistakes_are_placed(void)
{
  static const struct {
    const char *text, *told;
  } wrong[] = {
      {"O S B X", "column 7: no operator \"X\"; known are S O A B H"},
      {"O s B", "column 3: no operator \"s\""},
      {"O/ B", "column 3: a share must be a number above 0"},
      {"O B/0", "column 5: a share"},
      {"O B/-2", "column 5: a share"},
      {"O S/2 B", "column 4: S takes no share"},
      {"O B' A", "column 4: no operator"},
      {"O B/2 A B/3", "the shares of B sum to 0.833333333, not to 1"},
      {"O/2 A", "the shares of O sum to 0.5, not to 1"},
      {"", "there is no operator"},
      {"S S S S S S S S S S S S S S S S S S S S S S S S S", "column 49: a program has at most 24"},
  };
  struct dun_program p;
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    CHECK(parse(wrong[i].text, &p) == DUN_ERROR_INPUT);
    if (!strstr(dun_error_text(), wrong[i].told)) {
      fprintf(stderr, "%s: %s\n", wrong[i].text, dun_error_text());
      CHECK(0);
    }
  }
}

static void palindromes_are_known(void)
{
  struct dun_program p;
  static const char *const yes[] = {"O/2 B/2 A B/2 O/2", "B/2 A/2 O A/2 B/2",
                                    "O/2 S B/2 A S B/2 O/2", "A", "S A S"};
  static const char *const no[] = {"O B A", "O/2 B/2 A O/2 B/2", "B/4 A B.75"};
  for (int i = 0; i < 5; i++)
    CHECK(parse(yes[i], &p) == 0 && dun_program_palindrome(&p));
  for (int i = 0; i < 3; i++)
    CHECK(parse(no[i], &p) == 0 && !dun_program_palindrome(&p));
}

static void unread_scores_are_dropped(void)
{
  struct dun_program p;
  char text[64];

  CHECK(parse("S S B S' S A S", &p) == 0);
  CHECK(dun_program_prune(&p, "AB") == 3);
  dun_program_text(&p, text, sizeof text);
  CHECK(!strcmp(text, "S B S A"));
  CHECK(dun_program_unscored(&p, "AB") == -1);
  CHECK(parse("O B S A", &p) == 0 && dun_program_unscored(&p, "AB") == 1);
}

/* The samplers' evaluations a step: with gamma = 0 positions need no score. */
static void samplers_count(void)
{
  static const struct {
    const char *name;
    int with, without;
  } rows[] = {{"em", 1, 1},      {"sscs", 1, 1},  {"noba", 2, 1},  {"roba", 1, 1},
              {"nbao", 2, 1},    {"rbao", 1, 1},  {"nobab", 3, 2}, {"robab", 2, 2},
              {"ROBAB-t", 2, 2}, {"euler", 1, 1}, {"nse", 2, 1},   {"rse", 1, 1},
              {"nvv", 3, 2},     {"rvv", 2, 2},   {"rvv-t", 2, 2}, {"Heun", 2, 2}};
  struct dun_program p;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    CHECK(dun_phase_program_parse("program", rows[i].name, .01, &p) == 0);
    CHECK(dun_program_evaluations(&p) == rows[i].with);
    CHECK(dun_phase_program_parse("program", rows[i].name, 0, &p) == 0);
    CHECK(dun_program_evaluations(&p) == rows[i].without);
  }
}

static void half_dynamics_are_refused(void)
{
  static const char *const wrong[] = {"S B",     "O S A",    "O S B A E",     "B A",   "O B S A",
                                      "S D T O", "S T S' D", "S D/2 S D/2 T", "H S H", "O"};
  struct dun_program p;
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    CHECK(dun_phase_program_parse("program", wrong[i], .01, &p) == DUN_ERROR_INPUT);
  CHECK(dun_phase_program_parse("program", "O B S A", 0, &p) == DUN_ERROR_INPUT);
  CHECK(strstr(dun_error_text(), "B, operator 2, has no score yet") != NULL);
}

TEST_MAIN({"operators_are_read", operators_are_read}, {"mistakes_are_placed", mistakes_are_placed},
          {"palindromes_are_known", palindromes_are_known},
          {"unread_scores_are_dropped", unread_scores_are_dropped},
          {"samplers_count", samplers_count},
          {"half_dynamics_are_refused", half_dynamics_are_refused})

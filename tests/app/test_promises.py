"""Targets that break their promises: refused with a sentence before anything is run, or told; those
that keep them, however odd, are not.  What a result says of it."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import Folder, attributes, compiled, dunlin, main, summary, write  # noqa: E402

INPUT = """\
run:    {seed: 3, particles: 256}
target: {type: library, file: mine.so}
path:   {type: geometric, base: {type: gaussian, mean: 0, scale: 3}, schedule: {type: adaptive}}
kernel: {type: hmc}
method: {type: smc}
output: {file: out.h5}
"""
FROM_PRIOR = INPUT.replace("{type: gaussian, mean: 0, scale: 3}", "{type: prior}")
HEAD = """
#include <dunlin/target.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#define L DUN_LANES
#define D 3
"""
POINT = HEAD + """
%(before)s
static double point(const void *self, const double *x, double *g)
{
  double lp = 0;
  (void)self;
  for (int j = 0; j < D; j++) {
    lp += -.5 * x[j] * x[j];
    if (g) g[j] = -x[j];
  }
  %(twist)s
  return lp;
}
const struct dun_target dun_target_mine = {
    .type = {DUN_TYPE(struct dun_target), .name = "mine", .doc = "A test."},
    .dimension = D, .point = point, %(more)s
};
"""
COLUMNS = HEAD + """
%(before)s
static void columns(const void *self, const double *x, double *lp, const double *scale, double *g,
                    double *work)
{
  (void)self, (void)work;
  for (int l = 0; l < L; l++) {
    double sum = 0;
    for (int j = 0; j < D; j++) {
      double y = x[j * L + l];
      sum += -.5 * y * y;
      if (g) g[j * L + l] += scale[l] * -y;
    }
    if (lp) lp[l] = sum;
  }
  %(twist)s
}
const struct dun_target dun_target_mine = {
    .type = {DUN_TYPE(struct dun_target), .name = "mine", .doc = "A test."},
    .dimension = D, .columns = columns, %(more)s
};
"""
ROWS = HEAD + """
static void rows(const void *self, int n, const double *x, double *lp, double *g, double *work)
{
  (void)self, (void)work;
  for (int l = 0; l < n; l++) {
    lp[l] = 0;
    for (int j = 0; j < D; j++) {
      lp[l] += -.5 * x[l * D + j] * x[l * D + j];
      if (g) g[l * D + j] = -x[l * D + j];
    }
  }
  %(twist)s
}
const struct dun_target dun_target_mine = {
    .type = {DUN_TYPE(struct dun_target), .name = "mine", .doc = "A test."},
    .dimension = D, .rows = rows, %(more)s
};
"""
# A prior N(0, s^2) in columns and its draws, and a likelihood for `point` that is constant.
PRIOR = """
#define WIDTH %(width)s
#define DRAWN %(drawn)s
static void prior(const void *self, const double *x, double *lp, const double *scale, double *g,
                  double *work)
{
  (void)self, (void)work;
  for (int l = 0; l < L; l++) {
    double sum = %(constant)s;
    for (int j = 0; j < D; j++) {
      double y = x[j * L + l];
      sum += -.5 * y * y / (WIDTH * WIDTH) - log(WIDTH) - .91893853320467274;
      if (g) g[j * L + l] += scale[l] * %(slope)s * -y / (WIDTH * WIDTH);
      if (fabs(y) > %(wall)s) sum = -INFINITY;
    }
    if (lp) lp[l] = sum;
  }
}
static void draw_prior(const void *self, const double *uniform, const double *normal, double *x)
{
  (void)self, (void)uniform;
  for (int i = 0; i < D * L; i++)
    x[i] = DRAWN * normal[i] + %(shift)s;
}
"""
AS_PRIOR = ".prior = prior, .draw_prior = draw_prior, .draw_normals = -1,"


def prior(width="1.", drawn="1.", constant="0", slope="1", wall="1e9", shift="0"):
    return PRIOR % {"width": width, "drawn": drawn, "constant": constant, "slope": slope,
                    "wall": wall, "shift": shift}


def by(layout, twist="", before="", more=""):
    return layout % {"twist": twist, "before": before, "more": more}


# Refused: the source, and words of the sentence.
BROKEN = {
    "wrong_sign": (by(POINT, "if (g) for (int j = 0; j < D; j++) g[j] = x[j];"),
                   ["gradient", "expected", "sign"]),
    "never_written": (by(POINT.replace("if (g) g[j] = -x[j];", "")), ["gradient[0]", "unwritten"]),
    "one_entry_unwritten": (by(POINT.replace("if (g)", "if (g && j < 2)")),
                            ["gradient[2]", "unwritten"]),
    "adds_in_point": (by(POINT.replace("g[j] = -x[j]", "g[j] += -x[j]")), ["gradient[0]", "adds"]),
    "one_sign": (by(POINT, "if (g) g[1] = -g[1];"), ["gradient[1]", "sign"]),
    "twice": (by(POINT, "if (g) for (int j = 0; j < D; j++) g[j] *= 2;"), ["gradient", "2 times"]),
    "shuffled": (by(POINT, "if (g) { double h = g[0]; g[0] = g[1]; g[1] = h; }"), ["gradient["]),
    "nan_slope": (by(POINT, "if (g) g[1] = NAN;"), ["gradient[1]", "finite"]),
    "negated_density": (by(POINT, "lp = -lp;"), ["gradient", "sign"]),
    "half_space": (by(POINT, "if (g && x[0] > 0) g[0] = -g[0];"), ["gradient[0]", "sign"]),
    "constant_slope": (by(POINT, "if (g) g[2] = 1;"), ["gradient[2]"]),
    "behind_a_constant": (by(POINT, "lp += 1e9; if (g) g[0] = -g[0];"), ["gradient[0]", "sign"]),
    "of_a_plateau": (by(POINT, "lp = -1;"), ["gradient"]),
    "only_nan": (by(POINT, "lp = NAN;"), ["NaN", "at 0 of 64"]),
    "only_infinite": (by(POINT, "lp = INFINITY;"), ["inf", "at 0 of 64"]),
    "infinite_at_some": (by(POINT, "if (x[0] > 3) lp = INFINITY;"), ["inf", "finite numbers"]),
    "more_with_gradient": (by(POINT, "if (g) lp += 1;"), ["with the gradient", "without"]),
    "writes_beyond": (by(POINT, "if (g) g[D] = 1;"), ["`point` writes behind", "gradient"]),
    "writes_before": (by(POINT, "if (g) g[-1] = 1;"), ["`point` writes in front", "gradient"]),
    "writes_x": (by(POINT, "((double *)x)[0] = 1;"), ["`point` writes into x"]),
    "first_lane_only": (by(COLUMNS, "if (g) for (int i = 0; i < D * L; i++) if (i % L) "
                                    "g[i] += scale[i % L] * 2 * x[i];"), ["gradient["]),
    "exchanged_lanes": (by(COLUMNS, "if (lp) { double h = lp[0]; lp[0] = lp[9]; lp[9] = h; }"),
                        ["lane"]),
    "exchanged_slopes": (by(COLUMNS, "if (g) { double h = g[5]; g[5] = g[6]; g[6] = h; }"),
                         ["lane"]),
    "writes_in_columns": (by(COLUMNS.replace("+= scale[l] * -y", "= scale[l] * -y")),
                          ["writes where it should add"]),
    "without_scale": (by(COLUMNS.replace("+= scale[l] * -y", "+= -y")), ["leaves the scale out"]),
    "depends_on_others": (by(COLUMNS, "if (lp) for (int l = 0; l < L; l++) lp[l] += x[0];"),
                          ["gradient[0]"]),
    "only_63_rows": (by(ROWS, "if (n == 64) lp[63] = lp[0];"), ["lane"]),
    "all_rows_always": (by(ROWS, "for (int l = n; l < 64; l++) lp[l] = 0;"),
                        ["`rows` writes behind", "lp"]),
    "rows_as_columns": (by(ROWS, "if (g) for (int l = 0; l < n; l++) for (int j = 0; j < D; j++) "
                                 "g[j * n + l] = -x[l * D + j];"), ["gradient["]),
    "unwritten_lp": (by(ROWS.replace("lp[l] = 0;", "if (l < 60) lp[l] = 0; else continue;")),
                     ["lp[60] of 64 unwritten"]),
    "other_dimension": (by(POINT, before="static int d(const void *s) { static int n; (void)s; "
                                         "return D + (n++ > 0); }",
                           more=".dimension_of = d,").replace(".dimension = D,", ""),
                        ["dimension_of", "3", "4"]),
    "short_theta": (by(POINT, before="static int p(const void *s, int n, struct dun_parameter *p) {"
                                     "(void)s; if (n) *p = (struct dun_parameter){.name = \"y\", "
                                     ".rank = 1, .shape = {3}}; return 1; }\n"
                                     "static void c(const void *s, const double *x, double *y) "
                                     "{ (void)s; y[0] = x[0]; }",
                       more=".parameters = p, .constrain = c,"), ["constrain", "theta[1]"]),
}
# Refused of priors.
BROKEN_PRIORS = {
    "wider_draws": (prior(drawn="1.5"), ["draw_prior", "wide"]),
    "narrower_draws": (prior(drawn=".6"), ["draw_prior", "narrow"]),
    "shifted_draws": (prior(shift=".7"), ["draw_prior", "shifted"]),
    "unnormalised": (prior(constant="2"), ["prior", "normalised"]),
    "walls_in_the_draws": (prior(wall="1.2"), ["draw_prior", "-inf"]),
    "wrong_slope": (prior(slope="-1"), ["gradient", "`prior`", "sign"]),
    "beyond_the_prior": (prior(wall="4"), ["outside the prior"]),
}
# Told: the run is done, and the result says so.
TOLD = {
    "a_count": ("static long n; lp += 1e-13 * (n++ % 2);", "doubtful"),
    "drift": ("static long n; if (n++ > 20000) lp += .1;", "bad"),
    "noise": ("lp += 1e-3 * rand() / (double)RAND_MAX;", "bad"),
}
# Right, if odd: density for `point`, with its gradient.
SOUND = {
    "kink": "lp = 0; for (int j = 0; j < D; j++) { lp -= fabs(x[j]);"
            " if (g) g[j] = x[j] > 0 ? -1 : x[j] < 0; }",
    "wall": "if (x[0] < 0) lp = -INFINITY;",
    "wall_and_nan": "if (x[0] < 0) lp = NAN;",
    "thin": "lp = 0; for (int j = 0; j < D; j++) { lp -= .5e16 * x[j] * x[j];"
            " if (g) g[j] = -1e16 * x[j]; }",
    "wide": "lp = 0; for (int j = 0; j < D; j++) { lp -= .5e-16 * x[j] * x[j];"
            " if (g) g[j] = -1e-16 * x[j]; }",
    "mixed_scales": "lp = -.5e12 * x[0] * x[0] - .5e-12 * x[1] * x[1] - .5 * x[2] * x[2];"
                    " if (g) g[0] = -1e12 * x[0], g[1] = -1e-12 * x[1], g[2] = -x[2];",
    "constant": "lp += 1e9;",
    "large_constant": "lp -= 1e14;",
    "staircase": "lp = -floor(x[0] * x[0]); if (g) g[0] = g[1] = g[2] = 0;",
    "flat": "lp = 0; if (g) g[0] = g[1] = g[2] = 0;",
    "unused_coordinate": "lp += .5 * x[1] * x[1]; if (g) g[1] = 0;",
    "float": "float f = 0; for (int j = 0; j < D; j++) { float y = (float)x[j]; f -= .5f * y * y;"
             " if (g) g[j] = -y; } lp = f;",
    "rounded": "lp = round(lp * 1e5) / 1e5;",
    "steep": "lp = 0; for (int j = 0; j < D; j++) { lp -= exp(5 * x[j]) + exp(-5 * x[j]);"
             " if (g) g[j] = 5 * (exp(-5 * x[j]) - exp(5 * x[j])); }",
    "wave": "lp += cos(40 * x[0]); if (g) g[0] -= 40 * sin(40 * x[0]);",
    "tails": "lp = 0; for (int j = 0; j < D; j++) { lp -= log(1 + x[j] * x[j]);"
             " if (g) g[j] = -2 * x[j] / (1 + x[j] * x[j]); }",
    "table": "lp = 0; for (int j = 0; j < D; j++) { double k = floor(x[j] * 10) / 10, r = x[j] - k;"
             " lp -= .5 * (k * k * (1 - 10 * r) + (k + .1) * (k + .1) * 10 * r); }",
    "cancelling": "lp = (lp + 1e8) - 1e8;",
}


def compile_target(folder, source, name="mine"):
    """One library, or with a dict of sources one that stands under the names of all of them."""
    sources = source if isinstance(source, dict) else {name: source}
    for case, text in sources.items():
        write(folder, case + ".c", text.replace("dun_target_mine", "dun_target_" + case))
        library = os.path.join(folder, case + ".so")
        if len(sources) > 1:
            os.symlink("all_of_them", library)
    compiled(folder, "all_of_them" if len(sources) > 1 else name + ".so",
             *(case + ".c" for case in sources), flags=["-O0"])


def refused(folder, words, text=INPUT, ranks=None, arguments=("run",)):
    write(folder, "input.yaml", text)
    done = dunlin(*arguments, "input.yaml", code=2, ranks=ranks, folder=folder, timeout=60)
    for word in words:
        assert word in done.stderr, f"'{word}' is missing in:\n{done.stderr}"
    assert "input.yaml:2" in done.stderr, done.stderr
    assert not [name for name in os.listdir(folder) if name.startswith("out.h5")]
    return done.stderr


def all_of(cases, check):
    """`cases`: a source and more of each name; the check is given the name of its library."""
    wrong = []
    with Folder() as folder:
        compile_target(folder, {name: case[0] for name, case in cases.items()})
        for name, case in cases.items():
            try:
                check(folder, name + ".so", *case[1:])
            except AssertionError as error:
                wrong.append(f"{name}: {error}")
    assert not wrong, "\n\n".join(wrong)


def test_broken_promises():
    def check(folder, file, words):
        print(refused(folder, words, INPUT.replace("mine.so", file), arguments=("check",)), end="")
    all_of(BROKEN, check)


def with_prior(source):
    return by(POINT, before=source, more=AS_PRIOR)


def test_broken_priors():
    """Refused where the run starts from it, told where it does not."""
    def check(folder, file, words):
        print(refused(folder, words, FROM_PRIOR.replace("mine.so", file), arguments=("check",)),
              end="")
        write(folder, "input.yaml", INPUT.replace("mine.so", file))
        said = dunlin("check", "input.yaml", folder=folder).stderr
        assert all(word in said for word in words), said
    all_of({name: (with_prior(source), words) for name, (source, words) in BROKEN_PRIORS.items()},
           check)


def test_runs_refuse_alone_and_on_ranks():
    with Folder() as folder:
        compile_target(folder, BROKEN["one_sign"][0])
        for ranks in (None, 3):
            said = refused(folder, ["gradient[1]", "--no-check"], ranks=ranks)
            assert said.count("gradient[1]") == 1, said
        write(folder, "input.yaml", INPUT)
        dunlin("run", "input.yaml", "--no-check", "--quiet", folder=folder)
        assert attributes(os.path.join(folder, "out.h5"))["deterministic"] == 1


def test_other_bits_are_told():
    for name, (twist, level) in TOLD.items():
        with Folder() as folder:
            compile_target(folder, by(POINT, twist))
            write(folder, "input.yaml", INPUT)
            done = dunlin("run", "input.yaml", "--quiet", folder=folder)
            assert done.stderr.count("other bits") == 1, done.stderr
            result = os.path.join(folder, "out.h5")
            root, said = attributes(result), summary(result)
            assert root["deterministic"] == 0, f"{name}: {root}"
            levels = {verdict["name"]: verdict["level"] for verdict in said["verdicts"]}
            assert levels["same bits"] == level, f"{name}: {levels}"


def test_nothing_is_counted():
    """Neither evaluations nor random numbers of a run know of the trials."""
    with Folder() as folder:
        compile_target(folder, with_prior(prior()))
        write(folder, "input.yaml", FROM_PRIOR)
        roots = []
        for name, more in (("with.h5", ()), ("without.h5", ("--no-check",))):
            dunlin("run", "input.yaml", "--quiet", "--output", name, *more, folder=folder)
            roots.append(attributes(os.path.join(folder, name)))
        for name in ("population_hash", "evaluations", "log_evidence", "deterministic"):
            assert roots[0][name] == roots[1][name], name


def test_of_a_slow_target_little_is_tried():
    """Five evaluations, the last for its time, by which a wrong gradient is still found;
    `check-target` tells the rest."""
    before = "#include <stdio.h>\n#include <unistd.h>"
    twist = 'FILE *log = fopen("log", "a"); fputs("x", log); fclose(log); usleep(5000);'
    with Folder() as folder:
        write(folder, "input.yaml", INPUT)
        compile_target(folder, POINT % {"before": before, "twist": twist, "more": ""})
        dunlin("check", "input.yaml", folder=folder)
        asked = os.path.getsize(os.path.join(folder, "log"))
        assert asked == 5, asked
        twist += " if (g) g[0] = -g[0], g[1] = -g[1], g[2] = -g[2];"
        compile_target(folder, POINT % {"before": before, "twist": twist, "more": ""})
        assert "gradient" in dunlin("check", "input.yaml", folder=folder, code=2).stderr
        compile_target(folder, POINT % {"before": before, "twist": "usleep(120000);", "more": ""})
        done = dunlin("check-target", "mine.so", folder=folder)
        assert "left out: other lanes" in done.stdout and "asked again" in done.stdout, done.stdout


def test_without_gradient():
    """rwm runs; what needs gradients refuses with a sentence."""
    with Folder() as folder:
        compile_target(folder, by(POINT, "if (g) abort();", more=".no_gradient = 1,"))
        for kernel in ("hmc", "mala", "underdamped"):
            write(folder, "input.yaml", INPUT.replace("hmc", kernel))
            done = dunlin("run", "input.yaml", folder=folder, code=2)
            assert f"kernel {kernel} needs the gradient" in done.stderr, done.stderr
            assert "rwm" in done.stderr
        write(folder, "input.yaml", INPUT.replace("hmc", "rwm"))
        dunlin("run", "input.yaml", "--quiet", folder=folder, ranks=2)
        done = dunlin("run", "input.yaml", "--overwrite", "--set",
                      "finish=[{type: fit_and_reweight}]", folder=folder, code=2)
        assert "fit_and_reweight needs the gradient" in done.stderr, done.stderr


def test_files_that_have_changed():
    """A result that is run again says so, unless the command line names the file anew."""
    with Folder() as folder:
        compile_target(folder, by(POINT))
        write(folder, "input.yaml", INPUT.replace("adaptive", "file, file: first.h5"))
        dunlin("run", "input.yaml", "--quiet", "--output", "first.h5", "--set",
               "path.schedule={type: adaptive}", folder=folder)
        dunlin("run", "input.yaml", "--quiet", folder=folder)
        dunlin("run", "out.h5", "--quiet", "--output", "again.h5", "--trust", folder=folder)
        same = [attributes(os.path.join(folder, name))["population_hash"]
                for name in ("out.h5", "again.h5")]
        assert same[0] == same[1]
        dunlin("run", "input.yaml", "--quiet", "--overwrite", "--set", "run.seed=4", "--set",
               "path.schedule={type: adaptive}", "--output", "first.h5", folder=folder)
        for ranks, command in ((None, "run"), (3, "run"), (None, "check")):
            done = dunlin(command, "out.h5", "--output", "more.h5", "--trust", code=2, ranks=ranks,
                          folder=folder)
            for word in ("path.schedule.file", "first.h5", "out.h5", "1 fault"):
                assert word in done.stderr, done.stderr
        anew = ("--trust", "--set", "path.schedule.file=first.h5")
        dunlin("run", "out.h5", "--quiet", "--output", "more.h5", *anew, folder=folder)
        compile_target(folder, by(POINT, "lp += 1;"))
        done = dunlin("run", "out.h5", "--output", "most.h5", *anew, code=2, folder=folder)
        assert "target.file" in done.stderr and "mine.so" in done.stderr, done.stderr
        assert not os.path.exists(os.path.join(folder, "most.h5"))


def test_sound_targets_are_not_refused():
    def check(folder, file):
        write(folder, "input.yaml", INPUT.replace("mine.so", file))
        done = dunlin("check", "input.yaml", folder=folder)
        assert "gradient" not in done.stderr, done.stderr
    all_of({name: (by(POINT, twist),) for name, twist in SOUND.items()}, check)


def test_sound_priors_are_not_refused():
    def check(folder, file):
        write(folder, "input.yaml", FROM_PRIOR.replace("mine.so", file))
        done = dunlin("check", "input.yaml", folder=folder)
        assert file[:-3] not in done.stderr, done.stderr
    all_of({"standard": (with_prior(prior()),), "narrow": (with_prior(prior("1e-8", "1e-8")),),
            "wide": (with_prior(prior("1e8", "1e8")),)}, check)


main()

"""Targets of users that write outside of the arrays that they are given, long after the trials at
the start: the run ends with a sentence that names target and function, or nothing is harmed and the
result is what it would have been."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import Folder, attributes, compiled, dunlin, main, write  # noqa: E402

INPUT = """\
run:    {seed: 5, particles: 128}
target: {type: library, file: odd.so}
path:   {type: geometric, base: {type: BASE, scale: 3}, schedule: {type: adaptive}}
kernel: {type: hmc}
method: {type: smc, moves_per_step: 2}
output: {file: out.h5, MORE}
"""
CHAINS = """\
run:    {seed: 5, particles: 8}
target: {type: library, file: odd.so}
kernel: {type: hmc}
method: {type: langevin, warmup: 20, draws: 20}
output: {file: out.h5, MORE}
"""
# A standard normal law.  Every call of FUNCTION behind the first AFTER writes to ARRAY[ENTRY].
LIBRARY = """\
#include <dunlin/target.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
enum { D = 3 };
static void spoil(const char *function, const char *array, const double *numbers)
{
  static int calls;
  if (!getenv("ARRAY") || strcmp(function, getenv("FUNCTION")) || strcmp(array, getenv("ARRAY")))
    return;
  if (numbers && calls++ >= atoi(getenv("AFTER")))
    ((double *)numbers)[atol(getenv("ENTRY"))] = 12;
}
static double row(const double *x, double *g)
{
  double lp = -.5 * D * log(2 * M_PI);
  for (int j = 0; j < D; j++) {
    lp -= .5 * x[j] * x[j];
    if (g) g[j] = -x[j];
  }
  return lp;
}
static double point(const void *self, const double *x, double *gradient)
{
  double lp = row(x, gradient);
  spoil("point", "x", x);
  spoil("point", "gradient", gradient);
  return lp;
}
static void rows(const void *self, int n, const double *x, double *lp, double *gradient,
                 double *work)
{
  for (int i = 0; i < n; i++)
    lp[i] = row(x + i * D, gradient ? gradient + i * D : NULL);
  spoil("rows", "x", x);
  spoil("rows", "lp", lp);
  spoil("rows", "gradient", gradient);
  spoil("rows", "work", work);
}
static void add(const char *name, const double *x, double *lp, const double *scale,
                double *gradient, double *work)
{
  for (int l = 0; l < DUN_LANES; l++) {
    double one[D], slope[D], value;
    for (int j = 0; j < D; j++)
      one[j] = x[j * DUN_LANES + l];
    value = row(one, slope);
    for (int j = 0; j < D && gradient; j++)
      gradient[j * DUN_LANES + l] += scale[l] * slope[j];
    if (lp)
      lp[l] = value;
  }
  spoil(name, "x", x);
  spoil(name, "lp", lp);
  spoil(name, "scale", scale);
  spoil(name, "gradient", gradient);
  spoil(name, "work", work);
}
static void columns(const void *self, const double *x, double *lp, const double *scale,
                    double *gradient, double *work)
{
  add("columns", x, lp, scale, gradient, work);
}
static void prior(const void *self, const double *x, double *lp, const double *scale,
                  double *gradient, double *work)
{
  add("prior", x, lp, scale, gradient, work);
}
static void draw_prior(const void *self, const double *uniform, const double *normal, double *x)
{
  memcpy(x, normal, D * DUN_LANES * sizeof *x);
  spoil("draw_prior", "x", x);
}
static int likelihood(const void *self, int capacity, struct dun_parameter *variable)
{
  if (capacity > 0)
    *variable = (struct dun_parameter){.name = "y", .rank = 1, .shape = {5}, .doc = "Some."};
  return 1;
}
static void log_likelihood(const void *self, const double *x, double *out)
{
  for (int i = 0; i < 5; i++)
    out[i] = -x[0] * x[0];
  spoil("log_likelihood", "out", out);
  spoil("log_likelihood", "x", x);
}
static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  if (capacity > 0)
    *parameter = (struct dun_parameter){.name = "y", .rank = 1, .shape = {D}, .doc = "All."};
  return 1;
}
static void constrain(const void *self, const double *x, double *theta)
{
  memcpy(theta, x, D * sizeof *theta);
  spoil("constrain", "theta", theta);
}
/* exp(-|x|^2 / 2 + <h, x> - lambda |x|^2 / 2) is a normal of precision 1 + lambda. */
static int tilted(const void *self, const struct dun_tilted *t, double *work)
{
  for (int i = 0; i < D * DUN_LANES; i++)
    t->mean[i] = t->h[i] / (1 + t->lambda[i % DUN_LANES]);
  spoil("tilted", "h", t->h);
  spoil("tilted", "lambda", t->lambda);
  spoil("tilted", "mean", t->mean);
  spoil("tilted", "work", work);
  return 0;
}
static int modes(const void *self, int capacity, double *centre, double *share, double *width)
{
  if (capacity > 0 && centre)
    memset(centre, 0, D * sizeof *centre);
  if (capacity > 0 && share)
    *share = *width = 1;
  spoil("modes", "centre", centre);
  spoil("modes", "share", share);
  spoil("modes", "width", width);
  return 1;
}
static int64_t work_columns(const void *self) { return 2; }
const struct dun_target dun_target_odd = {
    .type = {DUN_TYPE(struct dun_target), .name = "odd", .doc = "Odd."},
    .work_columns = work_columns, .parameters = parameters, MEMBERS
};
"""
TILTED = """\
run:    {seed: 5, particles: 128}
target: {type: library, file: odd.so}
method: {type: flow, grid: {steps: 10}, field: {type: exact}}
probes: [{type: modes}]
output: {file: out.h5, MORE}
"""
PLAIN = ".dimension = D, .constrain = constrain, "
FAR = (5000, -(1 << 20))
CHANGED = ("x", "scale")  # what a target changes in its copies is nobody's loss


class Case:
    """A library, the result without any mischief, and what comes of some."""

    def __init__(self, folder, members, base="gaussian", text=INPUT, more="checkpoint_every: 0"):
        write(folder, "odd.c", LIBRARY.replace("MEMBERS", members))
        compiled(folder, "odd.so", "odd.c")
        write(folder, "input.yaml", text.replace("BASE, scale: 3" if base == "prior" else "BASE",
                                                 base).replace("MORE", more))
        self.folder, self.runs, self.ended = folder, 0, 0
        dunlin("run", "input.yaml", "--no-check", folder=folder)
        self.good = self.hash()

    def hash(self):
        return attributes(os.path.join(self.folder, "out.h5"))["population_hash"]

    def write_to(self, function, array, entry, after=10):
        """Returns whether the run ended; else the result is the same."""
        where = f"{function}: {array}[{entry}]"
        done = dunlin("run", "input.yaml", "--no-check", "--overwrite", folder=self.folder,
                      code=None, timeout=60,
                      environment={"FUNCTION": function, "ARRAY": array, "ENTRY": str(entry),
                                   "AFTER": str(after)})
        self.runs += 1
        self.ended += done.returncode != 0
        if done.returncode == 0:
            assert self.hash() == self.good, f"{where}: another result"
            return ""
        assert done.returncode == 1, f"{where}: {done.returncode}\n{done.stderr[-2000:]}"
        told = done.stderr
        assert f"target odd crashed in `{function}`: segmentation" in told or \
            f"target odd wrote outside of its arrays in `{function}`" in told, f"{where}: {told}"
        return told

    def beside(self, function, array, count, **words):
        """Just in front of an array and just behind it."""
        told = self.write_to(function, array, -1, **words)
        assert f"in front of its array `{array}` of {count} numbers" in told, told
        told = self.write_to(function, array, count, **words)
        assert f"behind the end of its array `{array}` of {count} numbers" in told, told

    def far(self, function, array, **words):
        for entry in FAR:
            assert "segmentation fault" in self.write_to(function, array, entry, **words)


def test_by_point():
    with Folder() as folder:
        case = Case(folder, PLAIN + ".point = point")
        case.beside("point", "gradient", 3, after=1000)
        case.beside("point", "x", 3, after=1000)
        case.far("point", "gradient", after=1000)
        for entry in (1, -100):
            assert not case.write_to("point", "x" if entry == 1 else "gradient", entry, after=1000)
        case.beside("constrain", "theta", 3)


def test_by_rows():
    with Folder() as folder:
        case = Case(folder, PLAIN + ".rows = rows")
        for array, count in (("x", 192), ("lp", 64), ("gradient", 192), ("work", 128)):
            case.beside("rows", array, count)
        case.far("rows", "lp")


def test_by_columns():
    with Folder() as folder:
        case = Case(folder, PLAIN + ".columns = columns")
        for array, count in (("x", 192), ("lp", 64), ("gradient", 192), ("work", 128)):
            case.beside("columns", array, count)
        case.far("columns", "gradient")
        for array in CHANGED:
            assert not case.write_to("columns", array, 0)


def test_priors():
    with Folder() as folder:
        case = Case(folder, PLAIN + ".columns = columns, .prior = prior, .draw_prior = draw_prior, "
                    ".draw_normals = D", base="prior")
        case.beside("prior", "gradient", 192)
        case.beside("draw_prior", "x", 192, after=1)


def test_constrained_targets():
    """And the log likelihoods of both kinds."""
    for members in (PLAIN + ".point = point", ".constrained = 1, .point = point"):
        with Folder() as folder:
            case = Case(folder, members + ", .likelihood = likelihood, "
                        ".log_likelihood = log_likelihood", text=CHAINS,
                        more="log_likelihood: true")
            case.beside("point", "gradient", 3, after=100)
            case.beside("log_likelihood", "out", 5)


def test_what_is_asked_seldom():
    with Folder() as folder:
        case = Case(folder, PLAIN + ".columns = columns, .tilted = tilted, .modes = modes",
                    text=TILTED)
        for array, count in (("h", 192), ("lambda", 64), ("mean", 192), ("work", 128)):
            case.beside("tilted", array, count)
        case.far("tilted", "mean")
        for array, count in (("centre", 3), ("share", 1), ("width", 1)):
            case.beside("modes", array, count, after=0)


main()

"""Targets of many scalar parameters: their results are read, and take no quadratic time or space.
Comparisons of texts are counted, which no load of the machine changes."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(1, os.path.join(sys.path[0], "faults"))
from faults import ALONE, fault  # noqa: E402
from support import Folder, compiled, dunlin, main, write  # noqa: E402

LIBRARY = """\
#include <dunlin/target.h>
#include <stdio.h>
static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  (void)self;
  for (int i = 0; i < N && i < capacity; i++) {
    parameter[i] = (struct dun_parameter){.doc = "One of many."};
    snprintf(parameter[i].name, sizeof parameter[i].name, "a_parameter_%d", i);
  }
  return N;
}
static double point(const void *self, const double *x, double *gradient)
{
  double lp = 0;
  (void)self;
  for (int i = 0; i < N; i++) {
    lp -= .5 * x[i] * x[i];
    if (gradient)
      gradient[i] = -x[i];
  }
  return lp;
}
static void constrain(const void *self, const double *x, double *theta)
{
  (void)self;
  for (int i = 0; i < N; i++)
    theta[i] = x[i];
}
const struct dun_target dun_target_many = {
    .type = {DUN_TYPE(struct dun_target), .name = "many", .doc = "Many scalars."},
    .dimension = N,
    .point = point,
    .parameters = parameters,
    .constrain = constrain,
};
"""
INPUT = """\
run:    {seed: 5, particles: 8, tile: 8}
target: {type: library, file: ./many.so}
path:   {type: constant, start: {scale: 1}}
kernel: {type: rwm}
method: {type: langevin, warmup: 1, draws: 4}
output: {file: r.h5, checkpoint_every: 0}
"""
FIRST = 700


def counted(count):
    """Comparisons in a run of so many parameters, writes, and bytes of its result."""
    with Folder() as folder:
        write(folder, "many.c", LIBRARY)
        compiled(folder, "many.so", "many.c", flags=("-O1", f"-DN={count}"))
        file, result = write(folder, "input.yaml", INPUT), os.path.join(folder, "r.h5")
        made = []
        for call in ("compare", "write"):
            dunlin("run", file, "--output", result, "--overwrite", "--no-check", folder=folder,
                   environment={**ALONE, **fault(call, 0, count=os.path.join(folder, "count"))})
            made.append(int(open(os.path.join(folder, "count.0")).read()))
        assert f"a_parameter_{count - 1}" in dunlin("summary", result).stdout
        return (*made, os.path.getsize(result))


def test_comparisons_and_bytes():
    """Twice as many more take twice as much more; four times of what is quadratic."""
    all_ = [counted(FIRST << i) for i in range(3)]
    for what, values in zip(("comparisons", "writes", "bytes"), zip(*all_)):
        ratio = (values[2] - values[1]) / (values[1] - values[0])
        print(f"{what} of {FIRST}, {2 * FIRST}, {4 * FIRST} parameters: {values}, {ratio:.2f}")
        assert 1.5 < ratio < 2.6, what


main()

"""Ranks that were not started alike are refused with a sentence, before anything is written:
nothing hangs, and no run is made of two."""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import ENVIRONMENT, PROGRAM, Folder, compiled, main, write  # noqa: E402

INPUT = """\
run:    {seed: 5, particles: 64}
target: {type: gaussian, dimension: 2}
path:   {type: geometric, base: {type: gaussian, mean: 0, scale: 3}, schedule: {type: adaptive}}
kernel: {type: hmc}
method: {type: smc, moves_per_step: 2}
output: {file: out.h5}
"""
LIBRARY = """\
#include <dunlin/target.h>
static double point(const void *self, const double *x, double *gradient)
{
  (void)self;
  if (gradient)
    gradient[0] = -x[0] / SCALE;
  return -.5 * x[0] * x[0] / SCALE;
}
const struct dun_target dun_target_9 = {
    .type = {DUN_TYPE(struct dun_target), .name = "nine", .doc = "A Gaussian."},
    .dimension = 1,
    .point = point,
};
"""


def apart(folder, *starts, code=2):
    """Runs one rank for each of (words, options of mpirun, program); returns what was said."""
    words = ["mpirun", "--oversubscribe", "--bind-to", "none"]
    for i, (arguments, options, program) in enumerate(starts):
        words += [":"] * (i > 0) + ["-n", "1", *options, program, *arguments]
    done = subprocess.run(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60, env=ENVIRONMENT)
    assert done.returncode == code, f"{done.returncode}: {' '.join(words)}\n{done.stderr[-3000:]}"
    return done.stderr


def begin(*arguments, options=(), program=PROGRAM):
    return list(arguments), list(options), program


def refused(folder, sentence, *starts):
    before = sorted(os.listdir(folder))
    said = apart(folder, *starts)
    assert re.search(sentence, said), f"expected {sentence}, found: {said}"
    assert sorted(os.listdir(folder)) == before, "something was written"


def test_other_words():
    with Folder() as folder:
        write(folder, "a.yaml", INPUT)
        write(folder, "b.yaml", INPUT.replace("seed: 5", "seed: 6"))
        run = begin("run", "a.yaml")
        for other in (begin("run", "b.yaml"), begin("list"), begin("run", "a.yaml", "--nonsense"),
                      begin("summary", "nothing.h5")):
            refused(folder, "dunlin: rank 1 was started with other words than rank 0: `dunlin",
                    run, other)
        for other in (begin("run"), begin("--help")):
            refused(folder, "dunlin: rank 1 was started with other words than rank 0: `dunlin run "
                    "a.yaml`", other, run)
        refused(folder, "rank 2 was started with other words",
                run, run, begin("run", "a.yaml", "--set", "run.seed=7"))


def test_restart_here_and_overwrite_there():
    with Folder() as folder:
        write(folder, "a.yaml", INPUT)
        apart(folder, begin("run", "a.yaml"), begin("run", "a.yaml"), code=0)
        found = open(os.path.join(folder, "out.h5"), "rb").read()
        refused(folder, "rank 1 was started with other words",
                begin("run", "a.yaml", "--restart"), begin("run", "a.yaml", "--overwrite"))
        assert open(os.path.join(folder, "out.h5"), "rb").read() == found


def test_other_folders():
    with Folder() as folder:
        other = os.path.join(folder, "other")
        os.mkdir(other)
        write(folder, "a.yaml", INPUT)
        write(other, "a.yaml", INPUT)
        refused(folder, "rank 1 was started in another folder than rank 0: .*/other",
                begin("run", "a.yaml"), begin("run", "a.yaml", options=["-wdir", other]))


def test_another_build():
    """A copy with another build id, as a link of other sources would have."""
    with Folder() as folder:
        write(folder, "a.yaml", INPUT)
        notes = subprocess.run(["readelf", "-n", PROGRAM], stdout=subprocess.PIPE, text=True,
                               check=True).stdout
        found = re.search(r"Build ID: ([0-9a-f]{40})", notes)
        assert found, "the program has no build id"
        identity = bytes.fromhex(found.group(1))
        content = open(PROGRAM, "rb").read()
        assert content.count(identity) == 1
        copy = os.path.join(folder, "dunlin")
        shutil.copy(PROGRAM, copy)
        with open(copy, "wb") as file:
            file.write(content.replace(identity, bytes(reversed(identity))))
        refused(folder, "rank 1 runs another build of the program than rank 0",
                begin("run", "a.yaml"), begin("run", "a.yaml", program=copy))


def test_another_library():
    """A name under which each rank finds a library of its own, as on folders of nodes: the ninth
    open file of each process."""
    with Folder() as folder:
        write(folder, "nine.c", LIBRARY)
        for scale in (1, 2):
            compiled(folder, f"{scale}.so", "nine.c", flags=(f"-DSCALE={scale}.0",))
        write(folder, "a.yaml", INPUT.replace("{type: gaussian, dimension: 2}",
                                              "{type: library, file: /proc/self/fd/9}"))
        script = write(folder, "start.sh", "exec 9<$1.so\nshift\nexec \"$@\"\n")

        def with_library(scale):
            return begin(script, scale, PROGRAM, "run", "a.yaml", program="bash")
        refused(folder, "a.yaml:2:.*/fd/9' holds something else on rank 1 than on rank 0",
                with_library("1"), with_library("2"))
        apart(folder, with_library("1"), with_library("1"), code=0)


main()

# tier: long
"""Runs that stop, go on and end, under valgrind: no byte is read that nobody wrote, none beyond its
block, and none is lost, at 1 and 3 ranks."""
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "faults"))
from faults import INPUTS  # noqa: E402
from interrupt import EARLY, checkpoints, equal, run  # noqa: E402
from cases import CASES, case  # noqa: E402
from support import (HERE, PROGRAM, Folder, Missing, attributes, compiled,  # noqa: E402
                     dunlin, main, write)

KNOWN = os.path.join(HERE, "restart", "valgrind.supp")
# Who reads a file first, to see whether HDF5 survives it, is kept to a few megabytes; valgrind
# wants more for itself.
ROOM = """#include <sys/resource.h>
int setrlimit(__rlimit_resource_t what, const struct rlimit *limit) { return 0; }
"""
WATCHED = f"""#!/bin/sh
export LD_PRELOAD=$(dirname "$0")/room.so
exec valgrind -q --num-callers=40 --error-exitcode=99 --leak-check=full \\
  --errors-for-leak-kinds=definite --show-leak-kinds=definite --child-silent-after-fork=yes \\
  --suppressions={KNOWN} \\
  {PROGRAM} "$@"
"""
SECONDS = 1200  # for one run, thirty times as slow as without
FEW = 16  # particles, in two tiles: of three ranks one has none


def watched(folder):
    if not shutil.which("valgrind"):
        raise Missing("there is no valgrind")
    compiled(folder, "room.so", write(folder, "room.c", ROOM))
    program = write(folder, "dunlin", WATCHED)
    os.chmod(program, 0o755)
    return program


def stopped_and_gone_on(file, folder, ranks, *more):
    """Two stops, where there are evaluations to stop at, and the runs that go on."""
    program = watched(folder)
    whole, cut = os.path.join(folder, "whole.h5"), os.path.join(folder, "cut.h5")
    if not os.path.exists(whole):
        run(file, whole, *more)
    total = attributes(whole)["evaluations"]
    for part in (.3, .8) if total > 100 else ():
        run(file, cut, *more, "--restart", "--stop-after", int(part * total), ranks=ranks,
            code=EARLY, program=program, timeout=SECONDS)
        assert checkpoints(cut)
    run(file, cut, *more, "--restart", ranks=ranks, program=program, timeout=SECONDS)
    equal(whole, cut)
    os.remove(cut)


FITTED = """
run: {seed: 7, particles: 64, tile: 8}
target: {type: gaussian, dimension: 2}
path: {type: geometric, base: {type: fitted, scale: 2, pilot_moves: 5}}
kernel: {type: rwm}
method: {type: smc, moves_per_step: 1}
"""


def of_input(text):
    with Folder() as folder:
        file = write(folder, "input.yaml", text)
        for ranks in (1, 3):
            stopped_and_gone_on(file, folder, ranks)


def test_smc():
    of_input(INPUTS["smc"])


def test_langevin():
    of_input(INPUTS["langevin"])


def test_tempering():
    of_input(INPUTS["tempering"])


def test_fitted_base():
    """What stands in for it until the fit, and what a restart makes anew."""
    of_input(FITTED)


def test_every_kind_of_run():
    """Those of the tests of restarts, with few particles."""
    for name in CASES:
        with Folder() as folder:
            file = case(folder, name, kernel="hmc", particles=FEW)
            tile = "--set", "run.tile=8"
            try:
                run(file, os.path.join(folder, "whole.h5"), *tile)
            except AssertionError:
                print(f"{name}: not with {FEW} particles")
                continue
            stopped_and_gone_on(file, folder, 3, *tile)
            print(f"{name}: clean", flush=True)


def test_what_reads_a_result():
    with Folder() as folder:
        program, file = watched(folder), write(folder, "input.yaml", INPUTS["langevin"])
        result = os.path.join(folder, "r.h5")
        run(file, result)
        dunlin("summary", result, program=program)
        dunlin("check", file, "--output", os.path.join(folder, "o.h5"), program=program)
        dunlin("run", result, "--output", os.path.join(folder, "o.h5"), program=program)
        dunlin("compare", result, os.path.join(folder, "o.h5"), "--points", 8, program=program,
               code=None)


main()

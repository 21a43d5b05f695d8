"""Targets of which an evaluation takes milliseconds: few particles have work for many ranks, the
same bits at any number of them; a stop in the midst of a trajectory comes at once and loses
nothing; a checkpoint does not wait for the end of a sweep."""
import os
import signal
import subprocess

from interrupt import EARLY, checkpoints, equal, finish, ranks_of, run, wait_for
from support import BUILD, ENVIRONMENT, Folder, attributes, command, dunlin, main, write

LIBRARY = os.path.join(BUILD, "tests", "user_target", "interrupted.so")
INPUT = """
run:    {seed: 7, particles: 8}
target: {type: library, file: %s}
path:   {%s}
kernel: {type: hmc%s}
method: {%s}
output: {file: result.h5}
"""
BASE = "type: geometric, base: {type: gaussian, mean: 0, scale: 3}"
CHAINS = "type: constant, start: {scale: 2}", "", "type: langevin, warmup: 8, draws: 8"
SMC = BASE, "", "type: smc, moves_per_step: 2"
TEMPERING = BASE, "", "type: tempering, temperatures: 4, warmup: 8, draws: 8"
NAP = {"DUNLIN_TEST_NAP": "1500"}  # microseconds; from 1000 on answers are kept


def evaluations(log):
    """{process: how many it made}"""
    made = {}
    with open(log) as lines:
        for line in lines:
            pid = line.split()[1]
            made[pid] = made.get(pid, 0) + 1
    os.remove(log)
    return made


def spread(particles, what, most, *numbers):
    """Eight tiles or more: at any number of ranks the same bits, as many evaluations as without
    empty lanes, and no rank has more than its part."""
    with Folder() as folder:
        file, log = write(folder, "input.yaml", INPUT % (LIBRARY, *what)), folder + "/log"
        whole = os.path.join(folder, "at1.h5")
        for ranks in (1, *numbers):
            result = os.path.join(folder, f"at{ranks}.h5")
            run(file, result, "--no-check", "--set", f"run.particles={particles}", ranks=ranks,
                environment={"DUNLIN_TEST_LOG": log})
            made = evaluations(log)
            equal(whole, result)
            assert sum(made.values()) == attributes(result)["evaluations"], (ranks, made)
            assert len(made) == ranks, (ranks, made)
            share = max(made.values()) * ranks / sum(made.values())
            print(f"{what[2]}, {ranks} ranks: the most has {share:.2f} of a rank's part")
            assert share < most, (ranks, made)


def test_few_particles_have_work_for_many_ranks():
    spread(14, CHAINS, 1.5, 2, 7)
    spread(28, SMC, 1.5, 3)
    spread(28, TEMPERING, 1.5, 3)


def stopped(what, parts, *more):
    """A run whose every part ends with the very evaluation in which a rank is asked to; no
    evaluation is made twice."""
    with Folder() as folder:
        file, log = write(folder, "input.yaml", INPUT % (LIBRARY, *what)), folder + "/log"
        whole, cut = os.path.join(folder, "whole.h5"), os.path.join(folder, "cut.h5")
        run(file, whole, *more, ranks=None)
        made = 0
        for part, (ranks, at) in enumerate(parts):
            last = part == len(parts) - 1
            run(file, cut, "--restart", "--no-check", *more, ranks=ranks, code=0 if last else EARLY,
                environment={"DUNLIN_TEST_LOG": log, "DUNLIN_TEST_RAISE": "0" if last else str(at),
                             "DUNLIN_TEST_FROM": "1", **({} if last else NAP)})
            each = evaluations(log)
            made += sum(each.values())
            assert last or max(each.values()) == at, (part, at, each)
        equal(whole, cut)
        total = attributes(whole)["evaluations"]
        assert attributes(cut)["evaluations"] == total and made == total, (made, total)


def test_a_stop_loses_nothing():
    """One rank, and several that are all asked; the pieces are taken up by other ranks."""
    parts = (None, 33), (None, 75), (2, 41), (None, 20), (3, 17), (2, 0)
    stopped(CHAINS, parts)
    stopped(SMC, parts, "--set", "run.particles=16")
    stopped(TEMPERING, parts)
    stopped(CHAINS, parts, "--set", "run.tile=64")


def test_a_checkpoint_does_not_wait_for_the_sweep():
    """The first comes before the first sweep is over; a run that is killed goes on from there."""
    what = CHAINS[0], ", leapfrog_steps: 40", "type: langevin, warmup: 2, draws: 2"
    with Folder() as folder:
        file, log = write(folder, "input.yaml", INPUT % (LIBRARY, *what)), folder + "/log"
        whole, cut = os.path.join(folder, "whole.h5"), os.path.join(folder, "cut.h5")
        more = "--no-check", "--set", "output.checkpoint_every=0.2"
        run(file, whole, *more, ranks=None)
        process = subprocess.Popen(
            command(["run", file, "--output", cut, *more], 2), start_new_session=True, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**ENVIRONMENT, "DUNLIN_TEST_NAP": "10000", "DUNLIN_TEST_LOG": log})
        wait_for(lambda: checkpoints(cut), 60, "a checkpoint")
        for pid in ranks_of(process):
            os.kill(pid, signal.SIGKILL)
        finish(process)
        done = run(file, cut, *more, "--restart", ranks=3, environment={"DUNLIN_TEST_LOG": log})
        assert "goes on from a checkpoint: step 0" in done.stdout + done.stderr, done.stderr
        made, total = sum(evaluations(log).values()), attributes(whole)["evaluations"]
        print(f"{made - int(total)} of {int(total)} evaluations were made twice")
        assert total <= made < total + 8 * 40, (made, total)
        equal(whole, cut)


def test_checkpoints_in_the_midst_leave_the_bits():
    for what in (CHAINS, SMC):
        with Folder() as folder:
            file = write(folder, "input.yaml", INPUT % (LIBRARY, *what))
            whole, many = os.path.join(folder, "whole.h5"), os.path.join(folder, "many.h5")
            run(file, whole, ranks=None)
            run(file, many, "--no-check", "--set", "output.checkpoint_every=0.2", ranks=2,
                environment={"DUNLIN_TEST_NAP": "3000"})
            equal(whole, many)
            assert attributes(many)["evaluations"] == attributes(whole)["evaluations"]


def test_the_cost_is_told():
    """`check` says what an evaluation takes, and which tile has work for more ranks; a run that
    leaves ranks without particles says so."""
    with Folder() as folder:
        file = write(folder, "input.yaml", INPUT % (LIBRARY, *CHAINS))
        slow = {"DUNLIN_TEST_NAP": "3000"}
        said = dunlin("check", file, "--set", "run.particles=64", environment=slow).stdout
        cost = float(said.split("evaluation: ")[1].split(" us")[0])
        assert 3000 < cost < 60000, said
        assert "in tiles of 8; run.tile: 1 has work for 64 ranks, 8 for 8" in said, said
        said = dunlin("check", file, "--set", "run.particles=65536", environment=slow).stdout
        assert "in tiles of 64\n" in said, said
        done = dunlin("run", file, "--set", "run.tile=4", "--output", folder + "/r.h5", ranks=3)
        assert "1 of 3 ranks have no particles: there are 2 tiles of 4; a smaller" in done.stderr, \
            done.stderr


main()

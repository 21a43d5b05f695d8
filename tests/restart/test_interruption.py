"""Runs that are interrupted in the midst of a sweep go on to the same bits, at any number of ranks,
and a stop that is asked for does not wait for the end of a sweep."""
import os
import signal
from string import Template

from interrupt import EARLY, checkpoints, equal, run
from support import BUILD, Folder, attributes, main, write

LIBRARY = os.path.join(BUILD, "tests", "user_target", "interrupted.so")
INPUT = """
run:    {seed: 7, particles: 210, tile: 8}
target: {type: library, file: $library}
path:   {$path}
kernel: {$kernel}
method: {$method}
output: {file: result.h5}
"""
GEOMETRIC = "type: geometric, base: {type: gaussian, mean: 0, scale: 3}"
ADAPTIVE = GEOMETRIC + ", schedule: {type: adaptive, conditional_ess: 0.3}"
DILATION = "type: dilation, schedule: {levels: 6}"
SMC = "type: smc, moves_per_step: 2"
CHAINS = "type: langevin, warmup: 8, draws: 8"
GUIDED = "type: langevin, warmup: 4, draws: 4, final_moves: 3, moves_per_level: 1"


def input_of(folder, path, kernel, method, more=""):
    if not kernel:
        return write(folder, "input.yaml", Template(INPUT.replace("kernel: {$kernel}\n", "")).
                     substitute(library=LIBRARY, path=path, method=method) + more)
    text = Template(INPUT).substitute(library=LIBRARY, path=path, kernel=kernel, method=method)
    return write(folder, "input.yaml", text + more)


def interrupted(path, kernel, method, more="", parts=4, least=3):
    """An undisturbed run against one that is asked to stop so many times, each time in the midst of
    the work of one or all ranks."""
    with Folder() as folder:
        file = input_of(folder, path, kernel, method, more)
        whole, cut = os.path.join(folder, "whole.h5"), os.path.join(folder, "cut.h5")
        run(file, whole, ranks=None)
        total, amidst = attributes(whole)["evaluations"], 0
        for part in range(parts):
            ranks = (2, None, 3)[part % 3]
            at = 30 if part == 0 else int(total / (parts + 1) / (ranks or 1)) + 1
            done = run(file, cut, "--restart", "--no-check", ranks=ranks, code=EARLY,
                       environment={"DUNLIN_TEST_RAISE": str(at)})
            assert checkpoints(cut), done.stderr
            amidst += "in the tick behind" in done.stderr
        run(file, cut, "--restart", ranks=2)
        print(f"{method} {kernel}: {amidst} of {parts} stops amidst a tick")
        assert amidst >= least, f"{amidst} of {parts} stops came amidst a tick"
        equal(whole, cut)
        assert attributes(cut)["evaluations"] == total, "evaluations that were lost were counted"


def test_smc():
    interrupted(ADAPTIVE, "type: hmc", SMC)
    interrupted(ADAPTIVE, "type: underdamped, metric: dense", SMC)


def test_waste_free_smc():
    interrupted(ADAPTIVE, "type: hmc", "type: smc, chain_length: 5")
    interrupted(ADAPTIVE, "type: underdamped, metric: dense", "type: smc, chain_length: 10")


def test_smc_with_pilot_chains():
    interrupted(ADAPTIVE.replace("gaussian, mean: 0", "fitted, pilot_moves: 4, pilot_chains: 100"),
                "type: hmc", SMC)


def test_smc_of_weighed_moves():
    interrupted(ADAPTIVE, "type: ula, step_rule: mean", SMC)
    interrupted(DILATION, "type: ula, step_size: 0.05", SMC)


def test_smc_of_weighted_carries():
    for reference in ("annealed", "stationary"):
        interrupted(f"type: controlled, reference: {reference}, base: {{scale: 3}}, steps: 24, "
                    "pieces: 6", None, "type: smc, moves_per_step: 0")


def test_chains():
    interrupted("type: constant, start: {scale: 2}", "type: hmc", CHAINS)
    interrupted(DILATION, "type: ula, step_rule: snr", GUIDED)
    interrupted(DILATION, "type: mala", GUIDED)


def interrupted_behind(kernel, method, particles, stops):
    """Stops so many evaluations before the end of a run, after the method's own."""
    with Folder() as folder:
        file = input_of(folder, ADAPTIVE, kernel, method)
        more = "--set", f"run.particles={particles}", "--no-check"
        whole, cut = os.path.join(folder, "whole.h5"), os.path.join(folder, "cut.h5")
        run(file, whole, *more, ranks=None)
        total = attributes(whole)["evaluations"]
        for stop in stops:
            done = run(file, cut, *more, "--overwrite", ranks=None, code=EARLY,
                       environment={"DUNLIN_TEST_RAISE": str(int(total) - stop)})
            assert "in the tick behind" in done.stderr, done.stderr
            run(file, cut, *more, "--restart", ranks=3)
            equal(whole, cut)
            assert attributes(cut)["evaluations"] == total, "lost evaluations were counted"


def test_the_second_estimate():
    interrupted_behind("type: rwm", "type: smc, moves_per_step: 20", 512, [100])


def test_the_search_for_lost_parts():
    """It makes the last evaluations of a run: climbs, then draws about the tops."""
    interrupted_behind("type: hmc", "type: smc, moves_per_step: 20", 2048, [100, 5000])


def test_tempering():
    interrupted(GEOMETRIC, "type: hmc", "type: tempering, temperatures: 5, warmup: 20, draws: 10")


def cut_at(method, kernel, stops, wall=None):
    """Stops in the midst of a tick at such evaluations of a process, counted from each start."""
    around = {"DUNLIN_TEST_WALL": str(wall)} if wall is not None else {}
    with Folder() as folder:
        file = input_of(folder, GEOMETRIC, kernel, method)
        whole, cut = os.path.join(folder, "whole.h5"), os.path.join(folder, "cut.h5")
        run(file, whole, ranks=None, environment=around)
        for ranks, at in stops:
            done = run(file, cut, "--restart", "--no-check", ranks=ranks, code=EARLY,
                       environment={"DUNLIN_TEST_RAISE": str(at), **around})
            assert "in the tick behind" in done.stderr, (ranks, at, done.stderr)
        run(file, cut, "--restart", ranks=2, environment=around)
        equal(whole, cut)
        assert attributes(cut)["evaluations"] == attributes(whole)["evaluations"]


def test_draws_of_the_base():
    """First draws behind a wall, which are drawn anew; proposals, 210 evaluations each of 32 times;
    then, of a sweep of as many moves, 105 draws in the places of those at the first rung."""
    method = "type: tempering, temperatures: 2, warmup: 20, draws: 10"
    cut_at(method, "type: rwm", [(None, 300), (2, 20), (None, 4000), (3, 100)], wall=2)
    cut_at(method, "type: rwm", [(None, 210 * 33 + 210 + 50), (2, 30), (None, 105 + 210 + 60)])


def test_a_finish():
    interrupted(ADAPTIVE, "type: rwm", "type: smc, moves_per_step: 1",
                "finish: [{type: fit_and_reweight, steps: 20}]\n")


def late(file):
    with open(file) as lines:
        return [float(line.split()[0]) for line in lines]


def test_a_slow_tile_is_given_up():
    """A tile whose evaluation outlasts the patience: none is made after it, and none counted that
    has to be made again."""
    with Folder() as folder:
        file = input_of(folder, ADAPTIVE, "type: hmc", SMC)
        whole, cut = os.path.join(folder, "whole.h5"), os.path.join(folder, "cut.h5")
        run(file, whole, ranks=None)
        log = os.path.join(folder, "log")
        done = run(file, cut, ranks=None, code=EARLY, environment={
            "DUNLIN_TEST_RAISE": "500", "DUNLIN_TEST_NAP": "100", "DUNLIN_TEST_SLEEP": "150000",
            "DUNLIN_TEST_LOG": log})
        assert "in the tick behind" in done.stderr, done.stderr
        assert len(late(log)) == 1, f"{len(late(log)) - 1} evaluations after a stop was overdue"
        run(file, cut, "--restart", ranks=2)
        equal(whole, cut)
        assert attributes(cut)["evaluations"] == attributes(whole)["evaluations"]


def test_a_time_limit_is_kept():
    """No evaluation begins behind it; the moves of one tile take longer than all of it, and go on
    where they were."""
    with Folder() as folder:
        file = input_of(folder, ADAPTIVE, "type: hmc, leapfrog_steps: 20", SMC)
        log, result = os.path.join(folder, "log"), os.path.join(folder, "result.h5")
        more = "--set", "run.tile=64", "--set", "run.particles=64"
        done = run(file, result, *more, "--time-limit", "4s", ranks=None, code=EARLY,
                   environment={"DUNLIN_TEST_NAP": "20000", "DUNLIN_TEST_LOG": log})
        assert "time limit" in done.stderr, done.stderr
        times = late(log)
        assert len(times) > 3, "the limit was over before the work began"
        assert max(times) - min(times) < 4, f"{max(times) - min(times)} s of evaluations"
        done = run(file, result, *more, "--restart", "--time-limit", "2s", ranks=None, code=EARLY,
                   environment={"DUNLIN_TEST_NAP": "20000"})
        assert "nothing was completed" not in done.stderr, done.stderr
        run(file, result, *more, "--restart", ranks=2)
        whole = os.path.join(folder, "whole.h5")
        run(file, whole, *more, ranks=None)
        equal(whole, result)


def test_a_time_limit_is_kept_by_draws_of_the_base():
    with Folder() as folder:
        file = input_of(folder, GEOMETRIC, "type: hmc", "type: tempering, temperatures: 2, "
                        "warmup: 4, draws: 2")
        log, result = os.path.join(folder, "log"), os.path.join(folder, "result.h5")
        more = "--set", "run.tile=64", "--set", "run.particles=64"
        done = run(file, result, *more, "--time-limit", "4s", ranks=None, code=EARLY,
                   environment={"DUNLIN_TEST_NAP": "30000", "DUNLIN_TEST_LOG": log})
        assert "in the tick behind" in done.stderr, done.stderr
        times = late(log)
        assert 64 < len(times) < 64 * 33 and max(times) - min(times) < 4
        run(file, result, *more, "--restart", ranks=2)
        whole = os.path.join(folder, "whole.h5")
        run(file, whole, *more, ranks=None)
        equal(whole, result)


def test_signals():
    """What batch systems, limits and terminals warn with; `nohup` is obeyed."""
    with Folder() as folder:
        file = input_of(folder, ADAPTIVE, "type: hmc", SMC)
        whole, cut = os.path.join(folder, "whole.h5"), os.path.join(folder, "cut.h5")
        run(file, whole, ranks=None)
        for number in (signal.SIGUSR2, signal.SIGXCPU, signal.SIGHUP, signal.SIGTERM):
            done = run(file, cut, "--restart", ranks=None, code=EARLY, environment={
                "DUNLIN_TEST_RAISE": "1000", "DUNLIN_TEST_SIGNAL": str(int(number))})
            assert "a signal asked for it" in done.stderr, (number, done.stderr)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        run(file, cut, "--restart", ranks=None, environment={
            "DUNLIN_TEST_RAISE": "1000", "DUNLIN_TEST_SIGNAL": str(int(signal.SIGHUP))})
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        equal(whole, cut)


main()

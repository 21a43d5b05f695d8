"""Restart equals no restart, bit for bit, also at another number of ranks: stopped by the limit of
evaluations, by a signal through the launcher, and by the time limit."""
import os
import signal

from interrupt import (EARLY, checkpoints, equal, finish, generation, one_tick_at_a_time, ranks_of,
                       run, wait_for, wait_for_progress)
from cases import ADAPTED, ASKED, CHAINS_SEEN, FEW, GLASS, HEUN, LEAPS, MODES, REVERSE, WAYS, case
from support import Folder, attributes, main, start

# Of a run that no test waits for: long enough to be interrupted, short enough to be repeated.
LENGTH = {"mixture": dict(particles=20000, moves=8), "seeds": dict(particles=3000, moves=4)}


def stopped_by_evaluations(name, ranks, parts, **options):
    """An undisturbed run against one that is stopped after each part of its evaluations, and goes
    on at the next number of ranks in turn."""
    with Folder() as folder:
        file = case(folder, name, **options)
        whole, cut = os.path.join(folder, "whole.h5"), os.path.join(folder, "cut.h5")
        run(file, whole, ranks=1)
        total = attributes(whole)["evaluations"]
        for number, part in enumerate(parts):
            run(file, cut, "--restart", "--stop-after", int(part * total),
                ranks=ranks[number % len(ranks)], code=EARLY)
            assert checkpoints(cut) and not os.path.exists(cut), os.listdir(folder)
        run(file, cut, "--restart", ranks=ranks[len(parts) % len(ranks)])
        equal(whole, cut)
        assert not checkpoints(cut), "checkpoints are left over behind a complete result"


def test_one_tick_at_a_time():
    one_tick_at_a_time("mixture", "--set", "run.replicates=2", kernel="rwm",
                       resampling="multinomial")


def test_one_tick_at_a_time_of_waste_free_chains():
    one_tick_at_a_time("waste_free", "--set", "run.replicates=2", kernel="hmc", moves=5)


def test_one_tick_at_a_time_of_observations_in_batches():
    one_tick_at_a_time("batches", kernel="hmc")


def test_one_tick_at_a_time_of_spins():
    one_tick_at_a_time("spins", kernel="glauber")


def test_one_tick_at_a_time_of_chains_that_stay_with_their_particle():
    one_tick_at_a_time("slips", "--set", "method.stride=3", "--set", "run.replicates=1",
                       adaptive=False, path=CHAINS_SEEN)


def test_one_tick_at_a_time_of_observations():
    one_tick_at_a_time("seen", adaptive=False, kernel=GLASS, path=ASKED)
    one_tick_at_a_time("seen", adaptive=False, kernel=MODES, path=ADAPTED)


def test_one_tick_at_a_time_of_diffusions_followed_back():
    one_tick_at_a_time("diffused", adaptive=False, path=REVERSE)


def test_one_tick_at_a_time_of_flows():
    """In the midst of a march."""
    one_tick_at_a_time("march", "--set", "run.replicates=1", adaptive=False, path=HEUN)


def test_one_tick_at_a_time_of_phase_space_diffusions():
    """With momenta, what a step keeps of its beginning, and the weights of ways."""
    one_tick_at_a_time("phase", "--set", "run.replicates=1", adaptive=False, path=WAYS)


def test_stop_by_evaluations_random_walk():
    stopped_by_evaluations("mixture", (2, 1), (.3, .7), kernel="rwm", particles=2000, moves=3)


def test_stop_by_evaluations_trajectories():
    stopped_by_evaluations("seeds", (1, 3, 2), (.2, .5, .8), kernel="hmc", particles=500,
                           moves="auto")


def test_stop_by_evaluations_fitted_base():
    """Stopped during the pilot chains, and after the fit."""
    stopped_by_evaluations("seeds", (2, 1), (.02, .9), kernel="hmc", particles=500,
                           base="fitted, scale: 2")


def test_stop_by_evaluations_tempering():
    """In the warm-up and in the sweeps after it."""
    stopped_by_evaluations("tempering", (1, 3, 2), (.1, .3, .5, .9), kernel="hmc", particles=500)
    stopped_by_evaluations("tempering", (1, 3), (.3, .8), kernel="underdamped", particles=70)


def test_stop_by_evaluations_chains():
    """In the warm-up and among the draws, of two replicates."""
    stopped_by_evaluations("chains", (1, 3, 2), (.1, .2, .4, .6, .95), kernel="hmc", particles=300)
    stopped_by_evaluations("chains", (2, 3), (.3, .7), kernel="hmc, metric: dense", particles=70,
                           every="20min, unconstrained: true")


def test_stop_by_evaluations_chains_along_dilation():
    """While it anneals, in the last phase, and among the draws."""
    stopped_by_evaluations("guided", (2, 1, 3), (.2, .6, .8, .84), kernel="ula, step_rule: mean",
                           particles=300)


def test_stop_by_evaluations_fields_in_fourier_space():
    stopped_by_evaluations("field", (1, 3, 2), (.2, .6, .9), kernel="underdamped", particles=300)


def test_stop_by_evaluations_scores_by_samples():
    """In the midst of a march whose field evaluates the target."""
    stopped_by_evaluations("march", (2, 1, 3), (.1, .5, .8), particles=300,
                           path="process: {type: ve, scale: 20}, field: {type: monte_carlo, "
                                "samples: 20}")


def test_stop_by_evaluations_trainings_of_controls():
    """What is replayed is in no checkpoint, and is simulated again."""
    stopped_by_evaluations("steered", (2, 1, 3), (.1, .3, .6, .9), kernel=LEAPS, path=FEW,
                           particles=200)


def test_stop_by_evaluations_along_spectral_dilation():
    stopped_by_evaluations("opened", (2, 1, 3), (.2, .6, .9), kernel="ula, step_rule: cap1",
                           particles=200, path="form: x")


def test_stop_between_replicates():
    with Folder() as folder:
        file = case(folder, "mixture", kernel="hmc", particles=300)
        whole, cut = os.path.join(folder, "whole.h5"), os.path.join(folder, "cut.h5")
        more = "--set", "run.replicates=4"
        run(file, whole, *more, ranks=1)
        total = attributes(whole)["evaluations"]
        for part, ranks in ((.4, 2), (.9, 1)):
            run(file, cut, *more, "--restart", "--stop-after", int(part * total),
                ranks=ranks, code=EARLY)
        run(file, cut, *more, "--restart", ranks=3)
        equal(whole, cut)


def test_signal_through_the_launcher():
    with Folder() as folder:
        file = case(folder, "mixture", kernel="hmc", **LENGTH["mixture"])
        whole, cut = os.path.join(folder, "whole.h5"), os.path.join(folder, "cut.h5")
        run(file, whole, ranks=2)
        process = start("run", file, "--output", cut, ranks=2)
        wait_for_progress(cut)
        os.kill(process.pid, signal.SIGUSR1)
        code, output = finish(process)
        assert code == EARLY, f"exit code {code}\n{output}"
        assert checkpoints(cut), output
        run(file, cut, "--restart", ranks=3)
        equal(whole, cut)


def test_termination_of_the_ranks():
    with Folder() as folder:
        file = case(folder, "mixture", kernel="hmc", **LENGTH["mixture"])
        whole, cut = os.path.join(folder, "whole.h5"), os.path.join(folder, "cut.h5")
        run(file, whole, ranks=1)
        process = start("run", file, "--output", cut, ranks=2)
        wait_for_progress(cut)
        for pid in ranks_of(process):
            os.kill(pid, signal.SIGTERM)
        code, output = finish(process)
        assert code == EARLY, f"exit code {code}\n{output}"
        run(file, cut, "--restart", ranks=1)
        equal(whole, cut)


def test_time_limit():
    with Folder() as folder:
        file = case(folder, "mixture", kernel="hmc", **LENGTH["mixture"])
        whole, cut = os.path.join(folder, "whole.h5"), os.path.join(folder, "cut.h5")
        run(file, whole, ranks=2)
        stops, limit = 0, .1  # over at the first tick, as long as a checkpoint is expected to take
        while True:
            done = run(file, cut, "--restart", "--time-limit", f"{limit:.3f}s", ranks=2, code=None)
            limit *= 1.5  # a start takes its share of the limit: the end must come on any machine
            if done.returncode == 0:
                break
            assert done.returncode == EARLY, done.stderr
            stops += 1
        print(f"stopped {stops} times")
        assert stops > 0, "the time limit never came"
        equal(whole, cut)


def test_restart_of_a_complete_result_is_at_once_fine():
    with Folder() as folder:
        file, result = case(folder, "mixture", particles=200), os.path.join(folder, "result.h5")
        done = run(file, result, "--restart")
        assert "afresh" in done.stdout + done.stderr, "it does not say that it starts afresh"
        before = os.stat(result).st_ino  # another one for every result that is renamed into place
        run(file, result, "--restart")
        assert os.stat(result).st_ino == before
        run(file, result, code=2)
        run(file, result, "--overwrite")
        assert os.stat(result).st_ino != before


def test_checkpoint_of_another_input_is_refused():
    with Folder() as folder:
        file, result = case(folder, "mixture", particles=2000), os.path.join(folder, "result.h5")
        total = 2000 * 30
        run(file, result, "--stop-after", total, code=EARLY)
        done = run(file, result, "--restart", "--set", "run.seed=8", code=2)
        assert "checkpoint" in done.stderr, done.stderr
        run(file, result, "--restart")


def test_a_run_that_overwrites_goes_on_after_a_stop():
    """The result that it replaces is still there, and no hindrance; to a third input it is one."""
    with Folder() as folder:
        file, result = case(folder, "mixture", particles=2000), os.path.join(folder, "result.h5")
        whole = os.path.join(folder, "whole.h5")
        run(file, result, "--set", "run.seed=8")
        run(file, whole)
        half = int(.5 * attributes(whole)["evaluations"])
        run(file, result, "--overwrite", "--stop-after", half, code=EARLY)
        done = run(file, result, "--restart", "--set", "run.seed=9", code=2, ranks=2)
        assert "checkpoint" in done.stderr, done.stderr
        run(file, result, "--restart", ranks=2)
        equal(whole, result)
        done = run(file, result, "--restart", "--set", "run.seed=9", code=2, ranks=2)
        assert "no result of this input" in done.stderr, done.stderr


def test_two_runs_with_one_output():
    """Neither writes into the other's draws: the one whose file was replaced fails and says why."""
    with Folder() as folder:
        file, result = case(folder, "chains", particles=20, moves=1, every="0"), folder + "/r.h5"
        whole, part = os.path.join(folder, "whole.h5"), result + ".part"
        run(file, whole)
        for ranks in (1, 2):
            first = start("run", file, "--output", result, "--set", "run.seed=8", ranks=ranks)
            wait_for(lambda: len(checkpoints(result)) == 2, 60, "draws on the disk")
            for pid in ranks_of(first):
                os.kill(pid, signal.SIGSTOP)
            before = os.stat(part).st_ino
            second = start("run", file, "--output", result, "--overwrite", ranks=1)
            wait_for(lambda: os.path.exists(part) and os.stat(part).st_ino != before, 60, "layout")
            for pid in ranks_of(second):
                os.kill(pid, signal.SIGSTOP)
            for pid in ranks_of(first):
                os.kill(pid, signal.SIGCONT)
            code, output = finish(first)
            assert code == 1 and "two runs have the same output" in output, output
            for pid in ranks_of(second):
                os.kill(pid, signal.SIGCONT)
            code, output = finish(second)
            assert code == 0, output
            equal(whole, result)
            os.remove(result)


def test_damaged_checkpoints():
    """The newer one is damaged: the older one is taken.  Both are: refused, not taken for none."""
    with Folder() as folder:
        file = case(folder, "mixture", kernel="hmc", particles=2000, moves=4)
        whole, cut = os.path.join(folder, "whole.h5"), os.path.join(folder, "cut.h5")
        run(file, whole)
        total = attributes(whole)["evaluations"]
        for part in (.3, .6):
            run(file, cut, "--restart", "--stop-after", int(part * total), code=EARLY)
        both = sorted(checkpoints(cut), key=generation)
        assert len(both) == 2, both
        damage(both[1])
        done = run(file, cut, "--restart", "--stop-after", int(.7 * total), ranks=2, code=EARLY)
        assert os.path.basename(both[1]) in done.stderr, "the damage is not told:\n" + done.stderr
        for path in checkpoints(cut):
            damage(path)
        run(file, cut, "--restart", code=2)
        run(file, cut, "--overwrite")
        equal(whole, cut)


def damage(path):
    """Adds one to a byte in the middle of each 4 KiB: twice is damage, too."""
    with open(path, "r+b") as file:
        size = os.path.getsize(path)
        for place in range(2048, size, 4096):
            file.seek(place)
            byte = file.read(1)[0]
            file.seek(place)
            file.write(bytes([(byte + 1) % 256]))


main()

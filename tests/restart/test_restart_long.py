# tier: long
"""As test_restart.py, at every tick: of a warm-up with its windows, metrics and lost chains that
begin again, of localization with weights, along convolution, of pilot chains, of ladders that find
their rungs, of exact draws, of observations, around a learned centre, with a finish, and of learned
controls."""
from interrupt import one_tick_at_a_time
from cases import FEW, LEAPS, SPREAD_GLASS, SPREAD_PASSED, TEXTURE, WINDOW
from support import main


def test_one_tick_at_a_time_of_controls():
    one_tick_at_a_time("steered", adaptive=False, kernel=LEAPS, path=FEW)


def test_one_tick_at_a_time_of_a_warm_up():
    one_tick_at_a_time("chains", "--set", "method.warmup=70", "--set", "method.draws=3", "--set",
                       "run.particles=40", "--set", "run.tile=8", adaptive=False, kernel="hmc")


def test_one_tick_at_a_time_of_localization_with_weights():
    one_tick_at_a_time("localized", adaptive=False, kernel="hmc")
    one_tick_at_a_time("remembered", adaptive=False, kernel="rwm", resampling="multinomial")
    for name in ("localized", "remembered"):  # whose ways are weighed, and noted
        one_tick_at_a_time(name, "--set", "method.moves_at=end", adaptive=False, kernel="hmc")


def test_one_tick_at_a_time_of_tempering():
    one_tick_at_a_time("tempering", "--set", "method.warmup=20", "--set", "method.draws=3",
                       kernel="hmc")


def test_one_tick_at_a_time_of_tempering_with_a_finish():
    one_tick_at_a_time("ladders_finished", "--set", "run.tile=2", "--set", "method.warmup=20",
                       kernel="rwm")


def test_one_tick_at_a_time_with_pilot_chains():
    one_tick_at_a_time("seeds", "--set", "path.base.pilot_moves=3", kernel="hmc",
                       base="fitted, scale: 2")


def test_one_tick_at_a_time_with_a_finish():
    one_tick_at_a_time("finished", "--set", "run.replicates=1", "--set", "run.tile=2", kernel="rwm")


def test_one_tick_at_a_time_of_tempering_that_finds_its_rungs():
    one_tick_at_a_time("tempering", "--set", "method.temperatures=auto", "--set",
                       "method.warmup=20", "--set", "method.draws=3", "--set", "method.thin=1",
                       kernel="hmc", base="type: fitted, scale: 3, pilot_moves: 5")


def test_one_tick_at_a_time_along_convolution():
    """Tables of a level are made again in the middle of it."""
    shorter = [word for option in ("path.schedule.levels=4", "method.warmup=1", "method.draws=2",
                                   "method.final_moves=1") for word in ("--set", option)]
    one_tick_at_a_time("blurred", *shorter, kernel="ula", moves=2, adaptive=False)


def test_one_tick_at_a_time_of_exact_draws():
    one_tick_at_a_time("exact", "--set", "run.replicates=2", "--set", "run.tile=1", adaptive=False)


def test_one_tick_at_a_time_around_a_learned_centre():
    one_tick_at_a_time("mixture", "--set", "run.replicates=1", kernel="independence")


def test_one_tick_at_a_time_with_moves_that_end_by_themselves():
    one_tick_at_a_time("mixture", "--set", "method.moves_per_step=auto", "--set",
                       "method.most_moves=6", kernel="hmc")


def test_one_tick_at_a_time_of_observations():
    one_tick_at_a_time("seen", adaptive=False, kernel=TEXTURE, path=WINDOW)
    one_tick_at_a_time("seen", "--set", "method.stride=1", adaptive=False, kernel=SPREAD_GLASS,
                       path=SPREAD_PASSED)


main()

# tier: long
"""As test_restart.py, at every tick: of a warm-up with its windows, metrics and lost chains that
begin again, of localization with weights, of pilot chains, and of ladders with a finish."""
from interrupt import one_tick_at_a_time
from support import main


def test_one_tick_at_a_time_of_a_warm_up():
    one_tick_at_a_time("chains", "--set", "method.warmup=70", "--set", "method.draws=3", "--set",
                       "run.particles=40", "--set", "run.tile=8", adaptive=False, kernel="hmc")


def test_one_tick_at_a_time_of_localization_with_weights():
    one_tick_at_a_time("localized", adaptive=False, kernel="hmc")
    one_tick_at_a_time("remembered", adaptive=False, kernel="rwm", resampling="multinomial")


def test_one_tick_at_a_time_of_tempering():
    one_tick_at_a_time("tempering", "--set", "method.warmup=20", "--set", "method.draws=3",
                       kernel="hmc")


def test_one_tick_at_a_time_of_tempering_with_a_finish():
    one_tick_at_a_time("ladders_finished", "--set", "run.tile=2", "--set", "method.warmup=20",
                       kernel="rwm")


def test_one_tick_at_a_time_with_pilot_chains():
    one_tick_at_a_time("seeds", "--set", "path.base.pilot_moves=3", kernel="hmc",
                       base="fitted, scale: 2")


main()

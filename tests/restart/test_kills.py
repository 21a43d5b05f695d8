"""Killed at random moments, a run goes on from its last good checkpoint to the same bits."""
from kills import kill_at_moments, kill_at_steps, survive
from support import main


def test_three_kills():
    survive(3, seed=1, kernel="hmc", particles=20000, moves=6)


def test_kills_of_chains_in_each_phase():
    """In the warm-up, which takes 60 steps, and twice among the draws."""
    kill_at_steps("chains", ((20, 59), (70, 89), (95, 109)), kernel="hmc", particles=5000, moves=2)


def test_kills_from_the_start_to_the_very_end():
    kill_at_moments(6, "chains", seed=10, kernel="hmc", particles=40, moves=1,
                    sets=("method.warmup=8", "method.draws=20", "run.tile=8"))


main()

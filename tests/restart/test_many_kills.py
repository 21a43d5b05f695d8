# tier: long
"""A hundred kills at random moments from the start to the very end of a run, in three kinds of run,
and runs that are killed twenty times each."""
from kills import kill_at_moments, survive
from support import main


def test_a_hundred_kills_of_smc():
    kill_at_moments(100, "mixture", seed=11, kernel="rwm", particles=1000, moves=2)


def test_a_hundred_kills_of_chains_with_draws():
    kill_at_moments(100, "chains", seed=12, kernel="hmc", particles=40, moves=1,
                    sets=("method.warmup=8", "method.draws=20", "run.tile=8"))


def test_a_hundred_kills_of_tempering():
    kill_at_moments(100, "tempering", seed=13, kernel="rwm", particles=80, moves=1,
                    sets=("method.warmup=6", "method.draws=20", "method.thin=1", "run.tile=8"))


def test_twenty_kills():
    survive(20, seed=2, kernel="hmc", particles=20000, moves=6)


def test_twenty_kills_of_a_large_population():
    survive(20, seed=3, kernel="rwm", particles=200000, moves=3)


def test_three_kills_of_tempering():
    survive(3, seed=6, name="tempering", kernel="hmc", particles=5000, moves=1)


def test_twenty_kills_of_chains():
    survive(20, seed=5, name="chains", kernel="hmc", particles=20000, moves=1)


main()

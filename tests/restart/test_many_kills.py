# tier: long
"""Twenty kills at random moments, in three kinds of run."""
from kills import survive
from support import main


def test_twenty_kills():
    survive(20, seed=2, kernel="hmc", particles=20000, moves=6)


def test_twenty_kills_of_a_large_population():
    survive(20, seed=3, kernel="rwm", particles=200000, moves=3)


def test_twenty_kills_of_chains():
    survive(20, seed=5, name="chains", kernel="hmc", particles=20000, moves=1)


main()

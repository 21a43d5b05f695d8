# tier: long
"""As test_faults.py, at every call: of a run on one rank at each that concerns its files or takes
memory, and on two ranks at each of the other rank, and of the first rank's at many.

Memory that the program takes is refused at every call, memory that HDF5 takes for it at many.  What
Open MPI and the C library take, most of it while MPI starts, is theirs to answer for: MPI ends the
run with sentences of its own, or dies, and of these runs too nothing durable may be lost."""

from faults import BEGINNINGS, all_kills, all_of
from support import main

ERRORS = {"fresh": "EIO", "restart": "ENOSPC", "overwrite": "EMFILE"}


def tell(name, beginning, what, figures):
    calls, runs, outcomes = figures
    print(f"{name}, {beginning}: {what}, {runs} runs at {calls} calls, exit codes {outcomes}",
          flush=True)


def every(name, beginning, call, action, ranks=None, some=None, rank=None, **words):
    words = words or dict(path="/r.")
    what = " ".join([call, action, *words.values()] + [f"on rank {rank} of 2"] * bool(ranks))
    tell(name, beginning, what, all_of(name, beginning, call, action, ranks, some, rank, **words))


def on_one_rank(name):
    for beginning in BEGINNINGS:
        tell(name, beginning, "killed", all_kills(name, beginning, path="/r."))
        every(name, beginning, "rename", "kill")
        every(name, beginning, "file", ERRORS[beginning])
        every(name, beginning, "write", "part", some=100)
        every(name, beginning, "memory", "ENOMEM", caller="program")
        every(name, beginning, "memory", "ENOMEM", some=300, caller="hdf5")


def on_two_ranks(name):
    for beginning in BEGINNINGS:
        for rank, some in ((1, None), (0, 60)):
            every(name, beginning, "change", "kill", 2, some, rank)
            every(name, beginning, "file", ERRORS[beginning], 2, some, rank)
            every(name, beginning, "memory", "ENOMEM", 2, 60, rank, caller="program")


def test_smc():
    on_one_rank("smc")


def test_langevin():
    on_one_rank("langevin")


def test_tempering():
    on_one_rank("tempering")


def test_smc_on_two_ranks():
    on_two_ranks("smc")


def test_langevin_on_two_ranks():
    on_two_ranks("langevin")


def test_tempering_on_two_ranks():
    on_two_ranks("tempering")


main()

# tier: long
"""As test_faults.py, at every call that concerns a file of the run."""
from faults import BEGINNINGS, all_of
from support import main


def every(name, beginning, call, action, some=None, ranks=None):
    words = dict(caller="program") if call == "memory" else dict(path="/r.")
    calls, runs, outcomes = all_of(name, beginning, call, action, ranks, some, **words)
    print(f"{name} {beginning} {ranks or ''}: {call} {action}, {runs} of {calls} calls, "
          f"exit codes {outcomes}", flush=True)


def test_smc():
    for beginning in BEGINNINGS:
        every("smc", beginning, "change", "kill")
        every("smc", beginning, "file", "EIO")


def test_langevin():
    for beginning in BEGINNINGS:
        every("langevin", beginning, "change", "kill")
    every("langevin", "restart", "file", "ENOSPC")


def test_tempering():
    every("tempering", "restart", "change", "kill")


def test_two_ranks():
    every("langevin", "restart", "change", "kill", 60, ranks=2)
    every("langevin", "overwrite", "file", "EIO", 60, ranks=2)


def test_memory():
    every("langevin", "restart", "memory", "ENOMEM", 300)
    every("langevin", "restart", "memory", "ENOMEM", 60, ranks=2)


main()

# tier: long
"""As test_faults.py, at every call of the program itself and at every sixth of HDF5's."""
import faults
from faults import BEGINNINGS, INPUTS, all_of
from support import main


def every(name, ranks=None):
    for beginning in BEGINNINGS:
        for call, action, words in (
                ("change", "kill", dict(caller="program", path="/r.")),
                ("file", "EIO", dict(caller="program", path="/r.")),
                ("memory", "ENOMEM", dict(caller="program"))):
            calls, runs, outcomes = all_of(name, beginning, call, action, ranks, **words)
            print(f"{name} {beginning} {ranks}: {call} {action}, {runs} of {calls} calls, "
                  f"exit codes {outcomes}", flush=True)


def test_smc():
    every("smc")


def test_langevin():
    every("langevin")


def test_tempering():
    every("tempering")


main()

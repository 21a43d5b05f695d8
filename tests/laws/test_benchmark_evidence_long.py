# tier: long
"""log Z of eleven benchmark targets by the sweep that ships, against exact figures and those of
others: none is more than 3 combined errors off and called good, none more than 5."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import INPUTS, PYTHON, SOURCE, Folder, Missing, data_folder, dunlin, main  # noqa: E402

SWEEP = os.path.join(INPUTS, "sweeps", "known_evidence.yaml")
SMALL = {"pines": ["--set", "run.particles=128"]}


def test_known_evidence():
    if not os.path.exists(os.path.join(data_folder() or "/nonexistent", "mos10_locs_d50.csv")):
        raise Missing("no folder of the benchmarks' data files")
    with Folder() as folder:
        text = ""
        for index, name in enumerate(members(folder), 1):
            words = [SWEEP, "--output", f"of {name}", *SMALL.get(name, [])]
            dunlin("sweep", *words, "--index", index, "--quiet", folder=folder, timeout=3000)
            dunlin("sweep", *words, "--collect", "table.csv", folder=folder)
            with open(os.path.join(folder, "table.csv"), encoding="utf-8") as table:
                rows = table.readlines()
            text += (rows[0] if index == 1 else "") + rows[index]
        with open(os.path.join(folder, "all.csv"), "w", encoding="utf-8") as table:
            table.write(text)
        said = subprocess.run([PYTHON, os.path.join(SOURCE, "jobs", "known_evidence.py"),
                               os.path.join(folder, "all.csv")], stdout=subprocess.PIPE, text=True)
        print(said.stdout)
        assert said.returncode == 0, "wrong and good"
        lines = said.stdout.splitlines()[1:]
        assert len(lines) == 11
        for line in lines:
            assert abs(float(line[55:61])) < 5, line


def members(folder):
    """The labels of the targets, in their order."""
    lines = dunlin("sweep", SWEEP, "--list", folder=folder).stdout.splitlines()
    return [line.split("target=")[1].split(",")[0] for line in lines]


main()

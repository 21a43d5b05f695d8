# tier: long
"""A sweep as an array under Slurm: a task that is over its time limit twice goes on, one that fails
is tried again, and the table is that of a sweep on one machine."""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
for folder_of_modules in ("..", ".", "../app"):
    sys.path.insert(0, os.path.join(HERE, folder_of_modules))
from jobs import need_a_cluster, slurm, wait_for  # noqa: E402
from support import PROGRAM, SOURCE, Folder, dunlin, main, write  # noqa: E402
from test_sweep_running import BASE, states, table  # noqa: E402

# Member 24 takes ten seconds or so, and has two and a half of each start.
SWEEP = BASE.replace("particles: 64", "particles: 64, tile: 1") + f"""
output: {{checkpoint_every: 1}}
sweep:
  target.mood: [nowhere, well, slow]
  run.seed: {{from: 1, to: 22}}
  when: [{{target.mood: [nowhere, slow], run.seed: [{", ".join(str(n) for n in range(2, 23))}]}}]
  method: [{{label: smc, type: smc, moves_per_step: 24}}]
"""


def test_the_table_of_an_array():
    need_a_cluster()
    with Folder() as folder:
        write(folder, "s.yaml", SWEEP)
        said = dunlin("sweep", "s.yaml", code=1, folder=folder).stderr
        assert "23 of 24 members done" in said, said
        whole = table(folder)
        os.rename(os.path.join(folder, "s.sweep"), os.path.join(folder, "whole"))
        os.environ["DUNLIN"] = PROGRAM
        common = ["--parsable", "-n", "1", "-t", "10", "-D", folder]
        log = os.path.join(folder, "task-%a.log")
        array = slurm("sbatch", *common, "-a", "1-24", "-o", log,
                      os.path.join(SOURCE, "jobs", "sweep.sbatch"), "s.yaml", "--time-limit", "3")
        last = slurm("sbatch", *common, "-d", f"afterany:{array}", "-o",
                     os.path.join(folder, "collect.log"),
                     os.path.join(SOURCE, "jobs", "collect.sbatch"), "s.yaml", "array.csv")
        wait_for(last, lambda name, _: name not in ("PENDING", "RUNNING", "COMPLETING"), 500, "end")
        assert os.path.exists(os.path.join(folder, "array.csv"))
        os.replace(os.path.join(folder, "array.csv"), os.path.join(folder, "was.csv"))
        with open(os.path.join(folder, "task-24.log")) as file:
            told = file.read()
        assert len(re.findall("goes on from a checkpoint", told)) >= 2, told
        with open(os.path.join(folder, "task-1.log")) as file:
            assert file.read().count("has failed") == 2
        assert states(folder) == ["failed"] + ["done"] * 23
        assert table(folder) == whole
        with open(os.path.join(folder, "was.csv")) as first, \
                open(os.path.join(folder, "t.csv")) as second:
            assert first.read() == second.read()


main()

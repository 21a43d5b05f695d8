"""How a sweep is run: whatever happens on the way, the table at its end is the same."""
import csv
import fcntl
import glob
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import BUILD, Folder, dunlin, main, start, write  # noqa: E402

MOODS = os.path.join(BUILD, "tests", "user_target", "moods.so")
BASE = f"""run: {{seed: 1, particles: 64}}
target: {{type: library, file: {MOODS}}}
path:
  type: geometric
  base: {{type: gaussian, mean: 0, scale: 3}}
  schedule: {{type: fixed, steps: 4}}
kernel: {{type: rwm}}
method: {{type: smc, moves_per_step: 1}}
"""
SWEEP = BASE + f"""sweep:
  target.mood: [nowhere, well]
  run.seed: {{from: 1, to: 23}}
  when: [{{target.mood: nowhere, run.seed: [{", ".join(str(n) for n in range(2, 24))}]}}]
"""


def table(folder, sweep="s.sweep"):
    """Without what depends on clocks and machines."""
    dunlin("sweep", "s.yaml", "--output", sweep, "--collect", "t.csv", folder=folder)
    with open(os.path.join(folder, "t.csv"), newline="") as file:
        rows = list(csv.reader(file))
    end = rows[0].index("wall_seconds")
    return [row[:end] for row in rows]


def states(folder, sweep="s.sweep"):
    rows = table(folder, sweep)
    return [row[rows[0].index("state")] for row in rows[1:]]


def reason(folder, member):
    rows = table(folder)
    return rows[member][rows[0].index("reason")]


def results(folder, sweep="s.sweep"):
    return sorted(glob.glob(os.path.join(folder, sweep, "*.h5")))


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(.005)


def ranks_of(process):
    words = ["pgrep", "-P", str(process.pid)]
    found = subprocess.run(words, stdout=subprocess.PIPE, text=True).stdout.split()
    return [int(pid) for pid in found]


def test_killed_in_groups_and_alone_the_table_is_the_same():
    with Folder() as folder:
        write(folder, "s.yaml", SWEEP)
        told = dunlin("sweep", "s.yaml", code=1, folder=folder).stderr
        assert "23 of 24 members done, 0 of them before, 1 failed" in told, told
        assert "member 1 of 24 (target.mood=nowhere, run.seed=1) has failed" in told, told
        first = table(folder)
        assert [row[4] for row in first[1:]] == ["failed"] + ["done"] * 23
        assert len(first[1][5]) > 20 and not any(row[5] for row in first[2:]), first[1]

        killed = start("sweep", "s.yaml", "--output", "k", folder=folder)
        wait_for(lambda: len(results(folder, "k")) > 5)
        os.killpg(killed.pid, signal.SIGKILL)
        killed.communicate()
        times = {file: os.stat(file).st_mtime_ns for file in results(folder, "k")}
        assert 5 < len(times) < 23
        dunlin("sweep", "s.yaml", "--output", "k", code=1, folder=folder)
        assert all(os.stat(file).st_mtime_ns == then for file, then in times.items())
        assert table(folder, "k") == first

        for groups, ranks in ((2, 2), (2, 3)):
            told = dunlin("sweep", "s.yaml", "--groups", groups, "--output", f"g{ranks}", code=1,
                          folder=folder, ranks=ranks).stderr
            assert "23 of 24 members done, 0 of them before, 1 failed" in told, told
            assert table(folder, f"g{ranks}") == first
            assert not glob.glob(os.path.join(folder, f"g{ranks}", "*.running"))


def test_one_that_crashes_is_told_and_comes_last():
    with Folder() as folder:
        write(folder, "s.yaml", BASE + "sweep:\n  target.mood: [crash, well]\n"
                                       "  run.seed: [1, 2]\n  when: [{target.mood: crash, "
                                       "run.seed: 2}]\n")
        told = dunlin("sweep", "s.yaml", code=1, folder=folder).stderr
        assert "crashed in `point`" in told and "that was member 1 of 3" in told, told
        said = dunlin("sweep", "s.yaml", "--list", folder=folder).stdout.splitlines()
        assert "\tfailed\t" in said[0] and "crashed in `point`: segmentation fault" in said[0], said
        assert states(folder) == ["failed", "missing", "missing"]
        for _ in range(2):
            dunlin("sweep", "s.yaml", "--groups", 1, code=1, folder=folder)
            assert states(folder) == ["failed", "done", "done"]
        assert "crashed in `point`" in reason(folder, 1)


def test_a_signal_to_one_group_ends_all():
    with Folder() as folder:
        write(folder, "s.yaml", BASE.replace("particles: 64", "particles: 24, tile: 4") +
              "output: {checkpoint_every: 0}\n"
              "sweep:\n  target.mood: [slow]\n  run.seed: [1, 2, 3]\n")
        running = start("sweep", "s.yaml", "--groups", 2, folder=folder, ranks=2)
        wait_for(lambda: len(glob.glob(os.path.join(folder, "s.sweep", "*.checkpoint"))) >= 2)
        os.kill(ranks_of(running)[0], signal.SIGUSR1)
        told, _ = running.communicate(timeout=60)
        assert running.returncode == 85, told
        assert "the sweep was stopped early" in told, told
        assert states(folder) == ["stopped", "stopped", "missing"]
        told = dunlin("sweep", "s.yaml", "--index", 1, folder=folder).stderr
        assert "goes on from a checkpoint" in told, told
        dunlin("sweep", "s.yaml", folder=folder, ranks=2)
        dunlin("sweep", "s.yaml", "--output", "whole", "--groups", 2, folder=folder, ranks=2)
        assert table(folder) == table(folder, "whole")
        assert states(folder) == ["done"] * 3


def test_a_member_that_another_process_runs():
    with Folder() as folder:
        write(folder, "s.yaml", BASE + "sweep:\n  run.seed: [1, 2]\n")
        identity = table(folder)[1][1]
        os.mkdir(os.path.join(folder, "s.sweep"))
        with open(os.path.join(folder, "s.sweep", identity + ".running"), "w") as mark:
            fcntl.flock(mark, fcntl.LOCK_EX)
            told = dunlin("sweep", "s.yaml", folder=folder).stderr
            assert "1 of 2 members done" in told and "1 members are run by other" in told, told
            assert states(folder) == ["missing", "done"]
            assert reason(folder, 1) == "it is being run"
            dunlin("sweep", "s.yaml", "--index", 1, code=1, folder=folder)
        assert states(folder) == ["failed", "done"]
        dunlin("sweep", "s.yaml", "--index", 1, folder=folder)
        assert states(folder) == ["done", "done"]


def test_budgets_and_what_is_refused():
    with Folder() as folder:
        write(folder, "s.yaml", BASE + "sweep:\n  run.evaluations: [100, 1e9]\n")
        dunlin("sweep", "s.yaml", folder=folder)
        assert states(folder) == ["budget", "done"]
        said = dunlin("sweep", "s.yaml", "--list", folder=folder).stdout
        assert "\tbudget\trun.evaluations=100\n" in said, said
        for options in (("--groups", 0), ("--groups", 2), ("--list", "--index", 1),
                        ("--index", 3), ("--collect", "t.csv", "--groups", 1)):
            dunlin("sweep", "s.yaml", *options, code=2, folder=folder)
        dunlin("run", "s.yaml", "--groups", 1, code=2, folder=folder)


if __name__ == "__main__":
    main()

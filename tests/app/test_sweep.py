"""`dunlin sweep`: what its members are, that none is repeated, and what it refuses."""
import glob
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import Folder, attributes, dunlin, main, write  # noqa: E402

BASE = """run: {seed: 1, particles: 128}
target: {type: gaussian, dimension: 2}
path:
  type: geometric
  base: {type: gaussian, mean: 0, scale: 3}
  schedule: {type: adaptive}
kernel: {type: rwm}
method: {type: smc}
"""
SWEEP = BASE + """sweep:
  target.dimension: [2, 3]
  kernel: [{label: long, type: hmc}, {label: walk, type: rwm}]
  run.seed: {from: 1, to: 3}
  when: [{kernel: walk, target.dimension: 3}]
"""


def results(folder):
    return sorted(glob.glob(os.path.join(folder, "s.sweep", "*.h5")))


def hashes(folder):
    return [attributes(file)["population_hash"] for file in results(folder)]


def test_members_are_runs_and_none_is_repeated():
    with Folder() as folder:
        write(folder, "s.yaml", SWEEP)
        lines = dunlin("sweep", "s.yaml", "--list", folder=folder).stdout.splitlines()
        assert len(lines) == 9 and lines[8].endswith("target.dimension=3, kernel=long, run.seed=3")
        dunlin("sweep", "s.yaml", "--index", 9, folder=folder)
        assert len(results(folder)) == 1
        alone = write(folder, "alone.yaml", BASE)
        dunlin("run", alone, "--set", "target.dimension=3", "--set", "kernel={type: hmc}", "--set",
               "run.seed=3", folder=folder)
        assert hashes(folder) == [attributes(os.path.join(folder, "alone.h5"))["population_hash"]]
        dunlin("sweep", "s.yaml", folder=folder, ranks=2)
        first, times = hashes(folder), [os.stat(file).st_mtime_ns for file in results(folder)]
        assert len(set(first)) == 9
        dunlin("sweep", "s.yaml", folder=folder)
        assert times == [os.stat(file).st_mtime_ns for file in results(folder)]


def test_options_in_step():
    with Folder() as folder:
        write(folder, "s.yaml", BASE + "sweep:\n  together: [{run.seed: [1, 2], run.particles: "
                                       "[64, 128]}]\n  target.dimension: [2, 3]\n")
        lines = dunlin("sweep", "s.yaml", "--list", folder=folder).stdout.splitlines()
        assert len(lines) == 4
        assert lines[1].endswith("run.seed=1, run.particles=64, target.dimension=3")
        write(folder, "s.yaml", BASE + "sweep:\n  together: [{run.seed: [1, 2, 3], run.particles: "
                                       "[64, 128, 64]}]\n")  # what follows may repeat
        lines = dunlin("sweep", "s.yaml", "--list", folder=folder).stdout.splitlines()
        assert len(lines) == 3 and lines[2].endswith("run.seed=3, run.particles=64")


def test_one_member_fails_and_the_others_go_on():
    seeds = ", ".join(str(seed) for seed in range(2, 24))
    with Folder() as folder:
        huge = "100_000_000_000"
        write(folder, "s.yaml", BASE + f"""sweep:
  run.particles: [{huge}, 64]
  run.seed: {{from: 1, to: 23}}
  when: [{{run.particles: {huge}, run.seed: [{seeds}]}}]
""")
        told = dunlin("sweep", "s.yaml", code=1, folder=folder).stderr
        assert "23 of 24 members done, 0 of them before, 1 failed" in told, told
        reason, = glob.glob(os.path.join(folder, "s.sweep", "*.failed"))
        assert "GB of memory" in open(reason).read()
        assert len(results(folder)) == 23
        told = dunlin("sweep", "s.yaml", code=1, folder=folder).stderr
        assert "23 of 24 members done, 23 of them before, 1 failed" in told, told


def test_faults_are_told_before_anything_runs():
    cases = [("run.seed: []", "s.yaml:10:1: sweep.run.seed: found an empty list"),
             ("run.seed: {from: 3, to: 1}", "s.yaml:10:1: sweep.run.seed: expected a list"),
             ("run.seed: [1, 1]", "sweep.run.seed: found 1 twice"),
             ("run.seed: [1, 2]\n  together: [{run.seed: [1, 2]}]", "is varied already"),
             ("kernel.step_size: [1, 2]\n  kernel: [{label: a, type: hmc}]", "name the section"),
             ("kernel: [{type: hmc}]", "needs a label"),
             ("run.sed: [1, 2]", "s.yaml:10:1: run: found 'sed'"),
             ("run.sed: [1, 2]", "faults in member 1 (run.sed=1)"),
             ("kernel:\n    - {label: a, type: hmc}\n    - {label: b, type: hmc, stepp: 1}",
              "s.yaml:12:1: kernel: found 'stepp'"),
             ("kernel: [{label: a, type: hmc}, {label: b, type: hmc}]", "a and b are the same"),
             ("run.seed: [1, 2]\n  when: [{x: 1}]", "s.yaml:11:1: sweep.when: found 'x'"),
             ("run.seed: [1]\n  when: [{run.seed: 1}]", "no member is left"),
             ("run.time_limit: [1, 2]", "cannot be varied"),
             ("together: [{run.seed: [1, 1], run.particles: [64, 65]}]", "found 1 twice"),
             ("together: [{run.seed: [1, 2], run.particles: [1]}]", "expected as many")]
    with Folder() as folder:
        for text, expected in cases:
            write(folder, "s.yaml", BASE + "sweep:\n  " + text + "\n")
            found = dunlin("sweep", "s.yaml", code=2, folder=folder).stderr
            assert expected in found, (text, found)
            assert not os.path.exists(os.path.join(folder, "s.sweep"))
        assert "dunlin sweep" in dunlin("run", "s.yaml", code=2, folder=folder).stderr


if __name__ == "__main__":
    main()

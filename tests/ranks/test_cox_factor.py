"""A covariance that all ranks factor together: what a run of it says, and that ranks fail
together."""
import os
import re
import subprocess
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, "faults")]
from cases import INPUTS, differences, fingerprint  # noqa: E402
from faults import fault  # noqa: E402
from support import (ENVIRONMENT, Folder, Missing, attributes, command, dunlin,  # noqa: E402
                     main, write)

SCHEDULE = "{type: fixed, steps: 3, spacing: logarithmic, start: 1e-2}"
INPUT = f"""
run:    {{seed: 3, particles: 128}}
target: {{type: log_gaussian_cox_process, data: {INPUTS}/data/finnish_pines.csv, side: 12}}
path:   {{type: geometric, base: {{type: prior}}, schedule: {SCHEDULE}}}
kernel: {{type: hmc, leapfrog_steps: 3}}
method: {{type: smc, moves_per_step: 1}}
output: {{file: out.h5, checkpoint_every: 0}}
"""


def option(name, value):
    return ["--set", f"target.{name}={value}"]


def run(folder, *more, ranks=1, **words):
    write(folder, "input.yaml", INPUT)
    done = dunlin("run", "input.yaml", "--overwrite", *more, ranks=ranks, folder=folder, **words)
    return done, os.path.join(folder, "out.h5")


def test_both_factors():
    """Local ones have the same bits at any number of ranks; others have nearly the same evidence,
    and say so."""
    for coordinates in ("field", "whitened"):
        with Folder() as folder:
            first = None
            for factor in ("auto", "local", "distributed"):
                for ranks in (1, 2, 3):
                    done, result = run(folder, *option("coordinates", coordinates),
                                       *option("factor", factor), ranks=ranks)
                    said, found = attributes(result), fingerprint(result)
                    first = first or found
                    together = factor == "distributed"
                    told = f"144 cells: factored over {ranks} rank" in done.stderr
                    assert told == together, done.stderr
                    assert said["deterministic"] == (not together), (coordinates, factor, ranks)
                    if not together:
                        assert not differences(first, found), (coordinates, factor, ranks)
                    else:
                        evidence = first["log_evidence"]
                        assert abs(said["log_evidence"] - evidence) < 1e-9 * abs(evidence)


def test_the_same_number_of_ranks_goes_on():
    with Folder() as folder:
        more = [*option("factor", "distributed"), "--quiet"]
        _, result = run(folder, *more, ranks=2)
        whole = fingerprint(result)
        os.remove(result)
        run(folder, *more, "--stop-after", "1000", ranks=2, code=85)
        assert not os.path.exists(result)
        dunlin("run", "input.yaml", "--restart", *more, ranks=2, folder=folder)
        wrong = differences(whole, fingerprint(result))
        assert not wrong, "\n".join(wrong)


def test_only_inputs_without_faults_are_factored():
    with Folder() as folder:
        done, _ = run(folder, *option("factor", "distributed"), "--set", "kernel.leapfrogs=2",
                      ranks=2, code=2)
        assert "leapfrogs" in done.stderr and "factored" not in done.stderr, done.stderr


def megabytes(folder, *more):
    write(folder, "input.yaml", INPUT)
    said = dunlin("check", "input.yaml", "--estimate", *option("side", 48), "--set",
                  "run.particles=2", *more, ranks=2, folder=folder).stdout
    return float(re.search(r"at most ([0-9.]+) MB", said).group(1))


def test_estimate_knows_the_tables():
    """Of 2304 cells a matrix has 42.5 MB.  Beside particles and workspace a rank has the factor, of
    a field also the inverse; of two on a machine each has half of them.  While they are made there
    are the covariance, too, and of a field the inverse twice."""
    matrix = 8e-6 * 2304 ** 2
    with Folder() as folder:
        alone, shared = ([megabytes(folder, *option("coordinates", coordinates),
                                    *option("factor", factor))
                          for coordinates in ("whitened", "field")]
                         for factor in ("local", "distributed"))
    assert abs(alone[0] - shared[0] - matrix / 2) < 1.5, (alone, shared)
    assert abs(shared[1] - shared[0] - matrix / 2) < 1.5, (alone, shared)
    assert abs(alone[1] - 4 * matrix) < 1.5, (alone, shared)


BELOW = 'mount --bind "$1" /proc/meminfo || exit 77; shift; exec "$@"'


def test_too_little_memory():
    """Told before any is taken: what the machine has left is half of what the tables need."""
    with Folder() as folder:
        write(folder, "input.yaml", INPUT)
        left = write(folder, "meminfo", "MemTotal: 24000000 kB\nMemAvailable: 700000 kB\n")
        words = command(["run", "input.yaml", *option("side", 96)], 2)
        done = subprocess.run(["unshare", "-m", "sh", "-c", BELOW, "sh", left, *words], text=True,
                              cwd=folder, env=ENVIRONMENT, stdin=subprocess.DEVNULL, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if "unshare" in done.stderr or done.returncode == 77:
            raise Missing("the right to give a process a /proc/meminfo of its own")
        assert done.returncode == 1 and "0.3584 GB are left for it" in done.stderr, done.stderr
        assert "factor of a 9216 x 9216 matrix with its inverse takes 1.0" in done.stderr
        assert sorted(os.listdir(folder)) == ["input.yaml", "meminfo"]


def test_no_memory_on_one_rank():
    """Whatever is asked for while tables are made: nobody waits for the rank that has none."""
    more = [*option("factor", "distributed"), "--no-check"]
    with Folder() as folder:
        count = os.path.join(folder, "count")
        words = dict(rank=1, caller="program")
        run(folder, *more, ranks=2, environment=fault("memory", 0, count=count, caller="program"))
        calls, some, ends = int(open(count + ".1").read()), 10, {}
        for k in range(some):
            done, _ = run(folder, *more, ranks=2, code=None, timeout=60,
                          environment=fault("memory", 1 + calls * k // some, "ENOMEM", **words))
            ends[done.returncode] = ends.get(done.returncode, 0) + 1
        print(f"{some} of {calls} calls, exit codes {ends}")
        assert set(ends) <= {0, 1, 2} and len(ends) > 1, ends


main()

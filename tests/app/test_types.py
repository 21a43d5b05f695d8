"""What types may do although none of ours does it, on those below tests/types: a run with neither
a path nor a kernel, and a carry that is random and weighed."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cases import differences, fingerprint  # noqa: E402
from support import BUILD, Folder, attributes, column, dunlin, main, write  # noqa: E402

PROGRAM = os.path.join(BUILD, "tests", "dunlin_types")
BARE = """
run:    {seed: 5, particles: 1000, replicates: 2}
target: {type: gaussian_mixture, means: [[0, 0, 0]]}
method: {type: bare, draws: $draws}
probes: [{type: modes}, {type: energy_distance, points: 300}, {type: ess}]
output: {file: out.h5, checkpoint_every: 0}
"""
STIRRED = """
run:    {seed: 6, particles: 4000}
target: {type: gaussian, dimension: 2, mean: 0.5, log_evidence: 1.7}
path:   {type: stirred, scale: 1.5, keep: 0.9}
kernel: {type: rwm}
method: {type: smc, moves_per_step: 1}
output: {file: out.h5}
"""


def run(folder, *options, ranks=None, code=0):
    return dunlin("run", "input.yaml", "--quiet", *options, folder=folder, ranks=ranks, code=code,
                  program=PROGRAM)


def test_no_path_and_no_kernel():
    """Probes, files, ranks and restarts need neither of them."""
    for draws in (0, 7):
        with Folder() as folder:
            write(folder, "input.yaml", BARE.replace("$draws", str(draws)))
            file = os.path.join(folder, "out.h5")
            dunlin("check", "input.yaml", folder=folder, program=PROGRAM)
            run(folder)
            one = fingerprint(file)
            run(folder, "--overwrite", ranks=2)
            assert not differences(one, fingerprint(file))
            mean, error = (column(file, "moments", name) for name in ("mean", "error"))
            assert len(mean) == 6 and all(abs(m) < 5 * e for m, e in zip(mean, error)), mean
            assert all(share == 1 for share in column(file, "modes", "share")[::2])
            assert all(abs(x) < .05 for x in column(file, "energy_distance", "energy_distance"))


def test_what_it_has_not_is_refused():
    """Sections that the method does not use, and a finish that needs them."""
    with Folder() as folder:
        write(folder, "input.yaml", BARE.replace("$draws", "0")
              + "finish: [{type: fit_and_reweight}]\nkernel: {type: hmc}\n")
        said = run(folder, code=2).stderr
        assert "kernel: the method bare does not use this section" in said, said
        write(folder, "input.yaml", BARE.replace("$draws", "0")
              + "finish: [{type: fit_and_reweight}]\n")
        said = run(folder, code=2).stderr
        assert "needs a method that leaves weighted particles" in said, said


def test_random_carries_are_weighed():
    """log Z is right, whatever the way; without the ratio of the ways it is not."""
    with Folder() as folder:
        write(folder, "input.yaml", STIRRED)
        file = os.path.join(folder, "out.h5")
        run(folder)
        one, said = fingerprint(file), attributes(file)
        off = (said["log_evidence"] - 1.7) / said["log_evidence_error"]
        assert abs(off) < 5 and said["log_evidence_error"] < .1, said
        assert "origins" not in said["diagnosis"]
        run(folder, "--overwrite", ranks=2)
        assert not differences(one, fingerprint(file))
        run(folder, "--overwrite", "--set", "path.unbalanced=true")
        said = attributes(file)
        assert abs(said["log_evidence"] - 1.7) > 5 * said["log_evidence_error"], said


if __name__ == "__main__":
    main()

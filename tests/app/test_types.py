"""What types may do although none of ours does it, on those below tests/types: a run with neither
a path nor a kernel, a carry that is random and weighed, and parts that nest."""
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
NESTED = """
run:    {seed: 5, particles: 100}
target: {type: gaussian, dimension: 2}
method:
  type: bare
  draws: 20
  nest: {inner: {type: bare, kernel: {type: hmc, leapfrog_steps: 3}}}
  others: [{type: bare}, {type: bare, nest: {inner: {type: bare}}}]
output: {file: out.h5}
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
    """Sections that the method does not use."""
    with Folder() as folder:
        write(folder, "input.yaml", BARE.replace("$draws", "0")
              + "finish: [{type: fit_and_reweight}]\nkernel: {type: hmc}\n")
        said = run(folder, code=2).stderr
        assert "kernel: the method bare does not use this section" in said, said


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


def effective(file):
    import h5py
    with h5py.File(file, "r") as result:
        return result["provenance"]["effective_options"][()].decode()


def test_parts_nest():
    """Their options are read, with defaults; their state is saved and given back at any depth."""
    with Folder() as folder:
        write(folder, "input.yaml", NESTED)
        file = os.path.join(folder, "out.h5")
        run(folder)
        one, said, identity = fingerprint(file), effective(file), attributes(file)["identity"]
        for line in ("method.kernel.type: rwm", "method.nest.inner.type: bare",
                     "method.nest.inner.kernel.leapfrog_steps: 3", "method.others[0].type: bare",
                     "method.others[1].nest.inner.type: bare",
                     "method.others[1].nest.inner.kernel.target_acceptance: 0.3"):
            assert line in said, (line, said)
        run(folder, "--overwrite", "--stop-after", "700", code=85)
        run(folder, "--restart", ranks=2)
        assert not differences(one, fingerprint(file))
        run(folder, "--overwrite", "--set", "method.others=[]")
        assert differences(one, fingerprint(file))
        run(folder, "--overwrite", "--set", "method.nest.inner.kernel.leapfrog_steps=4")
        assert attributes(file)["identity"] != identity


def test_faults_of_nested_parts_are_told():
    """By file, line and place."""
    cases = (("nest: {inner: {type: bare, draw: 3}}",
              "input.yaml:6:", "method.nest.inner: found 'draw'", "did you mean 'draws'?"),
             ("nest: {inner: {type: bore}}", "method.nest.inner.type: found 'bore'",
              "did you mean 'bare'?"),
             ("nest: {inner: bare}", "method.nest.inner: found", "expected a mapping {type: NAME"),
             ("others: {type: bare}", "method.others: found", "expected a list such as [{type: "),
             ("others: [{type: bare}, {type: bare, draws: -1}]", "method.others[1].draws: found"),
             ("others: [{type: bare, kernel: {type: hmc, jitter: 2}}, 7]",
              "method.others[0].kernel.jitter: found", "method.others[1]: found"),
             ("kernel: {step_size: 1}", "method.kernel.type: found nothing, expected one of"))
    with Folder() as folder:
        for text, *words in cases:
            write(folder, "input.yaml", NESTED.replace("draws: 20", text).replace(
                "  nest: {inner: {type: bare, kernel: {type: hmc, leapfrog_steps: 3}}}\n"
                * text.startswith("nest"), "").replace(
                "  others: [{type: bare}, {type: bare, nest: {inner: {type: bare}}}]\n"
                * text.startswith("others"), ""))
            said = run(folder, code=2).stderr
            for word in words:
                assert word in said, (text, word, said)


def test_help_lists_what_may_be_nested():
    said = dunlin("help", "method", "bare", program=PROGRAM).stdout
    assert " or underdamped, default rwm" in said, said
    assert "list, each a method: bare, " in said, said
    said = dunlin("help", "method", "bare", "--markdown", program=PROGRAM).stdout
    assert "| `nest.inner` | a method: bare, " in said, said


if __name__ == "__main__":
    main()

"""Metrics that populations choose by themselves: dense where correlations make trajectories long,
diagonal where there are none, or where they are those of modes, which no move follows.  Particles
of smc and ladders then take fewer evaluations and log Z stays right: 9 comparisons, limit 5
errors."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cases import differences, fingerprint  # noqa: E402
from support import Folder, attributes, dunlin, main, summary, write  # noqa: E402

INPUT = """
run:    {{seed: {seed}, particles: {particles}}}
target: {{{target}}}
path:   {{type: geometric, base: {{type: gaussian, mean: 0, scale: 3}}{schedule}}}
kernel: {{type: {kernel}, metric: {metric}}}
method: {{{method}}}
output: {{file: result.h5}}
"""
CORRELATED = "type: gaussian, dimension: 10, covariance: {type: toeplitz, correlation: 0.95}"
INDEPENDENT = "type: gaussian, dimension: 10"
MODES = ("type: gaussian_mixture, dimension: 10, layout: two_modes, separation: 3, "
         "weights: [0.2, 0.8]")
SMC = {"particles": 2000, "method": "type: smc", "schedule": ", schedule: {type: adaptive}"}


def run(folder, ranks=None, **options):
    """The root's attributes, the verdict on the metric, if there is one, and the result."""
    settings = {"seed": 1, "kernel": "hmc", "metric": "auto", **options}
    result = os.path.join(folder, "result.h5")
    dunlin("run", write(folder, "input.yaml", INPUT.format(**settings)), "--quiet", "--overwrite",
           "--output", result, ranks=ranks)
    root, verdicts = attributes(result), summary(result)["verdicts"]
    said = [row["text"] for row in verdicts if row["name"] == "metric"]
    print(f"# {settings['metric']} {settings['kernel']}: log Z {root['log_evidence']:.3f} +- "
          f"{root['log_evidence_error']:.3f}, {int(root['evaluations'])} evaluations, {said}")
    assert abs(root["log_evidence"]) < 5 * root["log_evidence_error"]
    return root, said, result


def test_particles_that_are_correlated():
    with Folder() as folder:
        diagonal, none, _ = run(folder, target=CORRELATED, metric="diagonal", **SMC)
        chosen, said, _ = run(folder, target=CORRELATED, **SMC)
    assert not none and "auto chose a dense metric" in said[0]
    assert chosen["evaluations"] < .5 * diagonal["evaluations"]


def test_particles_that_are_not():
    with Folder() as folder:
        for target in (INDEPENDENT, MODES):
            _, said, _ = run(folder, target=target, **SMC)
            assert "auto chose a diagonal metric" in said[0]


def test_rungs():
    """Of ladders: four times the effective draws for the evaluations, and the same bits at other
    numbers of ranks."""
    with Folder() as folder:
        each, found = [], []
        for metric, ranks in (("diagonal", None), ("auto", 1), ("auto", 3)):
            root, said, result = run(folder, ranks, target=CORRELATED, metric=metric, schedule="",
                                     particles=160, method="type: tempering, draws: 300")
            each.append(root["evaluations_per_effective_draw"])
            found.append(fingerprint(result))
    assert "dense metric for" in said[0] and "dense metric for 0" not in said[0]
    assert each[1] < each[0] / 4, each
    assert not differences(*found[1:])


def test_without_gradients():
    """Random walks choose by the covariance alone; the same bits at other numbers of ranks."""
    with Folder() as folder:
        found = []
        for ranks in (1, 3):
            _, said, result = run(folder, ranks, target=CORRELATED, kernel="rwm", **{
                **SMC, "particles": 500})
            assert "auto chose a dense metric" in said[0]
            found.append(fingerprint(result))
        assert not differences(*found)


main()

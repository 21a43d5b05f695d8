"""Spins and letters: log Z of SMC and of parallel tempering against what is known in closed form, 8
runs each, 36 comparisons within 5 standard errors; energies of chains against exact ones, 2."""
import math
import os
import sys

import h5py
import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import SOURCE, Folder, attributes, column, dunlin, main, write  # noqa: E402

sys.path.insert(0, os.path.join(SOURCE, "analysis"))
from spins import CRITICAL, enumerated, kaufman  # noqa: E402

SMC = """
run:    {{seed: {seed}, particles: 1000, replicates: 8}}
target: {{{target}}}
path:   {{type: geometric, base: {{type: uniform}}}}
kernel: {{type: {kernel}}}
method: {{type: smc}}
output: {{file: result.h5}}
"""
TEMPERING = SMC.replace("particles: 1000", "particles: 90").replace(
    "{{type: smc}}", "{{type: tempering, temperatures: 6, warmup: 100, draws: 200}}")


def curie_weiss(n, beta):
    up = numpy.arange(n + 1)
    binomial = numpy.array([math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
                            for k in up])
    lp = binomial + beta / (2 * n) * (2 * up - n) ** 2
    return lp.max() + math.log(numpy.exp(lp - lp.max()).sum())


def potts_chain(n, J, q):
    """With open ends: every site behind the first is alike or one of q - 1 others."""
    return math.log(q) + (n - 1) * math.log(math.exp(J) + q - 1)


CASES = [
    (f"type: ising, side: 8, coupling: {CRITICAL:.17g}", kaufman(CRITICAL, 8, 8)),
    ("type: hopfield, dimension: 30, beta: 1.3", curie_weiss(30, 1.3)),
    ("type: potts, graph: box, axes: 1, side: 30, coupling: 1, letters: 4", potts_chain(30, 1, 4)),
]


def check(text, target, known, kernel):
    with Folder() as folder:
        result = os.path.join(folder, "result.h5")
        filled = text.format(seed=3, target=target, kernel=kernel)
        dunlin("run", write(folder, "input.yaml", filled), "--output", result, "--quiet")
        said = attributes(result)
        each = ((column(result, "replicates", "log_evidence") - known) /
                column(result, "replicates", "log_evidence_error"))
        z = (said["log_evidence"] - known) / said["log_evidence_error"]
        print(f"# {target}, {kernel}: {z:.1f} errors together, at most {abs(each).max():.1f} alone")
        assert abs(z) < 5 and abs(each).max() < 5, (target, kernel, known, z, each)


def test_what_is_known():
    """Kaufman's formula against sums over all states."""
    for M, N, K in ((3, 3, CRITICAL), (4, 4, CRITICAL), (3, 4, .3), (4, 3, .7), (2, 4, 1.1)):
        assert abs(kaufman(K, M, N) / enumerated(K, M, N) - 1) < 1e-13, (K, M, N)


def test_smc():
    for target, known in CASES:
        check(SMC, target, known, "glauber")


def test_tempering():
    for target, known in CASES[1:]:
        check(TEMPERING, target, known, "glauber, rule: metropolis")


def test_chains():
    """The mean energy of a chain of spins is -tanh J a pair."""
    for kernel in ("glauber", "glauber, rule: metropolis"):
        with Folder() as folder:
            result = os.path.join(folder, "result.h5")
            dunlin("run", write(folder, "input.yaml", f"""
run:    {{seed: 5, particles: 128}}
target: {{type: ising, graph: box, axes: 1, side: 20, coupling: 0.7, outputs: observables}}
path:   {{type: constant}}
kernel: {{type: {kernel}}}
method: {{type: langevin, warmup: 100, draws: 100}}
output: {{file: result.h5}}
"""), "--output", result, "--quiet")
            with h5py.File(result, "r") as file:
                draws = file["posterior/energy"][...]
            chains = draws.mean(axis=1)
            error = chains.std(ddof=1) / math.sqrt(len(chains))
            z = (chains.mean() + 19 / 20 * .7 * math.tanh(.7)) / error
            assert abs(z) < 5, (kernel, z)


main()

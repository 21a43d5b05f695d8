"""What is known of Langevin chains along the dilation path: modes found and their shares, and the
correction that follows.  3 seeds each; the limits leave room for what seeds have been seen to do.
"""
import os
import sys

import h5py
import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from dilation import SEEDS, TARGETS, corrected, document, sample, score, shares  # noqa: E402
from support import BUILD, Folder, attributes, column, dunlin, main, write  # noqa: E402


def test_a_centred_grid():
    hit, variation = shares("G5", "ULA", 1000)
    assert hit == [4, 4, 4] and all(.73 <= v <= .76 for v in variation)
    assert shares("G5", "dilation lambda .1", 1000)[0] == [4, 4, 4]
    hit, variation = shares("G5", "dilation cap1", 1000)
    assert hit == [16, 16, 16] and max(variation) < .06


def test_a_shifted_grid():
    hit, variation = shares("G5s", "dilation cap1", 2000)
    assert hit == [16, 16, 16] and max(variation) < .06
    assert max(shares("G5s", "ULA", 2000)[0]) <= 4


def test_forty_shifted_modes():
    hit, variation = shares("F40s", "dilation cap1", 2000, particles=1000)
    assert min(hit) >= 38 and max(variation) < .16
    assert max(shares("F40s", "ULA", 2000, particles=1000)[0]) <= 5


def test_two_unequal_modes():
    for seed in SEEDS:
        found, _ = sample("B2", "dilation cap1", 10000, particles=4000, seed=seed)
        print(f"B2: left share {found.share[0]:.4f}")
        assert .21 <= found.share[0] <= .29
    for found, off in corrected("B2", 1000, particles=20000):
        assert abs(found.share[0] - .1) <= .01 and abs(off) < .02


def test_sixteen_unequal_modes():
    _, variation = shares("G5w", "dilation cap1", 1000)
    assert all(.10 <= v <= .20 for v in variation)
    for found, off in corrected("G5w", 1000, particles=20000):
        assert found.variation < .03 and abs(off) < .02


def eight_modes(seed):
    """Means in ten dimensions, drawn until no two are closer than 12."""
    random = numpy.random.default_rng(seed)
    while True:
        means = random.uniform(-10, 10, (8, 10))
        distance = numpy.linalg.norm(means[:, None] - means[None], axis=2)
        if distance[numpy.triu_indices(8, 1)].min() > 12:
            return f"{{type: gaussian_mixture, means: {means.tolist()}}}"


def test_eight_modes_in_ten_dimensions():
    for rule, modes in (("cap1, step_size: 1, cap: 5", 8), ("lambda, step_size: 0.05", 1)):
        for seed in SEEDS:
            text = document(500, seed, eight_modes(seed),
                            "{type: dilation, schedule: {levels: 2000}}",
                            f"{{type: ula, step_rule: {rule}, final_step_size: 0.05}}",
                            "{type: langevin, warmup: 0, draws: 0, final_moves: 400}",
                            "{type: modes, within: 1e6}")
            with Folder() as folder:
                result = os.path.join(folder, "result.h5")
                dunlin("run", write(folder, "input.yaml", text), "--output", result, "--quiet")
                found = score(result)
            print(f"d = 10, {rule}, seed {seed}: hit {found.hit}, TV {found.variation:.4f}")
            assert found.hit == modes and (modes == 1 or found.variation < .09)


def test_steps_that_overflow():
    """Constant steps along the dilation grow as 2 to the power h K: the states stay numbers, and
    the diagnosis tells."""
    text = document(500, 1, "{type: gaussian, dimension: 2}",
                    "{type: dilation, schedule: {levels: 3000}}",
                    "{type: ula, step_rule: const, step_size: 1}",
                    "{type: langevin, warmup: 0, draws: 0, final_moves: 1}", "{type: moments}")
    with Folder() as folder:
        result = os.path.join(folder, "result.h5")
        dunlin("run", write(folder, "input.yaml", text), "--output", result, "--quiet", ranks=2)
        details = attributes(result)["diagnosis_details"]
        print(details)
        assert "astray: bad" in details
        assert numpy.all(numpy.isfinite(column(result, "moments", "mean")))


def test_densities_of_the_draws():
    """Moves that do not need log densities leave them out; every draw has its own all the same."""
    grid = numpy.array([[10 * (i - 1.5), 10 * (j - 1.5)] for i in range(4) for j in range(4)])
    for draws in ("draws: 0", "draws: 3, thin: 2", "draws: 4"):
        text = document(100, 1, TARGETS["G5"], "{type: dilation, schedule: {levels: 50}}",
                        "{type: ula}", f"{{type: langevin, warmup: 0, final_moves: 3, {draws}}}")
        with Folder() as folder:
            result = os.path.join(folder, "result.h5")
            dunlin("run", write(folder, "input.yaml", text), "--output", result, "--quiet")
            with h5py.File(result) as file:
                x = file["posterior/x"][...].reshape(-1, 2)
                found = file["sample_stats/lp"][...].ravel()
        square = ((x[:, None] - grid[None]) ** 2).sum(2)
        least = square.min(1)
        expected = numpy.log(numpy.exp(.5 * (least[:, None] - square)).sum(1)) - .5 * least
        expected += 1.7 - numpy.log(16) - numpy.log(2 * numpy.pi)
        assert len(x) >= 100 and numpy.abs(found - expected).max() < 1e-10


def test_chains_that_leave_the_support():
    target = os.path.join(BUILD, "tests", "user_target", "half_gaussian.so")
    text = document(500, 1, f"{{type: library, file: {target}}}", "{type: constant}",
                    "{type: ula, step_rule: const, step_size: 0.2}",
                    "{type: langevin, warmup: 0, draws: 0, final_moves: 20}", "{type: moments}")
    with Folder() as folder:
        result = os.path.join(folder, "result.h5")
        dunlin("run", write(folder, "input.yaml", text), "--output", result, "--quiet", ranks=2)
        assert "outside: bad" in attributes(result)["diagnosis_details"]


def test_kernels_that_are_biased():
    for kernel, biased in (("ula", 1), ("mala", 0), ("underdamped", 0),
                           ("underdamped, metropolised: false", 1)):
        text = document(100, 1, TARGETS["B2"], "{type: constant}", f"{{type: {kernel}}}",
                        "{type: langevin, warmup: 20, draws: 5}")
        with Folder() as folder:
            result = os.path.join(folder, "result.h5")
            dunlin("run", write(folder, "input.yaml", text), "--output", result, "--quiet")
            assert ("bias: doubtful" in attributes(result)["diagnosis_details"]) == biased


def half_gaussian(kernel):
    """SMC on half a Gaussian; its log Z is log(1/2)."""
    target = os.path.join(BUILD, "tests", "user_target", "half_gaussian.so")
    text = document(4000, 1, f"{{type: library, file: {target}}}",
                    "{type: geometric, base: {type: gaussian, scale: 2}, schedule: "
                    "{type: fixed, steps: 20}}", f"{{type: {kernel}}}",
                    "{type: smc, moves_per_step: 2}", "{type: moments}")
    found = []
    for ranks in (1, 2):
        with Folder() as folder:
            result = os.path.join(folder, "result.h5")
            dunlin("run", write(folder, "input.yaml", text), "--output", result, "--quiet",
                   ranks=ranks)
            found.append(attributes(result))
    assert found[0]["diagnosis_details"] == found[1]["diagnosis_details"]
    print(f"{kernel}: log Z {found[0]['log_evidence']:.4f} ± {found[0]['log_evidence_error']:.4f}")
    return found[0]["diagnosis_details"], found[0]["log_evidence"] + numpy.log(2), \
        found[0]["log_evidence_error"]


def test_weights_that_leave_the_support():
    """Unadjusted moves lose weights for good beyond the support's edge; a kernel that rejects does
    not."""
    for kernel in ("ula, step_size: 0.2, step_rule: const",
                   "underdamped, metropolised: false, step_size: 0.5"):
        details, off, error = half_gaussian(kernel)
        assert "support: bad" in details and off < -5 * error
    for kernel in ("mala", "underdamped, step_size: 0.5"):
        details, off, error = half_gaussian(kernel)
        assert "support:" not in details and abs(off) < 5 * error


main()

"""What is known of Langevin chains along the dilation path: modes found and their shares, biases of
unadjusted steps, the correction that follows.  3 seeds each; the limits leave room for what seeds
have been seen to do."""
import os
import sys

import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(os.environ.get("DUNLIN_SOURCE") or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "analysis"))
from dilation_table import SAMPLERS, TARGETS, document, score  # noqa: E402
from support import BUILD, Folder, attributes, column, dunlin, main, write  # noqa: E402

SEEDS = (1, 2, 3)
FIT = "finish: [{type: fit_and_reweight}]\n"


def sample(name, sampler, levels, particles=2000, seed=1, more=""):
    """Runs one sampler on one target; returns what the table's script makes of the result, and the
    result's attributes."""
    with Folder() as folder:
        result = os.path.join(folder, "result.h5")
        text = SAMPLERS[sampler](levels, particles, seed, TARGETS[name]) + more
        dunlin("run", write(folder, "input.yaml", text), "--output", result, "--quiet")
        return score(result), attributes(result)


def shares(name, sampler, levels, **options):
    found = [sample(name, sampler, levels, seed=seed, **options)[0] for seed in SEEDS]
    print(f"{name} {sampler} K = {levels}: hit {[f.hit for f in found]}, TV "
          f"{[round(f.variation, 4) for f in found]}")
    return [f.hit for f in found], [f.variation for f in found]


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


def corrected(name, levels, **options):
    """Shares and log Z behind fit_and_reweight, with log Z told to be 1.7."""
    for seed in SEEDS:
        found, said = sample(name, "dilation cap1 + fit", levels, seed=seed, **options)
        off = said["log_evidence"] - 1.7
        print(f"{name} with the fit: TV {found.variation:.4f}, first share {found.share[0]:.4f}, "
              f"log Z off {off:.4f} ± {said['log_evidence_error']:.4f}")
        assert abs(off) < 5 * said["log_evidence_error"]
        yield found, off


def test_two_unequal_modes():
    for seed in SEEDS:
        found, _ = sample("B2", "dilation cap1", 10000, particles=4000, seed=seed)
        print(f"B2: left share {found.share[0]:.4f}")
        assert .21 <= found.share[0] <= .29
    for found, off in corrected("B2", 10000, particles=20000):
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


def variance(kernel, steps, seed=1):
    """Of N(0, 1) after so many unadjusted steps of 1e5 chains."""
    with Folder() as folder:
        result = os.path.join(folder, "result.h5")
        text = document(100000, seed, "{type: gaussian, dimension: 1}", "{type: constant}",
                        f"{{type: ula, {kernel}}}",
                        f"{{type: langevin, warmup: 0, draws: 1, thin: {steps}}}",
                        "{type: moments}")
        dunlin("run", write(folder, "input.yaml", text), "--output", result, "--quiet")
        assert "bias: doubtful" in attributes(result)["diagnosis_details"]
        found = column(result, "moments", "deviation")[-1] ** 2
        print(f"{kernel}: variance {found:.4f}")
        return found


def test_biases_of_unadjusted_steps():
    """1 / (1 - h / 2); and pi / h for steps that follow the point."""
    assert abs(variance("step_rule: const, step_size: 0.5", 60) - 4 / 3) <= .02
    assert abs(variance("step_rule: cap1, step_size: 0.02, cap: 0.01", 4000) - 1.786) <= .04


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

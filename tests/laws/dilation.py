"""Samplers of the dilation table run by a test, and what they find."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(os.environ.get("DUNLIN_SOURCE") or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "analysis"))
from dilation_table import SAMPLERS, TARGETS, document, score  # noqa: E402
from support import Folder, attributes, column, dunlin, write  # noqa: E402

SEEDS = (1, 2, 3)


def sample(name, sampler, levels, particles=2000, seed=1):
    """Runs one sampler on one target; returns what the table's script makes of the result, and the
    result's attributes."""
    with Folder() as folder:
        result = os.path.join(folder, "result.h5")
        text = SAMPLERS[sampler](levels, particles, seed, TARGETS[name])
        dunlin("run", write(folder, "input.yaml", text), "--output", result, "--quiet")
        return score(result), attributes(result)


def shares(name, sampler, levels, **options):
    found = [sample(name, sampler, levels, seed=seed, **options)[0] for seed in SEEDS]
    print(f"{name} {sampler} K = {levels}: hit {[f.hit for f in found]}, TV "
          f"{[round(f.variation, 4) for f in found]}")
    return [f.hit for f in found], [f.variation for f in found]


def corrected(name, levels, **options):
    """Shares and log Z behind fit_and_reweight, with log Z told to be 1.7."""
    for seed in SEEDS:
        found, said = sample(name, "dilation cap1 + fit", levels, seed=seed, **options)
        off = said["log_evidence"] - 1.7
        print(f"{name} with the fit: TV {found.variation:.4f}, first share {found.share[0]:.4f}, "
              f"log Z off {off:.4f} ± {said['log_evidence_error']:.4f}")
        assert abs(off) < 5 * said["log_evidence_error"]
        yield found, off


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

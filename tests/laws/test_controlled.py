"""log Z along path `controlled` without a control is right, and its error by ancestor is the
spread: 60 populations of a toy at 1, 8 and 128 pieces, and of the seeds model, each mean within 3
errors of what is known, the errors of the toy's mean within a third of the published ones."""
import numpy

from calibration import replicates
from support import INPUTS, main

TOY = """
target: {type: gaussian, dimension: 2, mean: 1, log_evidence: 0.45158270528945486,
         covariance: {scale: 0.5}}
path: {type: controlled, base: {scale: 1}, steps: 128, pieces: PIECES}
kernel: {type: hmc, leapfrog_steps: 10, step_size: 0.1}
method: {type: smc, moves_per_step: 1, ess_threshold: 0.3, resampling: multinomial}
output: {file: result.h5, draws: 1}
"""
SEEDS = f"""
target: {{type: seeds, data: {INPUTS}/data/seeds.csv}}
path: {{type: controlled, base: {{scale: 1}}, steps: 128, pieces: 128}}
kernel: {{type: hmc, leapfrog_steps: 10}}
method: {{type: smc, moves_per_step: 1, ess_threshold: 0.3, resampling: multinomial}}
output: {{file: result.h5, draws: 1}}
"""


def judge(name, text, truth, count, seed):
    """The mean is of the ratios of Z: that is what has no bias."""
    table = replicates(text, count, 2000, seed)
    off, error = table["log_evidence"] - truth, table["log_evidence_error"]
    ratio = numpy.exp(off)
    mean, own = numpy.log(numpy.mean(ratio)), numpy.std(ratio, ddof=1) / numpy.sqrt(count)
    spread = numpy.std(off, ddof=1) / numpy.sqrt(numpy.mean(error ** 2))
    print(f"{name}: log Z {truth + mean:.5f} +- {own:.5f} (off by {mean / own:.2f}), "
          f"spread over reported error {spread:.3f}", flush=True)
    return mean, own, spread


def test_toy():
    for pieces, published in ((1, .0069), (8, .0035), (128, .0009)):
        text = TOY.replace("PIECES", str(pieces))
        mean, own, spread = judge(f"{pieces} pieces", text, numpy.log(numpy.pi / 2), 60, 40)
        assert abs(mean) <= 3 * published, (pieces, mean)
        assert published * 2 / 3 <= own <= published * 4 / 3, (pieces, own)
        assert .8 <= spread <= 1.25, (pieces, spread)


def test_seeds():
    mean, own, _ = judge("seeds", SEEDS, -73.41, 12, 41)
    assert abs(mean) <= 3 * numpy.hypot(own, .03), (mean, own)


if __name__ == "__main__":
    main()

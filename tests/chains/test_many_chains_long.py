# tier: long
"""More chains than a rank's buffers are made for."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import numpy  # noqa: E402
from cases import differences, fingerprint  # noqa: E402
from support import Folder, column, dunlin, main, write  # noqa: E402

INPUT = """
run:    {seed: 3, particles: 600000}
target: {type: gaussian, dimension: 6, mean: 1, covariance: {type: toeplitz, correlation: 0.7}}
path:   {type: constant, start: {scale: 2}}
kernel: {type: hmc, leapfrog_steps: 1}
method: {type: langevin, warmup: 0, draws: 4}
"""


def sample(folder, ranks=None):
    result = os.path.join(folder, "result.h5")
    dunlin("run", write(folder, "input.yaml", INPUT), "--output", result, "--quiet", ranks=ranks)
    return result


def test_many_chains():
    """Not even one draw of all fits into a rank's buffer, nor all numbers into what is read back at
    once; on 3 ranks they do."""
    import h5py
    with Folder() as one, Folder() as three:
        found = sample(one)
        with h5py.File(found, "r") as file:
            draws = file["posterior/x"][...].reshape(-1, 6)
        mean, deviation = (column(found, "moments", name) for name in ("mean", "deviation"))
        assert numpy.abs(mean - numpy.mean(draws, axis=0)).max() < 1e-10
        assert numpy.abs(deviation - numpy.std(draws, axis=0)).max() < 1e-10
        wrong = differences(fingerprint(found), fingerprint(sample(three, 3)))
        assert not wrong, wrong


main()

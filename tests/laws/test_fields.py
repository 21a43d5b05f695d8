"""phi^4 on a ring of sites against the transfer matrix: <phi^2> and the energy by every kernel that
moves in Fourier space, log Z along the paths that open a field."""
import os
import subprocess
import sys

import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import PYTHON, SOURCE, Folder, attributes, dunlin, main, write  # noqa: E402

SITES, MASS2, COUPLING = 12, -.6, .3


def exact():
    """log Z, <phi^2> and <S> / sites: traces of powers of the transfer matrix on a fine grid, whose
    sums are exact to rounding for so smooth a density."""
    x = numpy.linspace(-5, 5, 401)
    well = MASS2 * x ** 2 / 2 + COUPLING * x ** 4

    def traces(scale):
        matrix = numpy.exp(-scale * ((x[:, None] - x) ** 2 / 2 + (well[:, None] + well) / 2))
        matrix *= x[1] - x[0]
        power = numpy.linalg.matrix_power(matrix, SITES)
        return numpy.trace(power), numpy.sum(numpy.diag(power) * x ** 2)
    (z, square), step = traces(1), 1e-4
    energy = -(numpy.log(traces(1 + step)[0]) - numpy.log(traces(1 - step)[0])) / (2 * step)
    return numpy.log(z), square / z, energy / SITES


TARGET = f"""
target: {{type: phi4, side: {SITES}, axes: 1, mass2: {MASS2}, coupling: {COUPLING},
         outputs: observables}}
output: {{file: result.h5}}
"""

CHAINS = TARGET + """
run:    {seed: 3, particles: 256}
path:   {type: constant, start: {scale: 0.7}}
kernel: {type: KERNEL}
method: {type: langevin, warmup: 100, draws: 200}
"""

SMC = TARGET + """
run:    {seed: 3, particles: 4000}
path:   {PATH}
kernel: {type: hmc, KERNEL}
method: {type: smc}
"""


def run(text):
    """Draws of phi2 and the energy, [chain][draw], log Z and its error."""
    import h5py
    with Folder() as folder:
        result = os.path.join(folder, "result.h5")
        dunlin("run", write(folder, "input.yaml", text), "--output", result, "--quiet")
        said = attributes(result)
        with h5py.File(result, "r") as file:
            draws = [file["posterior"][name][...] for name in ("phi2", "energy")]
        return draws, said["log_evidence"], said["log_evidence_error"]


def test_kernels():
    """12 comparisons; errors by the spread of 256 independent chains, limit 5."""
    worst = 0
    known = exact()[1:]
    for kernel in ("hmc", "hmc, metric: fourier, mass: 0.7", "mala, metric: fourier, mass: 0.7",
                   "underdamped, metric: fourier, mass: 0.7",
                   "underdamped, scheme: baoab, metric: fourier, mass: 2",
                   "rwm, metric: fourier, mass: 0.7"):
        draws, _, _ = run(CHAINS.replace("KERNEL", kernel))
        for draw, value in zip(draws, known):
            chains = draw.mean(axis=1)
            off = (chains.mean() - value) / (chains.std(ddof=1) / numpy.sqrt(len(chains)))
            print(f"{kernel}: {chains.mean():.5f}, known {value:.5f}, {off:+.1f} errors")
            worst = numpy.maximum(worst, abs(off))  # NaN stays
    assert worst < 5


def test_draws_by_the_transfer_matrix():
    """2 comparisons of independent draws, limit 5 standard errors."""
    import h5py
    with Folder() as folder:
        draws = os.path.join(folder, "draws.h5")
        subprocess.run([PYTHON, os.path.join(SOURCE, "analysis", "phi4_ring.py"), draws, "--sites",
                        str(SITES), "--mass2", str(MASS2), "--coupling", str(COUPLING), "--field",
                        "0"], check=True, stdout=subprocess.DEVNULL)
        with h5py.File(draws, "r") as file:
            for name, value in zip(("phi2", "energy"), exact()[1:]):
                draw = file["posterior"][name][0]
                off = (draw.mean() - value) / (draw.std(ddof=1) / numpy.sqrt(len(draw)))
                print(f"{name}: {draw.mean():.5f}, known {value:.5f}, {off:+.1f} errors")
                assert abs(off) < 5


def test_evidence():
    """4 comparisons, limit 5 standard errors."""
    worst = 0
    known = exact()[0]
    for path, kernel in (
            ("type: geometric, base: {type: gaussian, scale: 1}", "metric: fourier, mass: 0.7"),
            ("type: spectral_dilation, begin: {type: gaussian, scale: 0.8}, map: true, "
             "schedule: {levels: 10}", "metric: fourier"),
            ("type: spectral_dilation, begin: {type: gaussian, scale: 0.8}, "
             "schedule: {type: log_linear, start: 0.3, levels: 60}", "metric: diagonal"),
            ("type: spectral_dilation, form: x, begin: {type: gaussian, scale: 0.8}, "
             "schedule: {type: log_linear, start: 0.3, levels: 60}", "metric: diagonal")):
        _, log_z, error = run(SMC.replace("PATH", path).replace("KERNEL", kernel))
        print(f"{path}: log Z {log_z:.4f} ± {error:.4f}, known {known:.4f}")
        worst = numpy.maximum(worst, abs(log_z - known) / error)  # NaN stays
    assert worst < 5


main()

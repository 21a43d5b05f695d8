"""The convolutional path brings a mixture's weights and widths back, at 100 levels from tau = 20 to
0.1 and 4000 particles (of as many independent draws the total variation is 0.026)."""
import os

import numpy

from blurred import of_modes
from support import Folder, dunlin, main, summary, write


def near(sampler, seeds, limit, lowest, highest, levels=100, moves=0):
    for seed in seeds:
        off, variance = of_modes(sampler, levels, seed, moves)
        assert off < limit
        assert lowest < variance < highest


def test_reverse_sde():
    near("reverse_sde", (1, 2, 3), .04, .93, 1.10)


def test_ode():
    near("ode", (1, 2, 3), .04, .93, 1.10)


def test_ancestral():
    """Its variance comes from below."""
    near("ancestral", (1, 2), .045, .90, 1.02)


def test_annealed_langevin():
    """Its steps are not adjusted: at the end their own variance is 1 / (1 - 0.15 / 2) = 1.081."""
    near("langevin", (1,), .055, 1.03, 1.14, moves=2)
    near("langevin", (1,), .045, 1.03, 1.14, levels=50, moves=10)


def test_scores_by_samples():
    """In the plane a few hundred samples still give the weights roughly, and lose no mode."""
    off, variance = of_modes("ancestral", 50, 1, particles=1000,
                             more="score: monte_carlo, inner: 300, begin: {scale: 11}")
    assert off < .15
    assert .85 < variance < 1.1


STEEP = """
run:    {seed: 3, particles: 2000}
target: {type: many_well, dimension: 1, wells: 1, tilt: 1.2, height: 0.5}
path:
  {type: convolution, score: monte_carlo, inner: 100, begin: {scale: 2},
   schedule: {levels: 50, highest: 8, lowest: 0.02}}
kernel: {type: mala, step_size: 0.5}
method: {type: langevin, moves_per_level: 0, final_moves: 1, warmup: 0, draws: 0}
"""


def test_particles_astray_are_told():
    """Where log densities fall as the fourth power, scores by samples throw single particles out to
    points of which moves that reject do not bring them back."""
    import h5py
    with Folder() as folder:
        result = os.path.join(folder, "result.h5")
        dunlin("run", write(folder, "input.yaml", STEEP), "--output", result, "--quiet")
        with h5py.File(result, "r") as file:
            far = numpy.abs(file["posterior/x"][...]).ravel() > 1e3
        print(f"{far.sum()} of {len(far)} particles are far off")
        assert 0 < far.sum() < 100
        text = {verdict["name"]: verdict["text"] for verdict in summary(result)["verdicts"]}
        assert text["outside"].startswith(f"{100 * far.mean():.3g}% of the chains"), text


main()

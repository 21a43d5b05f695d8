"""A blurred mixture is followed back to its weights and widths, by moves along the convolutional
path or by samplers of diffusions with scores from a grid or from samples: at 100 levels from
tau = 20 to 0.1 and 4000 particles (of as many independent draws the total variation is 0.026)."""
import os

from blurred import MODES, of_modes
from support import Folder, attributes, dunlin, main, summary, write


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
                             field="type: monte_carlo, samples: 300, begin: {scale: 11}")
    assert off < .15
    assert .85 < variance < 1.1


WEIGHED = f"""
run:    {{seed: 3, particles: 2000, replicates: 4}}
target: {MODES.replace("weights", "log_evidence: 1.7, weights")}
path:   {{type: convolution, half_width: 21, schedule: {{levels: 50}}}}
kernel: {{type: hmc}}
method: {{type: smc, moves_per_step: 2}}
"""


def test_weights_along_the_levels():
    """Densities of the levels make weights, whose mean is Z: 4 replicates, 5 standard errors."""
    with Folder() as folder:
        result = os.path.join(folder, "result.h5")
        dunlin("run", write(folder, "input.yaml", WEIGHED), "--output", result, "--quiet")
        said = attributes(result)
        print(f"log Z {said['log_evidence']:.4f} +- {said['log_evidence_error']:.4f}")
        assert said["log_evidence_error"] < .05
        assert abs(said["log_evidence"] - 1.7) < 5 * said["log_evidence_error"]


FITTED = """
run:    {seed: 1, particles: 2000}
target:
  {type: gaussian_mixture, dimension: 5, layout: two_modes, separation: 4, weights: [0.2, 0.8],
   log_evidence: 1.7}
method:
  type: flow
  process: {type: ve, scale: 10}
  scheme: ddpm
  final: denoise
  grid: {type: geometric, steps: 20, last: 0.3}
  field: {type: monte_carlo, samples: 100, begin: {scale: 4}}
finish: [{type: fit_and_reweight}]
"""


def test_a_finish_behind_samples():
    """The field's scores are coarse, and the finish's weights make good for it."""
    with Folder() as folder:
        result = os.path.join(folder, "result.h5")
        dunlin("run", write(folder, "input.yaml", FITTED), "--output", result, "--quiet")
        said = attributes(result)
        print(f"log Z {said['log_evidence']:.4f} +- {said['log_evidence_error']:.4f}")
        assert said["log_evidence_error"] < .05
        assert abs(said["log_evidence"] - 1.7) < 5 * said["log_evidence_error"]


STEEP = """
run:    {seed: 3, particles: 2000}
target: {type: many_well, dimension: 1, wells: 1, tilt: 1.2, height: 0.5}
method:
  type: flow
  process: {type: ve, scale: 8}
  noise: {type: reverse}
  final: denoise
  grid: {type: geometric, steps: 50, last: 0.02}
  field: {type: monte_carlo, samples: 100, begin: {scale: 2}}
"""


def test_particles_astray_are_told():
    """Where log densities fall as the fourth power, scores by samples throw single particles out to
    points from which they do not come back."""
    with Folder() as folder:
        result = os.path.join(folder, "result.h5")
        dunlin("run", write(folder, "input.yaml", STEEP), "--output", result, "--quiet")
        said = {verdict["name"]: verdict for verdict in summary(result)["verdicts"]}
        assert said["astray"]["level"] != "good", said["astray"]


main()

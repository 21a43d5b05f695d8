"""Runs that follow a blurred target back: what became of the modes' weights and widths."""
import os
import sys

import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import Folder, dunlin, write  # noqa: E402

# 16 modes of unit width at {-15, -5, 5, 15}^2, the last coordinate fast.
PLACES = numpy.array([-15., -5., 5., 15.])
MEANS = numpy.array([(first, second) for first in PLACES for second in PLACES])
SHARES = numpy.arange(1, 17) / 136
MODES = f"""{{type: gaussian_mixture, layout: grid, points_per_axis: 4, separation: 10,
          weights: {list(range(1, 17))}}}"""

HEAD = """
run:    {{seed: {seed}, particles: {particles}}}
target: {target}
output: {{file: result.h5}}
"""
# The kernel's step is eps (tau^2 + 1) / 2 with eps = 0.3, since the path's scale is 1.
MOVED = """
path:   {{type: convolution, half_width: 21, schedule: {{levels: {levels}}}}}
kernel: {{type: ula, step_rule: const, step_size: 0.15}}
method: {{type: langevin, moves_per_level: {moves}, warmup: 0, draws: 0}}
"""
CARRIED = """
method:
  type: flow
  process: {{type: ve, scale: {highest}}}
  {sampler}
  final: denoise
  grid: {{type: geometric, steps: {levels}, last: {lowest}}}
  field: {{{field}}}
"""
SAMPLERS = {"reverse_sde": "noise: {type: reverse}", "ode": "noise: {type: deterministic}",
            "ancestral": "scheme: ddpm"}


def points(target, way, seed, particles):
    """The particles [n][d] at the end of MOVED or CARRIED, filled in."""
    import h5py
    with Folder() as folder:
        text = HEAD.format(seed=seed, particles=particles, target=target) + way
        result = os.path.join(folder, "result.h5")
        dunlin("run", write(folder, "input.yaml", text), "--output", result, "--quiet",
               timeout=3000)
        with h5py.File(result, "r") as file:
            found = file["posterior/x"][...]
        return found.reshape(-1, found.shape[-1])


def distance(x):
    """Total variation between the modes' shares and what is due, those without a mode included, and
    the mean variance within a mode."""
    apart = numpy.sqrt(((x[:, None] - MEANS) ** 2).sum(-1))
    nearest, inside = apart.argmin(1), apart.min(1) < 4
    share = numpy.bincount(nearest[inside], minlength=16) / len(x)
    off = .5 * (numpy.abs(share - SHARES).sum() + 1 - inside.mean())
    return off, ((x[inside] - MEANS[nearest[inside]]) ** 2).mean()


def carried(sampler, levels, field, highest=20, lowest=.1):
    return CARRIED.format(sampler=SAMPLERS[sampler], levels=levels, field=field, highest=highest,
                          lowest=lowest)


def of_modes(sampler, levels, seed, moves=0, particles=4000,
             field="type: grid, half_width: 21"):
    way = (MOVED.format(levels=levels, moves=moves) if sampler == "langevin"
           else carried(sampler, levels, field))
    found = distance(points(MODES, way, seed, particles))
    print(f"{sampler} {levels} levels, {moves} moves, seed {seed}: total variation {found[0]:.3f}, "
          f"variance {found[1]:.3f}")
    return found

"""Small inputs that several tests run, and what makes two results the same."""
import hashlib
import os
from string import Template

from support import INPUTS, attributes, data_folder, write

MIXTURE = """
run:    {seed: 7, particles: $particles}
target:
  {type: gaussian_mixture, dimension: 10, layout: two_modes, separation: 3, weights: [0.2, 0.8]}
path:   {type: geometric, base: {type: gaussian, mean: 0, scale: 3}, schedule: {type: adaptive}}
kernel: {type: $kernel}
method: {type: smc, moves_per_step: $moves, resampling: $resampling}
probes: [{type: moments, every: 1}, {type: modes, every: 1}]
output: {file: result.h5, checkpoint_every: $every}
"""

WASTE_FREE = MIXTURE.replace("moves_per_step: $moves", "chain_length: $moves")

SEEDS = """
run:    {seed: 7, particles: $particles}
target: {type: seeds, data: $inputs/data/seeds.csv}
path:   {type: geometric, base: {type: $base}, schedule: {type: adaptive, conditional_ess: 0.5}}
kernel: {type: $kernel}
method: {type: smc, moves_per_step: $moves, resampling: $resampling}
output: {file: result.h5, checkpoint_every: $every}
"""

BATCHES = SEEDS.replace("{type: geometric, base: {type: $base}, schedule:",
                        "{type: data, first: 4, growth: 2, schedule:")

SONAR = """
run:    {seed: 7, particles: $particles}
target: {type: logistic_regression, data: $data, label: label}
path:   {type: geometric, base: {type: prior}, schedule: {type: adaptive, conditional_ess: 0.5}}
kernel: {type: $kernel}
method: {type: smc, moves_per_step: $moves, resampling: $resampling}
output: {file: result.h5, checkpoint_every: $every}
"""

TEMPERING = """
run:    {seed: 7, particles: $particles}
target:
  {type: gaussian_mixture, dimension: 10, layout: two_modes, separation: 3, weights: [0.2, 0.8]}
path:   {type: geometric, base: {type: gaussian, mean: 0, scale: 3}}
kernel: {type: $kernel}
method: {type: tempering, temperatures: 10, warmup: 40, draws: 30, thin: 2}
probes: [{type: moments, every: 1}, {type: modes, every: 1}]
output: {file: result.h5, checkpoint_every: $every}
"""

CHAINS = """
run:    {seed: 7, particles: $particles, replicates: 2}
target: {type: gaussian, dimension: 10, covariance: {type: toeplitz, correlation: 0.8}}
path:   {type: constant, start: {scale: 2}}
kernel: {type: $kernel}
method: {type: langevin, warmup: 60, draws: 50, thin: $moves}
probes: [{type: ess}, {type: rhat, every: 10}, {type: energy_distance, points: 200}]
output: {file: result.h5, checkpoint_every: $every}
"""

GUIDED = """
run:    {seed: 7, particles: $particles}
target: {type: gaussian_mixture, layout: grid, separation: 5, points_per_axis: 4}
path:   {type: dilation, schedule: {levels: 40}}
kernel: {type: $kernel}
method: {type: langevin, final_moves: 20, warmup: 10, draws: 10, moves_per_level: $moves}
probes: [{type: modes, every: 10}, {type: energy_distance, points: 99, every: 25},
         {type: mmd, points: 80, every: 25}, {type: sinkhorn, points: 70, every: 25},
         {type: sliced, points: 60, every: 25}, {type: coverage, points: 90, every: 10}]
output: {file: result.h5, checkpoint_every: $every}
"""

FIELD = """
run:    {seed: 7, particles: $particles}
target: {type: phi4, side: [6, 5], mass2: -1, coupling: 0.25}
path:   {type: constant, start: {scale: 1, climb: 2}}
kernel: {type: $kernel, metric: fourier, mass: 0.7}
method: {type: langevin, warmup: 20, draws: 20, thin: $moves}
output: {file: result.h5, checkpoint_every: $every}
"""

BLURRED = """
run:    {seed: 7, particles: $particles}
target: {type: gaussian_mixture, layout: grid, separation: 5, points_per_axis: 4}
path:   {type: convolution, schedule: {levels: 12, highest: 10, lowest: 0.3}, $path}
kernel: {type: $kernel}
method: {type: langevin, final_moves: 5, warmup: 10, draws: 10, moves_per_level: $moves}
probes: [{type: modes, every: 5}]
output: {file: result.h5, checkpoint_every: $every}
"""
ON_GRID = "half_width: 12, cells: 40"

DIFFUSED = """
run:    {seed: 7, particles: $particles}
target: {type: gaussian_mixture, layout: grid, separation: 5, points_per_axis: 4}
method:
  {type: flow, process: {type: ve, scale: 10}, final: denoise, stride: 3,
   grid: {type: geometric, steps: 12, last: 0.3}, $path}
probes: [{type: modes, every: 5}]
output: {file: result.h5, checkpoint_every: $every}
"""
REVERSE = f"noise: {{type: reverse}}, field: {{type: grid, {ON_GRID}}}"

OPENED = """
run:    {seed: 7, particles: $particles}
target: {type: phi4, side: [6, 5], mass2: -2, coupling: 0.5}
path:   {type: spectral_dilation, schedule: {levels: 20}, $path}
kernel: {type: $kernel}
method: {type: langevin, final_moves: 10, warmup: 10, draws: 10, moves_per_level: $moves}
output: {file: result.h5, checkpoint_every: $every}
"""

CARRIED = """
run:    {seed: 7, particles: $particles}
target: {type: seeds, data: $inputs/data/seeds.csv}
path:   {type: controlled, $path, steps: 32, pieces: 16}
method: {type: smc, moves_per_step: 0, resampling: $resampling}
output: {file: result.h5, checkpoint_every: $every}
"""
ANNEALED = "base: {scale: 1}"
BROWNIAN = "reference: brownian, base: {scale: 0}, diffusion: {largest: 3}"

LOCALIZED = """
run:    {seed: 7, particles: $particles}
target:
  {type: gaussian_mixture, dimension: 10, layout: two_modes, separation: 3, weights: [0.2, 0.8]}
path:   {type: localized, steps: 24, pieces: 12}
kernel: {type: $kernel}
method: {type: smc, moves_per_step: 1, resampling: $resampling}
output: {file: result.h5, checkpoint_every: $every}
"""

FINISHED = MIXTURE.replace("probes:", "finish: [{type: fit_and_reweight}]\nprobes:")

WIDE = "gaussian, mean: 0, scale: 3"
LADDERS_FINISHED = TEMPERING.replace("draws: 30, thin: 2", "draws: 0").replace(
    "probes:", "finish: [{type: fit_and_reweight}]\nprobes:")

EXACT = """
run:    {seed: 7, particles: $particles, replicates: 2}
target:
  {type: gaussian_mixture, dimension: 10, layout: two_modes, separation: 3, weights: [0.2, 0.8]}
method: {type: exact}
probes: [{type: modes}, {type: sinkhorn, points: 150}, {type: mmd, points: 200},
         {type: sliced, points: 300}, {type: coverage}]
output: {file: result.h5, checkpoint_every: $every}
"""

MARCH = """
run:    {seed: 7, particles: $particles}
target:
  {type: gaussian_mixture, dimension: 10, layout: two_modes, separation: 3, weights: [0.2, 0.8]}
method: {type: flow, grid: {steps: 40}, $path}
probes: [{type: modes, every: 5}, {type: energy_distance, points: 200}]
output: {file: result.h5, checkpoint_every: $every}
"""
HEUN = "scheme: heun, stride: 7"
DRAWN = "process: {type: isotropic, horizon: 9}, scheme: ddpm, final: draw, stride: 1"
MATRIX = "noise: {matrix: [[1], [2], [0], [0], [0], [0], [0], [0], [0], [.1]]}"
GUIDED_FLOW = "guidance: {label: 1, scale: .5}, noise: {type: singular}"

PHASE = MARCH.replace("type: flow, grid: {steps: 40}", "type: psld")
WAYS = "program: S B A O, process: {type: psld, gamma: 0.5}, grid: {steps: 40}, stride: 7"
TRAPEZOID = "program: heun, grid: {type: quadratic, steps: 30}, stride: 4"
TUNED = "grid: {type: tuned, evaluations: 30}"

SPINS = """
run:    {seed: 7, particles: $particles}
target: {type: ising, side: [4, 3], coupling: 0.5, field: 0.1}
path:   {type: geometric, base: {type: uniform}}
kernel: {type: $kernel}
method: {type: smc, moves_per_step: $moves, resampling: $resampling}
output: {file: result.h5, checkpoint_every: $every}
"""
LETTERS = SPINS.replace("ising, side: [4, 3], coupling: 0.5, field: 0.1",
                        "potts, side: [3, 4], coupling: 0.8").replace(
    "smc, moves_per_step: $moves, resampling: $resampling",
    "tempering, temperatures: 5, warmup: 30, draws: 20, thin: 2")

SEEN = """
run:    {seed: 7, particles: $particles}
target: {type: $kernel}
method: {type: localization, $path}
output: {file: result.h5, checkpoint_every: $every}
"""
RING = "ising_chain, dimension: 9, coupling: 0.6, field: 0.1, closed: true"
GLASS = "sherrington_kirkpatrick, dimension: 9, beta: 1.2"
SPREAD_GLASS = ("sherrington_kirkpatrick, dimension: 96, beta: 0.7, instance: 3, signal: 0.4, "
                "couplings: drawn")
PASSED = "observation: {type: gaussian, horizon: 8}, field: {type: amp}, steps: 12, stride: 5"
SPREAD_PASSED = PASSED.replace("type: amp", "type: amp, distributed: yes")
REVEALED = "observation: {type: erasure}, by: means, steps: 20, stride: 3"
TEXTURE = "coloured_texture, side: [4, 8], colours: [[1, 0], [-.5, 1]], weights: [.4, .6]"
WINDOW = ("observation: {type: linear, channels: 2, average: 2, pyramid: .5}, first_step: 1e-3, "
          "field: {type: window, radius: 1}, steps: 14, final: mean, stride: 2, "
          "keep: 70")
ADAPTED = "observation: {type: adapted, horizon: 4}, by: means, steps: 12, stride: 1"
MODES = ("gaussian_mixture, means: [[0, 1, 2], [3, -1, 0]], weights: [.3, .7], scales: [.5, 1], "
         "dimension: 3")
ASKED = ("field: {type: atoms}, steps: 12, observation: {type: product, parts: [{type: symmetric}, "
         "{type: half_space, planes: 20}, {type: linear, matrix: [[1, 1, 1, 1, 1, 1, 1, 1, 1]]}]}")

SLIPS = """
run:    {seed: 7, particles: $particles, replicates: 2}
target:
  {type: gaussian_mixture, dimension: 3, layout: two_modes, separation: 1, weights: [0.2, 0.8]}
method: {type: localization, observation: {type: gaussian}, steps: 20, stride: 3, $path}
output: {file: result.h5, checkpoint_every: $every}
"""
CHAINS_SEEN = ("field: {type: mcmc, chains: 3, moves: 4, warm_up: 50}, by: means, first: .2, "
               "begin: {moves: 3}")
TANGENT = ("field: {type: mcmc, chains: 2, moves: 3, warm_up: 60}, first: .3, last: .98, "
           "schedule: {type: tangent, radius: 2, width: 1}, begin: {by: langevin, moves: 2}")

TRAINED = """
run:    {seed: 7, particles: $particles}
target:
  {type: gaussian_mixture, dimension: 3, layout: two_modes, separation: 1, weights: [0.2, 0.8]}
method:
  type: train
  network: {$path}
  lessons:
    steps: 120
    batch: 150
    groups: 5
    every: 5
    examples: {count: 999, held_back: 333}
    optimiser: {rate: 3e-3, clip: 1, average: 0.9, weight_decay: 1e-3}
output: {file: result.h5, checkpoint_every: $every}
"""
LAYERS = "type: mlp, widths: [30, 20]"
LEVELS = "type: two_layer, levels: 3, width: 30"
PIXELS = "type: convolution, widths: [18, 5], kernels: [3, 5, 3], height: 1"

STEERED = """
run:    {seed: 7, particles: $particles}
target:
  {type: gaussian_mixture, dimension: 3, layout: two_modes, separation: 1, weights: [0.2, 0.8]}
path:   {type: controlled, base: {scale: 2}, steps: 12, pieces: 3, diffusion: {largest: 3}}
kernel: {type: $kernel}
method: {type: scld, steps: 8, every: 3, width: 8, rates: {control: 1e-2}, $path}
probes: [{type: modes, every: 1}, {type: sinkhorn, points: 70, every: 1},
         {type: mmd, points: 80, every: 2}]
output: {file: result.h5, checkpoint_every: $every}
"""
DRIVEN = STEERED.replace("base: {scale: 2}", "reference: brownian, base: {scale: 0}")
LEAPS = "hmc, leapfrog_steps: 3"
FEW = "batches: 3, moves_every: 2"

REMEMBERED = LOCALIZED.replace("dimension: 10", "dimension: 2").replace(
    "steps: 24, pieces: 12", "steps: 12, pieces: 6, first: .05, spread: 3,\n"
    "  field: {type: mcmc, chains: 2, moves: 4, warm_up: 60}")

CASES = {"trained": TRAINED, "steered": STEERED, "driven": DRIVEN,
         "slips": SLIPS,
         "remembered": REMEMBERED, "exact": EXACT, "spins": SPINS,
         "letters": LETTERS, "march": MARCH, "phase": PHASE,
         "seen": SEEN, "localized": LOCALIZED, "mixture": MIXTURE, "seeds": SEEDS,
         "waste_free": WASTE_FREE, "batches": BATCHES,
         "sonar": SONAR, "tempering": TEMPERING, "finished": FINISHED, "chains": CHAINS,
         "guided": GUIDED, "field": FIELD, "blurred": BLURRED, "carried": CARRIED,
         "diffused": DIFFUSED, "opened": OPENED, "ladders_finished": LADDERS_FINISHED}


def sonar_table(folder):
    """The sonar data where they are at hand, else a table of the same shape made up here."""
    there = os.path.join(data_folder() or "/nonexistent", "sonar_minmax.csv")
    if os.path.exists(there):
        return there
    state, rows = 1, [",".join([f"x{j}" for j in range(60)] + ["label"])]
    for _ in range(208):
        row = []
        for _ in range(60):
            state = (state * 1103515245 + 12345) % (1 << 31)
            row.append(2 * state / (1 << 31) - 1)
        rows.append(",".join([f"{x:.6f}" for x in row] + [str(int(row[0] + .5 * row[1] > 0))]))
    return write(folder, "sonar_like.csv", "\n".join(rows) + "\n")


def case(folder, name, kernel="hmc", particles=1000, moves=2, resampling="systematic", base=WIDE,
         every="20min", path=ON_GRID):
    """Writes the input into the folder and returns its path."""
    text = Template(CASES[name]).substitute(
        kernel=kernel, particles=particles, moves=moves, base=base, resampling=resampling,
        every=every, path=path, inputs=INPUTS, data=sonar_table(folder))
    return write(folder, "input.yaml", text)


def fingerprint(file):
    """Everything in a result that must not depend on ranks, interruptions or vector widths."""
    import h5py
    said = attributes(file)
    found = {name: said[name] for name in ("population_hash", "log_evidence", "log_evidence_error",
                                           "effective_sample_size", "diagnosis")}
    with h5py.File(file, "r") as result:
        def digest(name, value):
            timed = name.endswith("/seconds") or name.startswith("provenance")
            if isinstance(value, h5py.Dataset) and value.ndim > 0 and not timed:
                held = value[...]
                held = held.astype("S") if held.dtype == object else held  # else of pointers
                found[name] = hashlib.sha256(held.tobytes()).hexdigest()[:16]
        result.visititems(digest)
    return found


def differences(one, other):
    """Sentences, one for each entry of two fingerprints that is not the same."""
    return [f"{name}: {one.get(name)} and {other.get(name)}"
            for name in sorted(set(one) | set(other))
            if repr(one.get(name)) != repr(other.get(name))]  # a NaN equals a NaN

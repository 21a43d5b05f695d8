"""Many independent populations of one input: what they estimate against what is known, and how far
they are off against the errors that they report."""
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import INPUTS, Folder, column, dunlin, write  # noqa: E402

COMMON = """
path:
  {type: geometric, base: {type: gaussian, mean: 0, scale: SCALE}, schedule: {type: adaptive}}
kernel: {type: hmc}
method: {type: smc, moves_per_step: 4}
output: {file: result.h5}
"""

MIXTURE = """
target:
  {type: gaussian_mixture, dimension: 10, layout: two_modes, separation: 3, weights: [WEIGHTS]}
probes: [{type: modes}]
""" + COMMON.replace("SCALE", "3")

TOEPLITZ = """
target: {type: gaussian, dimension: 30, covariance: {type: toeplitz, correlation: 0.9}}
""" + COMMON.replace("SCALE", "3")

FORTY = """
target: {type: gaussian_mixture, dimension: 2, layout: forty}
probes: [{type: modes}]
""" + COMMON.replace("SCALE", "40")

SEEDS = f"""
target: {{type: seeds, data: {INPUTS}/data/seeds.csv}}
probes: [{{type: moments}}]
path:
  {{type: geometric, base: {{type: gaussian, mean: 0, scale: 3}}, schedule: {{type: adaptive}}}}
output: {{file: result.h5}}
"""


def chains(text, length):
    """The input with waste-free SMC."""
    assert "moves_per_step: 4" in text
    return text.replace("moves_per_step: 4", f"chain_length: {length}")


def replicates(text, count, particles, seed, tables=("replicates",)):
    """Runs `count` populations, half of them in each of two jobs with seeds of their own.  Returns
    for each table the columns by name, the second half's replicates numbered on."""
    half = (count + 1) // 2
    with Folder() as folder:
        def job(number):
            size = half if number == 0 else count - half
            run = f"run: {{seed: {seed + number}, particles: {particles}, replicates: {size}}}\n"
            file = write(folder, f"job{number}.yaml", run + text)
            result = os.path.join(folder, f"job{number}.h5")
            dunlin("run", file, "--output", result, "--quiet", timeout=3000)
            return result
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(job, (0, 1)))
        found = []
        for table in tables:
            import h5py
            with h5py.File(results[0]) as file:
                names = [name for name in file["trace"][table]]
            columns = {name: [column(result, table, name) for result in results] for name in names}
            columns["replicate"][1] = columns["replicate"][1] + half
            found.append({name: numpy.concatenate(both) for name, both in columns.items()})
        return found if len(found) > 1 else found[0]


def calibration(name, truth, table):
    """The figures by which an error bar is judged, printed and returned."""
    off = table["log_evidence"] - truth
    error = table["log_evidence_error"]
    found = {
        "count": len(off),
        "mean": numpy.mean(off),
        "rms": numpy.sqrt(numpy.mean(off ** 2)),
        "ratio": numpy.std(off, ddof=1) / numpy.median(error),
        "within 1": numpy.mean(numpy.abs(off) <= error),
        "within 2": numpy.mean(numpy.abs(off) <= 2 * error),
    }
    print(name + ": " + ", ".join(f"{word} {value:.4g}" for word, value in found.items()))
    return found


def mode_shares(modes):
    """Deviations of the shares of the modes from what is due, in by-ancestor errors and in binomial
    ones, [replicate][mode]."""
    inside = modes["mode"] >= 0
    shape = (len(numpy.unique(modes["replicate"])), -1)
    off = (modes["share"] - modes["due"])[inside].reshape(shape)
    ancestor = modes["error"][inside].reshape(shape)
    due = modes["due"][inside].reshape(shape)
    return off / ancestor, off, due


def judge(name, truth, text, count, particles, seed, limits):
    """Runs the replicates and holds their figures to the limits, {word: (least, most)}."""
    found = calibration(name, truth, replicates(text, count, particles, seed))
    for word, (least, most) in limits.items():
        assert least <= found[word] <= most, f"{name}: {word} {found[word]:.4g}: {least} to {most}"


def seeds_moments(kernel, moves, count, particles, seed):
    """Mean and standard error, over the replicates, of the means and standard deviations of all
    parameters: two arrays [2 × parameters]."""
    text = SEEDS + f"kernel: {{type: {kernel}}}\nmethod: {{type: smc, moves_per_step: {moves}}}\n"
    table, evidence = replicates(text, count, particles, seed, ("moments", "replicates"))
    rows = numpy.concatenate([table[name].reshape(count, -1) for name in ("mean", "deviation")], 1)
    rows = numpy.concatenate([rows, evidence["log_evidence"][:, None]], 1)
    return numpy.mean(rows, 0), numpy.std(rows, 0, ddof=1) / numpy.sqrt(count)

"""How many gradients chains take to settle, and for each effective draw and square afterwards.

    settling.py [--problems g30 logistic] [--chains 64 ...] [--seeds N] [--set ASSIGNMENT ...]

Method langevin with defaults.  conv: the least number N of gradients a chain such that, over the
chains and the sweeps of the last half of [0, N], (mean of y^2 - E y^2)^2 / Var y^2 is below .01 for
every coordinate y along the axes, and again at 1.25 N.  g/x, g/x2: gradients of the draws' moves
for each effective draw of the worst coordinate, and of its square.  Below stands what conv is of
perfect draws of a normal law that cost as many gradients as an effective square did: with 16 chains
nobody comes below 150.
"""
import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import h5py  # noqa: E402
import numpy  # noqa: E402
from support import Folder, column, compiled, dunlin, write  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
INPUT = """
run:    {{seed: {seed}, particles: {chains}}}
target: {{type: library, file: {library}, problem: {problem}, dimension: {dimension}}}
path:   {{type: constant, start: {{scale: {scale}}}}}
kernel: {{type: hmc}}
method: {{type: langevin, draws: {draws}}}
probes: [{{type: moments, every: 1}}]
"""
# dimension, scale of the starts
PROBLEMS = {"g30": (30, 10), "axes": (30, 10), "logistic": (24, 1.15), "banana": (2, 1.15),
            "funnel": (10, 1.15)}


def effective(chains):
    """Effective draws of all chains [chain, draw], by autocorrelations and Geyer's rule."""
    count, draws = chains.shape
    mean = chains.mean()
    off = chains - mean
    size = 2 * draws
    spectrum = numpy.fft.rfft(off, size, axis=1)
    cov = numpy.fft.irfft(numpy.abs(spectrum) ** 2, size, axis=1)[:, :draws].sum(0)
    rho = cov / cov[0] * draws / (draws - numpy.arange(draws))
    pairs = rho[0:draws // 2 * 2:2] + rho[1:draws // 2 * 2:2]
    end = numpy.argmax(pairs < 0) if (pairs < 0).any() else len(pairs)
    pairs = numpy.minimum.accumulate(pairs[:end])
    return count * draws / max(2 * pairs.sum() - 1, .02)


def truth(problem, dimension, library, folder):
    """Mean and variance of y^2 by exact laws, or by a long run."""
    d = numpy.arange(dimension)
    if problem in ("g30", "axes"):
        v = 10. ** (-5 * d / (dimension - 1))
        return v, 2 * v * v
    if problem == "banana":
        return numpy.array([100., 1 + .0009 * 2e4]), numpy.array([2e4, 0.])
    if problem == "funnel":
        return numpy.array([9.] + [numpy.nan] * 9), numpy.array([162.] + [numpy.nan] * 9)
    file = write(folder, "truth.yaml", INPUT.format(
        seed=999, chains=256, library=library, problem=problem, dimension=dimension, scale=1.15,
        draws=400).replace(", every: 1", ""))
    result = os.path.join(folder, "truth.h5")
    dunlin("run", file, "--output", result, "--quiet", timeout=1800)
    with h5py.File(result) as h:
        y = h["posterior/y"][...].reshape(-1, dimension) ** 2
    return y.mean(0), y.var(0)


def converged(gradients, squares, mean, variance):
    """From gradients a chain at the end of each sweep, and the chains' mean squares there."""
    known = numpy.isfinite(mean) & (variance > 0)
    squares, mean, variance = squares[:, known], mean[known], variance[known]

    def bias(n):
        use = (gradients >= n / 2) & (gradients <= n)
        if not use.any():
            return numpy.inf
        return ((squares[use].mean(0) - mean) ** 2 / variance).max()
    for n in gradients:
        if 1.25 * n > gradients[-1]:
            break
        if bias(n) < .01 and bias(1.25 * n) < .01:
            return n
    return numpy.nan


def measure(problem, chains, seed, library, expected, draws=500, more=()):
    dimension, scale = PROBLEMS[problem]
    with Folder() as folder:
        squares, gradients = [], []
        for part in "warmup", "whole":
            file = write(folder, part + ".yaml", INPUT.format(
                seed=seed, chains=chains, library=library, problem=problem, dimension=dimension,
                scale=scale, draws=0 if part == "warmup" else draws))
            result = os.path.join(folder, part + ".h5")
            words = [word for one in more for word in ("--set", one)]
            dunlin("run", file, "--output", result, "--quiet", *words, timeout=1800)
            if part == "warmup":
                rows = {name: column(result, "moments", name) for name in ("mean", "deviation")}
                shape = (-1, dimension)
                squares = (rows["mean"] ** 2 + rows["deviation"] ** 2).reshape(shape)
                gradients = column(result, "steps", "evaluations") / chains
                squares = squares[-len(gradients):]
        with h5py.File(result) as h:
            y = h["posterior/y"][...]
            text = h.attrs.get("diagnosis", "")
            text = text.decode() if isinstance(text, bytes) else text
            rhat = h["trace/rhat/rhat"][...].max()
        all_gradients = column(result, "steps", "evaluations") / chains
        steps = column(result, "steps", "leapfrogs")[-1], column(result, "steps", "step_size")[-1]
        begin = gradients[-1] if len(gradients) else 0
        each = (all_gradients[-1] - begin) / draws
        path = numpy.concatenate([gradients, begin + each * (1 + numpy.arange(draws))])
        path_squares = numpy.concatenate([squares, (y ** 2).mean(0)])
        conv = converged(path, path_squares, *expected)
        total = each * draws * chains
        x = max(total / effective(y[:, :, j]) for j in range(dimension))
        x2 = max(total / effective(y[:, :, j] ** 2) for j in range(dimension))
        error = (y ** 2).mean((0, 1)) / expected[0] - 1
        return {"conv": conv, "warmup": begin, "sweeps": len(gradients), "g/x": x, "g/x2": x2,
                "leapfrogs": steps[0], "step": steps[1], "rhat": rhat,
                "error": numpy.nanmax(numpy.abs(error))}, text


def ideal(dimension, chains, each):
    """conv of perfect draws of so many gradients each: 5 %, median and 95 % of 100 tries."""
    random, found = numpy.random.default_rng(1), []
    for _ in range(100):
        y = random.standard_normal((400, chains, dimension)) ** 2
        found.append(converged(each * numpy.arange(1, 401), y.mean(1), numpy.ones(dimension),
                               numpy.full(dimension, 2.)))
    return numpy.nanquantile(found, (.05, .5, .95))


def main():
    words = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    words.add_argument("--problems", nargs="+", default=["g30", "logistic"])
    words.add_argument("--chains", type=int, nargs="+", default=[64])
    words.add_argument("--seeds", type=int, default=5)
    words.add_argument("--set", nargs="+", default=[])
    words.add_argument("--draws", type=int, default=500)
    words.add_argument("--verdicts", action="store_true")
    words = words.parse_args()
    with Folder() as folder:
        library = compiled(folder, "settling.so", os.path.join(HERE, "settling.c"), flags=("-O2",))
        for problem in words.problems:
            expected = truth(problem, PROBLEMS[problem][0], library, folder)
            for chains in words.chains:
                each = []
                for seed in range(1, words.seeds + 1):
                    found, text = measure(problem, chains, seed, library, expected, words.draws,
                                          words.set)
                    each.append(found["g/x2"])
                    print(f"{problem:9} {chains:4} chains, seed {seed}: " +
                          ", ".join(f"{name} {value:.4g}" for name, value in found.items()),
                          flush=True)
                    if words.verdicts:
                        print("\n".join("    " + line for line in text.split("\n")
                                        if ": good:" not in line or "settled" in line or
                                        "metric" in line))
                low, middle, high = ideal(PROBLEMS[problem][0], chains, numpy.median(each))
                print(f"{problem:9} {chains:4} chains, perfect draws of the same cost: conv "
                      f"{middle:.0f} ({low:.0f} to {high:.0f})", flush=True)


if __name__ == "__main__":
    main()

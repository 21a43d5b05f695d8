#!/usr/bin/python3
"""How far the images of finished sweeps are from others of their kind: Frechet distances of what
samplers drew by a learned denoiser, beside their evaluations of it.

    mpirun -n 2 build/release/dunlin run inputs/images_train.yaml
    build/release/dunlin sweep inputs/sweeps/images_psld.yaml
    jobs/image_table.py inputs/sweeps/images_psld.yaml [--folder FOLDER] [--against RESULT.h5]

The distance is that of two normal laws with the means and covariances of 128 features of an image:
32 random filters of 5 x 5, numpy.random.default_rng(1), what exceeds half a deviation of theirs,
averaged over each quarter of the image, all in units of the others' deviations.  The others are
20000 digits of another seed, which no network has seen.  As many draws from the set that was
learned from have the distance that is told first, which no sampler can be expected to come below.
With --against the others are the draws of that result: of many evaluations of the same network they
tell what few cost, whatever the network costs.
"""
import argparse
import os
import subprocess
import sys
import tempfile

import h5py
import numpy

from sweep_results import members

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = os.path.join(TOP, "build", "release", "dunlin")
FILTERS, SIDE, OTHERS = 32, 5, 20000


def images(file):
    with h5py.File(file, "r") as result:
        x = result["posterior/image"][...]
    return x.reshape(-1, *x.shape[-2:])


def exact(file, folder, particles, seed):
    """Draws of the sweep's target, of digits with this seed."""
    result = os.path.join(folder, f"exact{seed}.h5")
    text = open(file, encoding="utf-8").read().split("\nsweep:")[0]
    target = text[text.index("\ntarget:"):].split("\nmethod:")[0]
    with open(os.path.join(folder, "exact.yaml"), "w", encoding="utf-8") as out:
        out.write(f"run: {{seed: 9, particles: {particles}}}{target}\nmethod: {{type: exact}}\n"
                  f"output: {{file: {result}}}\n")
    subprocess.run([PROGRAM, "run", out.name, "--set", f"target.seed={seed}", "--quiet"],
                   check=True)
    return images(result)


def responses(x):
    """[image][filter][height][width] of random filters, as matrices of all windows."""
    filters = numpy.random.default_rng(1).normal(size=(SIDE * SIDE, FILTERS))
    windows = numpy.lib.stride_tricks.sliding_window_view(x, (SIDE, SIDE), axis=(1, 2))
    return windows.reshape(*windows.shape[:3], -1) @ (filters - filters.mean(0))


class Features:
    """Thresholds and units are those of the others."""

    def __init__(self, others):
        self.threshold = .5 * responses(others[:1000]).std((0, 1, 2))
        plain = self.of(others)
        self.unit = plain.std(0)
        self.others = self.moments(plain)

    def of(self, x):
        found = []
        for some in numpy.array_split(x, max(1, len(x) // 500)):
            above = numpy.maximum(responses(some) - self.threshold, 0)
            middle = [above.shape[1] // 2, above.shape[2] // 2]
            found.append(numpy.concatenate([
                above[:, top, left].mean((1, 2))
                for top in (slice(0, middle[0]), slice(middle[0], None))
                for left in (slice(0, middle[1]), slice(middle[1], None))], 1))
        return numpy.concatenate(found)

    def moments(self, features):
        features = features / self.unit
        return features.mean(0), numpy.cov(features.T)

    def distance(self, x):
        """Frechet's, squared as is the custom."""
        (mean, cov), (mean2, cov2) = self.moments(self.of(x)), self.others
        roots = numpy.sqrt(numpy.maximum(numpy.linalg.eigvals(cov @ cov2).real, 0))
        return ((mean - mean2) ** 2).sum() + numpy.trace(cov + cov2) - 2 * roots.sum()


def name_of(row):
    """What was varied beside the evaluations."""
    if "method.noise" in row:
        return row["method.noise"]
    scaled = "method.lambda_s" in row
    return row["method.program"] + (f" lambda_s {row['method.lambda_s']}" if scaled else "")


def read_arguments():
    parser = argparse.ArgumentParser(description="Frechet distances of a sweep's images.")
    parser.add_argument("sweep")
    parser.add_argument("--folder", help="where the sweep left its results")
    parser.add_argument("--against", help="a result whose draws are the others")
    chosen = parser.parse_args()
    stem = os.path.splitext(os.path.basename(chosen.sweep))[0]
    chosen.folder = chosen.folder or stem + ".sweep"
    if not os.path.isdir(chosen.folder):
        sys.exit(f"image_table.py: there is no folder {chosen.folder}: run `dunlin sweep "
                 f"{chosen.sweep}` first, here, or name its folder by --folder")
    return chosen


def main():
    chosen = read_arguments()
    rows, found = members(PROGRAM, chosen.sweep, chosen.folder), {}
    if not rows:
        sys.exit(f"image_table.py: no member of {chosen.folder} is done")
    with tempfile.TemporaryDirectory() as there:
        others = (images(chosen.against) if chosen.against else
                  exact(chosen.sweep, there, OTHERS, 1))
        features, count = Features(others), len(images(rows[0]["file"]))
        learned_from = exact(chosen.sweep, there, count, 0)
        print(f"{'exact draws':24s} {features.distance(learned_from):8.3f}")
    for row in rows:
        found[name_of(row), int(row["method.grid.evaluations"])] = features.distance(
            images(row["file"]))
    budgets = sorted({budget for _, budget in found})
    print(f"{'evaluations':24s} " + " ".join(f"{budget:8d}" for budget in budgets))
    for name in dict.fromkeys(name for name, _ in found):
        print(f"{name:24s} " + " ".join(f"{found[name, b]:8.3f}" if (name, b) in found else
                                        f"{'-':>8s}" for b in budgets))


if __name__ == "__main__":
    main()

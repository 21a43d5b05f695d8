#!/usr/bin/python3
"""Draws bias and spread of the toy problem's mean and variance over alpha, for the samplers of a
flow with 50 and 500 steps, beside what is stated of them in the literature.

    analysis/plot_flow_bias.py [FIGURE.png] [--program DUNLIN] [--folder FOLDER]

Runs the sweep inputs/sweeps/flow_bias.yaml, whose finished members it finds again in the folder.
Needs h5py and matplotlib."""
import argparse
import csv
import os
import subprocess
import tempfile

import h5py
import matplotlib
import numpy

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MEAN, VARIANCE, PARTICLES = 2, .25, 4000
STATED = """Singh & Fischer 2024, at alpha = 1:
- means are right for all samplers
- the deterministic variance is too low,
  the more so with fewer steps
- stochastic samplers stay close
- more noise removes the bias of
  non_singular, "at the cost of increased
  variance": of independent particles the
  spread stays sqrt(2 / (n - 1)), dotted
- singular is the unstable one"""


def members(program, folder):
    document = os.path.join(TOP, "inputs", "sweeps", "flow_bias.yaml")
    results, table = os.path.join(folder, "bias"), os.path.join(folder, "bias.csv")
    words = [program, "sweep", document, "--output", results]
    subprocess.run(words + ["--quiet"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(words + ["--collect", table], check=True, stdout=subprocess.DEVNULL)
    with open(table, encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield row, os.path.join(results, row["identity"] + ".h5")


def estimates(file):
    """Means and variances [replicates]: of each the last row of its table."""
    with h5py.File(file, "r") as result:
        table = result["trace/moments"]
        replicate = table["replicate"][...]
        last = [numpy.nonzero(replicate == r)[0][-1] for r in numpy.unique(replicate)]
        return table["mean"][...][last], table["deviation"][...][last] ** 2


def collect(program, folder):
    """{(steps, noise): rows (alpha, then bias, its error, spread of mean and of variance)}"""
    found = {}
    for row, file in members(program, folder):
        line = [float(row["method.noise.alpha"])]
        for value, true in zip(estimates(file), (MEAN, VARIANCE)):
            spread = value.std(ddof=1)
            line += [value.mean() - true, spread / numpy.sqrt(len(value)), spread]
        key = int(row["method.grid.steps"]), row["method.noise.type"]
        found.setdefault(key, []).append(line)
    return {key: numpy.array(sorted(lines)) for key, lines in found.items()}


def panel(axes, found, steps, what, first, unit):
    for (number, noise), rows in found.items():
        if number != steps:
            continue
        if what == "bias":
            axes.errorbar(rows[:, 0], rows[:, first] / unit, rows[:, first + 1] / unit, label=noise,
                          capsize=2, marker="o", markersize=3, linewidth=1)
        else:
            axes.plot(rows[:, 0], rows[:, first + 2] / unit, label=noise, marker="o", markersize=3,
                      linewidth=1)
    axes.set_xlabel("alpha (0: deterministic)")


def draw(found, figure):
    chart, axes = plt.subplots(2, 5, figsize=(19, 7), width_ratios=(1, 1, 1, 1, .8))
    for row, steps in zip(axes, (50, 500)):
        panel(row[0], found, steps, "bias", 1, 1)
        panel(row[1], found, steps, "spread", 1, 1)
        panel(row[2], found, steps, "bias", 4, VARIANCE)
        panel(row[3], found, steps, "spread", 4, VARIANCE)
        row[0].set_ylabel(f"{steps} steps")
        row[0].set_title("bias of the mean")
        row[1].set_title("spread of the mean")
        row[2].set_title("bias of the variance / variance")
        row[3].set_title("spread of the variance / variance")
        row[1].axhline(numpy.sqrt(VARIANCE / PARTICLES), color="black", linestyle=":")
        row[3].axhline(numpy.sqrt(2 / (PARTICLES - 1)), color="black", linestyle=":")
        for one in (row[0], row[2]):
            one.axhline(0, color="black", linestyle=":")
        for one in (row[1], row[3]):
            one.set_ylim(bottom=0)
        row[4].axis("off")
    axes[0][4].legend(*axes[0][0].get_legend_handles_labels(), loc="upper left", frameon=False)
    axes[1][4].text(0, 1, STATED, va="top", fontsize=9)
    chart.tight_layout()
    chart.savefig(figure, dpi=100)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("figure", nargs="?", default="flow_bias.png")
    parser.add_argument("--program", default=os.path.join(TOP, "build", "release", "dunlin"))
    parser.add_argument("--folder", help="where results are kept; else they are thrown away")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        found = collect(arguments.program, arguments.folder or scratch)
    draw(found, arguments.figure)
    for (steps, noise), rows in sorted(found.items()):
        print(f"{steps:4d} steps, {noise:13s} variance / its own - 1 over alpha: "
              + " ".join(f"{value:+.4f}" for value in rows[:, 4] / VARIANCE))
    print(f"wrote {arguments.figure}")


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Draws a result file: marginals of the posterior, and how the run went.

    analysis/plot_run.py RESULT.h5 [FIGURE.png] [--parameters NAME ...]

Without a figure's name, RESULT.png beside the result.  At most twelve marginals are drawn; with
several chains each has its own line.  If there are two, their plane is drawn too.  Needs h5py and
matplotlib.
"""
import argparse
import math
import os
import sys

import h5py
import matplotlib
import numpy

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

MARGINALS = 12
COORDINATES = "chain", "draw"


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def names_of(posterior, name, index):
    """The index of an entry as people write it: names of features where there are any."""
    words = [str(number) for number in index]
    scale = posterior.get(f"{name}_dim_0")
    if scale is not None and scale.dtype.kind == "O":
        words[0] = scale.asstr()[index[0]]
    return words


def scalars(posterior):
    """(variable's name, label, variable, index) of every scalar entry of every variable."""
    for name, variable in posterior.items():
        if not isinstance(variable, h5py.Dataset) or variable.ndim < 2 or name in COORDINATES:
            continue
        for index in numpy.ndindex(variable.shape[2:]):
            label = name + (f"[{', '.join(names_of(posterior, name, index))}]" if index else "")
            yield name, label, variable, (slice(None), slice(None)) + index


def choose(posterior, wanted):
    """(label, draws [chain][draw]) of at most MARGINALS entries, and how many there are in all."""
    chosen, total = [], 0
    for name, label, variable, index in scalars(posterior):
        if wanted and name not in wanted and label not in wanted:
            continue
        total += 1
        if len(chosen) < MARGINALS:
            chosen.append((label, variable[index]))
    return chosen, total


def say_instead(axes, words):
    axes.text(.5, .5, words, ha="center", transform=axes.transAxes, fontsize=8)


def draw_marginal(axes, label, draws):
    finite = draws[numpy.isfinite(draws)]
    axes.set_title(label, fontsize=9)
    axes.set_yticks([])
    axes.tick_params(labelsize=7)
    if finite.size == 0:
        say_instead(axes, "no finite draw")
        return
    low, high = numpy.quantile(finite, [.001, .999])
    if not low < high:
        low, high = low - .5, high + .5
    edges = numpy.linspace(low, high, 2 + min(60, int(3 * finite.size ** (1 / 3))))
    for chain in draws:
        counts, _ = numpy.histogram(chain[numpy.isfinite(chain)], edges, density=False)
        axes.stairs(counts, edges, fill=len(draws) == 1, alpha=.8)
    axes.axvline(numpy.mean(finite), color="black", linewidth=.8)


def draw_plane(axes, both):
    """The draws of two scalars, at most 5000 of them, evenly."""
    x, y = (draws.ravel()[::-(-draws.size // 5000)] for _, draws in both)
    axes.set_title(f"{both[0][0]} and {both[1][0]}", fontsize=9)
    axes.tick_params(labelsize=7)
    axes.plot(x, y, ",", color="C0")


def tables(result):
    """Columns of /trace/steps by name; {} if the file has none."""
    steps = result.get("trace/steps")
    if steps is None:
        return {}
    return {name: column[...] for name, column in steps.items() if isinstance(column, h5py.Dataset)}


def draw_column(axes, steps, name, title, **style):
    """One quantity against the step, a line for each replicate."""
    axes.set_title(title, fontsize=9)
    axes.set_xlabel("step", fontsize=8)
    axes.tick_params(labelsize=7)
    if name not in steps or len(steps[name]) == 0:
        say_instead(axes, f"no {name} in the file")
        return
    replicate = steps.get("replicate", numpy.zeros(len(steps[name])))
    for number in numpy.unique(replicate)[:20]:
        rows = replicate == number
        single = numpy.isfinite(steps[name][rows]).sum() == 1
        axes.plot(steps["step"][rows], steps[name][rows], "o" if single else "-", linewidth=1,
                  markersize=3, **style)


def headline(result, file):
    said = {name: result.attrs[name] for name in result.attrs}
    words = [os.path.basename(file)]
    if math.isfinite(float(said.get("log_evidence", math.nan))):
        words.append("log Z = %.4f ± %.4f" % (said["log_evidence"], said["log_evidence_error"]))
    if "effective_sample_size" in said:
        words.append("ESS %.0f" % said["effective_sample_size"])
    if "diagnosis" in said:
        words.append(text(said["diagnosis"]).split("\n")[0][:60])
    return ",  ".join(words)


def draw(file, figure, wanted):
    with h5py.File(file, "r") as result:
        if "posterior" not in result:
            raise ValueError("there is no group /posterior: not a result of dunlin")
        chosen, total = choose(result["posterior"], wanted)
        if not chosen:
            raise ValueError("none of the parameters asked for is in /posterior")
        steps, title = tables(result), headline(result, file)
    columns = 4
    rows = 1 + math.ceil(len(chosen) / columns)
    page, axes = plt.subplots(rows, columns, figsize=(11, 2.1 * rows + .6), squeeze=False)
    draw_column(axes[0][0], steps, "time", "time", color="C0")
    draw_column(axes[0][1], steps, "ess", "effective sample size", color="C1")
    draw_column(axes[0][2], steps, "acceptance", "acceptance", color="C2")
    draw_column(axes[0][3], steps, "log_evidence", "log evidence so far", color="C3")
    for place, (label, draws) in zip(axes[1:].flat, chosen):
        draw_marginal(place, label, draws)
    free = list(axes[1:].flat)[len(chosen):]
    if total == 2:
        draw_plane(free.pop(0), chosen)
    for place in free:
        place.axis("off")
    if total > len(chosen):
        title += f"   (first {len(chosen)} of {total} marginals)"
    page.suptitle(title, fontsize=10)
    page.tight_layout()
    page.savefig(figure, dpi=110)


def main():
    parser = argparse.ArgumentParser(description="Draws a result file of dunlin.")
    parser.add_argument("result")
    parser.add_argument("figure", nargs="?")
    parser.add_argument("--parameters", nargs="*", default=[])
    words = parser.parse_args()
    figure = words.figure or os.path.splitext(words.result)[0] + ".png"
    try:
        draw(words.result, figure, words.parameters)
    except (OSError, ValueError) as error:
        sys.exit(f"plot_run.py: {words.result}: {error}")
    print(f"Figure: {figure}")


main()

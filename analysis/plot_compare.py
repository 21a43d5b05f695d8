#!/usr/bin/python3
"""Draws two sets of draws over each other: their marginals, and pairs of coordinates.

    analysis/plot_compare.py ONE OTHER [FIGURE.png] [--parameters NAME ...]

Sets are what `dunlin compare` takes: results, tables (a draw a row; a column weight or log_weight
weighs them) or arrays FILE.h5:/PLACE.  Of more than twelve coordinates those are drawn whose
marginals differ most, told by the largest difference of the shares below a point.  Without a
figure's name, ONE.compare.png beside the first set.  Needs numpy, h5py and matplotlib.
"""
import argparse
import itertools
import os
import re
import sys

import h5py
import matplotlib
import numpy

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

MARGINALS, COLUMNS, IN_PAIRS, DOTS = 12, 4, 4, 2000
BLUE, VERMILLION = "#0072B2", "#D55E00"  # of Okabe & Ito: told apart by everybody
WEIGHTS = {"weight": lambda w: w, "log_weight": lambda w: numpy.exp(w - numpy.max(w))}


class Set:
    """Draws x[draw][coordinate] with names, or None, and weights of sum 1."""

    def __init__(self, words, x, names=None, weight=None):
        if x.ndim != 2 or not x.size:
            raise ValueError("expected a table of draws")
        self.words, self.x, self.names = words, x, names
        weight = numpy.ones(len(x)) if weight is None else weight
        self.weight = weight / weight.sum()

    def label(self):
        return f"{os.path.basename(self.words)} ({len(self.x)} draws)"


def entry_names(posterior, name, shape):
    """Names of a variable's entries as the program writes them: x[0], b[age]."""
    if not shape:
        return [name]
    words = [[str(i) for i in range(size)] for size in shape]
    scale = posterior.get(f"{name}_dim_0")
    if scale is not None and scale.dtype.kind == "O":
        words[0] = list(scale.asstr()[...])
    return [f"{name}[{','.join(index)}]" for index in itertools.product(*words)]


def read_result(words, file):
    names, columns = [], []
    posterior = file["posterior"]
    for name, variable in posterior.items():
        if isinstance(variable, h5py.Dataset) and variable.ndim >= 2:
            values = variable[...]
            names += entry_names(posterior, name, values.shape[2:])
            columns.append(values.reshape(values.shape[0] * values.shape[1], -1))
    if not columns:
        raise ValueError("there are no draws in /posterior")
    weight = file.get("sample_stats/log_weight")
    weight = None if weight is None else WEIGHTS["log_weight"](weight[...].ravel())
    return Set(words, numpy.hstack(columns), names, weight)


def read_table(words):
    with open(words, encoding="utf-8") as file:
        first = re.split(r"[,;\t ]+", file.readline().strip().strip("#").strip())
    names = None
    try:
        [float(word) for word in first]
    except ValueError:
        names = [word.strip('"') for word in first]
    x = numpy.genfromtxt(words, delimiter=",", skip_header=names is not None, ndmin=2)
    weight = None
    for name, settle in WEIGHTS.items():
        if names and name in names:
            at = names.index(name)
            weight = settle(x[:, at])
            x, names = numpy.delete(x, at, 1), names[:at] + names[at + 1:]
    return Set(words, x, names, weight)


def read(words):
    file, _, place = words.partition(":/")
    if place:
        with h5py.File(file, "r") as opened:
            x = opened[place][...]
        return Set(words, x.reshape(len(x), -1))
    if h5py.is_hdf5(words):
        with h5py.File(words, "r") as opened:
            if "posterior" not in opened:
                raise ValueError("there is no group /posterior: not a result of dunlin")
            return read_result(words, opened)
    return read_table(words)


def match(one, other):
    """The coordinates of both; the other set takes the order of the first."""
    if one.names and other.names and set(one.names) <= set(other.names):
        other.x = other.x[:, [other.names.index(name) for name in one.names]]
    elif one.x.shape[1] != other.x.shape[1]:
        raise ValueError(f"{one.x.shape[1]} coordinates there and {other.x.shape[1]} here")
    return one.names or other.names or [f"[{j}]" for j in range(one.x.shape[1])]


def apart(one, other, j):
    """The largest difference of the weighted shares below a point."""
    x = numpy.concatenate([one.x[:, j], other.x[:, j]])
    order = numpy.argsort(x, kind="stable")
    steps = numpy.concatenate([one.weight, -other.weight])[order]
    ends = numpy.append(numpy.diff(x[order]) > 0, True)
    return numpy.abs(numpy.cumsum(steps)[ends]).max()


def choose(one, other, names, wanted):
    """Which coordinates are drawn, in their order, and how far each is apart."""
    found = [j for j, name in enumerate(names)
             if not wanted or name in wanted or name.split("[")[0] in wanted]
    if not found:
        raise ValueError("none of the parameters asked for is there")
    distance = {j: apart(one, other, j) for j in found}
    most = sorted(found, key=lambda j: -distance[j])[:MARGINALS]
    return sorted(most), distance, len(found)


def edges_of(one, other, j):
    x = numpy.concatenate([one.x[:, j], other.x[:, j]])
    low, high = numpy.quantile(x, [.001, .999])
    if not low < high:
        low, high = low - .5, high + .5
    return numpy.linspace(low, high, 2 + min(60, int(3 * min(len(one.x), len(other.x)) ** (1 / 3))))


def draw_marginal(axes, one, other, j, name, distance):
    edges = edges_of(one, other, j)
    for points, colour, filled in ((one, BLUE, True), (other, VERMILLION, False)):
        counts, _ = numpy.histogram(points.x[:, j], edges, weights=points.weight)
        axes.stairs(counts / numpy.diff(edges), edges, fill=filled, color=colour,
                    alpha=.45 if filled else 1, linewidth=1.3)
    axes.set_title(f"{name}   (apart by {distance:.3f})", fontsize=9)
    axes.set_yticks([])
    axes.tick_params(labelsize=7)


def dots(points, random):
    """At most DOTS draws, in proportion to their weights."""
    count = min(DOTS, len(points.x))
    if numpy.ptp(points.weight) == 0:
        return points.x[numpy.arange(count) * len(points.x) // count]
    return points.x[random.choice(len(points.x), count, p=points.weight)]


def draw_pair(axes, both, pair, names):
    """Both sets' dots, mixed, so that neither covers the other."""
    x = numpy.concatenate([points[:, pair] for points in both])
    colour = numpy.repeat([BLUE, VERMILLION], [len(points) for points in both])
    order = numpy.random.default_rng(1).permutation(len(x))
    axes.scatter(x[order, 0], x[order, 1], s=3, c=colour[order], alpha=.5, linewidths=0)
    axes.set_xlabel(names[pair[0]], fontsize=8)
    axes.set_ylabel(names[pair[1]], fontsize=8)
    axes.tick_params(labelsize=7)


def draw(one, other, figure, wanted):
    names = match(one, other)
    if not (numpy.isfinite(one.x).all() and numpy.isfinite(other.x).all()):
        raise ValueError("not all draws are finite numbers")
    chosen, distance, total = choose(one, other, names, wanted)
    most = sorted(sorted(chosen, key=lambda j: -distance[j])[:IN_PAIRS])
    pairs = [list(pair) for pair in itertools.combinations(most, 2)]
    width = min(COLUMNS, max(len(chosen), min(len(pairs), COLUMNS), 2))
    upper, lower = -(-len(chosen) // width), -(-len(pairs) // width)
    page, axes = plt.subplots(upper + lower, width, squeeze=False,
                              figsize=(2.9 * width, 2.1 * upper + 2.6 * lower + .8),
                              height_ratios=[2.1] * upper + [2.6] * lower)
    for place, j in zip(axes[:upper].flat, chosen):
        draw_marginal(place, one, other, j, names[j], distance[j])
    random = numpy.random.default_rng(0)
    both = [dots(points, random) for points in (one, other)]
    for place, pair in zip(axes[upper:].flat, pairs):
        draw_pair(place, both, pair, names)
    for place in list(axes[:upper].flat)[len(chosen):] + list(axes[upper:].flat)[len(pairs):]:
        place.axis("off")
    handles = [matplotlib.patches.Patch(color=BLUE, alpha=.45, label=one.label()),
               matplotlib.patches.Patch(fill=False, edgecolor=VERMILLION, label=other.label())]
    page.legend(handles=handles, loc="upper center", ncols=2, fontsize=9, frameon=False)
    if total > len(chosen):
        page.text(.5, .005, f"the {len(chosen)} of {total} coordinates that differ most",
                  ha="center", fontsize=8)
    page.tight_layout(rect=(0, .02, 1, 1 - .35 / page.get_figheight()))
    page.savefig(figure, dpi=110)


def main():
    parser = argparse.ArgumentParser(description="Draws two sets of draws over each other.")
    parser.add_argument("one")
    parser.add_argument("other")
    parser.add_argument("figure", nargs="?")
    parser.add_argument("--parameters", nargs="*", default=[])
    words = parser.parse_args()
    stem = os.path.splitext(words.one.partition(":/")[0])[0]
    figure, sets = words.figure or stem + ".compare.png", []
    try:
        for name in (words.one, words.other):
            sets.append(read(name))
        draw(*sets, figure, words.parameters)
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"plot_compare.py: {name}: {error}")
    print(f"Figure: {figure}")


main()

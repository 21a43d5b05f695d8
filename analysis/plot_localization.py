#!/usr/bin/python3
"""Draws how posteriors of points narrow in a run of method localization that kept their means.

    analysis/plot_localization.py RESULT.h5 [OTHER.h5 ...] [FIGURE.png] [--particles 4] [--times 6]
                                  [--coordinates 3] [--range LOW HIGH]

A result is of a run with `method.keep`; several stand side by side, such as images seen pixel by
pixel and those of which the average is seen, too.  Above, the mean of each of a few particles along
the time of the observation, as an image where the result's points are images, else as a curve over
the coordinates.  Below, bands of the means of a few coordinates, and of their average, over all
particles that were kept: half of them lie in the dark, nine in ten in the light one.  Without a
figure's name, RESULT.localization.png beside the first result.  Needs h5py and matplotlib.
"""
import argparse
import os

import h5py
import matplotlib
import numpy

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

BANDS = ((5, 95, .25), (25, 75, .5))  # percentiles and how dark


class Kept:
    """time [looks], mean [looks][particles][d], shape of an image or None."""

    def __init__(self, name):
        self.name = name
        with h5py.File(name, "r") as file:
            if "trace/localization" not in file:
                raise SystemExit(f"{name}: no means were kept: run method localization with keep: "
                                 "8, for example")
            table = {key: value[...] for key, value in file["trace/localization"].items()}
            shapes = [value.shape[2:] for value in file["posterior"].values() if value.ndim == 4]
        particles = int(table["particle"].max()) + 1
        d = int(table["coordinate"].max()) + 1
        self.mean = table["mean"].reshape(-1, particles, d)
        self.time = table["observed_at"].reshape(-1, particles * d)[:, 0]
        self.shape = next((shape for shape in shapes if shape[0] * shape[1] == d), None)

    def looks(self, count):
        """So many, evenly from the first to the last."""
        last = len(self.time) - 1
        return numpy.unique(numpy.linspace(0, last, min(count, last + 1)).round().astype(int))


def limits(results, chosen):
    if chosen.range:
        return chosen.range
    low, high = numpy.percentile(numpy.concatenate([r.mean[-1].ravel() for r in results]), (1, 99))
    return (low, high) if high > low else (low - 1, high + 1)


def draw_means(axes, kept, particle, look, extent):
    """One particle at one time."""
    mean = kept.mean[look, particle]
    if kept.shape:
        axes.imshow(mean.reshape(kept.shape), cmap="gray", vmin=extent[0], vmax=extent[1],
                    interpolation="nearest")
        axes.set_axis_off()
        return
    axes.plot(mean, lw=.8, color="k", marker="." if len(mean) < 30 else None)
    axes.set_ylim(*extent)
    axes.tick_params(labelsize=5)


def draw_bands(axes, kept, value, label):
    """value [looks][particles] along the time."""
    seen = kept.time > 0 if (kept.time > 0).sum() > 1 else kept.time >= 0
    time = kept.time[seen]
    for low, high, dark in BANDS:
        axes.fill_between(time, *numpy.percentile(value[seen], (low, high), axis=1), color="C0",
                          alpha=dark, lw=0)
    axes.plot(time, value[seen, 0], color="k", lw=.8)
    if time[-1] > 100 * time[0] > 0:
        axes.set_xscale("log")
    axes.set_ylabel(label, fontsize=6)
    axes.tick_params(labelsize=5)


def draw_result(figure, kept, chosen, extent):
    """A result in its part of the figure: particles by times, then bands."""
    particles, d = kept.mean.shape[1:]
    looks, shown = kept.looks(chosen.times), min(chosen.particles, particles)
    above, below = figure.subfigures(2, 1, height_ratios=(3, 2))
    above.suptitle(os.path.basename(kept.name), fontsize=8)
    axes = above.subplots(shown, len(looks), squeeze=False)
    for i in range(shown):
        for j, look in enumerate(looks):
            draw_means(axes[i][j], kept, i, look, extent)
            if i == 0:
                axes[i][j].set_title(f"t = {kept.time[look]:.2g}", fontsize=6)
    of = numpy.unique(numpy.linspace(0, d - 1, min(chosen.coordinates, d)).round().astype(int))
    axes = below.subplots(1, len(of) + 1, squeeze=False)[0]
    draw_bands(axes[0], kept, kept.mean.mean(2), "average")
    for k, j in enumerate(of):
        draw_bands(axes[k + 1], kept, kept.mean[:, :, j], f"coordinate {j}")
    for one in axes:
        one.set_xlabel("time of the observation", fontsize=6)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("files", nargs="+", metavar="RESULT", help="results, and a figure's name")
    parser.add_argument("--particles", type=int, default=4, help="how many are drawn")
    parser.add_argument("--times", type=int, default=6, help="at how many looks")
    parser.add_argument("--coordinates", type=int, default=3, help="of how many bands are drawn")
    parser.add_argument("--range", type=float, nargs=2, help="of the means that are shown")
    chosen = parser.parse_intermixed_args()
    for name in ("particles", "times", "coordinates"):
        if getattr(chosen, name) < 1:
            parser.error(f"--{name}: found {getattr(chosen, name)}, expected at least 1")
    figures = [name for name in chosen.files if not name.endswith(".h5")]
    names = [name for name in chosen.files if name.endswith(".h5")]
    if len(figures) > 1 or not names:
        parser.error("expected results, RESULT.h5, and at most one figure")
    results = [Kept(name) for name in names]
    target = (figures or [os.path.splitext(names[0])[0] + ".localization.png"])[0]
    figure = plt.figure(figsize=(6 * len(results), 8), layout="constrained")
    parts = figure.subfigures(1, len(results), squeeze=False)[0]
    extent = limits(results, chosen)
    for part, kept in zip(parts, results):
        draw_result(part, kept, chosen, extent)
    figure.savefig(target, dpi=150)
    print(target)


if __name__ == "__main__":
    main()

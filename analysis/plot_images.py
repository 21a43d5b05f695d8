#!/usr/bin/python3
"""Draws the images of a result as a grid.

    analysis/plot_images.py RESULT.h5 [FIGURE.png] [--count 100] [--variable NAME]

Without a figure's name, RESULT.images.png beside the result.  The images are taken evenly over all
draws; 0 is dark and 1 is light, and what lies beyond is cut off.  Needs h5py and matplotlib.
"""
import argparse
import os

import h5py
import matplotlib
import numpy

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

GAP, MAGNIFIED = 2, 2  # pixels between images; of the figure for each of an image


def read_images(name, variable, count):
    with h5py.File(name, "r") as file:
        posterior = file["posterior"]
        images = [key for key in posterior if posterior[key].ndim == 4]
        if variable not in images:
            raise SystemExit(f"{name}: '{variable}' is no variable of images (chain, draw, height, "
                             f"width); such are: {', '.join(images) or 'none'}")
        chains, draws = posterior[variable].shape[:2]
        chosen = numpy.unique(numpy.linspace(0, chains * draws - 1, count).astype(int))
        return numpy.array([posterior[variable][i // draws, i % draws] for i in chosen])


def make_grid(images):
    """One picture of all, about as many in a row as in a column."""
    count, height, width = images.shape
    columns = int(numpy.ceil(numpy.sqrt(count)))
    rows = -(-count // columns)
    grid = numpy.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP), 0.5)
    for i, image in enumerate(images):
        top, left = i // columns * (height + GAP), i % columns * (width + GAP)
        grid[top:top + height, left:left + width] = numpy.clip(image, 0, 1)
    return grid


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("result")
    parser.add_argument("figure", nargs="?")
    parser.add_argument("--count", type=int, default=100, help="how many draws")
    parser.add_argument("--variable", default="image")
    chosen = parser.parse_args()
    if chosen.count < 1:
        parser.error(f"--count: found {chosen.count}, expected at least 1")
    figure = chosen.figure or os.path.splitext(chosen.result)[0] + ".images.png"
    grid = make_grid(read_images(chosen.result, chosen.variable, chosen.count))
    plt.imsave(figure, numpy.kron(grid, numpy.ones((MAGNIFIED, MAGNIFIED))), cmap="gray", vmin=0,
               vmax=1)
    print(figure)


main()

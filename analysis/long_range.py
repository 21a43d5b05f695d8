#!/usr/bin/python3
"""Long correlations of images by a denoiser that sees small windows alone: what the isotropic
process loses and what an average, or a pyramid of them, restores, beside known figures.

    long_range.py [--program DUNLIN] [--folder FOLDER] [--check] [two] [exact] [learned] [colours]
                  [pyramid]

Runs inputs/localization_long_range*.yaml with other observations, windows and numbers of images,
and prints each figure with the known one behind it in brackets.  two: two colours, windows of all
sizes; exact: the same with the whole posterior; learned: by networks that see windows of 5 x 5,
trained here (inputs/train_long_range.yaml), without and with the average; colours: three colours in
three channels; pyramid: a texture without a scale.  --check: exit code 1 where shares differ by
more than four standard errors of both, or correlations and powers by more than the tolerances
stated below."""
import os
import subprocess

import h5py
import numpy

from known_figures import TOP, main

INPUT = os.path.join(TOP, "inputs", "localization_long_range")

# ---- known figures ------------------------------------------------------------------------------

# A name: options of a run, images, tolerance of correlations; of how many images is known, and
# what: P(mean > 0), correlations at L/2, L/4 and of neighbours, how many have a mean below .5, and
# how many are of one sign in all of 16 blocks.  None: not stated.
LINEAR = "method.observation={type: linear, average: %g}"
RADIUS = "method.field.radius=%d"
TWO = {
    "window of 1": ([RADIUS % 1], 256, .06, 200, (1, .007, .005, .66, .34, .26)),
    "window of 2": ([], 640, .05, 600, (.997, .003, .050, .715, .268, .168)),
    "window of 3": ([RADIUS % 3], 256, .08, 200, (.970, .003, .161, .74, .31, .19)),
    "window of 5": ([RADIUS % 5], 256, .10, 200, (.900, .161, .359, .76, .31, .47)),
    "window of 8": ([RADIUS % 8], 256, .10, 200, (.795, .584, .684, .80, .09, .87)),
    "average, window of 2": ([LINEAR % 1], 640, .05, 600, (.697, .787, .787, .846, 0, 1)),
    "average at 4, window of 2": ([LINEAR % 4], 640, .05, 600, (.712, .782, .782, .841, 0, 1)),
    "average at 1/4, window of 2": ([LINEAR % .25], 256, .06, 200, (.745, .755, .755, .823, 0, 1)),
    "average, window of 1": ([LINEAR % 1, RADIUS % 1], 256, .06, 200,
                             (.675, .793, .793, .848, 0, 1)),
    "average at 1/4, window of 3": ([LINEAR % .25, RADIUS % 3], 256, .06, 200,
                                    (.790, .727, .727, .804, 0, .99)),
}
EXACT = {
    "all of the image": (["method.observation={type: gaussian}", "method.field={type: exact}",
                          "method.by=means"], 256, .06, 200, (.720, .779, .778, .839, 0, 1)),
}
# By a network that was trained with this gain of averages.
LEARNED = {
    "learned, window of 2": (0, ["method.observation={type: gaussian}", "method.by=means",
                                 "method.field.type=network"], .08,
                             (1, -.04, None, None, None, .41)),
    "learned, average": (1, [], .08, (.76, .779, None, None, None, 1)),
}
# Of three colours: the correlation at L/2, how many images are of one colour, the colours' shares.
COLOURS = {
    "windows alone": (["method.observation.average=0"], .05, (.010, 0, None, None, None)),
    "averages": ([], .08, (.682, 1, .43, .36, .21)),
}
# Of the texture: correlation at L/2, power of the longest waves and of the average over the
# target's.
PYRAMID = {
    "windows alone": (["method.observation.pyramid=0"], (.009, None)),
    "average": (["method.observation={type: linear, average: 1}"], (.954, .36)),
    "pyramid": ([], (.944, .86)),
    "pyramid at 4": (["method.observation.pyramid=4"], (.943, .86)),
}
PYRAMID_TOLERANCE = (.03, .08)

# ---- runs ---------------------------------------------------------------------------------------


def run(chosen, file, result, options):
    words = [chosen.program, "run", file, "--output", result, "--overwrite", "--quiet"]
    for option in options:
        words += ["--set", option]
    subprocess.run(words, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})


def images(chosen, name, options, particles, channels=1):
    """[images][channels][L][L] of a run."""
    label = "".join(word if word.isalnum() else "_" for word in " ".join([name, *options]))
    result = os.path.join(chosen.folder, label[-200:] + ".h5")
    run(chosen, INPUT + name + ".yaml", result, [f"run.particles={particles}", *options])
    with h5py.File(result, "r") as file:
        x = file["posterior/image"][...]
    side = x.shape[-1]
    return x.reshape(-1, channels, side, side)


def correlation(x, apart):
    """Of pixels of one channel so far apart along either axis; x [images][L][L]."""
    off = x - x.mean()
    both = sum((off * numpy.roll(off, apart, axis)).mean() for axis in (1, 2))
    return both / 2 / (off ** 2).mean()


def blocks_of(x):
    """Means of 4 x 4 blocks, [images][16]."""
    part = x.shape[-1] // 4
    return x.reshape(len(x), 4, part, 4, part).mean((2, 4)).reshape(len(x), 16)


def measures(x):
    """Of images [images][L][L]: in the order of the figures above."""
    side, mean = x.shape[-1], x.mean((1, 2))
    agree = abs(numpy.sign(blocks_of(x)).sum(1)) == 16
    return ((mean > 0).mean(), correlation(x, side // 2), correlation(x, side // 4),
            correlation(x, 1), (abs(mean) < .5).mean(), agree.mean())


def power_of_longest(x, mass, variance):
    """Of the waves that go once along one side, over what the texture's have."""
    side = x.shape[-1]
    k = 4 * numpy.sin(numpy.pi * numpy.arange(side) / side) ** 2
    spectrum = 1 / (mass ** 2 + k[:, None] + k[None, :])
    spectrum *= variance / spectrum.mean()
    found = abs(numpy.fft.fft2(x)) ** 2 / side ** 2
    return (found[:, 0, 1].mean() + found[:, 1, 0].mean()) / 2 / spectrum[0, 1]


# ---- tables -------------------------------------------------------------------------------------


def share_limit(known, count, known_count):
    """Four standard errors of a share, of which half an image is the least."""
    least = max(known * (1 - known), .5 / known_count)
    return 4 * (least / count + least / known_count) ** .5


def tell(name, found, known, limits):
    """A row; whether all lie within their limits."""
    cells, good = [], True
    for value, expected, limit in zip(found, known, limits):
        off = expected is not None and not abs(value - expected) <= limit
        good = good and not off
        cells.append(f"{value:7.3f} [{'' if expected is None else format(expected, '.3f'):>5}]"
                     f"{'!' if off else ' '}")
    print(f"  {name:28s}" + " ".join(cells), flush=True)
    return good


def two(chosen, table):
    print("two colours: P(mean > 0), correlations at L/2, L/4, 1, |mean| < .5, 16 blocks agree")
    good = True
    for name, (options, count, tolerance, known_count, known) in table.items():
        which = "" if "average" in name else "_isotropic"
        found = measures(images(chosen, which, options, count)[:, 0])
        limits = [tolerance] * 6
        for i in (0, 4, 5):
            limits[i] = share_limit(known[i], count, known_count)
        good = tell(name, found, known, limits) and good
    return good


def learned(chosen):
    print("by learned denoisers: P(mean > 0), correlation at L/2, 16 blocks agree")
    good = True
    for name, (gain, options, tolerance, known) in LEARNED.items():
        network = os.path.join(chosen.folder, f"learned{gain}.h5")
        run(chosen, os.path.join(TOP, "inputs", "train_long_range.yaml"), network,
            [f"method.lessons.average={gain}"])
        found = measures(images(chosen, "_learned", [*options, f"method.field.load={network}"],
                                256)[:, 0])
        limits = [tolerance] * 6
        limits[0] = share_limit(known[0], 256, 100)
        # pixels alone: it depends on what a network tells of windows that no image shows (README)
        limits[5] = 1 if gain == 0 else share_limit(known[5], 256, 100)
        good = tell(name, found, known, limits) and good
    return good


def colours(chosen):
    print("three colours: correlation at L/2, images of one colour, shares of the colours")
    palette = numpy.array([[1, -.5, -.5], [-.5, 1, -.5], [-.5, -.5, 1]])
    good = True
    for name, (options, tolerance, known) in COLOURS.items():
        x = images(chosen, "_colours", options, 128, 3)
        far = numpy.mean([correlation(x[:, i], x.shape[-1] // 2) for i in range(3)])
        blocks = numpy.stack([blocks_of(x[:, i]) for i in range(3)], 2)
        own = numpy.argmin(((blocks[:, :, None] - palette) ** 2).sum(3), 2)
        one = (own == own[:, :1]).all(1).mean()
        shares = [(own == k).mean() for k in range(3)]
        limits = [tolerance, share_limit(known[1], 128, 120)]
        limits += [4 * (.25 / 128 + .25 / 120) ** .5] * 3
        good = tell(name, [far, one, *shares], known, limits) and good
    return good


def pyramid(chosen):
    print("a texture without a scale: correlation at L/2, power of the longest waves")
    good = True
    for name, (options, known) in PYRAMID.items():
        x = images(chosen, "_pyramid", options, 1024)[:, 0]
        found = correlation(x, x.shape[-1] // 2), power_of_longest(x, .02, 1)
        good = tell(name, found, known, PYRAMID_TOLERANCE) and good
    return good


TABLES = {"two": lambda chosen: two(chosen, TWO), "exact": lambda chosen: two(chosen, EXACT),
          "learned": learned, "colours": colours, "pyramid": pyramid}


if __name__ == "__main__":
    main(TABLES, __doc__)

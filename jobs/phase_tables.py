#!/usr/bin/python3
"""How far the points of finished sweeps of method psld are from the mixtures' laws, beside the
figures that were published with the programs.

    build/release/dunlin sweep inputs/sweeps/psld_quadratic.yaml
    jobs/phase_tables.py inputs/sweeps/psld_quadratic.yaml [FOLDER]

In one dimension W1 from the exact quantiles, in more the mean of it over 64 directions, each
against the quantiles of the projected mixture; the published figure in brackets. The number of
particles sets a floor, .7e-3 to 1.9e-3 (g1, 200000), 1.2e-3 to 2.3e-3 (ring2, 100000), 2.1e-3 to
3.2e-3 (g8, 50000).
"""
import math
import os
import sys

import h5py
import numpy

from sweep_results import members

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = os.path.join(TOP, "build", "release", "dunlin")

QUADRATIC = """
g1 20 50 100 200 500 ring2 20 50 100 200 g8 20 50 100 200
em       .0268  .0075  .0032  .0018  .0008  .0145  .0026  .0020  .0019  .0171  .0039  .0023  .0019
sscs     .0199  .0089  .0053  .0015  .0009  .0051  .0039  .0024  .0017  .0117  .0059  .0035  .0032
noba     .1281  .0652  .0349  .0188  .0080  .0219  .0165  .0084  .0052  .0833  .0280  .0155  .0080
nbao     .1279  .0584  .0309  .0165  .0072  .0236  .0101  .0054  .0038  .0738  .0226  .0123  .0065
nobab    .0953  .0209  .0110  .0062  .0030  .0412  .0072  .0045  .0032  .0296  .0120  .0059  .0036
roba     .0799  .0358  .0193  .0111  .0042  .0198  .0094  .0057  .0034  .0353  .0163  .0084  .0042
rbao     .0733  .0317  .0169  .0099  .0036  .0106  .0063  .0043  .0028  .0280  .0131  .0069  .0033
robab-t  .0369  .0164  .0084  .0050  .0022  .0063  .0072  .0035  .0027  .0211  .0092  .0048  .0027
robab    .0490  .0181  .0092  .0056  .0025  .0113  .0084  .0040  .0031  .0248  .0111  .0058  .0031
euler     1.13   .202   .113  .0608  .0253   .601  .0579  .0231  .0111   1.10   .102  .0407  .0196
nse      .0811  .0474  .0233  .0113  .0044  .0509  .0053  .0042  .0038  .0412  .0107  .0059  .0037
rse      .0590  .0231  .0112  .0055  .0021  .0095  .0044  .0039  .0034  .0130  .0060  .0038  .0031
nvv       .526  .0230  .0069  .0027  .0011   .383  .0182  .0064  .0040   .684  .0113  .0046  .0032
rvv-t     .117  .0115  .0039  .0018  .0009  .0771  .0093  .0048  .0037  .0480  .0065  .0035  .0031
rvv       .120  .0089  .0038  .0018  .0010  .0100  .0068  .0044  .0037  .0202  .0064  .0039  .0031
heun      .237  .0258  .0024  .0008  .0007  .0386  .0045  .0037  .0034   .211  .0060  .0024  .0028
"""
UNIFORM = """
ring2 20 50 100 200 g1 20 50 100 200 g8 20 50 100 200
em    .137 .043  .011  .0031   .170  .0498 .0135 .0043   .221  .0331 .0076 .0030
noba  .397 .158  .0067 .0218   .332  .149  .0760 .0414   1.67  .101  .0490 .0238
roba  .313 .0226 .0233 .0109   .185  .0842 .0426 .0211   .314  .0487 .0252 .0127
nobab -    -     -     -       .800  .0956 .0274 .0155   1.31  .111  .0209 .0094
robab .138 .0293 .0267 .0091   .147  .0533 .0253 .0101   .259  .0315 .0182 .0072
nse   -    -     -     -       .215  .0451 .0141 .0068   .827  .0133 .0135 .0070
rse   .095 .0162 .0084 .0049   .0828 .0161 .0076 .0039   .0634 .0152 .0077 .0045
nvv   .261 .0759 .0195 .0057   .301  .0891 .0227 .0062   .541  .0531 .0059 .0037
rvv   .137 .0226 .0061 .0045   .139  .0217 .0072 .0037   .228  .0079 .0067 .0043
"""
# (target, program, evaluations, placement, lambda_s)
SCALED = """
g1    roba  50 mid 1.5 .0088   g1    roba  100 mid .6 .0076   g1    rbao  50 mid 1   .0113
g1    rbao 100 mid .3  .0061   g1    robab  50 mid 1.5 .0075  g1    robab 100 mid .6 .0027
g1    robab 50 cons 4  .0079   g1    robab 100 cons 2 .0041   ring2 roba  50 mid 1   .0030
ring2 roba 100 mid .3  .0030   ring2 rbao  50 cons 2  .0017   ring2 rbao 100 cons 2  .0030
ring2 rbao  50 mid .6  .0030   ring2 rbao 100 mid .3  .0021   ring2 robab 50 cons 2  .0046
ring2 robab 100 cons 2 .0014   g8    roba  50 mid 1.5 .0030   g8    roba 100 mid .3  .0040
g8    roba  50 cons 4  .0046   g8    roba 100 cons 2  .0041   g8    rbao  50 mid 1   .0031
g8    rbao 100 mid .3  .0024   g8    rbao  50 cons 4  .0052   g8    rbao 100 cons 2  .0028
g8    robab 50 cons 4  .0032   g8    robab 100 cons 2 .0022   g8    robab 50 mid 1.5 .0062
g8    robab 100 mid .6 .0024
"""
# The normal distribution function, by a table.
UNIT = numpy.linspace(-8, 8, 8001)
SHARE = numpy.array([.5 * (1 + math.erf(z / math.sqrt(2))) for z in UNIT])
PARTICLES = {"g1": 200000, "ring2": 100000, "g8": 50000}
FLOOR = {"g1": 1.9e-3, "ring2": 2.3e-3, "g8": 3.2e-3}


def published(grid):
    """{(target, program, evaluations): figure} of a grid."""
    lines = (QUADRATIC if grid == "quadratic" else UNIFORM).strip().split("\n")
    columns, target = [], None
    for word in lines[0].split():
        if word.isdigit():
            columns.append((target, int(word)))
        else:
            target = word
    found = {}
    for line in lines[1:]:
        program, *values = line.split()
        for (target, evaluations), value in zip(columns, values):
            if value != "-":
                found[target, program, evaluations] = float(value)
    return found


def published_scaled():
    """{(target, program, evaluations, placement, lambda_s): figure}."""
    words = SCALED.split()
    rows = [words[i:i + 6] for i in range(0, len(words), 6)]
    return {(t, p, int(e), where, float(by)): float(value) for t, p, e, where, by, value in rows}


def mixture(name):
    """Weights, means [component][dimension] and deviations."""
    if name == "g1":
        return numpy.array([.3, .5, .2]), numpy.array([[-.8], [.1], [.7]]), numpy.array(
            [.05, .15, .1])
    if name == "ring2":
        angle = numpy.pi / 4 * numpy.arange(8)
        return (numpy.full(8, 1 / 8), .8 * numpy.stack([numpy.cos(angle), numpy.sin(angle)], 1),
                numpy.full(8, .05))
    k, j = numpy.arange(8)[:, None], numpy.arange(8)[None]
    return ((numpy.arange(8) + 1) / 36, .7 * numpy.cos(2 * numpy.pi * (k + 1) * (j + 1) / 9 + k),
            .05 + .01 * numpy.arange(8))


def distance_along(x, weight, mean, deviation):
    """W1 of numbers from a mixture on the line, by its quantiles."""
    low, high = numpy.min(mean - 8 * deviation), numpy.max(mean + 8 * deviation)
    at = numpy.linspace(low, high, 20001)
    below = sum(w * numpy.interp((at - m) / s, UNIT, SHARE)
                for w, m, s in zip(weight, mean, deviation))
    share = (numpy.arange(len(x)) + .5) / len(x)
    return numpy.mean(numpy.abs(numpy.sort(x) - numpy.interp(share, below, at)))


def distance(x, name):
    """Sliced W1 of points [draw][dimension]."""
    weight, mean, deviation = mixture(name)
    if mean.shape[1] == 1:
        return distance_along(x[:, 0], weight, mean[:, 0], deviation)
    direction = numpy.random.default_rng(1).normal(size=(64, mean.shape[1]))
    direction /= numpy.linalg.norm(direction, axis=1, keepdims=True)
    return numpy.mean([distance_along(x @ u, weight, mean @ u, deviation) for u in direction])


def draws(file):
    with h5py.File(file, "r") as result:
        x = result["posterior"]["x"][...]
    return x.reshape(-1, x.shape[-1])


def measured(file, folder):
    """Figures of a sweep, with the keys of `published` or of `published_scaled`."""
    found = {}
    for row in members(PROGRAM, file, folder):
        key = (row["target"], row["method.program"], int(row["method.grid.evaluations"]))
        if "method.lambda_s" in row:
            key += (row["method.placement"], float(row["method.lambda_s"]))
        found[key] = distance(draws(row["file"]), row["target"])
    return found


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    file = sys.argv[1]
    stem = os.path.splitext(os.path.basename(file))[0]
    folder = sys.argv[2] if len(sys.argv) > 2 else stem + ".sweep"  # where the sweep leaves it
    if not os.path.isdir(folder):
        sys.exit(f"phase_tables.py: there is no folder {folder}: run `dunlin sweep {file}` first, "
                 "here, or name its folder")
    scaled = "lambda" in os.path.basename(file)
    known = published_scaled() if scaled else published(
        "uniform" if "uniform" in os.path.basename(file) else "quadratic")
    for key, value in measured(file, folder).items():
        words = " ".join(f"{word:>7}" for word in key)
        print(f"{words}  {value:.4f}  ({known[key]:.4f})" if key in known else
              f"{words}  {value:.4f}")


if __name__ == "__main__":
    main()

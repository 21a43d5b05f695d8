#!/usr/bin/python3
"""What the samplers of a flow make of the toy problem, of two mixtures and of guided points, beside
known figures: of the toy from exact recursions, of the others from 20000 particles.

    flow_tables.py [--program DUNLIN] [--folder FOLDER] [--check] [toy] [mixtures] [guidance]

Runs the sweeps inputs/sweeps/flow_*.yaml, whose finished members it finds again in the folder, and
prints each figure with the known one behind it in brackets.  --check: exit code 1 where they differ
by more than five standard errors, or, of mixtures and guidance, by more than a stated tolerance."""
import argparse
import csv
import os
import subprocess
import sys
import tempfile

import h5py
import numpy

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
STEPS = (5, 10, 20, 50, 100, 200, 500, 1000)

# ---- known figures ------------------------------------------------------------------------------

# Variances over the data's at STEPS; None: not stated.
TOY = {
    "half": {
        "deterministic": (.5453, .7423, .8621, .9424, .9708, .9853, .9941, .9970),
        "constant 1": (1.0505, 1.0028, .9972, .9980, .9988, .9994, .9997, .9999),
        "constant 2": (8.5796, 1.6221, 1.2145, 1.0732, 1.0349, 1.0171, 1.0067, 1.0034),
        "singular 1": (.9695, .9717, .9858, .9958, .9987, .9998, 1.0001, 1.0002),
        "singular sqrt2": (1.0960, 1.0176, 1.0040, 1.0006, 1.0001, 1, 1, 1),
        "non_singular 1": (.7925, .8713, .9285, .9695, .9844, .9921, .9968, .9984),
        "non_singular sqrt2": (.9342, .9433, .9655, .9847, .9921, .9960, .9984, .9992),
        "non_singular 2": (1.1191, 1.0233, 1.0051, 1.0006, 1.0001, 1, 1, 1),
        "zero_ends 1": (.6801, .8152, .9003, .9582, .9787, .9893, .9957, .9978),
        "zero_ends 2": (.9632, .9555, .9715, .9871, .9933, .9966, .9986, .9993),
    },
    "unit": {
        "deterministic": (.5937, .7726, .8793, .9499, .9746, None, .9949, None),
        "constant 1": (.8062, .8923, .9432, .9765, .9881, None, .9976, None),
        "singular 1": (.9673, .9852, .9977, 1.0030, 1.0032, None, 1.0014, None),
        "non_singular 1": (.7356, .8478, .9182, .9658, .9827, None, .9965, None),
        "non_singular 2": (.9445, .9583, .9756, .9893, .9945, None, .9989, None),
        "zero_ends 1": (.6432, .8017, .8951, .9565, .9780, None, .9956, None),
    },
    "tenth": {
        "deterministic": (.1295, .3810, .6341, .8359, .9145, None, .9823, .9911),
        "constant 1": (99.5, 74.2, 17.7, 2.0008, 1.3235, None, 1.0506, 1.0246),
        "singular 1": (6.848, 1.228, .9507, .9629, .9789, None, .9954, .9977),
        "non_singular 1": (4.650, 1.140, .9196, .9486, .9711, None, .9937, .9968),
        "zero_ends 1": (3.418, 1.059, .8903, .9362, .9647, None, .9924, .9962),
    },
}
WIDTH = {"half": .5, "unit": 1, "tenth": .1}
CENTRE = {"half": 2, "unit": 0, "tenth": 0}

# Of the ring the variances within modes, of the grid the total variation of shares.
RING_STEPS = (10, 20, 50, 100)
RING = {
    ("euler", "deterministic"): (1.168, 1.045, 1.007, 1.002),
    ("heun", "deterministic"): (.934, .989, .999, .999),
    ("euler", "non_singular 1"): (1.059, 1.027, 1.005, .996),
    ("euler", "non_singular 2"): (1.116, 1.037, 1.020, 1.012),
    ("euler", "zero_ends 1"): (1.063, 1.018, .996, 1.000),
    ("euler", "singular 1"): (1.072, 1.032, 1.014, 1.009),
    ("euler", "constant 1"): (1.280, 1.091, 1.025, 1.018),
}
GRID_STEPS = (10, 20, 50, 100, 250)
GRID = {
    ("euler", "deterministic"): (.148, .073, .031, .020, .015),
    ("heun", "deterministic"): (.022, .014, .014, .013, .013),
    ("euler", "non_singular 1"): (.135, .069, .028, .014, .014),
    ("euler", "non_singular 2"): (.105, .053, .025, .014, .015),
    ("euler", "zero_ends 2"): (.139, .070, .030, .015, .009),
    ("euler", "constant 1"): (.133, .068, .028, .015, .011),
    ("euler", "singular 1"): (.090, .028, .011, .013, .012),
    ("euler", "singular sqrt2"): (.052, .023, .013, .010, .010),
}

# Means and deviations of guided points.
SCALES = ("0", "0.5", "1", "2", "4")
GUIDED = {
    "deterministic": ((1.004, .497), (1.195, .401), (1.328, .358), (1.528, .313), (1.818, .274)),
    "non_singular 1": ((1.004, .502), (1.158, .435), (1.256, .413), (1.395, .397), (1.584, .391)),
    "non_singular 2": ((1.004, .506), (1.095, .467), (1.145, .456), (1.205, .449), (1.272, .445)),
    "non_singular 4": ((1.003, .504), (1.043, .478), (1.063, .467), (1.087, .456), (1.113, .445)),
    "zero_ends 2": ((1.005, .505), (1.115, .461), (1.180, .450), (1.265, .445), (1.373, .445)),
}

# ---- sweeps -------------------------------------------------------------------------------------


class Sweep:
    def __init__(self, program, folder, name):
        document = os.path.join(TOP, "inputs", "sweeps", f"flow_{name}.yaml")
        self.folder = os.path.join(folder, name)
        table = os.path.join(folder, f"{name}.csv")
        words = [program, "sweep", document, "--output", self.folder]
        subprocess.run(words + ["--quiet"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(words + ["--collect", table], check=True, stdout=subprocess.DEVNULL)
        with open(table, encoding="utf-8") as file:
            self.members = list(csv.DictReader(file))

    def member(self, **options):
        """The one with these values; a name's double underscore is a point."""
        wanted = {name.replace("__", "."): str(value) for name, value in options.items()}
        found = [row for row in self.members
                 if all(row[name] == value for name, value in wanted.items())]
        assert len(found) == 1 and found[0]["state"] == "done", (wanted, len(found))
        return found[0]

    def result(self, member):
        return h5py.File(os.path.join(self.folder, member["identity"] + ".h5"), "r")

    def moments(self, member):
        with self.result(member) as result:
            table = result["trace/moments"]
            return table["mean"][-1], table["deviation"][-1]

    def draws(self, member):
        with self.result(member) as result:
            return result["posterior/x"][...].reshape(-1, 2)


class Tables:
    def __init__(self):
        self.off = 0

    def cell(self, found, known, tolerance, width=7):
        if known is None:
            return f"{found:{width}.4f}" + " " * (width + 3)
        wrong = abs(found - known) > tolerance
        self.off += wrong
        mark = "!" if wrong else " "
        return f"{found:{width}.4f} [{known:{width}.4f}]{mark}"

    def line(self, name, cells):
        print(f"{name:22s}" + "".join(cells))


def toy(sweep, tables):
    """The error of a variance ratio r is r sqrt(2 / n); the known ones have four digits."""
    particles = 100000
    for data, rows in TOY.items():
        print(f"\ntoy, data N({CENTRE[data]}, {WIDTH[data]}^2): variance over the data's at steps "
              + ", ".join(map(str, STEPS)))
        for noise, known in rows.items():
            cells = []
            for steps, there in zip(STEPS, known):
                mean, deviation = sweep.moments(sweep.member(
                    target=data, method__noise=noise, method__grid__steps=steps))
                ratio = (deviation / WIDTH[data]) ** 2
                rounding = .05 if there and there > 10 else 5e-4
                cells.append(tables.cell(ratio, there,
                                         5 * ratio * numpy.sqrt(2 / particles) + rounding))
                tables.off += abs(mean - CENTRE[data]) > 5 * deviation / numpy.sqrt(particles)
            tables.line(noise, cells)


def mixtures(sweep, tables):
    """Both sides are runs of 20000: their errors, within modes 1 / sqrt(20000) each and of
    distances a few thousandths, add."""
    angle = numpy.pi / 4 * numpy.arange(8)
    centre = 5 * numpy.stack([numpy.cos(angle), numpy.sin(angle)], axis=1)
    print("\nring of eight: variance within modes at steps " + ", ".join(map(str, RING_STEPS)))
    for (scheme, noise), known in RING.items():
        cells = []
        for steps, there in zip(RING_STEPS, known):
            x = sweep.draws(sweep.member(target="ring", method__scheme=scheme,
                                         method__noise=noise, method__grid__steps=steps))
            square = ((x[:, None] - centre[None]) ** 2).sum(axis=2).min(axis=1)
            cells.append(tables.cell(square.mean() / 2 / .09, there, .04))
        tables.line(f"{scheme}, {noise}", cells)
    print("\ngrid of sixteen: total variation of shares at steps "
          + ", ".join(map(str, GRID_STEPS)))
    for (scheme, noise), known in GRID.items():
        cells = []
        for steps, there in zip(GRID_STEPS, known):
            row = sweep.member(target="grid", method__scheme=scheme, method__noise=noise,
                               method__grid__steps=steps)
            cells.append(tables.cell(float(row["modes.total_variation"]), there, .012))
        tables.line(f"{scheme}, {noise}", cells)


def guidance(sweep, tables):
    print("\nguided points, mean and deviation at scales " + ", ".join(SCALES))
    for noise, known in GUIDED.items():
        cells = []
        for scale, there in zip(SCALES, known):
            found = sweep.moments(sweep.member(method__noise=noise, method__guidance__scale=scale))
            cells += [tables.cell(a, b, .02) for a, b in zip(found, there)]
        tables.line(noise, cells)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", default=os.path.join(TOP, "build", "release", "dunlin"))
    parser.add_argument("--folder", help="where results are kept; else they are thrown away")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("tables", nargs="*", metavar="TABLE")
    arguments = parser.parse_args()
    tables = Tables()
    with tempfile.TemporaryDirectory() as scratch:
        for name, show in (("toy", toy), ("mixtures", mixtures), ("guidance", guidance)):
            if not arguments.tables or name in arguments.tables:
                show(Sweep(arguments.program, arguments.folder or scratch, name), tables)
    print(f"\n{tables.off} of the figures differ by more than they may")
    return 1 if arguments.check and tables.off else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
"""Prints what trainings by method scld came to, beside what is known.

    jobs/scld_table.py FOLDER

FOLDER has the results of `dunlin sweep inputs/sweeps/scld_benchmark.yaml`, or of
`learned_diffusions.yaml`, or of single trainings.
Bounds (ELBO) and log Z are of simulations with selections and moves: of the last row, and the best
mean of five rows in a row, which is how such tables are published and flatters.
"""
import glob
import os
import sys

import h5py
import numpy

# log Z of targets that do not tell it themselves, by type, and by data or number of goals.
KNOWN = {("seeds", "seeds.csv"): -73.41, ("logistic_regression", "sonar_minmax.csv"): -108.40,
         ("logistic_regression", "german_credit_numeric.txt"): -504.48, ("robot", "1"): -11.654,
         ("brownian", "brownian_observations.csv"): 1.18775, ("robot", "4"): -10.60}


def best_of_five(values):
    if len(values) < 5:
        return float(numpy.max(values))
    return float(numpy.max(numpy.convolve(values, numpy.ones(5) / 5, "valid")))


def options_of(result):
    said = result["provenance/effective_options"][()]
    lines = (said.decode() if isinstance(said, bytes) else str(said)).split("\n")
    return dict(line.split(": ", 1) for line in lines if ": " in line)


def target_of(options):
    """Its type, and what tells it from others of its type."""
    data = options.get("target.data") or options.get("target.file") or ""
    goals = str(len(options.get("target.goals", "").split("],")))
    kind = options["target.type"]
    return kind, goals if kind == "robot" else os.path.basename(data.strip("'\""))


def known_of(result, target):
    truth = float(result.attrs.get("log_evidence_truth", numpy.nan))
    return KNOWN.get(target, numpy.nan) if numpy.isnan(truth) else truth


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    files = sorted(glob.glob(os.path.join(sys.argv[1], "**", "*.h5"), recursive=True))
    rows = 0
    print(f"{'target':46}{'reference':>11}{'pieces':>7}{'steps':>7}"
          f"{'loss':>11}{'at first':>11}{'bound':>10}{'best':>10}"
          f"{'plain':>10}{'log Z':>10}{'known':>10}")
    for file in files:
        with h5py.File(file, "r") as result:
            if "trace/scld" not in result:
                continue
            table = {name: column[...] for name, column in result["trace/scld"].items()}
            options, rows = options_of(result), rows + 1
            target = target_of(options)
            known, name = known_of(result, target), " ".join(target).strip()
            print(f"{name:46}{options['path.reference']:>11}{options['path.pieces']:>7}"
                  f"{int(table['step'][-1]):7}{table['loss'][-1]:11.4g}"
                  f"{table['loss'][0]:11.4g}{table['bound'][-1]:10.2f}"
                  f"{best_of_five(table['bound']):10.2f}{table['plain_bound'][-1]:10.2f}"
                  f"{table['log_evidence'][-1]:10.2f}{known:10.2f}")
    if not rows:
        sys.exit(f"{sys.argv[1]}: no result of method scld is there")


main()

#!/usr/bin/python3
"""Means and standard deviations of the posteriors of this folder: writes reference.csv.

    truth.py [NAME ...]      those of these posteriors anew; default: all

Each comes from two long runs by different methods and programs, which agree or are refused: the
no-U-turn sampler of tests/benchmarks (4 chains of 10000 moves), and method langevin (64 chains of
1000 moves of 10 leapfrogs, from near 0), both with a dense metric, or three times as long where
chains have not met by then (R-hat below 1.01).  Where no entry is farther apart than 4 combined
errors (4.5 where they are more than a hundred), both are averaged with the inverse squares of their
errors as weights.

The centred schools are a funnel in which neither can be trusted: their effects are computed from
the draws of the other coordinates.
"""
import csv
import os
import sys
import time

import numpy

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(HERE)), "benchmarks"))
from posterior_cases import FUNNEL, MADE, langevin, nuts, reference, worst_of  # noqa: E402
from support import Folder  # noqa: E402

FILE = os.path.join(HERE, "reference.csv")
HEAD = ("posterior", "parameter", "mean", "mean_error", "sd", "sd_error")


def effects(draws):
    """Of the centred schools, from those of the others."""
    found = {"mu": draws["mu"], "tau": draws["tau"]}
    for entry, offset in draws.items():
        if entry.startswith("offset"):
            found[entry.replace("offset", "theta")] = draws["mu"] + draws["tau"] * offset
    return found


def moments(draws):
    """{entry: (mean, its error, standard deviation, its error)} of what varies."""
    found = {}
    for entry, values in draws.items():
        if numpy.ptp(values) > 0:
            error = reference.errors(values)
            found[entry] = numpy.mean(values), error[0], numpy.std(values), error[1]
    return found


def joined(one, other):
    """Weighted averages of two (value, error), and how many errors they are apart."""
    weight = [error ** -2 for _, error in (one, other)]
    mean = (one[0] * weight[0] + other[0] * weight[1]) / sum(weight)
    return mean, sum(weight) ** -.5, abs(one[0] - other[0]) / numpy.hypot(one[1], other[1])


def agreed(name, first, second):
    """Rows of both methods' moments, which agree."""
    rows, worst = [], (0, "")
    assert first.keys() == second.keys(), name
    for entry in first:
        mean, mean_error, off = joined(first[entry][:2], second[entry][:2])
        spread, spread_error, off_spread = joined(first[entry][2:], second[entry][2:])
        worst = max(worst, (off, f"mean {entry}"), (off_spread, f"sd {entry}"))
        rows.append((name, entry) + tuple(f"{number:.{digits}g}" for number, digits in (
            (mean, 7), (mean_error, 3), (spread, 7), (spread_error, 3))))
    print(f"{name}: {2 * len(rows)} comparisons, at most {worst[0]:.2f} errors ({worst[1]})",
          flush=True)
    assert worst[0] < (4 if len(rows) <= 50 else 4.5), f"{name}: the methods differ"
    return rows


def long_enough(name, method):
    """The draws of a run whose chains have met: of one three times as long if they had not."""
    for times in (1, 3):
        begun = time.monotonic()
        with Folder() as folder:
            run = method(folder, name, 2 * times)
        least, where, rhat = worst_of(run.draws)
        print(f"{name}: {time.monotonic() - begun:.0f} s, {run.warmup + run.gradients:.2g} "
              f"gradients, effective size at least {least:.0f} ({where}), R-hat {rhat:.4f} "
              f"{run.verdict}", flush=True)
        if rhat < 1.01:
            return run.draws
    raise AssertionError("the chains have not met")


def by_nuts(folder, name, thin):
    return nuts(folder, name, metric="dense", draws=5000, thin=thin)


def by_langevin(folder, name, thin):
    return langevin(folder, name, 64, 500, thin=thin, start="{scale: 0.02}",
                    kernel="metric: dense, leapfrog_steps: 10")


def measure(name):
    """Rows of one posterior, or of both schools."""
    found = [long_enough(name, method) for method in (by_nuts, by_langevin)]
    rows = agreed(name, *map(moments, found))
    if name == "schools_noncentred":
        rows += agreed(FUNNEL, *(moments(effects(draws)) for draws in found))
    return rows


def kept_rows():
    """{posterior: its rows} of the file as it is."""
    kept = {}
    if os.path.exists(FILE):
        with open(FILE, encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                kept.setdefault(row[0], []).append(row)
    return kept


def keep(rows):
    """Puts rows in the place of those of the same posteriors."""
    kept = kept_rows()
    for name in {row[0] for row in rows}:
        kept[name] = [row for row in rows if row[0] == name]
    with open(FILE, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEAD)
        for name in MADE + (FUNNEL,):
            writer.writerows(kept.get(name, []))


def main():
    names = sys.argv[1:] or MADE
    assert set(names) <= set(MADE), f"known are {', '.join(MADE)}"
    failed = 0
    for name in names:
        try:
            keep(measure(name))
        except (AssertionError, RuntimeError) as reason:
            print(f"{name}: {reason}", flush=True)
            failed += 1
    sys.exit(failed > 0)


main()

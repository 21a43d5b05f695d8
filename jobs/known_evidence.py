#!/usr/bin/python3
"""Prints log Z of benchmark targets beside what is known of it.

    jobs/known_evidence.py known.csv

The table is what `dunlin sweep inputs/sweeps/known_evidence.yaml --collect known.csv` wrote.
"""
import csv
import math
import sys

LIMIT = 3  # combined errors

# Of each target log Z and its error: exact, by quadrature, or the best of many runs of others.
KNOWN = {
    "funnel": (0, 0),
    "brownian": (1.1877491, 0),
    "seeds": (-73.41, .03),
    "sonar": (-108.40, .01),
    "credit": (-504.48, .015),
    "one goal": (-11.654, .023),
    "four goals": (-10.60, .02),
    "pines": (501.8, .4),
    "forty modes": (0, 0),
    "ten students": (0, 0),
    "wells": (-.5410555129, 0),
}


def number(text):
    return float(text) if text else math.nan


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    wrong = 0
    print(f"{'target':14}{'log Z':>10} ± {'error':<8}{'known':>10} ± {'error':<7}{'off':>6}"
          f"{'evaluations':>13}  verdict")
    with open(sys.argv[1], encoding="utf-8") as table:
        for row in csv.DictReader(table):
            known, spread = KNOWN[row["target"]]
            found, error = number(row["log_evidence"]), number(row["log_evidence_error"])
            off = (found - known) / math.hypot(error, spread)
            silent = abs(off) > LIMIT and row["verdict"] == "good"
            wrong += silent
            print(f"{row['target']:14}{found:10.3f} ± {error:<8.3f}{known:10.3f} ± {spread:<7.3f}"
                  f"{off:6.1f}{number(row['evaluations']):13.3g}  {row['verdict'] or row['state']}"
                  + (" although it is wrong" if silent else ""))
    sys.exit(1 if wrong else 0)


main()

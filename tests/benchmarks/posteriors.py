"""Gradients for each effective draw of twenty posteriors: chains of method langevin with its
defaults against the no-U-turn sampler with Stan's.

    posteriors.py [--chains N ...] [--draws N] [--seed N] [--short] [--names NAME ...]

An effective draw is one of the least effective size of all parameters, of their bulk, of the
distances from the median, and of the tails; the same formulas count for both
(analysis/reference_diagnostics.py).  Gradients are counted with those of the warm-up and without.
NUTS runs 4 chains of 1000 draws after 1000 moves of warm-up; `chains` of langevin give 6400 draws
between them, so that effective sizes are comparable.  Deviations are those of means and standard
deviations from the true ones, in combined errors.  A funnel stands below the twenty: of that the
question is whether chains say that they have not met.
"""
import argparse
import json
import os
import sys

import numpy

from posterior_cases import FUNNEL, NAMES, Folder, deviation, langevin, nuts, truth, worst_of


class Row:
    """What one run came to."""

    def __init__(self, name, run):
        self.size, self.where, self.rhat = worst_of(run.draws)
        self.all = (run.warmup + run.gradients) / self.size
        self.draws = run.gradients / self.size
        self.verdict = run.verdict
        self.off, self.off_where, self.count = deviation(run.draws, truth(name))


class Kept:
    """Rows of earlier runs in a JSON file: a table takes long, and can so be gone on with."""

    def __init__(self, file):
        self.file, self.rows = file, {}
        if file and os.path.exists(file):
            with open(file, encoding="utf-8") as text:
                self.rows = json.load(text)

    def get(self, key):
        if key not in self.rows:
            return None
        row = Row.__new__(Row)
        row.__dict__.update(self.rows[key])
        return row

    def put(self, key, row):
        self.rows[key] = {name: float(value) if isinstance(value, float) else value
                          for name, value in row.__dict__.items()}
        if self.file:
            with open(self.file, "w", encoding="utf-8") as text:
                json.dump(self.rows, text)


def measured(name, chains, words, kept):
    """A row, or None with the reason printed."""
    key = f"{name} {chains} {words.draws if chains else 1000} {words.seed}"
    row = kept.get(key)
    if row:
        return row
    try:
        with Folder() as folder:
            if chains is None:
                run = nuts(folder, name, seed=words.seed, draws=1000)
            else:
                run = langevin(folder, name, chains, words.draws // chains, seed=words.seed,
                               timeout=words.patience)
        row = Row(name, run)
        kept.put(key, row)
        return row
    except Exception as reason:  # the table goes on
        print(f"{name}: {str(reason)[-500:]}", file=sys.stderr, flush=True)
        return None


def tell(label, name, row, base):
    if row is None:
        print(f"{label:9} {name:20} no result", flush=True)
        return
    ratios = f"{row.all / base.all:8.2f} {row.draws / base.draws:8.2f}" if base else " " * 17
    print(f"{label:9} {name:20} {row.all:10.1f} {row.draws:9.1f} {ratios} {row.size:7.0f} "
          f"{row.rhat:6.3f} {row.off:5.1f} of {row.count:3d} {row.verdict:12} {row.where}; "
          f"{row.off_where}", flush=True)


def conclude(label, rows, base):
    """Medians of all, and of the ratios, and what the largest ratio is."""
    names = [name for name in rows if rows[name] and base[name] and name != FUNNEL]
    for word in ("all", "draws"):
        own = numpy.array([getattr(rows[name], word) for name in names])
        ratio = own / [getattr(base[name], word) for name in names]
        worst = names[int(numpy.argmax(ratio))]
        print(f"{label:9} {word:6} median {numpy.median(own):.1f}, of ratios to NUTS "
              f"{numpy.median(ratio):.2f}, largest {ratio.max():.2f} ({worst}), above 3: "
              f"{numpy.sum(ratio > 3)} of {len(names)}")


def markdown(rows, names):
    """The table of the README: gradients for each effective draw, with the warm-up and without."""
    labels = list(rows)
    print("\n| posterior | " + " | ".join(f"{label}, all | draws" for label in labels) + " |")
    print("| --- |" + " --- |" * (2 * len(labels)))
    for name in names:
        cells = []
        for label in labels:
            row = rows[label][name]
            cells += [f"{row.all:.3g}", f"{row.draws:.3g}"] if row else ["", ""]
        print(f"| {name} | " + " | ".join(cells) + " |")


def short_chains(words):
    """A thousand chains, fifty from each of twenty points, of twenty draws each on two ranks: how
    many sweeps they take, and whether they have forgotten their starts by nested R-hat."""
    count = 0
    for name in words.names:
        try:
            with Folder() as folder:
                run = langevin(folder, name, 1000, 20, seed=words.seed, start="{superchains: 20}",
                               ranks=2, timeout=words.patience)
        except Exception as reason:  # the others follow
            print(f"{name}: {str(reason)[-500:]}", flush=True)
            continue
        row, sweeps = Row(name, run), run.sweeps + 20
        met = run.nested <= 1.01 and sweeps < 150
        count += met
        print(f"{name:20} {sweeps:5.0f} sweeps, {(run.warmup + run.gradients) / 1000:7.0f} "
              f"gradients a chain, nested R-hat {run.nested:.4f} {'met' if met else 'NOT MET':8} "
              f"{row.off:5.1f} of {row.count} ({row.off_where}) {row.verdict}", flush=True)
    print(f"nested R-hat at most 1.01 in less than 150 sweeps: {count} of {len(words.names)}")


def main():
    words = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    words.add_argument("--names", nargs="*", default=NAMES + (FUNNEL,))
    words.add_argument("--chains", type=int, nargs="*", default=[64, 16])
    words.add_argument("--draws", type=int, default=6400)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--patience", type=float, default=1800, help="seconds for a run")
    words.add_argument("--keep", help="a file that keeps what was measured, and is gone on with")
    words.add_argument("--short", action="store_true", help="1000 chains of 20 draws instead")
    words = words.parse_args()
    if words.short:
        return short_chains(words)
    rows, kept = {"NUTS": {}}, Kept(words.keep)
    print(f"{'':30} {'gradients each, all, draws':>20} {'ratios':>17} {'size':>7} {'R-hat':>6} "
          "off, comparisons")
    for name in words.names:
        for label, chains in [("NUTS", None)] + [(f"{n} chains", n) for n in words.chains]:
            row = rows.setdefault(label, {})[name] = measured(name, chains, words, kept)
            tell(label, name, row, rows["NUTS"][name] if chains else None)
    for label in list(rows)[1:]:
        conclude(label, rows[label], rows["NUTS"])
    markdown(rows, words.names)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Prints what trainings by method scld came to, beside what is known and what was published.

    jobs/scld_table.py FOLDER [--curve FIGURE.png]

FOLDER has the results of `dunlin sweep inputs/sweeps/scld_benchmark.yaml`, or of
`learned_diffusions.yaml`, or of single trainings.  Results that differ by run.seed alone are one
line: mean +- standard deviation over the seeds.

Bounds (ELBO) and log Z are of simulations with selections and moves: of the last row, and the best
mean of five rows in a row, which is how such tables are published and flatters.  The second table
has the distances of the probes sinkhorn and mmd, and the coverage of modes, at the same rows, if
the probes looked there (every: 1).  `chance` is what exact draws have in the same run; `floor` and
`published` are of 2000 draws, with other ones held against them.

--curve draws, against steps and against evaluations of the target so far (those of the table's own
simulations among them), what the bound lacks of log Z, the error of log Z, and the Sinkhorn
divergence with its chance dashed.  Needs matplotlib.
"""
import argparse
import glob
import os

import h5py
import numpy

# log Z of targets that do not tell it themselves, by type, and by data or number of goals.
KNOWN = {("seeds", "seeds.csv"): -73.41, ("logistic_regression", "sonar_minmax.csv"): -108.40,
         ("logistic_regression", "german_credit_numeric.txt"): -504.48, ("robot", "1"): -11.654,
         ("brownian", "brownian_observations.csv"): 1.18775, ("robot", "4"): -10.60,
         ("log_gaussian_cox_process", "finnish_pines.csv"): 502.}
# Of Chen et al. 2024, as others quote them; the floor is of two exact sets of 2000 draws, whose
# funnels were cut at 30.  A best value below the floor is the rule's doing.
BOUND = {("log_gaussian_cox_process", "finnish_pines.csv"): "486.77"}
SINKHORN = {("funnel", "", "10"): ("122", "134.2"), ("many_well", "", "5"): ("0.66", "0.44"),
            ("robot", "1", "10"): ("0.054", "0.31"), ("robot", "4", "10"): ("0.078", "0.40"),
            ("gaussian_mixture", "gmm40_means_d50.csv", "50"): ("2530", "3787"),
            ("student_mixture", "mos10_locs_d50.csv", "50"): ("765", "656")}
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D31"]


def best_of_five(values, better=max):
    values = numpy.asarray(values, float)
    if len(values) < 5:
        return float(better(values))
    return float(better(numpy.convolve(values, numpy.ones(5) / 5, "valid")))


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


class Training:
    """A result: rows of its table, and of its probes those at the same steps."""

    def __init__(self, result):
        self.options = options_of(result)
        self.target = target_of(self.options)
        self.rows = {name: column[...] for name, column in result["trace/scld"].items()}
        self.steps = self.rows["step"]
        truth = float(result.attrs.get("log_evidence_truth", numpy.nan))
        self.known = KNOWN.get(self.target, numpy.nan) if numpy.isnan(truth) else truth
        self.dimension = str(len(result["learned/method/base_mean"]))
        self.evaluations = self.at_rows(result, "steps", "evaluations")
        for probe in ("sinkhorn", "mmd", "coverage"):
            setattr(self, probe, self.at_rows(result, probe, probe))
            setattr(self, probe + "_chance", self.at_rows(result, probe, "chance"))

    def at_rows(self, result, group, column):
        """A number for each row; NaN where nobody looked."""
        found = numpy.full(len(self.steps), numpy.nan)
        if f"trace/{group}/{column}" in result:
            held = dict(zip(result[f"trace/{group}/step"][...],
                            result[f"trace/{group}/{column}"][...]))
            found = numpy.array([held.get(step, numpy.nan) for step in self.steps])
        return found

    def group(self):
        """What it shares with trainings by other seeds; a file's place does not matter."""
        return tuple(sorted((name, os.path.basename(value.strip("'\"")))
                            for name, value in self.options.items()
                            if name != "run.seed" and not name.startswith(("output.", "probe"))))

    def name(self):
        return " ".join(self.target).strip()


def read_all(folder):
    groups = {}
    for file in sorted(glob.glob(os.path.join(folder, "**", "*.h5"), recursive=True)):
        with h5py.File(file, "r") as result:
            if "trace/scld" in result and len(result["trace/scld/step"]) > 0:
                training = Training(result)
                groups.setdefault(training.group(), []).append(training)
    return list(groups.values())


# ---- tables --------------------------------------------------------------------------------------

def cell(values, width, form=".2f"):
    """Mean and deviation over the seeds; a dash where nothing is known."""
    values = numpy.asarray(values, float)
    if numpy.isnan(values).any():
        return f"{'-':>{width}}"
    text = f"{values.mean():{form}}"
    if len(values) > 1:
        text += f"+-{values.std(ddof=1):{form}}"
    return f" {text:>{width - 1}}"


def print_bounds(groups):
    print(f"{'target':46}{'reference':>11}{'pieces':>7}{'steps':>7}{'seeds':>6}"
          f"{'loss':>16}{'at first':>16}{'bound':>16}{'best':>16}{'published':>10}"
          f"{'plain':>16}{'log Z':>16}{'known':>10}")
    for group in groups:
        one, rows = group[0], [training.rows for training in group]
        print(f"{one.name():46}{one.options['path.reference']:>11}{one.options['path.pieces']:>7}"
              f"{int(one.steps[-1]):7}{len(group):6}"
              + cell([r["loss"][-1] for r in rows], 16, ".4g")
              + cell([r["loss"][0] for r in rows], 16, ".4g")
              + cell([r["bound"][-1] for r in rows], 16)
              + cell([best_of_five(r["bound"]) for r in rows], 16)
              + f"{BOUND.get(one.target, '-'):>10}"
              + cell([r["plain_bound"][-1] for r in rows], 16)
              + cell([r["log_evidence"][-1] for r in rows], 16) + cell([one.known], 10))


def print_distances(groups):
    told = [group for group in groups
            if any(not numpy.isnan(getattr(group[0], probe)).all()
                   for probe in ("sinkhorn", "mmd", "coverage"))]
    if not told:
        return
    print(f"\n{'target':46}{'reference':>11}{'pieces':>7}{'steps':>7}{'seeds':>6}"
          f"{'sinkhorn':>16}{'best':>16}{'chance':>10}{'floor':>8}{'published':>10}"
          f"{'coverage':>16}{'best':>16}{'chance':>8}{'mmd':>16}{'best':>16}{'chance':>8}")
    for group in told:
        one = group[0]
        floor, published = SINKHORN.get((*one.target, one.dimension), ("-", "-"))
        print(f"{one.name():46}{one.options['path.reference']:>11}{one.options['path.pieces']:>7}"
              f"{int(one.steps[-1]):7}{len(group):6}"
              + cell([t.sinkhorn[-1] for t in group], 16, ".4g")
              + cell([best_of_five(t.sinkhorn, min) for t in group], 16, ".4g")
              + cell([numpy.mean([t.sinkhorn_chance[-1] for t in group])], 10, ".4g")
              + f"{floor:>8}{published:>10}"
              + cell([t.coverage[-1] for t in group], 16, ".4f")
              + cell([best_of_five(t.coverage) for t in group], 16, ".4f")
              + cell([numpy.mean([t.coverage_chance[-1] for t in group])], 8, ".4f")
              + cell([t.mmd[-1] for t in group], 16, ".3g")
              + cell([best_of_five(t.mmd, min) for t in group], 16, ".3g")
              + cell([numpy.mean([t.mmd_chance[-1] for t in group])], 8, ".3g"))


# ---- figure --------------------------------------------------------------------------------------

def curve(axis, group, across, values, **style):
    """Mean over the seeds, and one deviation up and down; what is not above 0 is not there."""
    rows = min(len(v) for v in values)
    held = numpy.array([v[:rows] for v in values], float)
    mean, spread = held.mean(0), held.std(0, ddof=1) if len(group) > 1 else 0
    mean = numpy.where(mean > 0, mean, numpy.nan)
    if numpy.isnan(mean).all():
        return
    axis.plot(across[:rows], mean, **style)
    if len(group) > 1:
        low = numpy.maximum(mean - spread, mean / 100)
        axis.fill_between(across[:rows], low, mean + spread, color=style["color"], alpha=.2, lw=0)


def draw(groups, picture):
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    figure, axes = plt.subplots(3, 2, figsize=(11, 11), sharex="col", sharey="row")
    labels = ("log Z - bound", "|log Z - known|", "Sinkhorn divergence")
    for number, group in enumerate(groups):
        one, colour = group[0], COLOURS[number % len(COLOURS)]
        style = {"color": colour, "ls": ("-", "--", ":")[number // len(COLOURS) % 3]}
        values = ([one.known - t.rows["bound"] for t in group],
                  [abs(t.rows["log_evidence"] - one.known) for t in group],
                  [t.sinkhorn for t in group])
        for column, across in enumerate((one.steps, one.evaluations)):
            for row in range(3):
                curve(axes[row, column], group, across, values[row], **style,
                      label=f"{one.name()}, {one.options['path.reference']}")
            chance = numpy.mean([t.sinkhorn_chance[-1] for t in group])
            if not numpy.isnan(chance):
                axes[2, column].axhline(chance, color=colour, ls="--", lw=.8)
    for row, label in enumerate(labels):
        axes[row, 0].set_ylabel(label)
        for axis in axes[row]:
            axis.set_yscale("log")
    axes[2, 0].set_xlabel("steps")
    axes[2, 1].set_xlabel("target evaluations")
    for axis in axes[:, 1]:
        axis.set_xscale("log")
    handles = {}
    for axis in axes[:, 0]:
        handles.update(dict(zip(*reversed(axis.get_legend_handles_labels()))))
    below = .02 * (1 + (len(handles) + 2) // 3)
    figure.tight_layout(rect=(0, below, 1, 1))
    if handles:
        figure.legend(handles.values(), handles.keys(), loc="lower center", ncol=3, fontsize=8)
    figure.savefig(picture, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--curve", metavar="FIGURE.png")
    words = parser.parse_args()
    groups = read_all(words.folder)
    if not groups:
        raise SystemExit(f"{words.folder}: no result of method scld is there")
    print_bounds(groups)
    print_distances(groups)
    if words.curve:
        draw(groups, words.curve)


main()

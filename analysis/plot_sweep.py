#!/usr/bin/python3
"""Draws a column of a sweep's table against an option that was varied.

    analysis/plot_sweep.py TABLE.csv [FIGURE.png] [--y COLUMN] [--x OPTION] [--lines OPTION]
                           [--panels OPTION] [--chance COLUMN]

The table is what `dunlin sweep INPUT --collect TABLE.csv` writes: a row a member.  A line is a
value of --lines, a panel one of --panels; points are means over run.seed and whatever else was
varied, bars their standard errors.  Only members that are done count, also those that their
budget cut short.  What is left out is chosen: --x is the option with most numbers, lines and
panels are the next that tell members apart, --y the first number of a probe, or log_evidence.
Axes are logarithmic where values span a factor of twenty; where some are negative too, linear
near 0. --chance draws, in grey, the root mean square of a column that is 0 but for chance.
Without a figure's name, TABLE.png beside the table.  Needs numpy and matplotlib.
"""
import argparse
import csv
import os
import sys

import matplotlib
import numpy

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

# Of Okabe & Ito, told apart by everybody; markers and dashes tell lines apart without colours.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D31"]
MARKERS, DASHES = "osD^vP*X", ["-", "--", "-.", ":"]
SPAN, MOST_LINES, IN_ROW = 20, 32, 3
DONE = ("done", "budget")


def number(word):
    try:
        return float(word)
    except (TypeError, ValueError):
        return numpy.nan


class Table:
    """Rows that are done, the options that were varied, and all columns with numbers."""

    def __init__(self, file):
        with open(file, encoding="utf-8", newline="") as opened:
            reader = csv.DictReader(opened)
            rows, names = list(reader), reader.fieldnames or []
        if "state" not in names or "identity" not in names:
            raise ValueError("expected a table that `dunlin sweep --collect` wrote")
        self.rows = [row for row in rows if row["state"] in DONE]
        if not self.rows:
            raise ValueError(f"none of its {len(rows)} members is done")
        self.names = names
        self.options = names[names.index("identity") + 1:names.index("state")]

    def values(self, option):
        """Its distinct values in the order of the members."""
        return list(dict.fromkeys(row[option] for row in self.rows))

    def numbers(self, name):
        return numpy.array([number(row[name]) for row in self.rows])

    def check(self, name, among, what):
        if name not in among:
            raise ValueError(f"no {what} {name}; there are {', '.join(among)}")
        return name


def follows(table, option, others):
    """Whether it tells nothing that the others do not tell: options that were varied together."""
    seen = {}
    return all(seen.setdefault(tuple(row[o] for o in others), row[option]) == row[option]
               for row in table.rows)


def choose_options(table, words):
    """x, lines and panels; the last two may be None."""
    free = [o for o in table.options if o != "run.seed" and len(table.values(o)) > 1]
    chosen = {}
    for name in ("x", "lines", "panels"):
        given = getattr(words, name)
        if given:
            chosen[name] = table.check(given, table.options, "varied option")
    if "x" not in chosen:
        left = [o for o in free if o not in chosen.values()] or table.options
        numeric = [o for o in left if numpy.isfinite(table.numbers(o)).all()]
        if not left:
            raise ValueError("nothing was varied")
        chosen["x"] = max(numeric or left, key=lambda o: len(table.values(o)))
    for name in ("lines", "panels"):
        left = [o for o in free if o not in chosen.values() and
                not follows(table, o, list(chosen.values()))]
        if name not in chosen and left:
            chosen[name] = left[-1] if name == "panels" else preferred(left)
    return chosen["x"], chosen.get("lines"), chosen.get("panels")


def preferred(options):
    """Lines are methods where methods were compared."""
    return next((o for o in options if o == "method"), options[0])


def choose_y(table, given):
    if given:
        return table.check(given, table.names, "column")
    probes = [name for name in table.names[table.names.index("state"):]
              if "." in name and numpy.isfinite(table.numbers(name)).any()]
    return probes[0] if probes else "log_evidence"


def points(table, x, y, fixed):
    """Values of x with the mean of y, its standard error (NaN of one member) and the count."""
    found = []
    for value in table.values(x):
        rows = [row for row in table.rows
                if row[x] == value and all(row[o] == v for o, v in fixed.items())]
        known = numpy.array([number(row[y]) for row in rows])
        known = known[numpy.isfinite(known)]
        if len(known):
            error = known.std(ddof=1) / len(known) ** .5 if len(known) > 1 else numpy.nan
            found.append((value, known.mean(), error, len(known)))
    return found


def places(table, x):
    """Where the values of x lie, and whether they are numbers."""
    values = table.values(x)
    numbers = numpy.array([number(value) for value in values])
    if numpy.isfinite(numbers).all():
        return dict(zip(values, numbers)), True
    return {value: place for place, value in enumerate(values)}, False


def scale_axis(set_scale, set_limits, values):
    """Logarithmic where positive values span enough; where a few small ones are not positive,
    linear as far as those go, else up to a quarter of the sizes."""
    values = numpy.asarray(values)[numpy.isfinite(values)]
    size = numpy.abs(values[values != 0])
    if not len(size) or not size.max() > SPAN * size.min():
        return
    low = -values.min()
    if low < 0:
        set_scale("log")
    elif size.max() > SPAN * low and low > 0:
        set_scale("symlog", linthresh=low, linscale=.5)
        set_limits(-2 * low, 2 * values.max())
    else:
        threshold = 10 ** numpy.ceil(numpy.log10(numpy.quantile(size, .25)))
        set_scale("symlog", linthresh=threshold, linscale=.5)
        ends = min(values.min(), 0), max(values.max(), 0)
        set_limits(*(2 * end if end else -numpy.sign(sum(ends)) * threshold for end in ends))


def draw_line(axes, where, found, label, index):
    style = {"color": COLOURS[index % len(COLOURS)], "marker": MARKERS[index % len(MARKERS)],
             "linestyle": DASHES[index // len(COLOURS) % len(DASHES)]}
    x = numpy.array([where[value] for value, *_ in found], dtype=float)
    y, error = (numpy.array([point[k] for point in found]) for k in (1, 2))
    order = numpy.argsort(x)
    axes.errorbar(x[order], y[order], numpy.nan_to_num(error[order]), label=label, capsize=2.5,
                  linewidth=1.4, markersize=4.5, **style)


def draw_chance(axes, table, x, where, name, fixed):
    square = []
    for value in table.values(x):
        rows = [number(row[name]) for row in table.rows
                if row[x] == value and all(row[o] == v for o, v in fixed.items())]
        square.append((where[value], numpy.sqrt(numpy.nanmean(numpy.square(rows)))
                       if numpy.isfinite(rows).any() else numpy.nan))
    square = numpy.array(sorted(square))
    axes.plot(square[:, 0], square[:, 1], color="0.55", linewidth=5, alpha=.5, zorder=0,
              label=f"chance (rms of {name})")


def draw_panel(axes, table, choice, fixed, chance):
    x, y, lines = choice
    where, numeric = places(table, x)
    for index, label in enumerate(table.values(lines) if lines else [""]):
        found = points(table, x, y, {**fixed, **({lines: label} if lines else {})})
        if found:
            draw_line(axes, where, found, label, index)
    if chance:
        draw_chance(axes, table, x, where, chance, fixed)
    if numeric:
        scale_axis(axes.set_xscale, axes.set_xlim, list(where.values()))
        axes.set_xticks(list(where.values()) if len(where) < 9 else axes.get_xticks())
        axes.get_xaxis().set_major_formatter(matplotlib.ticker.FormatStrFormatter("%g"))
        axes.minorticks_off()
    else:
        axes.set_xticks(list(where.values()), list(where), rotation=20, ha="right")
    axes.set_xlabel(x, fontsize=9)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=.25)


def draw(table, figure, words):
    x, lines, panels = choose_options(table, words)
    y = choose_y(table, words.y)
    if not numpy.isfinite(table.numbers(y)).any():
        raise ValueError(f"column {y} has no number")
    if lines and len(table.values(lines)) > MOST_LINES:
        raise ValueError(f"{len(table.values(lines))} lines: choose --lines and --panels")
    if words.chance:
        table.check(words.chance, table.names, "column")
    titles = table.values(panels) if panels else [""]
    width = min(IN_ROW, len(titles))
    height = -(-len(titles) // width)
    page, axes = plt.subplots(height, width, squeeze=False, sharey=True,
                              figsize=(max(5, 3.6 * width), 3 * height + .9))
    for place, title in zip(axes.flat, titles):
        draw_panel(place, table, (x, y, lines), {panels: title} if panels else {}, words.chance)
        place.set_title(f"{panels}: {title}" if panels else "", fontsize=9)
    means = [p[1] for t in titles for o in (table.values(lines) if lines else [""])
             for p in points(table, x, y, {**({panels: t} if panels else {}),
                                           **({lines: o} if lines else {})})]
    for place in axes.flat:
        scale_axis(place.set_yscale, place.set_ylim, means)
    for row in axes:
        row[0].set_ylabel(y, fontsize=9)
    for place in axes.flat[len(titles):]:
        place.axis("off")
    finish(page, axes.flat, lines, words.chance, figure)


def finish(page, axes, lines, chance, figure):
    """The legend, of lines that any panel has."""
    found = {}
    for place in axes:
        for handle, label in zip(*place.get_legend_handles_labels()):
            found.setdefault(label, handle)
    labels = list(found)
    if lines or chance:
        page.legend([found[label] for label in labels], labels, title=lines, loc="upper center",
                    fontsize=8, title_fontsize=8, ncols=min(len(labels), 4), frameon=False)
    rows = -(-len(labels) // 4) if lines or chance else 0
    page.tight_layout(rect=(0, 0, 1, 1 - (.3 + .2 * rows) / page.get_figheight() * (rows > 0)))
    page.savefig(figure, dpi=110)


def main():
    parser = argparse.ArgumentParser(description="Draws a column of a sweep's table.")
    parser.add_argument("table")
    parser.add_argument("figure", nargs="?")
    for name in ("--y", "--x", "--lines", "--panels", "--chance"):
        parser.add_argument(name)
    words = parser.parse_args()
    figure = words.figure or os.path.splitext(words.table)[0] + ".png"
    try:
        draw(Table(words.table), figure, words)
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"plot_sweep.py: {words.table}: {error}")
    print(f"Figure: {figure}")


if __name__ == "__main__":
    main()

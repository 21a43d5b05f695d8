"""`analysis/plot_sweep.py` on the table of a real sweep: what it chooses, means and errors against
numpy, figures, and what is no table."""
import argparse
import csv
import os
import subprocess
import sys
import time

import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import PYTHON, SOURCE, Folder, dunlin, main, write  # noqa: E402

sys.path.insert(0, os.path.join(SOURCE, "analysis"))
import plot_sweep  # noqa: E402

SCRIPT = os.path.join(SOURCE, "analysis", "plot_sweep.py")
SWEEP = """
run:    {seed: 1, particles: 64}
target: {type: gaussian, dimension: 2}
path:   {type: geometric, base: {type: gaussian, scale: 2}}
kernel: {type: hmc}
method: {type: smc, moves_per_step: 1}
probes: [{type: energy_distance, points: 64}]
output: {draws: 16}
sweep:
  target: [{label: round, type: gaussian, dimension: 2, mean: 1},
           {label: bent, type: banana, dimension: 2, scale: 2}]
  target.dimension: [2, 50]
  run.seed: [1, 2, 3]
  together: [{method: [{label: few, type: smc, moves_per_step: 1},
                       {label: more, type: smc, moves_per_step: 2}], run.tile: [16, 32]}]
"""


def collected(folder):
    """A member's time and messages are its own, not those of all before it in the process."""
    write(folder, "s.yaml", SWEEP)
    began = time.monotonic()
    dunlin("sweep", "s.yaml", "--quiet", folder=folder)
    elapsed = time.monotonic() - began
    dunlin("sweep", "s.yaml", "--collect", "s.csv", folder=folder)
    with open(os.path.join(folder, "s.csv"), encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert sum(float(row["wall_seconds"]) for row in rows) <= elapsed, elapsed
    sent = [float(row["sent_bytes"]) for row in rows]
    assert max(sent[12:]) < 3 * max(sent[:12]), sent
    return os.path.join(folder, "s.csv")


def plotted(*words, code=0):
    done = subprocess.run([PYTHON, SCRIPT, *words], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    assert (done.returncode != 0) == code and "Traceback" not in done.stderr, done.stderr
    return done.stdout + done.stderr


def words_of(**given):
    return argparse.Namespace(**{**dict.fromkeys(("x", "y", "lines", "panels", "chance")), **given})


def check_numbers(file):
    """An option of a section of alternatives is varied on its own; each member once."""
    table = plot_sweep.Table(file)
    assert len(table.rows) == 24, len(table.rows)
    assert plot_sweep.choose_options(table, words_of()) == ("target.dimension", "method", "target")
    assert plot_sweep.choose_y(table, None) == "energy_distance.energy_distance"
    fixed = {"target": "bent", "method": "more"}
    found = plot_sweep.points(table, "target.dimension", "log_evidence", fixed)
    with open(file, encoding="utf-8", newline="") as opened:
        rows = [row for row in csv.DictReader(opened)
                if row["target"] == "bent" and row["method"] == "more"]
    for value, mean, error, count in found:
        z = [float(row["log_evidence"]) for row in rows if row["target.dimension"] == value]
        assert count == len(z) == 3
        assert abs(mean - numpy.mean(z)) < 1e-12
        assert abs(error - numpy.std(z, ddof=1) / 3 ** .5) < 1e-12
    assert [value for value, *_ in found] == ["2", "50"]


def test_a_sweep_is_drawn():
    with Folder() as folder:
        file = collected(folder)
        check_numbers(file)
        figure = os.path.join(folder, "figure.png")
        table = plot_sweep.Table(file)
        for words in ({}, {"y": "log_evidence_z", "lines": "target", "panels": "method"},
                      {"x": "method", "y": "evaluations"}):
            plot_sweep.draw(table, figure, words_of(**words))
            assert os.path.getsize(figure) > 10000, words
            os.remove(figure)
        assert plotted(file, "--chance", "energy_distance.chance") == (
            f"Figure: {os.path.join(folder, 's.png')}\n")
        for words, said in (({"y": "nothing"}, "log_evidence"), ({"x": "state"}, "run.seed"),
                            ({"y": "reason"}, "no number"), ({"chance": "q"}, "no column q")):
            try:
                plot_sweep.draw(table, figure, words_of(**words))
                raise AssertionError(words)
            except ValueError as error:
                assert said in str(error), (words, error)
            assert not os.path.exists(figure)
        assert "no column q" in plotted(file, "--chance", "q", code=1)


def test_what_is_no_table():
    with Folder() as folder:
        assert "--collect" in plotted(write(folder, "x.csv", "a,b\n1,2\n"), code=1)
        none = "member,identity,run.seed,state,reason\n1,0,1,failed,so\n"
        assert "none of its 1" in plotted(write(folder, "n.csv", none), code=1)


def test_scales():
    """Logarithmic where that serves, and nothing is lost where it cannot be."""
    def scale(values):
        said = []
        plot_sweep.scale_axis(lambda name, **more: said.append(name), lambda *more: None, values)
        return said
    assert scale([1, 2, 10, numpy.nan]) == [] and scale([0, 0]) == [] and scale([]) == []
    assert scale([.1, 1, 10]) == ["log"]
    assert scale([-.1, 1, 10]) == ["symlog"] and scale([-100, 1, 10]) == ["symlog"]
    assert scale([0, 1, 100]) == ["symlog"]


if __name__ == "__main__":
    main()

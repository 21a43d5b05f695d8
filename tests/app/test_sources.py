"""Points of results to learn from and to begin at: those of targets with transforms are the points
that the chains moved in, brought back or written as they are; what has no way back is told."""
import os
import shutil
import sys

import h5py
import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cases import differences, fingerprint  # noqa: E402
from support import BUILD, INPUTS, Folder, dunlin, main, write  # noqa: E402

LIBRARY = os.path.join(BUILD, "tests", "user_target", "constrained.so")
RADIUS = [7, 8]  # coordinates of a periodic parameter: their length is not in the output
CHAINS = """
run:    {seed: 5, particles: 40}
target: {type: TARGET}
kernel: {type: hmc}
method: {type: langevin, warmup: 100, draws: 10}
output: {file: chains.h5, unconstrained: true}
"""
TRAIN = """
run:    {seed: 5, particles: 300}
target: {type: TARGET}
method:
  type: train
  source: {type: file, file: chains.h5}
  network: {type: mlp, widths: [8]}
  lessons: {steps: 5, examples: {count: 300, held_back: 100}}
output: {file: trained.h5, unconstrained: true}
"""


def run(folder, target, *sets, code=0, ranks=None, text=TRAIN):
    write(folder, "input.yaml", text.replace("TARGET", target))
    words = [word for one in sets for word in ("--set", one)]
    return dunlin("run", "input.yaml", "--quiet", "--overwrite", *words, folder=folder, code=code,
                  ranks=ranks).stderr


def points(folder, name="trained.h5"):
    with h5py.File(os.path.join(folder, name)) as file:
        x = file["unconstrained_posterior/x"][...]
    return x.reshape(-1, x.shape[-1])


def changed(folder, name, change):
    shutil.copy(os.path.join(folder, "chains.h5"), os.path.join(folder, name))
    with h5py.File(os.path.join(folder, name), "r+") as file:
        change(file)
    return f"method.source.file={name}"


def without_points(file):
    del file["unconstrained_posterior"]


def test_examples_are_the_points_of_the_chains():
    """Positive, bounded, ordered numbers, a simplex, an angle, a correlation: as written to the
    last bit, also at 2 ranks and from a table; brought back to rounding."""
    target = f"library, file: {LIBRARY}"
    with Folder() as folder:
        run(folder, target, text=CHAINS)
        chains = points(folder, "chains.h5")
        assert chains.shape == (400, 10)
        run(folder, target)
        written, one = points(folder), fingerprint(os.path.join(folder, "trained.h5"))
        assert set(map(tuple, written)) <= set(map(tuple, chains))
        run(folder, target, ranks=2)
        wrong = differences(one, fingerprint(os.path.join(folder, "trained.h5")))
        assert not wrong, "\n".join(wrong)
        numpy.savetxt(os.path.join(folder, "chains.csv"), chains, delimiter=",", fmt="%.17g")
        run(folder, target, "method.source={type: file, file: chains.csv, coordinates: "
            "unconstrained}")
        wrong = differences(one, fingerprint(os.path.join(folder, "trained.h5")))
        wrong = [said for said in wrong if not said.startswith("diagnosis: ")]
        assert not wrong, "\n".join(wrong)  # a result tells what its run thinks of the draws
        run(folder, target, changed(folder, "output.h5", without_points))
        back = points(folder)
        kept = [j for j in range(10) if j not in RADIUS]
        off = abs(back - written)[:, kept].max()
        assert 0 < off < 1e-9, off
        angles = [numpy.arctan2(*x[:, RADIUS].T) for x in (back, written)]
        assert abs(angles[0] - angles[1]).max() < 1e-9


def refused(said, *words):
    assert all(word in said for word in words), said


def test_wrong_results_are_refused():
    """Numbers outside of what their parameter may be, parameters that are not there or have another
    shape, points of another dimension."""
    target = f"library, file: {LIBRARY}"
    with Folder() as folder:
        run(folder, target, text=CHAINS)

        def bad(change, *words):
            def both(file):
                without_points(file)
                change(file["posterior"])
            refused(run(folder, target, changed(folder, "bad.h5", both), code=2), "bad.h5", *words)

        def put(name, value, *at):
            def change(posterior):
                posterior[name][(3, 2, *at)] = value
            return change

        def move(name):
            return lambda posterior: posterior.move(name, "other")

        bad(put("sigma", -1), "point 33", "sigma", "positive")
        bad(put("sigma", numpy.nan), "point 33", "nan")
        bad(put("shares", .9, 1), "point 33", "shares", "sum 1")
        bad(put("load", 3), "point 33", "load", "bounds")
        bad(move("load"), "/posterior/load")

        def narrower(file):
            x = file["unconstrained_posterior/x"][..., :9]
            del file["unconstrained_posterior/x"]
            file["unconstrained_posterior/x"] = x

        refused(run(folder, target, changed(folder, "bad.h5", narrower), code=2), "bad.h5", "x")


def test_targets_without_a_way_back():
    """Seeds gives a scale for its logarithm: what to do is told, and serves learning and starts; a
    regression copies its points into the output, and needs nothing."""
    table = os.path.join(INPUTS, "data", "seeds.csv")
    seeds = f"seeds, data: {table}"
    with Folder() as folder:
        begin = "path={type: constant, start: {type: file, file: chains.h5}}"
        run(folder, seeds, "output.unconstrained=false", text=CHAINS)
        for coordinates in ("constrained", "unconstrained"):
            refused(run(folder, seeds, f"method.source.coordinates={coordinates}", code=2),
                    "output.unconstrained: true")
        refused(run(folder, seeds, begin, "output.file=on.h5", code=2, text=CHAINS),
                "output.unconstrained: true")
        run(folder, seeds, text=CHAINS)
        for coordinates in ("constrained", "unconstrained"):
            run(folder, seeds, f"method.source.coordinates={coordinates}")
            assert set(map(tuple, points(folder))) <= set(map(tuple, points(folder, "chains.h5")))
        run(folder, seeds, begin, "output.file=on.h5", text=CHAINS)

        rows = [f"{i % 7},{i * i % 11},{int(i % 5 > 2)}" for i in range(40)]
        write(folder, "table.csv", "a,b,y\n" + "\n".join(rows) + "\n")
        regression = "logistic_regression, data: table.csv, label: y"
        run(folder, regression, text=CHAINS)
        run(folder, regression)
        one = fingerprint(os.path.join(folder, "trained.h5"))
        run(folder, regression, changed(folder, "output.h5", without_points))
        wrong = differences(one, fingerprint(os.path.join(folder, "trained.h5")))
        assert not wrong, "\n".join(wrong)


main()

"""`dunlin compare`: against numpy, at any number of ranks, on sets that are the same and on sets
that are not, and on what is no set of draws."""
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import metrics  # noqa: E402
from support import INPUTS, PYTHON, SOURCE, Folder, data_folder, dunlin, main, write  # noqa: E402

NAMES = "a,b,c,d"
DIMENSION = 4
LIMIT = 4  # errors: what `compare` calls a difference where comparisons are few


def exact(random, n, share=.8, scale=1.):
    """Draws of two modes, of which the one at +3 has the share; scale: of the third coordinate."""
    x = random.normal(size=(n, DIMENSION)) + numpy.where(random.random(n) < share, 3, -3)[:, None]
    x[:, 2] *= scale
    return x


def table(folder, name, points, names=NAMES):
    path = os.path.join(folder, name)
    numpy.savetxt(path, points, delimiter=",", header=names, comments="", fmt="%.17g")
    return path


def compared(one, other, *options, ranks=None, code=0):
    return json.loads(dunlin("compare", one, other, "--json", *options, ranks=ranks,
                             code=code).stdout)


def metric(found, name):
    return [m for m in found["metrics"] if m["name"] == name][0]


def data_sets():
    """(name, set, other set): two made up, and reference draws where they are at hand."""
    random = numpy.random.default_rng(3)
    sets = [("mixture", exact(random, 300), exact(random, 230, share=.6)),
            ("line", random.normal(size=(200, 1)), random.standard_cauchy(size=(170, 1))),
            ("wide", random.normal(size=(150, 50)), 1.1 * random.normal(size=(150, 50)))]
    folder = data_folder()
    if folder:
        for name in ("german_credit_gt10k.csv", "planar_robot_1goal_gt10k.csv"):
            draws = numpy.loadtxt(os.path.join(folder, name), delimiter=",", skiprows=1)
            sets.append((name, draws[:5000], draws[5000:]))
    return sets


def check_value(name, what, found, expected):
    assert abs(found - expected) <= 1e-6 * max(1, abs(expected)), (name, what, found, expected)


def test_against_numpy():
    with Folder() as folder:
        for name, x, y in data_sets():
            names = ",".join(f"q{j}" for j in range(x.shape[1]))
            found = compared(table(folder, "x.csv", x, names), table(folder, "y.csv", y, names),
                             "--points", 200)
            x, y = (metrics.picked(p, found[k]["points"]) for p, k in ((x, "a"), (y, "b")))
            assert len(x) == min(200, len(x)) and len(y) > 100, (len(x), len(y))
            unit = y.std(0)
            for what, one, other in (("energy_distance", x / unit, y / unit), ("mmd", x, y),
                                     ("sinkhorn", x, y)):
                expected = getattr(metrics, what)(one, other)
                check_value(name, what, metric(found, what)["value"], expected)
            if x.shape[1] == 1:
                first, square = metrics.wasserstein(x[:, 0], y[:, 0])
                check_value(name, "W1", metric(found, "sliced_w1")["value"], first)
                check_value(name, "W2", metric(found, "sliced_w2")["value"], square ** .5)


def test_slices_against_numpy():
    """Other directions, 128 of them there and 4000 here."""
    random = numpy.random.default_rng(4)
    with Folder() as folder:
        x, y = exact(random, 200), exact(random, 150, share=.5)
        found = compared(table(folder, "x.csv", x), table(folder, "y.csv", y), "--metrics",
                         "sliced")
        directions = random.normal(size=(4000, DIMENSION))
        directions /= numpy.sqrt((directions ** 2).sum(1))[:, None]
        both = numpy.array([metrics.wasserstein(x @ u, y @ u) for u in directions])
        error = both.std(0) * (1 / 128 + 1 / 4000) ** .5
        values = (metric(found, "sliced_w1")["value"], metric(found, "sliced_w2")["value"] ** 2)
        away = abs(both.mean(0) - values) / error
        assert away.max() < 5, (both.mean(0), values, error)


def test_moments_against_numpy():
    random = numpy.random.default_rng(5)
    with Folder() as folder:
        x, y = exact(random, 400), exact(random, 300)
        found = compared(table(folder, "x.csv", x), table(folder, "y.csv", y), "--metrics", "none")
        assert found["metrics"] == [] and found["comparisons"] == 5 * DIMENSION
        for j, c in enumerate(found["coordinates"]):
            assert c["name"] == "abcd"[j]
            a, b = x[:, j], y[:, j]
            errors = [q.std(ddof=1) / len(q) ** .5 for q in (a, b)]
            check_value(j, "mean", c["mean"]["a"], a.mean())
            check_value(j, "error", c["mean"]["b_error"], errors[1])
            check_value(j, "errors", c["mean"]["errors"],
                        (a.mean() - b.mean()) / numpy.hypot(*errors))
            check_value(j, "deviation", c["deviation"]["a"], a.std())
            error = ((a - a.mean()) ** 2).std(ddof=1) / (2 * a.std() * len(a) ** .5)
            check_value(j, "its error", c["deviation"]["a_error"], error)
            assert c["quantile_95"]["a"] == numpy.quantile(a, .95, method="inverted_cdf")


def test_same_bits_at_any_number_of_ranks():
    random = numpy.random.default_rng(6)
    with Folder() as folder:
        x = table(folder, "x.csv", exact(random, 300))
        y = table(folder, "y.csv", exact(random, 200))
        said = {ranks: dunlin("compare", x, y, "--json", "--points", 90, ranks=ranks).stdout
                for ranks in (None, 1, 2, 3)}
        assert len(set(said.values())) == 1 and metric(json.loads(said[1]), "mmd")["value"] > 0
        other = dunlin("compare", x, y, "--json", "--points", 90, "--seed", "1").stdout
        one, other = json.loads(said[1]), json.loads(other)
        assert metric(one, "mmd")["value"] == metric(other, "mmd")["value"]
        assert metric(one, "mmd")["chance"] != metric(other, "mmd")["chance"]


def test_exact_sets_do_not_differ():
    """Fifty pairs; every difference is below 4 errors (25 of each, 1250 in all).  A launch waits
    far longer than it computes: four at a time."""
    def pair(seed):
        random = numpy.random.default_rng(100 + seed)
        x, y = (table(folder, f"{side}{seed}.csv", exact(random, 300)) for side in "xy")
        found = compared(x, y, "--points", "40", "--seed", seed)
        assert found["differ"] == [] and found["comparisons"] == 5 * DIMENSION + 5
        return found["largest"]

    with Folder() as folder, ThreadPoolExecutor(4) as pool:
        largest = list(pool.map(pair, range(50)))
    assert max(largest) < LIMIT, sorted(largest)[-5:]
    # of 25 normal numbers the largest is 2.3 on the average
    assert 1.7 < numpy.mean(largest) < 2.6, numpy.mean(largest)


def differ(found):
    return {line["what"] for line in found["differ"]}


def test_a_missing_mode_is_named():
    random = numpy.random.default_rng(7)
    with Folder() as folder:
        x = table(folder, "x.csv", exact(random, 1000))
        y = table(folder, "y.csv", exact(random, 1000, share=1))
        modes = table(folder, "modes.csv", numpy.array([[-3.] * DIMENSION, [3.] * DIMENSION]))
        found = compared(x, y, "--modes", modes, "--points", 200)
        assert {"energy_distance", "mmd", "sliced_w1", "sinkhorn", "mean of a", "share of mode 0",
                "mode coverage"} <= differ(found), differ(found)
        share = found["modes"][0]["share"]
        assert .15 < share["a"] < .25 and share["b"] == 0 and share["errors"] > 10
        p = share["a"]
        entropy = -(p * numpy.log(p) + (1 - p) * numpy.log(1 - p)) / numpy.log(2)
        check_value("modes", "coverage", found["mode_coverage"]["a"], entropy)
        assert abs(found["mode_coverage"]["b"]) < 1e-12
        said = dunlin("compare", x, y, "--modes", modes, "--points", 100).stdout
        assert "the sets differ" in said and "share of mode 0" in said


def test_a_scale_that_is_off_is_named():
    random = numpy.random.default_rng(8)
    with Folder() as folder:
        x = table(folder, "x.csv", exact(random, 4000))
        y = table(folder, "y.csv", exact(random, 4000, scale=1.1))
        found = compared(x, y, "--metrics", "none")
        named = differ(found)
        assert "deviation of c" in named, named
        assert all(what.endswith(" c") for what in named), named
        dunlin("compare", x, y, "--metrics", "none", "--fail-above", 4, code=1)
        dunlin("compare", x, y, "--metrics", "none", "--fail-above", 100, code=0)


def test_weights_count():
    """Draws of a wider law with weights are draws of the target; without them they are not."""
    random = numpy.random.default_rng(9)
    with Folder() as folder:
        x = table(folder, "x.csv", random.normal(size=(2000, 2)), "u,v")
        wide = 1.5 * random.normal(size=(4000, 2))
        log_weight = -.5 * (wide ** 2).sum(1) * (1 - 1 / 1.5 ** 2)
        weighted = numpy.column_stack([log_weight - 2000, wide])
        y = table(folder, "y.csv", weighted, "log_weight,u,v")
        found = compared(y, x)
        assert found["differ"] == [] and found["largest"] < LIMIT, found["differ"]
        assert 500 < found["a"]["worth"] < 3500 and found["comparisons"] == 15, found
        weighted[:, 0] = numpy.exp(log_weight)
        again = compared(table(folder, "z.csv", weighted, "weight,u,v"), x)
        check_value("weights", "mean", again["coordinates"][0]["mean"]["a"],
                    found["coordinates"][0]["mean"]["a"])
        bare = compared(table(folder, "w.csv", wide, "u,v"), x, "--metrics", "none")
        assert "deviation of u" in differ(bare)


RUN = """
run:    {seed: $seed, particles: 1000}
target: {type: gaussian, dimension: 3, covariance: {type: toeplitz, correlation: 0.5}}
path:   {type: $path}
kernel: {type: $kernel}
method: {type: $method}
output: {file: $file}
"""
RUNS = {
    "smc": ("geometric, base: {type: gaussian, scale: 3}", "hmc", "smc"),
    "many": ("constant", "mala, step_size: 0.5", "langevin, warmup: 50, draws: 8"),
    "long": ("constant", "mala, step_size: 0.3", "langevin, warmup: 100, draws: 400"),
}


def run(folder, name, seed=5):
    path, kernel, method = RUNS[name]
    text = RUN
    for word, value in (("seed", seed), ("path", path), ("kernel", kernel), ("method", method),
                        ("file", name + ".h5")):
        text = text.replace("$" + word, str(value))
    source = write(folder, "input.yaml", text)
    particles = ["--set", "run.particles=4"] if name == "long" else []
    dunlin("run", source, "--quiet", "--overwrite", "--output",
           os.path.join(folder, name + ".h5"), *particles)
    return os.path.join(folder, name + ".h5")


def test_results():
    """Populations and chains against exact draws, and a wrong set against them."""
    random = numpy.random.default_rng(10)
    factor = numpy.linalg.cholesky(.5 ** abs(numpy.subtract.outer(range(3), range(3))))
    with Folder() as folder:
        x = random.normal(size=(5000, 3)) @ factor.T
        with h5py.File(os.path.join(folder, "exact.h5"), "w") as file:
            file["deep/x"] = x
        array = os.path.join(folder, "exact.h5") + ":/deep/x"
        said = {}
        for name in RUNS:
            found = compared(run(folder, name), array)
            assert found["differ"] == [] and found["largest"] < LIMIT, (name, found["differ"])
            assert [c["name"] for c in found["coordinates"]] == ["x[0]", "x[1]", "x[2]"]
            said[name] = found["a"]
        assert "ancestor" in said["smc"]["assumed"] and "chain" in said["many"]["assumed"]
        assert "autocorrelation" in said["long"]["assumed"]
        # 1600 draws whose steps are small are worth far less, and so many are taken
        assert said["long"]["worth"] < 500 and said["long"]["points"] <= said["long"]["worth"] + 1
        found = compared(os.path.join(folder, "smc.h5"), table(folder, "y.csv", x + .5, "p,q,r"))
        assert {"mean of x[0]", "mean of x[1]", "mean of x[2]", "mmd"} <= differ(found)
        same = compared(os.path.join(folder, "smc.h5"), os.path.join(folder, "smc.h5"))
        assert same["differ"] == [] and same["largest"] < 1


def plotted(*words, code=0):
    script = os.path.join(SOURCE, "analysis", "plot_compare.py")
    done = subprocess.run([PYTHON, script, *words], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    assert (done.returncode != 0) == code and "Traceback" not in done.stderr, done.stderr
    return done.stdout


def test_figures():
    random = numpy.random.default_rng(13)
    with Folder() as folder:
        wide = random.normal(size=(200, 15))
        weighted = numpy.column_stack([-.1 * wide[:, 0] ** 2, wide])
        names = ",".join(f"q{j}" for j in range(15))
        with h5py.File(os.path.join(folder, "array.h5"), "w") as file:
            file["deep/x"], file["flat"] = random.normal(size=(300, 3)), random.normal(size=20)
        array, figure = os.path.join(folder, "array.h5"), os.path.join(folder, "figure.png")
        sets = [(run(folder, "smc"), array + ":/deep/x"), (run(folder, "many"), run(folder, "smc")),
                (table(folder, "x.csv", wide, names),
                 table(folder, "y.csv", weighted, "log_weight," + names)),
                (array + ":/flat", array + ":/flat")]
        for one, other in sets:
            plotted(one, other, figure)
            assert os.path.getsize(figure) > 5000
            os.remove(figure)
        assert plotted(*sets[0]) == f"Figure: {folder}/smc.compare.png\n"
        plotted(*sets[0], figure, "--parameters", "x[1]")
        plotted(sets[0][0], sets[2][0], figure, code=1)
        plotted(*sets[0], figure, "--parameters", "z", code=1)
        plotted(sets[0][0], os.path.join(folder, "none.csv"), code=1)


def test_columns_are_found_by_their_names():
    random = numpy.random.default_rng(11)
    x = random.normal(size=(300, 3)) * [1, 2, 4]
    with Folder() as folder:
        one = table(folder, "x.csv", x, "a,b,c")
        other = table(folder, "y.csv", x[:, [2, 0, 1]], "c,a,b")
        found = compared(one, other, "--metrics", "none")
        assert found["largest"] == 0, found["differ"]


PARAMETERS = """
run:    {seed: 7, particles: 300}
target: {type: seeds, data: INPUTS/data/seeds.csv}
path:   {type: geometric, base: {type: prior}, schedule: {type: adaptive}}
kernel: {type: hmc}
method: {type: smc}
output: {file: one.h5}
"""


def test_results_in_another_order():
    """Parameters go by their names; one that the other has not is named."""
    def moved(name, *moves):
        path = shutil.copy(one, os.path.join(folder, name))
        with h5py.File(path, "r+") as file:
            for place, to in moves:
                file["posterior"].move(place, to)
        return path

    with Folder() as folder:
        write(folder, "input.yaml", PARAMETERS.replace("INPUTS", INPUTS))
        dunlin("run", "input.yaml", "--quiet", folder=folder)
        one = os.path.join(folder, "one.h5")
        other = moved("other.h5", ("b", "c"), ("c", "b"), ("a0", "c"), ("c", "a0"))
        forth, back = compared(one, other), compared(other, one)
        for found in (forth, back):
            assert found["differ"] == [] and found["largest"] < 1, found["differ"]
            off = {c["name"]: c["mean"]["errors"] for c in found["coordinates"]}
            assert off.pop("tau") in (0, None)  # of tails so heavy that its mean may have no error
            assert set(off.values()) == {0}, off
        first = [[c["name"] for c in found["coordinates"]] for found in (forth, back)]
        assert first[0] != first[1] and sorted(first[0]) == sorted(first[1]), first
        said = refused(one, moved("named.h5", ("tau", "sigma")))
        assert "'tau'" in said and "named.h5" in said, said


def refused(*words):
    done = dunlin("compare", *words, code=2)
    assert done.stdout == "" and done.stderr.startswith("dunlin: "), done.stderr
    assert "Traceback" not in done.stderr and len(done.stderr) < 600
    return done.stderr


def test_what_is_no_set_of_draws():
    random = numpy.random.default_rng(12)
    with Folder() as folder:
        x = exact(random, 50)
        good = table(folder, "x.csv", x)
        assert "3" in refused(good, table(folder, "a.csv", x[:, :3], "p,q,r"))
        refused(good, table(folder, "b.csv", x[:, :3], "a,b,c"))
        assert "'d'" in refused(good, table(folder, "k.csv", x, "a,b,c,q"))
        hole = x.copy()
        hole[7, 1] = numpy.nan
        assert "not finite" in refused(good, table(folder, "c.csv", hole))
        assert "at least 2" in refused(good, table(folder, "d.csv", x[:1]))
        assert "empty" in refused(good, write(folder, "e.csv", ""))
        refused(good, os.path.join(folder, "none.csv"))
        refused(good, write(folder, "f.h5", "no HDF5"))
        refused(good, folder)
        negative = numpy.column_stack([x, -numpy.ones(50)])
        assert "weight" in refused(good, table(folder, "g.csv", negative, "a,b,c,d,weight"))
        with h5py.File(os.path.join(folder, "h.h5"), "w") as file:
            file["x"], file["cube"], file["none"] = x, numpy.zeros((5, 4, 3)), numpy.zeros((0, 4))
        array = os.path.join(folder, "h.h5")
        assert "not a result" in refused(good, array)
        assert "3 axes" in refused(good, array + ":/cube")
        refused(good, array + ":/none")
        refused(good, array + ":/missing")
        compared(good, array + ":/x", "--metrics", "none")
        two = table(folder, "two.csv", x[:, :2], "p,q")
        assert "2 columns" in refused(good, good, "--modes", two)
        for words in (["--points", "3"], ["--metrics", "mmd,other"], ["--fail-above", "-1"],
                      ["--seed", "x"], ["--overwrite"]):
            dunlin("compare", good, good, *words, code=2)
        dunlin("compare", good, code=2)


def test_sets_of_constants():
    """Numbers that never change are the same, or different beyond doubt."""
    with Folder() as folder:
        x = numpy.column_stack([numpy.ones(40), numpy.arange(40.)])
        one, other = table(folder, "x.csv", x, "u,v"), table(folder, "y.csv", x + [1, 0], "u,v")
        assert compared(one, one)["largest"] < 1
        found = compared(one, other)
        assert "mean of u" in differ(found), found
        mean = found["coordinates"][0]["mean"]
        assert mean["errors"] == -1e308 and found["largest"] == 1e308, found
        assert "never changes" in dunlin("compare", one, other).stdout
        last = table(folder, "last.csv", x + [1e-12, 0], "u,v")
        found = compared(one, last)  # no more than the digits of a table
        assert found["largest"] < 1 and found["coordinates"][0]["mean"]["errors"] == 0, found
        found = compared(one, table(folder, "more.csv", x + [1e-8, 0], "u,v"))
        assert "mean of u" in differ(found), found
        ones = [table(folder, f"{n}.csv", numpy.full((n, 1), .1), "u") for n in (200, 317)]
        assert compared(*ones)["largest"] < 2  # whose sums are rounded differently
        alone = table(folder, "alone.csv", numpy.full((200, 1), .1 + 1e-13), "u")
        assert compared(ones[0], alone)["differ"] == []
        tiny = table(folder, "z.csv", x[:5], "u,v")
        assert compared(tiny, tiny)["metrics"] == []
        assert "No distances" in dunlin("compare", tiny, tiny).stdout


main()

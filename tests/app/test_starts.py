"""Where chains begin: laws, points and files of them, constrained ones too; places that are drawn
anew or taken from others; superchains; and what is refused."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import INPUTS, SOURCE, Folder, compiled, dunlin, main, summary, write  # noqa: E402

import numpy  # noqa: E402

TARGETS = os.path.join(SOURCE, "tests", "user_target")
STANDING = """
run:    {{seed: 3, particles: {chains}, tile: {tile}}}
target: {target}
path:   {{type: constant, start: {start}}}
kernel: {{type: hmc, step_size: 0.1, leapfrog_steps: 2}}
method: {{type: langevin, warmup: 0, draws: {draws}, final_moves: {moves}}}
output: {{file: result.h5}}
"""
NORMAL = "{type: gaussian, dimension: 3}"


def fogged(folder, **options):
    library = compiled(folder, "fogged.so", os.path.join(TARGETS, "fogged.c"))
    words = ", ".join(f"{name}: {value}" for name, value in options.items())
    return f"{{type: library, file: {library}, {words}}}"


def begin(folder, start, target=NORMAL, chains=64, tile=64, draws=0, moves=0, name="result.h5",
          **more):
    """Runs chains that hardly move; the result's path."""
    file = write(folder, "input.yaml", STANDING.format(
        chains=chains, tile=tile, target=target, start=start, draws=draws, moves=moves))
    result = os.path.join(folder, name)
    dunlin("run", file, "--output", result, "--quiet", "--overwrite", "--no-check",
           **more)
    return result


def points(result, *names):
    """[chain][number] of first draws, which are the result where nothing moves."""
    import h5py
    with h5py.File(result, "r") as file:
        names = names or tuple(file["posterior"])
        values = [file["posterior"][name][...] for name in names
                  if file["posterior"][name].ndim > 1]
    return numpy.concatenate([v.reshape(v.shape[0] * v.shape[1], -1) for v in values], axis=1)


def verdict(result, name):
    return next((v for v in summary(result)["verdicts"] if v["name"] == name), None)


def refused(folder, start, *words, target=NORMAL, **options):
    done = begin_code(folder, start, target, **options)
    for word in words:
        assert word in done.stderr, f"{word}\n{done.stderr}"


def begin_code(folder, start, target, chains=64, code=2):
    file = write(folder, "input.yaml", STANDING.format(
        chains=chains, tile=64, target=target, start=start, draws=0, moves=0))
    return dunlin("run", file, "--output", os.path.join(folder, "refused.h5"), "--quiet",
                  "--overwrite", "--no-check", code=code)


def test_uniform_in_a_box():
    """Means and variances of 3 coordinates of 6400 draws (6 comparisons, limit 5)."""
    with Folder() as folder:
        x = points(begin(folder, "{type: uniform, lower: [-2, 0, 1], upper: [2, 1, 10]}",
                         chains=6400, ranks=2))
    low, width = numpy.array([-2, 0, 1]), numpy.array([4, 1, 9])
    u = (x - low) / width
    assert x.shape == (6400, 3) and (u >= 0).all() and (u <= 1).all()
    assert (abs(u.mean(axis=0) - .5) < 5 / numpy.sqrt(12 * 6400)).all()
    assert (abs(u.var(axis=0) - 1 / 12) < 5 * numpy.sqrt(1 / 180 / 6400)).all()


def test_point_and_file():
    """In the order of the file, which begins anew where it has too few points; of too many, those
    at the ends of equal stretches."""
    rows = numpy.arange(30).reshape(10, 3) + .5
    with Folder() as folder:
        assert (points(begin(folder, "{type: point, point: [1, 2, 3]}")) == [1, 2, 3]).all()
        text = "\n".join(",".join(map(str, row)) for row in rows)
        file = write(folder, "points.csv", "x[0],x[1],x[2]\n" + text + "\n")
        start = f"{{type: file, file: {file}}}"
        for ranks in (None, 3):
            x = points(begin(folder, start, chains=25, tile=4, ranks=ranks))
            assert (x == rows[numpy.arange(25) % 10]).all()
        assert (points(begin(folder, start, chains=5)) == rows[1::2]).all()
        mixed = write(folder, "mixed.csv", "name,x[2],x[0],x[1]\n" + "\n".join(
            f"a,{r[2]},{r[0]},{r[1]}" for r in rows))
        assert (points(begin(folder, f"{{type: file, file: {mixed}}}", chains=10)) == rows).all()
        plain = write(folder, "plain.csv", text)
        assert (points(begin(folder, f"{{type: file, file: {plain}}}", chains=10)) == rows).all()
        import h5py
        place = os.path.join(folder, "points.h5")
        with h5py.File(place, "w") as out:
            out["some/points"] = rows
        start = f"{{type: file, file: {place}, dataset: some/points, coordinates: unconstrained}}"
        assert (points(begin(folder, start, chains=10)) == rows).all()


def test_result_of_constrained_parameters():
    """Chains go on from the latest draw of each of those of an earlier result, through the
    transforms and back."""
    with Folder() as folder:
        library = compiled(folder, "constrained.so", os.path.join(TARGETS, "constrained.c"))
        target = f"{{type: library, file: {library}}}"
        first = begin(folder, "{scale: 1}", target, chains=12, draws=5, name="first.h5")
        import h5py
        with h5py.File(first, "r") as file:
            last = numpy.concatenate([file["posterior"][name][:, -1].reshape(12, -1)
                                      for name in file["posterior"]
                                      if file["posterior"][name].ndim > 1], axis=1)
        again = points(begin(folder, f"{{type: file, file: {first}}}", target, chains=12, ranks=2))
        assert abs(again - last).max() < 1e-9 * (1 + abs(last).max()), abs(again - last).max()
        theta = [0.5, 2, .2, .3, .5, -1, 1, 0, 90, 1, 0, .6, .8]
        x = points(begin(folder, f"{{type: point, point: {theta}}}", target))
        assert abs(x - theta).max() < 1e-9
        for entry, value, words in (
                (1, -1, "parameter 'sigma' is -1, expected a positive"), (2, .3, "with sum 1"),
                (5, 2, "numbers that rise"), (7, 3, "between"), (8, 400, "period"),
                (11, .7, "length 1"), (10, .1, "lower triangular")):
            wrong = list(theta)
            wrong[entry] = value
            refused(folder, f"{{type: point, point: {wrong}}}", words, target=target)
        text = "\n".join(",".join(map(str, row)) for row in (theta, [0.5, -2] + theta[2:]))
        file = write(folder, "points.csv", text)
        refused(folder, f"{{type: file, file: {file}}}", "points.csv:2: ", "'sigma' is -2",
                target=target)


def test_files_that_are_wrong():
    with Folder() as folder:
        for text, words in (("", "empty"), ("1,2\n3,4\n", "found 2 columns, expected the 3"),
                            ("1,2,3\n4,nan,6\n", "wrong.csv:2"), ("1,2,3\n4,5\n", "wrong.csv:2"),
                            ("x[0],x[1],y\n1,2,3\n", "no column 'x[2]'"),
                            ("a,b,c\n", "no ")):
            file = write(folder, "wrong.csv", text)
            refused(folder, f"{{type: file, file: {file}}}", words)
        with open(os.path.join(folder, "wrong.h5"), "wb") as out:
            out.write(b"\x89HDF\r\n\x1a\nnonsense")
        refused(folder, f"{{type: file, file: {folder}/wrong.h5}}", "wrong.h5", "damaged")
        refused(folder, "{type: file, file: nowhere.csv}", "no file 'nowhere.csv'")
        refused(folder, "{type: file}", "path.start.file")
        first = begin(folder, "{scale: 1}", "{type: gaussian, dimension: 2}", draws=3)
        refused(folder, f"{{type: file, file: {first}}}", "/posterior/x", "another shape",
                "draws, 3")
        refused(folder, f"{{type: file, file: {first}, dataset: /posterior/y}}", "/posterior/y")
        import h5py
        with h5py.File(os.path.join(folder, "nan.h5"), "w") as out:
            out["x"] = [[1., 2, 3], [numpy.nan, 1, 2]]
        refused(folder, f"{{type: file, file: {folder}/nan.h5, dataset: x}}", "point 2: number 1")
        refused(folder, "{type: uniform, lower: 1, upper: 1}", "coordinate 0 lies between")
        refused(folder, "{type: uniform, scale: 2}", "scale")
        refused(folder, "{superchains: 1}", "superchains: found 1")
        refused(folder, "{superchains: 7}", "equally many of the 64 chains")
        seeds = f"{{type: seeds, data: {INPUTS}/data/seeds.csv}}"
        refused(folder, "{type: point, point: 1}", "no way back", target=seeds)


def test_superchains_share_their_start():
    """Wherever their chains lie, also where the first draws lie outside."""
    with Folder() as folder:
        for start, tile, ranks in (("{superchains: 4}", 64, None), ("{superchains: 4}", 7, 3),
                                   ("{type: uniform, superchains: 4}", 64, 2)):
            x = points(begin(folder, start, chains=100, tile=tile, ranks=ranks)).reshape(4, 25, 3)
            assert (x == x[:, :1]).all() and len(numpy.unique(x[:, 0, 0])) == 4
        target = fogged(folder, wall=1, fog=0)
        x = points(begin(folder, "{superchains: 8}", target, chains=200, ranks=2, tile=16))
        groups = x.reshape(8, 25, 2)
        assert (groups == groups[:, :1]).all() and len(numpy.unique(groups[:, 0, 0])) == 8
        assert (x[:, 0] > 1).all() and (x[:, 1] < 0).all()


CLIMBING = """
run:    {{seed: 3, particles: 64}}
target: {target}
path:   {{type: constant, start: {{{start}, climb: {climb}}}}}
kernel: {{type: {kernel}, step_size: 1.e-12}}
method: {{type: langevin, warmup: {warmup}, draws: 1}}
"""


def climbed(folder, climb, start="scale: 100", kernel="hmc", warmup=1,
            target="{type: gaussian, dimension: 20, covariance: {type: toeplitz, correlation: "
                   "0.95}}", **more):
    file = write(folder, "input.yaml", CLIMBING.format(climb=climb, target=target, kernel=kernel,
                                                       warmup=warmup, start=start))
    result = os.path.join(folder, "result.h5")
    return result, dunlin("run", file, "--output", result, "--quiet", "--overwrite", **more)


def test_climb():
    """Starts a hundred deviations and more away come as near as draws are, from all sides; not in
    too few steps.  Chains do not move afterwards."""
    precision = numpy.linalg.inv(.95 ** abs(numpy.subtract.outer(numpy.arange(20),
                                                                 numpy.arange(20))))
    with Folder() as folder:
        squares = {}
        for climb in (0, 20):
            result, _ = climbed(folder, climb)
            x = points(result)
            squares[climb] = numpy.einsum("ij,jk,ik->i", x, precision, x)
        assert squares[0].min() > 1e4, squares[0].min()
        assert 10 < squares[20].min() and squares[20].max() < 20 + 4 * 40 ** .5 + 1e-6, squares[20]
        x = x / x.std(0)
        assert abs(numpy.corrcoef(x)[numpy.triu_indices(64, 1)]).mean() < .5
        told = verdict(result, "climb")["text"]
        assert "64 of 64 starts" in told, told


def test_climb_of_some():
    """Starts that lie where draws do stay; others beside them climb."""
    x = numpy.random.default_rng(1).standard_normal((64, 20))
    x[::3] *= 1000
    with Folder() as folder:
        file = os.path.join(folder, "starts.csv")
        numpy.savetxt(file, x, delimiter=",", fmt="%.17g")
        found = points(climbed(folder, 20, f"type: file, file: {file}",
                               target="{type: gaussian, dimension: 20}")[0])
    far = numpy.arange(64) % 3 == 0
    assert numpy.allclose(found[~far], x[~far], rtol=1e-8, atol=1e-8)
    assert ((found[far] ** 2).sum(1) < 20 + 4 * 40 ** .5 + 1e-6).all()
    along = (found * x).sum(1) / numpy.linalg.norm(found, axis=1) / numpy.linalg.norm(x, axis=1)
    assert along[far].min() > .9, along[far].min()


def test_climb_goes_up():
    """Where the metric of the others is much too wide for a start, too."""
    def density(x):
        squares = (x[:, 1:] ** 2).sum(1)
        return -x[:, 0] ** 2 / 18 - 4.5 * x[:, 0] - .5 * squares * numpy.exp(-x[:, 0])
    x = numpy.random.default_rng(1).standard_normal((64, 10))
    x[:, 0], x[:, 1:] = 6, x[:, 1:] * 100
    x[::4, 0], x[::4, 1:] = -4, x[::4, 1:] / 100
    with Folder() as folder:
        file = os.path.join(folder, "starts.csv")
        numpy.savetxt(file, x, delimiter=",", fmt="%.17g")
        rise = [density(points(climbed(folder, climb, f"type: file, file: {file}", target=(
            "{type: funnel, dimension: 10}"))[0])) - density(x) for climb in (1, 4, 16)]
    print("#", [(each.min(), (each > .01).sum()) for each in rise])
    assert all((each > -1e-6).all() for each in rise), rise
    assert (rise[2][::4] > 1).all(), rise[2]


def test_climbs_that_are_refused():
    with Folder() as folder:
        for kernel in ("rwm", "independence"):
            _, done = climbed(folder, 3, kernel=kernel, code=2)
            assert "path.start.climb" in done.stderr and kernel in done.stderr, done.stderr


def test_starts_that_are_drawn_anew():
    """Where the density is 0 or the gradient no number; the same at any number of ranks, and after
    a stop amid them; what finds no place takes those of others, which is told."""
    with Folder() as folder:
        target = fogged(folder, wall=1, fog=0)
        x = points(begin(folder, "{scale: 1}", target, chains=500, ranks=2))
        assert (x[:, 0] > 1).all() and (x[:, 1] < 0).all() and len(numpy.unique(x[:, 0])) == 500
        assert verdict(os.path.join(folder, "result.h5"), "starts")["level"] == "good"
        target, hashes = fogged(folder, wall=3.3), set()
        for ranks in (None, 2, 3):
            result = begin(folder, "{scale: 1}", target, chains=300, tile=50, moves=2, ranks=ranks)
            hashes.add(summary(result)["population_hash"])
            told = verdict(result, "starts")
            assert "began where others did" in told["text"] and told["level"] == "doubtful", told
        for limit in ("2000", "20000"):
            file, result = os.path.join(folder, "input.yaml"), os.path.join(folder, "again.h5")
            dunlin("run", file, "--output", result, "--quiet", "--overwrite", "--stop-after", limit,
                   "--no-check", code=85)
            dunlin("run", file, "--output", result, "--quiet", "--restart", "--no-check", ranks=2)
            hashes.add(summary(result)["population_hash"])
        assert len(hashes) == 1, hashes


def test_no_start_at_all():
    with Folder() as folder:
        for start, first in (("{scale: 1}", "is ("),
                             ("{type: point, point: [2, -2]}", "is (2, -2)")):
            refused(folder, start, "Target fogged has no finite log density and gradient", first,
                    target=fogged(folder, wall=30))
        refused(folder, "{scale: 1}", "Target fogged has no finite", target=fogged(
            folder, wall=-30, fog=-30))


main()

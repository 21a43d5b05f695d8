"""Probes of distances from exact draws and from another result, against numpy on the draws of the
files; what they refuse; exact draws."""
import os
import sys

import h5py
import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import metrics  # noqa: E402
from support import INPUTS, Folder, column, dunlin, main, write  # noqa: E402

EXACT = """
run:    {seed: $seed, particles: $particles}
target: {type: gaussian_mixture, $target, scales: 0.7}
method: {type: exact}
probes: $probes
output: {file: out.h5}
"""
MODES = "means: [[-2, 0, 1], [2, 1, 0], [0, 3, 3]], weights: [1, 2, 3]"
LINE = "means: [[-2], [2]]"


def run(folder, name, code=0, text=EXACT, **words):
    words = {"seed": 1, "particles": 300, "target": MODES, "probes": "[]", **words}
    for word, value in words.items():
        text = text.replace("$" + word, str(value))
    file = os.path.join(folder, name)
    done = dunlin("run", write(folder, "input.yaml", text), "--quiet", "--overwrite", "--output",
                  file, code=code)
    return file if code == 0 else done.stderr


def draws_of(file):
    with h5py.File(file, "r") as result:
        x = result["posterior/x"][...]
    return x.reshape(-1, x.shape[-1])


def last(file, probe, name):
    return column(file, probe, name)[-1]


def test_against_numpy():
    with Folder() as folder:
        for target, points in ((MODES, 200), (LINE, 150)):
            reference = run(folder, "reference.h5", seed=2, particles=260, target=target)
            probes = "[" + ", ".join(
                f"{{type: {name}, points: {points}, reference: {reference}}}"
                for name in ("energy_distance", "mmd", "sinkhorn", "sliced")) + "]"
            # as they are, and moved away
            for shift in ("0", "1"):
                file = run(folder, "run.h5", particles=230, probes=probes,
                           target=target + f", shift: {shift}")
                x, y = (metrics.picked(draws_of(f), points) for f in (file, reference))
                unit = y.std(0)
                for name, one, other in (("energy_distance", x / unit, y / unit), ("mmd", x, y),
                                         ("sinkhorn", x, y)):
                    found = last(file, name, name)
                    expected = getattr(metrics, name)(one, other)
                    assert abs(found - expected) < 1e-6 * max(1, abs(expected)), (name, found,
                                                                                 expected)
                    assert (found > last(file, name, "bound")) == (shift == "1"), name
                    assert last(file, name, "points") == points
                if target == LINE:
                    first, square = metrics.wasserstein(x[:, 0], y[:, 0])
                    assert abs(last(file, "sliced", "w1") - first) < 1e-9
                    assert abs(last(file, "sliced", "w2") - square ** .5) < 1e-9
                assert (last(file, "sliced", "w1") > last(file, "sliced", "bound_w1")) == (
                    shift == "1")


def test_cut_references():
    """The reference is cut, the run is not; exact draws are, and have less by chance."""
    with Folder() as folder:
        reference = run(folder, "reference.h5", seed=2, particles=100)
        for name in ("mmd", "sinkhorn"):
            file = run(folder, "run.h5", particles=100, probes=f"[{{type: {name}, points: 100, "
                       f"reference: {reference}, cut: 1.5}}]")
            x, y = draws_of(file), numpy.clip(draws_of(reference), -1.5, 1.5)
            expected = getattr(metrics, name)(x, y)
            assert abs(last(file, name, name) - expected) < 1e-3 * expected, (name, expected)
        chance = [last(run(folder, "run.h5", probes=f"[{{type: sinkhorn, {words}}}]"), "sinkhorn",
                       "chance") for words in ("points: 300", "points: 300, cut: 0.1")]
        assert chance[1] < .1 * chance[0], chance


def test_floors_of_exact_draws():
    """Of exact draws the distances are what those of a second exact set are: over 12 runs both have
    the same mean, limit 5 standard errors, 5 comparisons."""
    names = {"energy_distance": ("energy_distance", "chance"), "mmd": ("mmd", "chance"),
             "sinkhorn": ("sinkhorn", "chance"), "sliced": ("w1", "chance_w1"),
             "coverage": ("coverage", "chance")}
    probes = "[" + ", ".join(f"{{type: {name}, points: 100}}" for name in names) + "]"
    away = {name: [] for name in names}
    with Folder() as folder:
        for seed in range(12):
            file = run(folder, "run.h5", seed=seed, particles=100, probes=probes)
            for name, (value, chance) in names.items():
                away[name].append(last(file, name, value) - last(file, name, chance))
                assert name == "coverage" or numpy.isnan(column(
                    file, name, "bound_w1" if name == "sliced" else "bound")).all()
        for name, differences in away.items():
            error = numpy.std(differences, ddof=1) / 12 ** .5
            assert 0 < error and abs(numpy.mean(differences)) < 5 * error, (name, differences)


def test_coverage():
    """By the draws of the file; of a run that is not where the modes are."""
    centres, weights = numpy.array([[-2, 0, 1], [2, 1, 0], [0, 3, 3.]]), numpy.array([1, 2, 3.])
    with Folder() as folder:
        file = run(folder, "run.h5", probes="[{type: coverage}]")
        x = draws_of(file)
        density = numpy.log(weights / 6) - ((x[:, None] - centres) ** 2).sum(2) / (2 * .7 ** 2)
        share = numpy.bincount(density.argmax(1), minlength=3) / len(x)
        expected = -(share * numpy.log(share)).sum() / numpy.log(3)
        assert abs(last(file, "coverage", "coverage") - expected) < 1e-12
        due = weights / 6
        assert abs(last(file, "coverage", "due") + (due * numpy.log(due)).sum() / numpy.log(3)) \
            < 1e-12
        assert last(file, "coverage", "hit") == 3
        stuck = EXACT.replace("method: {type: exact}",
                              "path: {type: constant, start: {mean: [-2, 0, 1], scale: 0.01}}\n"
                              "kernel: {type: rwm, step_size: 0.01}\n"
                              "method: {type: langevin, warmup: 0, draws: 5}")
        file = run(folder, "stuck.h5", text=stuck, particles=70,
                   probes="[{type: coverage}, {type: mmd, points: 100}]")
        assert last(file, "coverage", "coverage") < 1e-12 and last(file, "coverage", "hit") == 1
        assert last(file, "coverage", "chance") > .7 and last(file, "coverage", "points") == 350
        assert last(file, "mmd", "mmd") > 5 * last(file, "mmd", "chance")


def test_exact_draws():
    """Moments of a mixture, and an ESS of all particles; no log Z is claimed."""
    with Folder() as folder:
        file = run(folder, "run.h5", particles=4000, probes="[{type: modes}]")
        mean, error = (numpy.array(column(file, "moments", name)) for name in ("mean", "error"))
        due = numpy.array([2 / 6, 11 / 6, 10 / 6])
        assert (abs(mean - due) < 5 * error).all() and (error < .05).all(), (mean, error)
        with h5py.File(file, "r") as result:
            assert numpy.isnan(result.attrs["log_evidence"])
            assert result.attrs["kish_effective_sample_size"] == 4000
            assert (result["sample_stats/root"][0] == numpy.arange(4000)).all()
        assert "independent draws" in dunlin("summary", file).stdout


def test_refusals():
    with Folder() as folder:
        field = EXACT.replace("gaussian_mixture, $target, scales: 0.7",
                              "phi4, side: 3, mass2: 1, coupling: 1")
        said = run(folder, "a.h5", 2, field)
        assert "method exact: target phi4 cannot draw exactly" in said, said
        plain = field.replace("{type: exact}", "{type: langevin, warmup: 1, draws: 1}\n"
                              "path: {type: constant}\nkernel: {type: rwm}")
        for name in ("energy_distance", "mmd", "sinkhorn", "sliced"):
            said = run(folder, "a.h5", 2, plain, probes=f"[{{type: {name}}}]")
            assert f"probe {name}: target phi4 cannot draw exactly" in said, said
        said = run(folder, "a.h5", 2, plain, probes="[{type: coverage}]")
        assert "does not tell its modes" in said, said
        said = run(folder, "a.h5", 2, probes="[{type: mmd, reference: input.yaml}]")
        assert "input.yaml" in said, said


def test_references_in_tables():
    """A result's draws as rows of text are the same reference; of a long table half are the
    second set."""
    with Folder() as folder:
        draws = draws_of(run(folder, "reference.h5", seed=2, particles=260))
        table = os.path.join(folder, "table.csv")
        numpy.savetxt(table, draws, delimiter=",", fmt="%.17g")
        told = [last(run(folder, "a.h5", particles=300, probes=f"[{{type: sinkhorn, points: 1000, "
                         f"reference: {file}}}]"), "sinkhorn", "sinkhorn")
                for file in ("reference.h5", "table.csv")]
        assert told[0] == told[1], told
        file = run(folder, "a.h5", particles=230,
                   probes="[{type: sinkhorn, points: 100, reference: table.csv}]")
        x = metrics.picked(draws_of(file), 100)
        even, odd = (metrics.picked(draws[first::2], 100) for first in (0, 1))
        for name, one in (("sinkhorn", x), ("chance", odd)):
            found, expected = last(file, "sinkhorn", name), metrics.sinkhorn(one, even)
            assert abs(found - expected) < 1e-6 * abs(expected), (name, found, expected)
        assert numpy.isnan(last(file, "sinkhorn", "bound"))
        draws[7, 1] = numpy.nan
        numpy.savetxt(table, draws, delimiter=",", fmt="%.17g")
        said = run(folder, "a.h5", 2, probes="[{type: sinkhorn, reference: table.csv}]")
        assert "table.csv:8: column 1: found 'nan', expected a finite number" in said, said
        numpy.savetxt(table, draws[:1], delimiter=",", fmt="%.17g")
        said = run(folder, "a.h5", 2, probes="[{type: mmd, reference: table.csv}]")
        assert "table.csv: found 1 draw, expected at least 2" in said, said
        numpy.savetxt(table, draws[:, :1], delimiter=",")
        said = run(folder, "a.h5", 2, probes="[{type: mmd, reference: table.csv}]")
        assert "table.csv: found 1 columns, expected the" in said, said


def test_names_in_tables():
    """Columns go by names, in either kind of coordinates, and where some are none of them fits."""
    regression = EXACT.replace("gaussian_mixture, $target, scales: 0.7", "logistic_regression, "
                               "data: rows.csv, intercept: false").replace(
        "{type: exact}", "{type: smc}\npath: {type: geometric, base: {type: prior}}\n"
        "kernel: {type: rwm}")
    with Folder() as folder:
        write(folder, "rows.csv", "u,v,y\n1,2,0\n2,1,1\n3,0,0\n0,3,1\n")
        points = numpy.random.default_rng(1).normal([3, -3], 1, (50, 2))

        def energy(names, columns, code=0, text=regression, **words):
            numpy.savetxt(os.path.join(folder, "table.csv"), columns, delimiter=",", fmt="%.17g",
                          header=",".join(names), comments="")
            options = ", ".join(f"{name}: {value}" for name, value in words.items())
            found = run(folder, "a.h5", code, text=text, particles=100, target=MODES, probes=
                        f"[{{type: energy_distance, reference: table.csv, {options}}}]")
            return found if code else last(found, "energy_distance", "energy_distance")
        due = energy(["a", "b"], points)
        for names in (["coefficients[u]", "coefficients[v]"], ["coefficients[0]",
                                                               "coefficients[1]"]):
            assert energy(names, points) == due
            assert energy(names[::-1], points[:, ::-1]) == due
        said = energy(["coefficients[v]", "b"], points, 2)
        assert "names of 1 of the 2" in said and "'coefficients[0]'" in said, said
        moved = energy(["a", "b"], points, coordinates="unconstrained")
        assert energy(["x[1]", "x[0]"], points[:, ::-1], coordinates="unconstrained") == moved
        weighted = numpy.column_stack([points, numpy.ones(50)])
        for weight in ("weight", "log_weight"):
            for names, kind in ((["coefficients[u]", "coefficients[v]"], "constrained"),
                                (["x[0]", "x[1]"], "unconstrained")):
                said = energy([*names, weight], weighted, 2, coordinates=kind)
                assert f"found a column '{weight}', expected points" in said, said
        numpy.savetxt(os.path.join(folder, "flat.csv"), numpy.column_stack(
            [points, numpy.full(50, .1)]), delimiter=",", fmt="%.17g")
        flat = last(run(folder, "a.h5", probes="[{type: energy_distance, reference: flat.csv}]"),
                    "energy_distance", "energy_distance")
        assert flat < 1e3, flat  # in units of the third coordinate's rounding it is 1e15


ARM = """
run:    {seed: 1, particles: 200}
target: {type: robot, links: 2, goals: [[1, 1]], width: 0.5}
path:   {type: geometric, base: {type: prior}}
kernel: {type: hmc}
method: {type: smc}
probes: $probes
output: {file: out.h5, unconstrained: true}
"""


def test_what_particles_move_in():
    """Angles without where they lead to; of a result they are told without loss."""
    with Folder() as folder:
        run(folder, "arm.h5", text=ARM)
        with h5py.File(os.path.join(folder, "arm.h5")) as result:
            angles = result["unconstrained_posterior/x"][:].reshape(200, 2)
        numpy.savetxt(os.path.join(folder, "angles.csv"), angles + 1, delimiter=",", fmt="%.17g")

        def probes(reference, coordinates="unconstrained"):
            return f"[{{type: sinkhorn, reference: {reference}, coordinates: {coordinates}}}]"
        file = run(folder, "a.h5", text=ARM, probes=probes("arm.h5"))
        assert abs(last(file, "sinkhorn", "sinkhorn")) < .01
        file = run(folder, "a.h5", text=ARM, probes=probes("angles.csv"))
        far = last(file, "sinkhorn", "sinkhorn")
        assert abs(far - 2) < .05, far  # moved by 1 in both; particles have weights left
        seeds = ARM.replace("robot, links: 2, goals: [[1, 1]], width: 0.5", "seeds, data: "
                            + os.path.join(INPUTS, "data", "seeds.csv")).replace(
            "{type: prior}", "{type: gaussian, scale: 1}")
        with h5py.File(run(folder, "seeds.h5", text=seeds)) as result:
            x = result["unconstrained_posterior/x"][:].reshape(200, 26)
        x[:, -1] += 2  # log tau
        numpy.savetxt(os.path.join(folder, "x.csv"), x, delimiter=",", fmt="%.17g")
        far = last(run(folder, "a.h5", text=seeds, probes=probes("x.csv")), "sinkhorn", "sinkhorn")
        assert abs(far - 4) < .4, far
        said = run(folder, "a.h5", 2, text=ARM, probes=probes("angles.csv", "constrained"))
        assert "angles.csv: found 2 columns, expected the 4 numbers" in said, said
        chains = ARM.replace("{type: smc}", "{type: langevin, warmup: 1, draws: 6}").replace(
            "geometric, base: {type: prior}", "constant")
        said = run(folder, "a.h5", 2, text=chains, probes=probes("angles.csv"))
        assert "chains keep their output parameters" in said, said


def test_references_of_another_shape():
    """Of two dimensions for one point as many numbers may be in all, and another law."""
    chains = ("run: {seed: 1, particles: 8}\ntarget: {type: phi4, side: $side, mass2: 1, coupling: "
              "1}\npath: {type: constant}\nkernel: {type: rwm}\n"
              "method: {type: langevin, warmup: 1, draws: 6}\nprobes: $probes\n")
    with Folder() as folder:
        def probes(name, reference):
            return f"[{{type: {name}, points: 20, reference: {reference}}}]"
        for d in (1, 2, 6):
            run(folder, f"{d}.h5", target=f"means: [{[0] * d}, {[2] * d}]", particles=60)
        fields = {side: run(folder, f"field{side[1]}.h5", text=chains, side=side)
                  for side in ("[6, 5]", "[5, 6]")}
        for name in ("energy_distance", "mmd", "sinkhorn", "sliced"):
            for target, d in ((MODES, 6), (LINE, 2)):
                said = run(folder, "a.h5", 2, target=target, probes=probes(name, f"{d}.h5"))
                assert "another shape" in said and f"{d}.h5" in said, said
            run(folder, "a.h5", target=LINE, probes=probes(name, "1.h5"))
            said = run(folder, "a.h5", 2, text=chains, side="[6, 5]",
                       probes=probes(name, fields["[5, 6]"]))
            assert "expected (chains, draws, 6, 5)" in said, said


def test_points_that_cannot_be_measured():
    """Laws so wide that squared distances overflow end no run: the distances are not known."""
    wide = EXACT.replace("gaussian_mixture, $target, scales: 0.7",
                         "gaussian_mixture, means: [[0, 0], [1.0e+170, 0]]")
    with Folder() as folder:
        file = run(folder, "a.h5", text=wide, particles=50,
                   probes="[{type: sinkhorn}, {type: mmd}]")
        assert numpy.isnan(last(file, "sinkhorn", "sinkhorn"))
        assert numpy.isfinite(last(file, "mmd", "mmd"))  # of points at infinite distance it is 0
        assert last(file, "sinkhorn", "points") == 50


main()

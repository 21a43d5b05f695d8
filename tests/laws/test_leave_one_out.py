"""The groups log_likelihood and prior of a result: names, dimensions and numbers; leave-one-out
densities by importance sampling and WAIC against closed forms; what is refused."""
import math
import os
import sys

import h5py
import numpy
import xarray

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import (BUILD, INPUTS, Folder, attributes, compiled, dunlin, main,  # noqa: E402
                     write)

LIBRARY = os.path.join(BUILD, "tests", "user_target", "normal_mean.so")
SOURCE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "user_target",
                      "normal_mean.c")
Y = [1.1, -0.3, 2.4, 0.8, 1.9, 0.2, 1.4, -0.9, 0.6, 1.2, 3.1, 0.5]
WIDTH = 3
INPUT = """\
run:    {seed: 5, particles: 32}
target: {type: library, file: %s, data: data.json}
kernel: {type: hmc}
method: {type: langevin, warmup: 100, draws: 200}
output: {file: out.h5, log_likelihood: true, prior_draws: 2000}
"""


def prepare(folder):
    write(folder, "data.json", '{"y": %s}' % Y)
    write(folder, "input.yaml", INPUT % LIBRARY)


def normal(value, mean, variance):
    return -.5 * (value - mean) ** 2 / variance - .5 * math.log(2 * math.pi * variance)


def left_out(i):
    """log p(y_i | all others)."""
    rest = [y for k, y in enumerate(Y) if k != i]
    precision = len(rest) + WIDTH ** -2
    return normal(Y[i], sum(rest) / precision, 1 + 1 / precision)


def test_numbers():
    """12 densities in errors of chains, the prior's moments; the same bits at 3 ranks."""
    with Folder() as folder:
        prepare(folder)
        seen = []
        for ranks in (None, 3):
            dunlin("run", "input.yaml", "--quiet", "--overwrite", folder=folder, ranks=ranks)
            with h5py.File(os.path.join(folder, "out.h5")) as file:
                seen.append([file[name][...] for name in
                             ("log_likelihood/y", "prior/mu", "posterior/mu")])
        assert all((one == other).all() for one, other in zip(*seen))
        likelihood, prior, mu = seen[0]
        assert likelihood.shape == (32, 200, len(Y)) and prior.shape == (1, 2000)
        for i, y in enumerate(Y):
            assert numpy.allclose(likelihood[:, :, i], normal(y, mu, 1), rtol=0, atol=1e-12)
            inverse = numpy.exp(-likelihood[:, :, i]).mean(1)  # of each chain
            error = inverse.std(ddof=1) / math.sqrt(len(inverse)) / inverse.mean()
            off = (-math.log(inverse.mean()) - left_out(i)) / error
            assert abs(off) < 5 and error < .02, (i, off, error)
        waic = numpy.log(numpy.exp(likelihood).mean((0, 1))) - likelihood.var((0, 1))
        assert abs(waic.sum() - sum(map(left_out, range(len(Y))))) < .1, waic.sum()
        assert abs(prior.mean()) < 5 * WIDTH / math.sqrt(prior.size)
        assert abs(prior.std() - WIDTH) < 5 * WIDTH / math.sqrt(2 * prior.size)


def test_as_readers_see_it():
    """What ArviZ needs: dimensions chain and draw first, then those of the data; attributes."""
    with Folder() as folder:
        prepare(folder)
        dunlin("run", "input.yaml", "--quiet", "--set", "method.draws=7", folder=folder)
        result = os.path.join(folder, "out.h5")
        for engine in ("netcdf4", "h5netcdf"):
            with xarray.open_dataset(result, group="log_likelihood", engine=engine) as group:
                assert group["y"].dims == ("chain", "draw", "y_dim_0"), group
                assert group.sizes == {"chain": 32, "draw": 7, "y_dim_0": len(Y)}
                assert group.attrs["inference_library"] == "dunlin"
            with xarray.open_dataset(result, group="prior", engine=engine) as group:
                assert group["mu"].dims == ("chain", "draw") and group.sizes["draw"] == 2000
                assert (group["chain"].values == [0]).all() and group["draw"].values[-1] == 1999
                assert group.attrs["inference_library"] == "dunlin"
        before = attributes(result)["population_hash"]
        dunlin("run", "input.yaml", "--quiet", "--set", "method.draws=7", "--overwrite", "--set",
               "output={file: out.h5}", folder=folder)
        assert attributes(result)["population_hash"] == before
        with h5py.File(result) as file:
            assert "log_likelihood" not in file and "prior" not in file


def test_interrupted():
    """Stopped amid the draws and gone on with; ended by its budget: numbers are those of the
    draws."""
    with Folder() as folder:
        prepare(folder)
        result, found, some = os.path.join(folder, "out.h5"), [], "1"
        for words in (("--overwrite",), ("--overwrite", "--stop-after", None), ("--restart",)):
            dunlin("run", "input.yaml", "--quiet", *[word or some for word in words],
                   folder=folder, code=85 if "--stop-after" in words else 0)
            if os.path.exists(result):
                some = str(int(.6 * attributes(result)["evaluations"]))
                with h5py.File(result) as file:
                    found.append((file["log_likelihood/y"][...], file["prior/mu"][...]))
                os.remove(result)
        assert len(found) == 2
        assert all((one == other).all() for one, other in zip(*found))
        dunlin("run", "input.yaml", "--quiet", "--set", f"run.evaluations={some}", folder=folder)
        with h5py.File(result) as file:
            likelihood, mu = file["log_likelihood/y"][...], file["posterior/mu"][...]
        assert likelihood.shape[:2] == mu.shape and mu.shape[1] < 200
        assert numpy.allclose(likelihood[:, :, 3], normal(Y[3], mu, 1), rtol=0, atol=1e-12)


def test_other_targets():
    """Points that are drawn, of a built-in target; a population; one without either."""
    with Folder() as folder:
        words = ("run", os.path.join(INPUTS, "seeds.yaml"), "--quiet", "--set", "run.particles=64",
                 "--set", "output.prior_draws=100")
        dunlin(*words, "--output", "seeds.h5", folder=folder)
        with h5py.File(os.path.join(folder, "seeds.h5")) as file:
            assert set(file["prior"]) == set(file["posterior"])
            for name, value in file["prior"].items():
                shape = file["posterior"][name].shape
                assert value.ndim == 1 or value.shape == (1, 100, *shape[2:]), (name, value.shape)
                assert numpy.isfinite(value[...]).all()
        for setting, sentence in (
                ("output.log_likelihood=true", "log_likelihood: target banana does not tell"),
                ("output.prior_draws=5", "output.prior_draws: target banana does not draw from")):
            said = dunlin("check", os.path.join(INPUTS, "banana.yaml"), "--set", setting, code=2)
            assert sentence in said.stderr, said.stderr
        prepare(folder)
        said = dunlin("check", "input.yaml", "--set", "output.prior_draws=1e7", folder=folder,
                      code=2).stderr
        assert "output.prior_draws: found '1e7', expected a whole number from 0 to 1000000" in said


def test_prior_of_uniforms():
    """A prior that is drawn from a uniform for each coordinate, which -1 stands for."""
    with Folder() as folder:
        prepare(folder)
        with open(SOURCE, encoding="utf-8") as file:
            text = file.read()
        for old, new in ((".draw_normals = 1,", ".draw_uniforms = -1,"),
                         ("width * normal[l]", "uniform[l]"), ("(void)uniform", "(void)normal"),
                         ("dun_target_normal_mean", "dun_target_other")):
            assert old in text, old
            text = text.replace(old, new)
        write(folder, "other.c", text)
        library = compiled(folder, "other.so", "other.c")
        dunlin("run", "input.yaml", "--quiet", "--set", f"target.file={library}", folder=folder)
        with h5py.File(os.path.join(folder, "out.h5")) as file:
            mu = file["prior/mu"][...]
        assert mu.min() > 0 and mu.max() <= 1
        assert abs(mu.mean() - .5) < 5 * math.sqrt(1 / 12 / mu.size)


def test_broken_promises():
    with Folder() as folder:
        prepare(folder)
        for fault, sentence in (("short", "`log_likelihood` leaves number 11 of 12 unwritten"),
                                ("long", "`log_likelihood` writes behind the end of")):
            said = dunlin("check", "input.yaml", "--set", f"target.fault={fault}", folder=folder,
                          code=2).stderr
            assert sentence in said, said
        with open(SOURCE, encoding="utf-8") as file:
            text = file.read()
        for old, new, sentence in (
                (".likelihood = likelihood,", "", "only one of `likelihood` and `log_likelihood`"),
                (".shape = {(int)t->n}", ".shape = {0}", "a shape with a number below 1"),
                ("return 1;\n}\n\nstatic void log_likelihood", "return -1;\n}\n\nstatic void "
                 "log_likelihood", "tells -1 variables"),
                ('.name = "y", .rank', '.name = "draw", .rank', "are called 'draw'")):
            assert old in text, old
            write(folder, "other.c", text.replace(old, new).replace("dun_target_normal_mean",
                                                                   "dun_target_other"))
            library = compiled(folder, "other.so", "other.c")
            said = dunlin("run", "input.yaml", "--quiet", "--set", f"target.file={library}",
                          folder=folder, code=2).stderr
            assert sentence in said, said


main()

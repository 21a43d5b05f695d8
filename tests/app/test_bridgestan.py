"""Compiled Stan models, by libraries that have BridgeStan's C interface: evidence, names, shapes,
generated quantities; what a model, its data or its library may do wrong."""
import math
import os
import re
import subprocess
import sys

import h5py
import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import BUILD, SOURCE, Folder, attributes, dunlin, main, write  # noqa: E402

MODELS = os.path.join(SOURCE, "tests", "user_target", "bridgestan")
Y = [1.2, 0.3, 2.5, 1.9, -0.4, 0.8]
INPUT = """\
run:    {seed: 5, particles: 2000}
target: {type: bridgestan, file: MODEL, data: data.json}
path:   {type: geometric, base: {type: gaussian, mean: 0, scale: 2}, schedule: {type: adaptive}}
kernel: {type: hmc}
method: {type: smc}
output: {file: out.h5}
"""


def library(name):
    return os.path.join(BUILD, "tests", "user_target", f"{name}.so")


def prepare(folder, model, data):
    write(folder, "data.json", data)
    write(folder, "input.yaml", INPUT.replace("MODEL", model))


def evidence_of_normal():
    """log of the integral over mu and log sigma, by a fine sum."""
    mu, log_sigma = numpy.meshgrid(numpy.linspace(-6, 8, 1401), numpy.linspace(-3, 3, 1201))
    step = 14 / 1400 * 6 / 1200
    lp = -mu**2 / 8 - math.log(2) - 2 * log_sigma**2 - math.log(.5) - math.log(2 * math.pi)
    for y in Y:
        lp += -.5 * ((y - mu) * numpy.exp(-log_sigma))**2 - log_sigma - .5 * math.log(2 * math.pi)
    top = lp.max()
    return top + math.log(numpy.exp(lp - top).sum() * step)


def near(folder, truth):
    found = attributes(os.path.join(folder, "out.h5"))
    assert found["log_evidence_error"] < .2
    assert abs(found["log_evidence"] - truth) < 5 * found["log_evidence_error"], (found, truth)
    return found["population_hash"]


def test_normal():
    """Parameters, transformed ones and generated ones, a matrix among them, at 1 and 3 ranks."""
    with Folder() as folder:
        prepare(folder, library("stan_normal"), f'{{"N": {len(Y)}, "y": {Y}}}')
        hashes, news = [], []
        for ranks in (None, 3):
            dunlin("run", "input.yaml", "--quiet", "--overwrite", folder=folder, ranks=ranks)
            hashes.append(near(folder, evidence_of_normal()))
            with h5py.File(os.path.join(folder, "out.h5")) as file:
                post = {name: file["posterior"][name][...] for name in file["posterior"]}
            news.append(post["y_new"])
        assert hashes[0] == hashes[1] and (news[0] == news[1]).all()
        assert (post["sigma"] > 0).all() and numpy.allclose(post["variance"], post["sigma"]**2)
        place = numpy.array([[11, 12, 13], [21, 22, 23]])
        assert post["place"].shape[-2:] == (2, 3) and (post["place"] == place).all()
        off = (post["y_new"] - post["mu"]) / post["sigma"]
        assert abs(off.mean()) < 5 / math.sqrt(off.size) and abs(off.var() - 1) < .2
        dunlin("run", "input.yaml", "--quiet", "--overwrite", "--set", "target.generated=false",
               "--set", "target.transformed=false", folder=folder)
        with h5py.File(os.path.join(folder, "out.h5")) as file:
            names = set(file["posterior"])
        assert {"mu", "sigma"} <= names and not {"variance", "place", "y_new"} & names


def test_shares():
    with Folder() as folder:
        counts, prior = [7, 1, 4], [2, 3, 4]
        prepare(folder, library("stan_shares"), f'{{"n": {counts}}}')
        dunlin("run", "input.yaml", "--quiet", folder=folder, ranks=2)
        after = [a + n for a, n in zip(prior, counts)]
        near(folder, math.lgamma(9) - sum(map(math.lgamma, prior))
             + sum(map(math.lgamma, after)) - math.lgamma(sum(after)))
        with h5py.File(os.path.join(folder, "out.h5")) as file:
            theta = file["posterior/theta"][...].reshape(-1, 3)
        assert numpy.allclose(theta.sum(1), 1)
        mean = numpy.array(after) / sum(after)
        error = theta.std(0) / math.sqrt(500)
        assert (abs(theta.mean(0) - mean) < 5 * error).all(), theta.mean(0)


def changed(folder, old, new, model="stan_normal"):
    """A library of the model with other source."""
    with open(os.path.join(MODELS, f"{model}.c"), encoding="utf-8") as file:
        text = file.read().replace('#include "stan.h"', open(
            os.path.join(MODELS, "stan.h"), encoding="utf-8").read())
    assert len(re.findall(old, text)) == 1, old
    write(folder, "odd.c", re.sub(old, new, text))
    subprocess.run(["cc", "-w", "-shared", "-fPIC", "-o", "odd.so", "odd.c", "-lm"], cwd=folder,
                   check=True)


def refused(folder, *sentences, code=2, words=()):
    done = dunlin("run", "input.yaml", "--overwrite", *words, folder=folder, code=code)
    for sentence in sentences:
        assert re.search(sentence, done.stderr), f"no '{sentence}' in {done.stderr}"


def test_what_is_refused():
    with Folder() as folder:
        good = f'{{"N": {len(Y)}, "y": {Y}}}'
        prepare(folder, library("stan_normal"), '{"N": 1}')
        refused(folder, "input.yaml:2:.*target: data: the Stan model refuses .*data.json: variable "
                "does not exist; processing stage=data initialization; variable name=y")
        refused(folder, "the Stan model refuses to do without data",
                words=["--set", "target.data=\"\""])
        prepare(folder, library("smallest"), good)
        refused(folder, "is no BridgeStan library of version 2: it has no function bs_model_c")
        prepare(folder, "data.json", good)
        refused(folder, "target: file: data.json cannot be loaded|data.json cannot be loaded")
        prepare(folder, "odd.so", good)
        for old, new, sentence in (
                (r"bs_major_version = 2", "bs_major_version = 3", "made by BridgeStan 3, expected"),
                (r"return 2 \+ include_tp \+ 7 \* include_gq", "return 4", "names its|calls its"),
                (r"return 2;", "return -1;", "has -1 unconstrained parameters"),
                (r'"mu,sigma,variance,place.1.1', '"mu,sigma,mu,place.1.1', ""),
                (r'"mu,sigma,variance,place.1.1', '"mu,sigma,,place.x.1', "calls its quantity"),
                (r'"mu,sigma,variance,place.1.1', '"mu,sigma,variance,place.0.1', "number 4")):
            changed(folder, old, new)
            if sentence:
                refused(folder, sentence)


def test_a_model_that_throws():
    """At some points: of density 0, told once.  At all: refused.  A crash: named."""
    with Folder() as folder:
        prepare(folder, "odd.so", f'{{"N": {len(Y)}, "y": {Y}}}')
        changed(folder, "sigma < 1e100", "sigma < 3")
        done = dunlin("run", "input.yaml", "--quiet", folder=folder)
        assert done.stderr.count("the Stan model normal_model rejects a point") == 1, done.stderr
        assert "Random variable is inf, but must be finite (told once)" in done.stderr
        changed(folder, "sigma < 1e100", "sigma < 0")
        refused(folder, "no particle has a finite density", code=1)
        changed(folder, r"\*val = -mu", "*(volatile int *)8 = 1; *val = -mu")
        refused(folder, "target bridgestan crashed in `point`: segmentation fault", code=1)


FAULTS = ("none", "no reason", "no dimension", "no names", "few names", "nan density",
          "nan gradient", "throws", "throws output", "long gradient", "long output",
          "two densities", "prints", "late gradient")


def misbehave(folder, fault):
    prepare(folder, library("stan_misbehaves"), f'{{"fault": [{FAULTS.index(fault)}]}}')


def test_a_library_that_misbehaves():
    """What is refused before anything runs."""
    with Folder() as folder:
        for fault, sentence in (
                ("no reason", "the Stan model refuses .*data.json: no reason given"),
                ("no dimension", "has 0 unconstrained parameters and 2 quantities"),
                ("no names", "names 0 of its 2 quantities"),
                ("few names", "names 1 of its 2 quantities"),
                ("nan gradient", "gradient"), ("long gradient", "writes behind the end"),
                ("long output", "`constrain` writes behind the end"), ("two densities", "")):
            misbehave(folder, fault)
            refused(folder, sentence)
        misbehave(folder, "nan density")
        refused(folder, "", code=None)
        misbehave(folder, "late gradient")  # behind all trials
        refused(folder, "target bridgestan wrote outside of its arrays in `point`: behind the end "
                "of its array `gradient` of 1 numbers", code=1)


def test_a_model_that_throws_on_one_side():
    """Half of a normal law is left, and its first word is told; so it is of draws without
    quantities, which are NaN."""
    with Folder() as folder:
        misbehave(folder, "throws")
        done = dunlin("run", "input.yaml", "--quiet", "--no-check", "--overwrite", folder=folder)
        assert "rejects a point, of density 0 then: Exception: the point is on the" in done.stderr
        assert done.stderr.count("told once") == 1, done.stderr
        near(folder, math.log(.5))
        misbehave(folder, "throws output")
        done = dunlin("run", "input.yaml", "--quiet", "--no-check", "--overwrite", folder=folder)
        assert "cannot make the quantities of a point, NaN then: Exception: twice is not to be? " \
            "had" in done.stderr, done.stderr
        with h5py.File(os.path.join(folder, "out.h5")) as file:
            x, twice = file["posterior/x"][...], file["posterior/twice"][...]
        assert (numpy.isnan(x) == numpy.isnan(twice)).all() and 0 < numpy.isnan(x).mean() < 1
        assert numpy.allclose(twice[twice == twice], 2 * x[x == x])


def test_prints():
    """Of what a model prints the first lines are told, as text and not on standard output."""
    with Folder() as folder:
        misbehave(folder, "prints")
        done = dunlin("run", "input.yaml", "--quiet", "--no-check", folder=folder)
        assert done.stderr.count("the Stan model prints: a print?[2J") == 20, done.stderr
        assert "a print" not in done.stdout and "(no more of it is told)" in done.stderr


main()

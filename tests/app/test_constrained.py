"""Targets whose density is written in constrained parameters: evidence and laws of all, the same
bits at any number of ranks, and what is refused."""
import math
import os
import re
import sys

import h5py
import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import BUILD, SOURCE, Folder, attributes, compiled, dunlin, main, write  # noqa: E402

LIBRARY = os.path.join(BUILD, "tests", "user_target", "constrained.so")
INPUT = """\
run:    {seed: 5, particles: 4000}
target: {type: library, file: FILE}
path:   {type: geometric, base: {type: gaussian, mean: 0, scale: 2}, schedule: {type: adaptive}}
kernel: {type: hmc}
method: {type: smc}
output: {file: out.h5}
"""


def posterior(folder):
    with h5py.File(os.path.join(folder, "out.h5")) as file:
        return {name: file["posterior"][name][...] for name in file["posterior"]}


def test_laws():
    """9 means, the evidence."""
    with Folder() as folder:
        write(folder, "input.yaml", INPUT.replace("FILE", LIBRARY))
        hashes = []
        for ranks in (None, 3):
            dunlin("run", "input.yaml", "--quiet", "--overwrite", folder=folder, ranks=ranks)
            hashes.append(attributes(os.path.join(folder, "out.h5"))["population_hash"])
        assert hashes[0] == hashes[1]
        found = attributes(os.path.join(folder, "out.h5"))
        assert abs(found["log_evidence"]) < 5 * found["log_evidence_error"] < .5, found
        assert found["log_evidence_truth"] == 0
        draws = {name: value.reshape(-1, *value.shape[2:])
                 for name, value in posterior(folder).items()}
        radians = numpy.radians(draws["phase"])
        cut = 1 / math.sqrt(math.pi)
        for values, mean in ((draws["mu"], 0), (draws["sigma"], .5), (draws["shares"][:, 0], 2 / 9),
                             (draws["shares"][:, 2], 4 / 9), (draws["cuts"][:, 0], -cut),
                             (draws["load"], 1), (numpy.cos(radians), .44639),
                             (numpy.sin(radians), 0), (draws["factor"][:, 1, 0], 0)):
            error = values.std() / math.sqrt(len(values) / 4)
            assert abs(values.mean() - mean) < 5 * error, (values.mean(), mean, error)
        assert (numpy.diff(draws["cuts"]) > 0).all() and numpy.allclose(draws["shares"].sum(1), 1)
        assert ((draws["phase"] >= 0) & (draws["phase"] < 360)).all()
        assert (draws["factor"][:, 0, 1] == 0).all()


def test_check_target():
    said = dunlin("check-target", LIBRARY).stdout
    assert "target constrained in 10 dimensions" in said and "all kept" in said, said


def test_what_is_refused():
    path = os.path.join(SOURCE, "tests", "user_target", "constrained.c")
    with open(path, encoding="utf-8") as file:
        source = file.read()
    with Folder() as folder:
        write(folder, "input.yaml", INPUT.replace("FILE", "constrained.so"))
        for old, new, sentence in (
                (r"\.constrained = 1,", ".constrained = 1, .dimension = 3,",
                 "its dimension follows from its parameters"),
                (r"    \.parameters = parameters,", "", "it has no `parameters`"),
                (r"\.shape = \{3\}", ".shape = {1}",
                 "Parameter 'shares' of target constrained is a simplex"),
                (r"\.lower = -1,", ".lower = 3,",
                 "'load' of target constrained has a lower bound that is not below the upper one"),
                (r"\.shape = \{2, 2\}", ".shape = {2, 3}", "'factor' .* no square matrix"),
                (r"DUN_ORDERED", "77", "'cuts' .* transform that is unknown"),
                (r"gradient\[MU\] = -t\[MU\];", "gradient[MU] = NAN;", "gradient"),
                (r"gradient\[PHASE\] =", "gradient[PHASE] = 2 *", "gradient")):
            assert len(re.findall(old, source)) == 1, old
            write(folder, "constrained.c", re.sub(old, new, source))
            compiled(folder, "constrained.so", "constrained.c")
            done = dunlin("check", "input.yaml", folder=folder, code=2)
            assert re.search(sentence, done.stderr), f"no '{sentence}' in {done.stderr}"


main()

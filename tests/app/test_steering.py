"""Learned controls: trained, killed and gone on with, loaded by smc and by another training; bad
inputs and files."""
import os
import shutil
import subprocess
import sys

import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "restart"))
from cases import FEW, LEAPS  # noqa: E402
from support import (BUILD, PYTHON, SOURCE, Folder, attributes, column,  # noqa: E402
                     dunlin, main, write)

INPUT = """
run:    {seed: 3, particles: 512}
target: {type: gaussian_mixture, dimension: 2, layout: two_modes, separation: 2, log_evidence: 3}
path:   {type: controlled, base: {scale: 1.5}, steps: 32, pieces: 4, diffusion: {largest: 3}}
kernel: {type: hmc, leapfrog_steps: 4}
method: {type: scld, steps: 100, width: 16, every: 25, rates: {control: 5e-3}}
output: {file: trained.h5}
"""
LOADED = ("--set", "path.load=trained.h5")
SAMPLE = (*LOADED, "--set", "method={type: smc, moves_per_step: 1, ess_threshold: .3}")


FAR = ("target={type: gaussian_mixture, dimension: 2, layout: forty}",
       "path={type: controlled, base: {scale: 40}, steps: 8, pieces: 4, diffusion: {largest: 20}}")


def dunlin_in(folder, *words, code=0, **options):
    return dunlin("run", "input.yaml", "--quiet", "--overwrite", *words, folder=folder, code=code,
                  **options).stderr


def sets(*values):
    return [word for value in values for word in ("--set", value)]


def train(folder, *words, **options):
    write(folder, "input.yaml", INPUT)
    return dunlin_in(folder, *words, **options)


def refused(said, *words):
    for word in words:
        assert word in said, (word, said)


def test_training_pays_and_is_loaded():
    """Weights vary less than those of the untrained path, log Z is right with and without
    selections (limit 5 errors), in the training, and by smc; at 1 and 3 ranks the same."""
    with Folder() as folder:
        train(folder)
        file = os.path.join(folder, "trained.h5")
        loss, plain = column(file, "scld", "loss"), column(file, "scld", "plain_bound")
        print(list(loss), list(plain))
        assert loss[-1] < .5 * loss[0] and plain[-1] > plain[0], (list(loss), list(plain))
        worst, piece = column(file, "scld", "worst_loss"), column(file, "scld", "worst_piece")
        assert (loss <= worst).all() and (worst <= 4 * loss * (1 + 1e-12)).all(), list(worst)
        assert set(piece) <= set(range(4)), list(piece)
        upper = column(file, "scld", "upper_bound")
        assert (upper > 2.9).all() and upper[-1] - plain[-1] < upper[0] - plain[0], list(upper)
        assert attributes(file)["diagnosis"] == "doubtful"
        found = attributes(file)
        assert abs(found["log_evidence"] - 3) < 5 * found["log_evidence_error"]
        many = ("--output", "many.h5", "--set", "run.particles=20000")
        dunlin_in(folder, *SAMPLE, *many)
        by_smc = attributes(os.path.join(folder, "many.h5"))
        assert abs(by_smc["log_evidence"] - 3) < 5 * by_smc["log_evidence_error"]
        dunlin_in(folder, *SAMPLE, *many, ranks=3)
        again = attributes(os.path.join(folder, "many.h5"))
        assert again["population_hash"] == by_smc["population_hash"]
        untrained = SAMPLE[2:]
        dunlin_in(folder, *untrained, *many)
        without = attributes(os.path.join(folder, "many.h5"))
        print(by_smc["log_evidence_error"], without["log_evidence_error"])
        assert by_smc["log_evidence_error"] < .7 * without["log_evidence_error"]


def test_trainings_go_on_from_what_was_learned():
    """The first loss is that of the end, not that of the beginning."""
    with Folder() as folder:
        train(folder)
        file = os.path.join(folder, "trained.h5")
        before = column(file, "scld", "loss")
        dunlin_in(folder, *LOADED, *sets("method.steps=2", "method.every=1", "method.width=7"),
                  "--output", "more.h5")
        after = column(os.path.join(folder, "more.h5"), "scld", "loss")
        assert after[0] < .5 * before[0], (list(before), list(after))


def test_killed_trainings_go_on():
    from kills import kill_at_checkpoints
    kill_at_checkpoints("steered", (.3, .4), kernel=LEAPS, path=FEW, particles=100)


def test_trainings_that_run_wild_end_with_a_result():
    """And with what the simulation before went by; where hardly anything was learned nothing is
    good of it."""
    with Folder() as folder:
        for batches in (1, 5):
            train(folder, *sets("method.rates={control: 1, exponents: 1, base: 1}",
                                f"method.batches={batches}", "method.every=10", *FAR))
            said = attributes(os.path.join(folder, "trained.h5"))["diagnosis_details"]
            assert "lost: bad: behind step" in said, said
        for steps in (0, 1):
            train(folder, *sets(f"method.steps={steps}"))
            said = attributes(os.path.join(folder, "trained.h5"))["diagnosis_details"]
            assert "loss: good" not in said, said


PILOT = ("--output", "pilot.h5", "--set",
         "path={type: geometric, base: {type: gaussian, scale: 8}}",
         "--set", "method={type: smc}")
STARTED = ("path={type: controlled, base: %s, steps: 32, pieces: 4, diffusion: {largest: 3}"
           ", exponents: pilot.h5}")


def test_base_and_exponents_of_an_earlier_run():
    """Exponents follow its times, the base has its moments; where nothing is learned they are what
    /learned tells, log Z of smc is right (limit 5 errors), the bound is higher than from equal
    steps, and bits are the same at 1 and 3 ranks."""
    import h5py
    with Folder() as folder:
        train(folder, *PILOT)
        pilot = os.path.join(folder, "pilot.h5")
        times = column(pilot, "steps", "time")
        assert times[0] > 0 and len(times) > 5, list(times)
        due = numpy.interp(numpy.arange(33) / 32 * len(times), numpy.arange(len(times) + 1),
                           [0, *times])
        untrained = sets("method.steps=0", "run.particles=4000")
        bounds = []
        for exponents in (", exponents: pilot.h5", ""):
            path = (STARTED % "{scale: 8}").replace(", exponents: pilot.h5", exponents)
            dunlin_in(folder, *sets(path, "method.steps=1"))
            file = os.path.join(folder, "trained.h5")
            bounds.append(column(file, "scld", "bound")[-1])
            dunlin_in(folder, *SAMPLE[2:], *sets(path, "run.particles=4000"), "--output", "smc.h5")
            found = attributes(os.path.join(folder, "smc.h5"))
            assert abs(found["log_evidence"] - 3) < 5 * found["log_evidence_error"], found
            bounds.append(column(os.path.join(folder, "smc.h5"), "steps", "ess")[0])
        print(bounds)
        assert bounds[0] > bounds[2] + 1 and bounds[1] > 2 * bounds[3], bounds
        path = STARTED % "{type: points, file: pilot.h5, inflate: 1.2}"
        hashes = set()
        for ranks in (1, 3):
            dunlin_in(folder, *untrained, *sets(path), ranks=ranks)
            hashes.add(attributes(os.path.join(folder, "trained.h5"))["population_hash"])
        assert len(hashes) == 1, hashes
        goes = []
        for load in ((), ("path.load=trained.h5",)):
            dunlin_in(folder, *SAMPLE[2:], *sets(path, *load), "--output", "goes.h5")
            goes.append(attributes(os.path.join(folder, "goes.h5"))["log_evidence"])
        assert abs(goes[0] - goes[1]) < 1e-4, goes  # no control, and one of 1e-8
        with h5py.File(os.path.join(folder, "trained.h5")) as file:
            learned = {name: file["learned/method"][name][...] for name in
                       ("exponents", "base_mean", "base_log_scale")}
        with h5py.File(pilot) as file:
            points = file["posterior/x"][0]
        shares = numpy.cumsum(numpy.log1p(numpy.exp(learned["exponents"])))
        assert numpy.allclose(shares / shares[-1], due[1:], rtol=1e-9), (shares / shares[-1], due)
        assert numpy.allclose(learned["base_mean"], points.mean(0), rtol=1e-9)
        assert numpy.allclose(numpy.exp(learned["base_log_scale"]),
                              1.2 * points.std(0, ddof=1), rtol=1e-9)


def test_bad_earlier_runs():
    """No file, no times, times that do not rise to 1, points of another dimension."""
    import h5py
    with Folder() as folder:
        train(folder, *PILOT)

        def bad(*values, exponents="pilot.h5", base="{scale: 8}"):
            path = (STARTED % base).replace("pilot.h5}", exponents + "}")
            return dunlin_in(folder, *sets(path, *values), code=2)

        refused(bad(exponents="none.h5"), "none.h5")
        refused(bad(base="{type: points, file: none.h5}"), "none.h5")
        refused(bad(base="{type: points, scale: 8, file: pilot.h5}"), "scale")
        refused(bad("target.dimension=3", base="{type: points, file: pilot.h5}"), "pilot.h5", "3")
        write(folder, "one.csv", "1,2\n")
        refused(bad(base="{type: points, file: one.csv}"), "one.csv", "1 points")
        write(folder, "same.csv", "1,2\n1,3\n")
        refused(bad(base="{type: points, file: same.csv}"), "same.csv")
        for values in ([.5, .2, 1], [.5, .7], [.5, float("nan"), 1], [0]):
            with h5py.File(os.path.join(folder, "pilot.h5"), "r+") as file:
                del file["trace/steps/time"]
                file["trace/steps/time"] = values
            refused(bad(), "pilot.h5", "/trace/steps/time")
        assert not os.path.exists(os.path.join(folder, "trained.h5"))


def test_driven_diffusions():
    """Brownian motion from a point and a stationary process learn to reach two modes: smc with what
    was learned has smaller errors than without; 4 comparisons, limit 5 errors."""
    for reference, scale in (("brownian", 0), ("stationary", 2)):
        path = (f"path={{type: controlled, reference: {reference}, base: {{scale: {scale}}}, "
                "steps: 32, pieces: 1, diffusion: {largest: 4}}")
        with Folder() as folder:
            train(folder, *sets(path, "method.batches=1", "method.rates.exponents=0"))
            file = os.path.join(folder, "trained.h5")
            errors = []
            assert numpy.isfinite(column(file, "scld", "loss")).all()
            for words in (SAMPLE, SAMPLE[2:]):
                dunlin_in(folder, *sets(path), *words, "--set", "run.particles=4000",
                          "--output", "sampled.h5")
                found = attributes(os.path.join(folder, "sampled.h5"))
                errors.append(found["log_evidence_error"])
                assert abs(found["log_evidence"] - 3) < 5 * errors[-1], (reference, found)
            print(reference, errors)
            assert errors[0] < errors[1], (reference, errors)


def test_simulations_without_weight_are_rows():
    """Without selections no particle comes through so many pieces inside walls."""
    library = os.path.join(BUILD, "tests", "user_target", "walled.so")
    with Folder() as folder:
        train(folder, *sets(f"target={{type: library, file: {library}, shape: cube}}",
                            "path={type: controlled, base: {scale: 1}, steps: 32, pieces: 32, "
                            "diffusion: {largest: 2}}", "method.steps=4", "method.every=2",
                            "run.particles=65"))
        file = os.path.join(folder, "trained.h5")
        plain = column(file, "scld", "plain_evidence")
        assert float("-inf") in plain, list(plain)
        assert attributes(file)["diagnosis"] == "bad"


def test_plain_bounds_do_not_depend_on_pieces():
    """They are means of log w over whole ways, whatever the weights in between: of 20000, with
    nothing learned, in one piece and in 32 the same within .05, some five errors."""
    bounds = []
    with Folder() as folder:
        for pieces in (1, 32):
            train(folder, *sets("method.steps=1", "run.particles=20000", f"path.pieces={pieces}",
                                "method.batches=1", "method.rates={control: 0, exponents: 0, "
                                "base: 0}", "kernel.leapfrog_steps=1"))
            bounds.append(column(os.path.join(folder, "trained.h5"), "scld", "plain_bound")[0])
    assert abs(bounds[1] - bounds[0]) < .05, bounds


def test_table_of_trainings():
    """Beside what the target knows; a folder without any is told."""
    script = os.path.join(SOURCE, "jobs", "scld_table.py")
    with Folder() as folder:
        said = subprocess.run([PYTHON, script, folder], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        assert said.returncode == 1 and "no result of method scld" in said.stdout
        train(folder, "--set", "method.steps=2")
        said = subprocess.run([PYTHON, script, folder], check=True, stdout=subprocess.PIPE,
                              text=True).stdout.splitlines()
        assert len(said) == 2 and said[1].split()[0] == "gaussian_mixture"
        assert said[1].split()[1:5] == ["annealed", "4", "2", "1"], said
        assert said[1].split()[-1] == "3.00", said


def test_table_and_curve_of_seeds():
    """Mean, deviation, and the best mean of five rows, of two trainings; where probes looked."""
    script = os.path.join(SOURCE, "jobs", "scld_table.py")
    with Folder() as folder:
        for seed in (1, 2):
            train(folder, "--output", f"{seed}.h5",
                  *sets("method.steps=7", "method.every=1", f"run.seed={seed}", "run.particles=100",
                        "probes=[{type: sinkhorn, every: 1}, {type: coverage, every: 1}]"))
        picture = os.path.join(folder, "curve.png")
        said = subprocess.run([PYTHON, script, folder, "--curve", picture], check=True,
                              stdout=subprocess.PIPE, text=True).stdout.splitlines()
        assert len(said) == 5 and said[1].split()[4] == "2", said

        def close(words, name, probe=None, better=max):
            values = [column(os.path.join(folder, f"{seed}.h5"), probe or "scld", name)
                      for seed in (1, 2)]
            best = [better(v[i:i + 5].mean() for i in range(3)) for v in values]
            for told, one in zip(words, ([v[-1] for v in values], best)):
                mean, deviation = (float(word) for word in told.split("+-"))
                assert abs(mean - numpy.mean(one)) < 6e-3 * max(1, abs(mean)), (name, told, one)
                assert abs(deviation - numpy.std(one, ddof=1)) < 6e-3 * max(1, mean), (told, one)

        close(said[1].split()[7:9], "bound")
        close(said[4].split()[5:7], "sinkhorn", "sinkhorn", min)
        close(said[4].split()[10:12], "coverage", "coverage")
        with open(picture, "rb") as file:
            assert file.read(8) == b"\x89PNG\r\n\x1a\n"


def test_probes_look_along_trainings():
    """At each row, once, and at the particles that were selected and moved: of those that were not
    weights leave 20 to 40 of 512, which are not in all of forty modes."""
    with Folder() as folder:
        train(folder, *sets(FAR[0], FAR[1].replace("largest: 20", "largest: 4"), "method.steps=7",
                            "method.every=3", "probes=[{type: sinkhorn, points: 200, every: 1}, "
                            "{type: coverage, every: 1}, {type: mmd, points: 50, every: 6}]"))
        file = os.path.join(folder, "trained.h5")
        assert list(column(file, "scld", "step")) == [3, 6, 7]
        assert list(column(file, "steps", "step")) == [3, 6, 7]
        for probe in ("sinkhorn", "coverage"):
            assert list(column(file, probe, "step")) == [3, 6, 7], probe
        assert list(column(file, "mmd", "step")) == [6, 7]
        assert list(column(file, "scld", "ess")) == list(column(file, "steps", "ess"))
        few, share = column(file, "scld", "plain_ess"), column(file, "coverage", "coverage")
        assert few.max() < 40 and share.min() > .9, (list(few), list(share))
        assert attributes(file)["log_evidence"] == column(file, "scld", "log_evidence")[-1]


def test_bad_inputs():
    with Folder() as folder:
        write(folder, "input.yaml", INPUT)

        def bad(*values):
            return dunlin_in(folder, *sets(*values), code=2)

        refused(bad("path={type: geometric, base: {type: gaussian, scale: 2}}"), "scld",
                "path controlled", "geometric")
        refused(bad("kernel={type: ula, metropolised: false}"), "kernel")
        refused(bad("kernel.metric=dense"), "metric")
        refused(bad("method.move_steps=[1, 2, 3]"), "move_steps", "3")
        refused(bad("method.batches=0"), "batches")
        refused(bad("run.particles=1"), "two particles")
        refused(bad("run.replicates=2"), "replicates", "one control")
        refused(bad("kernel={type: independence}"), "independence", "centre")
        refused(bad("method.batches=10000", "path.steps=10000", "path.pieces=10000"),
                "method.batches", "10000")
        refused(bad("method.steps=900000000", "path.steps=128", "path.pieces=128"), "random")
        refused(bad("path.load=none.h5"), "none.h5")
        assert not os.path.exists(os.path.join(folder, "trained.h5"))


def test_bad_files():
    """Of another dimension or number of steps, of no training, cut, changed, of wrong lengths."""
    import h5py
    with Folder() as folder:
        train(folder, "--set", "method.steps=2")

        def bad(*values, file="trained.h5"):
            return dunlin_in(folder, *SAMPLE, *sets(f"path.load={file}", *values), "--output",
                             "out.h5", code=2)

        refused(bad("target.dimension=3"), "trained.h5", "2 dim", "3")
        refused(bad("path.steps=64"), "32 steps", "64")
        refused(bad("path.reference=brownian"), "trained.h5", "annealed", "brownian")
        dunlin_in(folder, "--output", "smc.h5", *SAMPLE)
        refused(bad(file="smc.h5"), "smc.h5", "/learned/method")

        def changed(name, values):
            shutil.copy(os.path.join(folder, "trained.h5"), os.path.join(folder, "other.h5"))
            with h5py.File(os.path.join(folder, "other.h5"), "r+") as file:
                group = file["learned/method"]
                del group[name]
                group[name] = values
            return bad(file="other.h5")

        refused(changed("control", [1., 2.]), "2 weights", "width 16")
        refused(changed("control_width", [0.]), "control_width")
        refused(changed("control_width", [70000.]), "control_width")
        refused(changed("base_mean", [0.]), "other.h5")
        refused(changed("base_log_scale", [0., 301.]), "base_log_scale", "301")
        refused(changed("exponents", [float("inf")] * 32), "exponents")
        refused(changed("exponents", [400.] * 32), "exponents", "400")


main()

"""What a run has learned is in its result, and another run begins there."""
import math
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cases import differences, fingerprint  # noqa: E402
from support import BUILD, Folder, column, dunlin, main, write  # noqa: E402

TYPES = os.path.join(BUILD, "tests", "dunlin_types")
CHAINS = """
run:    {seed: 7, particles: 64}
target: {type: gaussian, dimension: 4, covariance: {type: diagonal, variances: [1, 9, 25, 100]}}
path:   {type: constant}
kernel: {type: $kernel}
method: {type: langevin, warmup: $warmup, draws: 10}
output: {file: $file}
"""
SMC = ("method={type: smc, moves_per_step: 2}",
       "path={type: geometric, base: {type: gaussian, scale: 12}}")
LADDER = "method={type: tempering, temperatures: 4}", SMC[1]


def run(folder, file, kernel="hmc", warmup=0, sets=(), code=0, **options):
    text = CHAINS.replace("$kernel", kernel).replace("$warmup", str(warmup)).replace("$file", file)
    write(folder, "input.yaml", text)
    words = [word for one in sets for word in ("--set", one)]
    return dunlin("run", "input.yaml", "--quiet", "--overwrite", *words, folder=folder, code=code,
                  **options)


def learned(folder, file, place="kernel"):
    import h5py
    with h5py.File(os.path.join(folder, file), "r") as result:
        group = result["learned"][place]
        found = {name: group[name][...] for name in group}
        found.update(group.attrs)
        assert all(group[name].attrs["long_name"] for name in group)
    return found


def steps(folder, file):
    return column(os.path.join(folder, file), "steps", "step_size")


def test_a_run_begins_at_what_another_learned():
    with Folder() as folder:
        run(folder, "pilot.h5", warmup=200)
        pilot = learned(folder, "pilot.h5")
        assert pilot["type"] == b"hmc" and pilot["dimension"] == 4, pilot
        assert abs(math.exp(pilot["log_step"][0]) / steps(folder, "pilot.h5")[-1] - 1) < 1e-12
        spread = [s / t for s, t in zip(pilot["scale"], (1, 3, 5, 10))]
        assert all(.7 < s < 1.4 for s in spread), spread
        assert len(pilot["factor"]) == 0 and len(pilot["centre"]) == 4
        loaded = "hmc, load: pilot.h5"
        run(folder, "same.h5", loaded, warmup=0)
        again = learned(folder, "same.h5")
        for name in ("log_step", "length", "scale"):
            assert (again[name] == pilot[name]).all(), name
        run(folder, "fixed.h5", loaded + ", fixed: true", warmup=50)
        again = learned(folder, "fixed.h5")
        assert all((again[name] == pilot[name]).all() for name in ("log_step", "length", "scale"))
        run(folder, "on.h5", loaded, warmup=50)
        again = learned(folder, "on.h5")
        assert not (again["scale"] == pilot["scale"]).all()
        assert again["log_step"] != pilot["log_step"]
        one = fingerprint(os.path.join(folder, "on.h5"))
        run(folder, "on.h5", loaded, warmup=50, ranks=2)
        assert not differences(one, fingerprint(os.path.join(folder, "on.h5")))
        run(folder, "stated.h5", loaded + ", step_size: 0.5, fixed: true")
        assert set(steps(folder, "stated.h5")) == {.5}


def test_populations_begin_there_too():
    """smc with a dense metric, at what plain chains have learned; a result that is run again."""
    with Folder() as folder:
        dense = "hmc, metric: dense"
        run(folder, "pilot.h5", dense, warmup=200)
        pilot = learned(folder, "pilot.h5")
        assert len(pilot["factor"]) == 16
        run(folder, "smc.h5", dense + ", load: pilot.h5, fixed: true", sets=SMC)
        again = learned(folder, "smc.h5")
        assert (again["factor"] == pilot["factor"]).all()
        one = steps(folder, "smc.h5")
        assert max(abs(one / math.exp(pilot["log_step"][0]) - 1)) < 1e-12, one
        # trajectories of chains are scored by the distance from their centre, those of smc are not
        assert len(pilot["centre"]) == 4 and len(again["centre"]) == 0


def test_kernels_without_trajectories_begin_there_too():
    """What they learn has a length of 1, and was taken for no metric."""
    with Folder() as folder:
        for kernel in ("rwm", "mala", "underdamped"):
            run(folder, "pilot.h5", kernel, warmup=60)
            run(folder, "same.h5", f"{kernel}, load: pilot.h5, fixed: true")
            one, other = (learned(folder, name) for name in ("pilot.h5", "same.h5"))
            assert (one["scale"] == other["scale"]).all() and one["length"][0] >= 1, kernel


def test_a_centre_is_learned_too():
    """Of proposals around the particles' mean, by chains and by populations."""
    with Folder() as folder:
        for file, sets in (("chains.h5", ()), ("smc.h5", SMC)):
            run(folder, file, "independence", warmup=200, sets=sets)
            found = learned(folder, file)
            assert len(found["centre"]) == 4 and len(found["factor"]) == 16
            kept = f"independence, load: {file}, fixed: true"
            run(folder, "kept.h5", kept, warmup=20, sets=sets)
            again = learned(folder, "kept.h5")
            assert (again["centre"] == found["centre"]).all(), file
            assert (again["factor"] == found["factor"]).all(), file


def test_what_does_not_fit_is_refused():
    cases = (("mala, load: pilot.h5", (), ["learned by hmc, expected mala"]),
             ("hmc, load: pilot.h5", ("target={type: gaussian, dimension: 3}",),
              ["in 4 dimensions, and this one has 3"]),
             ("hmc, metric: identity, load: pilot.h5", (), ["learned with a diagonal metric"]),
             ("hmc, metric: diagonal, load: dense.h5", (), ["learned with a dense metric"]),
             ("hmc, load: ladder.h5", (), ["there is no /learned/kernel"]),
             ("hmc, load: nothing.h5", (), ["kernel.load", "nothing.h5"]),
             ("hmc, load: input.yaml", (), ["input.yaml"]),
             ("hmc, fixed: true", (), ["nothing to keep without load"]),
             ("hmc, load: odd.h5", (), ["holds no metric"]),
             ("hmc, load: nan.h5", (), ["/learned/kernel/scale", "nan"]),
             ("hmc, load: pilot.h5", LADDER, ["learns step sizes of its own"]))
    with Folder() as folder:
        import h5py
        import shutil
        run(folder, "pilot.h5", warmup=20)
        run(folder, "dense.h5", "hmc, metric: dense", warmup=40)
        run(folder, "ladder.h5", sets=LADDER)
        for name, value in (("odd.h5", -1.), ("nan.h5", float("nan"))):
            shutil.copy(os.path.join(folder, "pilot.h5"), os.path.join(folder, name))
            with h5py.File(os.path.join(folder, name), "r+") as result:
                result["learned/kernel/scale"][2] = value
                del result["learned/kernel/scale"].attrs["digest"]  # what is behind it
        for kernel, sets, words in cases:
            said = run(folder, "out.h5", kernel, sets=sets, code=2).stderr
            assert all(word in said for word in words), (kernel, words, said)
            assert "input.yaml:" in said or "kernel" in said, said
        said = run(folder, "out.h5", "hmc, load: odd.h5", code=2, ranks=3).stderr
        assert said.count("holds no metric") == 1, said


def test_the_file_is_part_of_the_identity():
    with Folder() as folder:
        run(folder, "pilot.h5", warmup=20)
        run(folder, "out.h5", "hmc, load: pilot.h5", warmup=5)
        said = open(os.path.join(folder, "input.yaml")).read()
        run(folder, "pilot.h5", warmup=30)
        write(folder, "input.yaml", said)
        told = dunlin("run", "input.yaml", folder=folder, code=None)
        assert told.returncode != 0 and "another" in told.stderr, told.stderr


def test_parts_that_nest_are_there_by_their_place():
    text = """
run:    {seed: 5, particles: 100}
target: {type: gaussian, dimension: 2}
method: {type: bare, draws: 3, nest: {inner: {type: bare}}, others: [{type: bare}]}
output: {file: one.h5}
"""
    with Folder() as folder:
        write(folder, "input.yaml", text)
        dunlin("run", "input.yaml", "--quiet", folder=folder, program=TYPES)
        for place in ("method", "method.nest.inner", "method.others[0]"):
            assert learned(folder, "one.h5", place)["ticks"] == 4, place
        dunlin("run", "input.yaml", "--quiet", "--set", "method.load=one.h5", "--set",
               "output.file=two.h5", folder=folder, program=TYPES)
        assert learned(folder, "two.h5", "method")["ticks"] == 8
        assert learned(folder, "two.h5", "method.nest.inner")["ticks"] == 4


if __name__ == "__main__":
    main()

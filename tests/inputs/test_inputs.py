"""Every input that ships runs, small, and leaves a result that the usual tools read."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cases import sonar_table  # noqa: E402
from laws import posteriors  # noqa: E402
from support import (BUILD, INPUTS, PYTHON, SOURCE, Folder, attributes, compiled,  # noqa: E402
                     data_folder, dunlin, main, write)

SMALL = 200
LESSONS = ["method.lessons.steps=20", "method.lessons.examples={count: 100, held_back: 50}"]


def compile_target(folder):
    source = os.path.join(SOURCE, "tests", "user_target", "funnel_point.c")
    return compiled(folder, "funnel_point.so", source, flags=["-O2"])


def earlier_result(folder):
    result = os.path.join(folder, "earlier.h5")
    dunlin("run", os.path.join(INPUTS, "mixture10.yaml"), "--output", result, "--quiet",
           "--set", f"run.particles={SMALL}")
    return result


def at_hand(name):
    return os.path.exists(os.path.join(data_folder() or "/nonexistent", name))


def trained(folder, name, *words):
    """In the folder where what loads it runs, as results are put there."""
    dunlin("run", os.path.join(INPUTS, name), "--quiet", *words,
           *(word for one in LESSONS for word in ("--set", one)), folder=folder)


def tempered(folder, name, settings):
    """The runs that a training begins from; how they go is none of its business."""
    words = [word for one in [*settings, f"run.particles={SMALL}", "kernel={type: hmc}",
                              "method={type: smc, moves_per_step: 1}",
                              "path={type: geometric, base: {type: gaussian, scale: 2}}"]
             for word in ("--set", one)]
    for output in ("tempered.h5", "again.h5"):
        dunlin("run", os.path.join(INPUTS, name), "--quiet", "--output", output, *words,
               folder=folder)


def stand_ins(folder):
    """Tables with the names of benchmarks' data files, where these are not at hand."""
    for name in ("sonar_minmax.csv", "german_credit_numeric.txt"):
        os.symlink(sonar_table(folder), os.path.join(folder, name))
    for name in ("gmm40_means_d50.csv", "mos10_locs_d50.csv"):
        write(folder, name, "a,b\n1,2\n3,4\n")
    angles = ",".join(["0.1"] * 10)
    write(folder, "planar_robot_1goal_gt10k.csv", f"{','.join('abcdefghij')}\n{angles}\n")
    return folder


def arms(folder):
    """In the folder where the sweep is begun; the tool's rows are as many as it was given."""
    one = "planar_robot_1goal_gt10k.csv"
    one = os.path.join(data_folder() if at_hand(one) else folder, one)
    four = os.path.join(folder, "arm_four_goals.csv")
    subprocess.run([PYTHON, os.path.join(SOURCE, "jobs", "arm_reference.py"), one, four],
                   check=True)
    with open(one, encoding="utf-8") as file, open(four, encoding="utf-8") as made:
        assert len(file.readlines()) == len(made.readlines())


def settings(name, folder):
    """What an input needs besides a smaller population."""
    found = [f"run.particles={SMALL}"]
    if name.endswith("sonar.yaml"):
        found.append(f"target.data={sonar_table(folder)}")
        if name == "langevin_sonar.yaml":
            found += ["method.warmup=60", "method.draws=20"]
    elif name == "german_credit.yaml" and not at_hand("german_credit_numeric.txt"):
        found += [f"target.data={sonar_table(folder)}", "target.prior=normal"]
    elif name == "user_target.yaml":
        found.append(f"target.file={compile_target(folder)}")
    elif name == "stan_model.yaml":
        model = os.path.join(BUILD, "tests", "user_target", "stan_shares.so")
        data = write(folder, "shares.json", '{"n": [5, 2, 1]}')
        found += [f"target.file={model}", f"target.data={data}"]
    elif name == "schedule_file.yaml":
        found.append(f"path.schedule.file={earlier_result(folder)}")
    elif name.startswith("train_") or name == "images_train.yaml":
        found += LESSONS
    elif name == "learned_modes.yaml":
        trained(folder, "train_modes.yaml")
    elif name == "localization_long_range_learned.yaml":
        trained(folder, "train_long_range.yaml")
        found += ["run.particles=8", "method.steps=10"]
    elif name == "split_two_layer.yaml":
        for half in ("upper", "lower"):
            trained(folder, "train_two_layer.yaml", "--output", f"train_{half}.h5", "--set",
                    "method.lessons.half=" + half)
    elif name in ("images_flow.yaml", "images_psld.yaml"):
        trained(folder, "images_train.yaml")
    elif name.startswith("scld_"):
        found += ["method.steps=3", "run.particles=64"]
        if name == "scld_gmm40.yaml" and not at_hand("gmm40_means_d50.csv"):
            found.append("target.file=" + write(folder, "means.csv", "a,b\n1,2\n3,4\n"))
        if name in ("scld_gmm40.yaml", "scld_robot.yaml", "scld_wells.yaml"):
            tempered(folder, name, found[2:])
    elif name == "log_gaussian_cox_process.yaml":
        found.append("target.side=6")
    elif name == "replicates.yaml":
        found.append("run.replicates=3")
    elif name in ("langevin_seeds.yaml", "phi4.yaml"):
        found += ["method.warmup=60", "method.draws=20"]
    elif name.startswith("posterior_"):
        posterior = name[len("posterior_"):-len(".yaml")]
        found += [f"target.data={posteriors.path_of(posteriors.DATA[posterior] + '.json')}",
                  f"target.file={os.path.join(BUILD, 'tests', 'user_target', posterior)}.so",
                  "method.warmup=60", "method.draws=20", "run.particles=32",
                  "run.evaluations=100000"]
    elif name in ("image.yaml", "image_ula.yaml"):
        found += ["method.final_moves=30"] + ["path.schedule.levels=30"] * (name == "image.yaml")
    elif name in ("localization_glass400.yaml", "localization_signal.yaml"):
        found += ["run.particles=4", "method.steps=5"]
    elif name == "localization_glass10000.yaml":
        found += ["target.dimension=100", "method.steps=5"]
    elif name.startswith("localization_long_range"):
        found += ["run.particles=32", "method.steps=30"]
    elif name == "seeds_rwm.yaml":
        found += ["method.moves_per_step=5", "path.base.pilot_moves=50"]
    return [word for setting in found for word in ("--set", setting)]


def check_result(result):
    """The attributes that scripts rely on, and the groups as xarray opens them."""
    import xarray
    said = attributes(result)
    for name in ("log_evidence", "log_evidence_error", "effective_sample_size", "population_hash",
                 "deterministic", "diagnosis", "created_at", "inference_library",
                 "inference_library_version", "format_version"):
        assert name in said, f"{result}: no attribute {name}"
    chains = said["log_evidence_error"] != said["log_evidence_error"]  # no estimate: NaN
    assert chains or said["log_evidence_error"] > 0
    for engine in ("netcdf4", "h5netcdf"):
        for group in ("posterior", "sample_stats"):
            with xarray.open_dataset(result, group=group, engine=engine) as opened:
                assert opened.sizes["chain"] >= 1 and opened.sizes["draw"] >= 1
                for name, variable in opened.data_vars.items():
                    assert variable.dims[:2] == ("chain", "draw"), f"{name}: {variable.dims}"
                    assert variable.notnull().all(), f"{group}/{name} has NaN"
        with xarray.open_dataset(result, group="trace/steps", engine=engine) as steps:
            assert float(steps["time"][-1]) == 1.0


def run_input(name):
    with Folder() as folder:
        result = os.path.join(folder, "result.h5")
        file, more = os.path.join(INPUTS, name), settings(name, folder)
        dunlin("check", file, *more, folder=folder)
        dunlin("run", file, *more, "--output", result, "--quiet", ranks=2, folder=folder)
        check_result(result)
        said = dunlin("summary", result).stdout
        assert "log Z" in said or "R-hat" in said or "modes" in said
        figure = os.path.join(folder, "figure.png")
        subprocess.run([PYTHON, os.path.join(SOURCE, "analysis", "plot_run.py"), result, figure],
                       check=True, stdout=subprocess.DEVNULL)
        assert os.path.getsize(figure) > 10000


def with_reference(name, folder):
    """A copy of the sweep, beside the reference that it wants and its data."""
    wanted = "sonar" if "sonar" in name else "phi4_ring"
    reference = os.path.join(folder, wanted + ".h5")
    if wanted == "sonar":
        shutil.copy(sonar_table(folder), os.path.join(folder, "sonar_minmax.csv"))
        dunlin("run", os.path.join(INPUTS, "sonar.yaml"), "--output", reference, "--quiet", "--set",
               f"run.particles={SMALL}", "--data", folder)
    else:
        subprocess.run([PYTHON, os.path.join(SOURCE, "analysis", "phi4_ring.py"), reference,
                        "--draws", "300"], check=True, stdout=subprocess.DEVNULL)
    return shutil.copy(os.path.join(INPUTS, "sweeps", name), folder)


def run_sweep(name):
    """Its members are well formed; the last one runs."""
    with Folder() as folder:
        file = os.path.join(INPUTS, "sweeps", name)
        if name.startswith(("slips_phi4", "slips_sonar")):
            file = with_reference(name, folder)
        words = ["--output", os.path.join(folder, "results")]
        benchmark = name in ("known_evidence.yaml", "scld_benchmark.yaml")
        if benchmark and not at_hand("german_credit_numeric.txt"):
            words += ["--data", stand_ins(folder)]
        if name == "scld_benchmark.yaml":
            words += ["--set", "method.steps=3"]
            arms(folder)
        if name.startswith("images_"):
            trained(folder, "images_train.yaml")
            words += ["--data", folder]
        members = dunlin("sweep", file, "--list", *words, folder=folder).stdout.splitlines()
        assert len(members) > 1
        dunlin("sweep", file, "--index", len(members), "--set", f"run.particles={SMALL}", *words,
               folder=folder)


def add_tests():
    """One test for each file, so that a new input is tested without a word here."""
    for name in sorted(os.listdir(os.path.join(INPUTS, "sweeps"))):
        globals()["test_sweep_" + name[:-5]] = lambda name=name: run_sweep(name)
    for name in sorted(os.listdir(INPUTS)):
        if name.endswith(".yaml"):
            globals()["test_" + name[:-5]] = lambda name=name: run_input(name)


def test_a_result_runs_again():
    with Folder() as folder:
        first, second = os.path.join(folder, "first.h5"), os.path.join(folder, "second.h5")
        dunlin("run", os.path.join(INPUTS, "mixture10.yaml"), "--output", first, "--quiet",
               "--set", f"run.particles={SMALL}")
        dunlin("run", first, "--output", second, "--quiet")
        assert attributes(first)["population_hash"] == attributes(second)["population_hash"]


def test_high_dimension():
    """All of its members are bound, and the first run: its methods at the smallest dimension."""
    file, methods = os.path.join(INPUTS, "sweeps", "high_dimension.yaml"), 6
    with Folder() as folder:
        for index in range(1, methods + 1):
            dunlin("sweep", file, "--index", index, "--quiet", folder=folder)
        dunlin("sweep", file, "--collect", "table.csv", folder=folder)
        with open(os.path.join(folder, "table.csv"), encoding="utf-8") as table:
            rows = table.readlines()
        assert sum(",done," in row or ",budget," in row for row in rows) == methods
        assert len(rows) == 1 + 5 * 5 * 3 * methods


add_tests()
main()

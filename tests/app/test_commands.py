"""The commands from outside: list, help, check, run, summary, and their exit codes."""
import json
import math
import os
import re
import signal
import subprocess
import sys
import time

import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import (BUILD, INPUTS, Folder, attributes, column, command, compiled,  # noqa: E402
                     dunlin, main, start, summary, write)

KINDS = ("target", "path", "kernel", "method", "finish", "probe")
INPUT = """\
run:    {seed: 5, particles: 600, replicates: $replicates}
target: {type: gaussian, dimension: 3, mean: [1, -2, 0.5]}
path:   {type: geometric, base: {type: gaussian, mean: 0, scale: 3}, schedule: {type: adaptive}}
kernel: {type: hmc}
method: {type: smc, moves_per_step: 3}
probes: [{type: moments, every: 1}]
output: {file: out.h5}
"""


def small(folder, replicates=1, **changes):
    text = INPUT.replace("$replicates", str(replicates))
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return write(folder, "input.yaml", text)


# ---- answers that are lost, names that are too long ------------------------------------------

def test_nowhere_to_answer():
    """An answer that could not be written is no success; a run that was to be quiet is one."""
    with Folder() as folder, open("/dev/full", "w", encoding="utf-8") as full:
        small(folder)
        for words, code in ((["check", "input.yaml"], 1), (["run", "input.yaml"], 1),
                            (["summary", "out.h5"], 1), (["list"], 1), (["--help"], 1),
                            (["run", "input.yaml", "--overwrite", "--quiet"], 0)):
            done = subprocess.run(command(words), cwd=folder, stdout=full, stderr=subprocess.PIPE,
                                  text=True, timeout=60, check=False)
            assert done.returncode == code, f"{words}: {done.returncode}: {done.stderr}"
            assert ("could not be written" in done.stderr) == (code == 1), done.stderr
        assert attributes(os.path.join(folder, "out.h5"))["diagnosis"]


def test_names_without_room_for_checkpoints():
    with Folder() as folder:
        small(folder)
        for length, code in ((242, 2), (222, 0)):
            name = "a" * length + ".h5"
            done = dunlin("run", "input.yaml", "--output", name, folder=folder, code=code)
            assert ("found a name of 245 bytes" in done.stderr) == (code == 2), done.stderr
            assert os.path.exists(os.path.join(folder, name)) == (code == 0)


# ---- list and help -------------------------------------------------------------------------------

def listed(kind):
    lines = dunlin("list", kind).stdout.split("\n")
    assert lines[0] == kind
    return [line.split()[0] for line in lines[1:] if line.startswith("  ")]


def test_list():
    everything = dunlin("list").stdout
    for kind in KINDS:
        names = listed(kind)
        assert names and names == sorted(names), f"{kind}: {names}"
        assert listed(kind) == [line.split()[0]
                                for line in dunlin("list", kind + "s").stdout.split("\n")[1:]
                                if line.startswith("  ")]
        assert all(f"  {name} " in everything for name in names)
    assert "gaussian" in listed("target") and "smc" in listed("method")


def test_help_of_everything_listed():
    """Every type has its help, as text and as a table whose rows have five cells."""
    for kind in KINDS:
        for name in listed(kind):
            text = dunlin("help", kind, name).stdout
            assert text.startswith(f"{kind} {name}\n"), text[:80]
            table = dunlin("help", kind, name, "--markdown").stdout
            assert table.startswith(f"### {kind} `{name}`\n")
            rows = [line for line in table.split("\n") if line.startswith("|")]
            for row in rows:
                assert len(re.findall(r"(?<!\\)\|", row)) == 6, row


def test_help_names_options():
    text = dunlin("help", "path", "geometric").stdout
    for word in ("base", "schedule", "conditional_ess", "adaptive, fixed or file"):
        assert word in text, word
    library = os.path.join(BUILD, "tests", "user_target", "reads_data.so")
    text = dunlin("help", "target", library).stdout
    assert "reads_data" in text and "JSON or CSV file" in text and "What is taken of it" in text
    assert f"file: {library}}}" in text
    assert "cannot be read" in dunlin("help", "target", "none.so", code=2).stderr
    run = dunlin("help", "run").stdout
    assert "seed" in run and "required" in run and "1 to 64" in run
    assert "checkpoint_every" in dunlin("help", "output").stdout
    assert "dunlin help KIND NAME" in dunlin("help").stdout


def test_help_refuses():
    assert "'hmc'" in dunlin("help", "kernel", "hcm", code=2).stderr
    assert "kernel" in dunlin("help", "colonel", code=2).stderr
    assert "kernel" in dunlin("list", "colonel", code=2).stderr


def test_words_that_need_no_command():
    for word in ("--help", "--usage", "--version", "-h"):
        assert "dunlin" in dunlin(word).stdout
    assert "85" in dunlin("--help").stdout
    assert "command" in dunlin(code=2).stderr
    assert "'rnu'" in dunlin("rnu", code=2).stderr
    assert dunlin("rnu", ranks=2, code=2).stderr.count("'rnu'") == 1


# ---- check ---------------------------------------------------------------------------------------

def test_check():
    with Folder() as folder:
        file = small(folder)
        for ranks in (None, 2):
            said = dunlin("check", file, ranks=ranks, folder=folder).stdout
            assert said.count("good") == 1 and "3 dimensions" in said and "out.h5" in said
            said = dunlin("check", file, "--estimate", ranks=ranks, folder=folder).stdout
            assert "memory per rank" in said and "wall time" in said and "assuming" in said
        assert os.listdir(folder) == ["input.yaml"], os.listdir(folder)
        assert "seed" in dunlin("check", file, "--set", "run.sede=1", code=2).stderr


def promised_memory(folder, *more):
    """Megabytes for each rank in 1024 dimensions, as `check --estimate` tells them."""
    file = small(folder, **{"dimension: 3, mean: [1, -2, 0.5]": "dimension: 1024"})
    said = dunlin("check", file, "--estimate", *more, ranks=2, folder=folder).stdout
    return float(re.search(r"at most ([0-9.]+) MB", said).group(1))


def test_estimate_knows_what_the_input_states():
    """Moves at each time, and the levels of a path that builds tables for each."""
    with Folder() as folder:
        file = small(folder)
        said = dunlin("check", file, "--estimate", "--set", "method.moves_per_step=7", ranks=2,
                      folder=folder).stdout
        assert "steps (the schedule is adaptive: a guess) of 7 moves" in said, said
    convolution = os.path.join(INPUTS, "convolution_smc.yaml")
    with Folder() as folder:
        said = dunlin("check", convolution, "--estimate", "--set", "path.cells=64", ranks=2,
                      folder=folder).stdout
        assert " and 51 levels of " in said, said
        dense = promised_memory(folder, "--set", "kernel.metric=dense")
        assert dense - promised_memory(folder) > 2 * 8e-6 * 1024 ** 2


def test_estimate_rehearses_every_method():
    """A short run of few particles, of which nothing is left."""
    for name in ("banana", "langevin_seeds", "tempering_modes", "dilation_modes"):
        with Folder() as folder:
            said = dunlin("check", os.path.join(INPUTS, name + ".yaml"), "--estimate", ranks=2,
                          folder=folder).stdout
            assert re.search("from (a rehearsal|rehearsals|a guess of the steps)", said), said
            assert "to start" in said and "not foreseen" in said, said
            assert not os.listdir(folder), os.listdir(folder)


def test_check_refuses_what_run_refuses():
    with Folder() as folder:
        file = small(folder)
        dunlin("run", file, "--quiet", folder=folder)
        assert "--overwrite" in dunlin("check", file, folder=folder, code=2).stderr
        dunlin("check", file, "--overwrite", folder=folder)
        assert "complete" in dunlin("check", file, "--restart", folder=folder).stdout


# ---- run -----------------------------------------------------------------------------------------

def test_no_error_from_one_ancestor():
    """What is left of its own sum is rounding, and was once told as an error of 1e-17."""
    with Folder() as folder:
        file = small(folder)
        dunlin("run", file, "--quiet", "--set", "run.particles=2", "--set",
               "path.base.scale=100", folder=folder)
        said = summary(os.path.join(folder, "out.h5"))
        assert said["replicates"][0]["roots"] == 1, "the test has lost its subject"
        for line in said["parameters"]:
            assert line["deviation"] > 0 and line["mean_error"] is None, line
            assert all(quantile["error"] is None for quantile in line["quantiles"]), line
        table = dunlin("summary", os.path.join(folder, "out.h5")).stdout.split("parameter")[1]
        assert "nan" not in table and " ± " in table, table


def test_a_fit_of_few_draws_is_not_good():
    """One draw is worth 100% of one, whatever log Z it gives."""
    with Folder() as folder:
        file = small(folder, **{"probes:": "finish: [{type: fit_and_reweight}]\nprobes:"})
        for particles, level in ((1, "bad"), (40, "doubtful"), (600, "good")):
            dunlin("run", file, "--quiet", "--overwrite", "--set", f"run.particles={particles}",
                   folder=folder)
            verdicts = summary(os.path.join(folder, "out.h5"))["verdicts"]
            fit = [verdict for verdict in verdicts if verdict["name"] == "fit"]
            assert [verdict["level"] for verdict in fit] == [level], fit


def test_chains_that_keep_no_draws_are_not_good():
    """Two sweeps from far away, by a kernel that rejects: only a finish makes up for that."""
    with Folder() as folder:
        away = {"mean: [1, -2, 0.5]": "mean: 50",
                "{type: geometric, base: {type: gaussian, mean: 0, scale: 3}, "
                "schedule: {type: adaptive}}": "{type: constant}",
                "{type: smc, moves_per_step: 3}": "{type: langevin, warmup: 2, draws: 0}"}
        for finish, level in (("", "doubtful"), ("finish: [{type: fit_and_reweight}]\n", "good")):
            dunlin("run", small(folder, **away, **{"probes:": finish + "probes:"}), "--quiet",
                   "--overwrite", folder=folder)
            said = summary(os.path.join(folder, "out.h5"))["verdicts"]
            assert [v["level"] for v in said if v["name"] == "start"] == [level], said


def test_quiet_and_progress():
    with Folder() as folder:
        file = small(folder)
        done = dunlin("run", file, "--quiet", folder=folder)
        assert not done.stdout and not done.stderr, done.stdout + done.stderr
        done = dunlin("run", file, "--overwrite", folder=folder)
        assert "log Z" in done.stdout and "diagnosis" in done.stdout
        lines = [line for line in done.stderr.split("\n") if line.startswith("step ")]
        assert lines[0].startswith("step 1 ") and " t 1 " in lines[-1], done.stderr


def test_rows_of_progress():
    with Folder() as folder:
        dunlin("run", small(folder, replicates=2), folder=folder)
        result = os.path.join(folder, "out.h5")
        with open(result + ".progress.jsonl") as file:
            rows = [json.loads(line) for line in file]
        for name in ("replicate", "step", "time", "ess", "log_evidence"):
            assert [row[name] for row in rows] == list(column(result, "steps", name))
        assert rows[0]["step"] == 1 and rows[-1]["time"] == 1 and rows[-1]["replicate"] == 1


def test_progress_that_cannot_be_written():
    with Folder() as folder:
        os.mkdir(os.path.join(folder, "out.h5.progress.jsonl"))
        done = dunlin("run", small(folder), folder=folder, code=2)
        assert "progress.jsonl: found something that is no file" in done.stderr, done.stderr
        assert not os.path.exists(os.path.join(folder, "out.h5"))


def test_restart_of_a_complete_run():
    with Folder() as folder:
        file = small(folder)
        assert "afresh" in dunlin("run", file, "--restart", folder=folder).stderr
        before = os.stat(os.path.join(folder, "out.h5")).st_ino  # another one once it is renamed
        assert "complete" in dunlin("run", file, "--restart", ranks=2, folder=folder).stderr
        assert os.stat(os.path.join(folder, "out.h5")).st_ino == before


def test_a_limit_can_be_raised():
    """Limits and names are circumstances: they change between the jobs of one run."""
    with Folder() as folder:
        file = small(folder)
        dunlin("run", file, "--stop-after", "2e4", code=85, folder=folder)
        dunlin("run", file, "--stop-after", "2e4", "--restart", code=85, folder=folder)
        dunlin("run", file, "--restart", folder=folder)
        whole = os.path.join(folder, "whole.h5")
        dunlin("run", file, "--output", whole, folder=folder)
        one, other = attributes(os.path.join(folder, "out.h5")), attributes(whole)
        for name in ("population_hash", "log_evidence", "evaluations"):
            assert one[name] == other[name], name


def test_signals():
    """USR1 through the launcher and TERM to the program lead to a checkpoint and 85."""
    with Folder() as folder:
        file = small(folder, **{"particles: 600": "particles: 200000",
                                "moves_per_step: 3": "moves_per_step: 40"})
        rows = os.path.join(folder, "out.h5.progress.jsonl")
        for ranks, number in ((2, signal.SIGUSR1), (None, signal.SIGTERM)):
            process = start("run", file, "--restart", "--quiet", ranks=ranks, folder=folder)
            limit = time.monotonic() + 60
            while not os.path.exists(rows):
                assert time.monotonic() < limit and process.poll() is None
                time.sleep(.02)
            process.send_signal(number)
            output, _ = process.communicate(timeout=60)
            assert process.returncode == 85, output
            assert "signal" in output and "--restart" in output, output
            assert [name for name in os.listdir(folder) if name.endswith(".checkpoint")]
            os.remove(rows)


def test_time_limit_leaves_room():
    with Folder() as folder:
        file = small(folder, **{"particles: 600": "particles: 100000",
                                "moves_per_step: 3": "moves_per_step: 40"})
        done = dunlin("run", file, "--time-limit", "1s", code=85, folder=folder)
        assert "time limit" in done.stderr
        dunlin("run", file, "--time-limit", "1s", "--restart", code=85, folder=folder)


def test_strict():
    """Twenty particles cannot be good."""
    with Folder() as folder:
        file = small(folder, **{"particles: 600": "particles: 8"})
        dunlin("run", file, "--quiet", folder=folder)
        said = attributes(os.path.join(folder, "out.h5"))
        assert said["diagnosis"] == "bad", said["diagnosis_details"]
        dunlin("run", file, "--quiet", "--overwrite", "--strict", code=1, folder=folder)


def test_a_result_runs_again_with_its_settings():
    with Folder() as folder:
        dunlin("run", small(folder), "--set", "run.seed=9", "--quiet", folder=folder)
        os.rename(os.path.join(folder, "out.h5"), os.path.join(folder, "first.h5"))
        dunlin("run", "first.h5", "--output", "second.h5", "--quiet", ranks=2, folder=folder)
        one, other = (attributes(os.path.join(folder, name)) for name in ("first.h5", "second.h5"))
        assert one["population_hash"] == other["population_hash"]
        assert "input itself" in dunlin("run", "first.h5", "--output", "first.h5", "--overwrite",
                                        code=2, folder=folder).stderr


def test_processes_that_do_not_know_each_other():
    with Folder() as folder:
        for variable in ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE"):
            done = dunlin("run", small(folder), folder=folder, code=2, environment={variable: "4"})
            assert "4 processes" in done.stderr, done.stderr
        step = {"SLURM_STEP_ID": "0", "SLURM_NTASKS": "3"}
        assert "3 processes" in dunlin("run", small(folder), folder=folder, code=2,
                                       environment=step).stderr
        # A batch script sees the number of tasks too, but is no step.
        dunlin("run", small(folder), "--quiet", folder=folder, environment={"SLURM_NTASKS": "3"})


# ---- what a result says --------------------------------------------------------------------------

def test_provenance():
    import h5py
    with Folder() as folder:
        file = small(folder)
        dunlin("run", file, "--quiet", "--set", "run.seed=6", ranks=2, folder=folder)
        with h5py.File(os.path.join(folder, "out.h5"), "r") as result:
            said = {name: value[()] for name, value in result["provenance"].items()}
        with open(file) as text:
            assert said["input"].decode() == text.read()
        assert said["settings"].decode() == "run.seed=6\n"
        options = said["effective_options"].decode().split("\n")
        assert "run.seed: 6" in options and "run.tile: auto" in options, options
        assert said["ranks"] == 2 and said["evaluations"] > 600 and said["seconds"] > 0
        for name in ("version", "commit", "compiler", "vector_width", "blas", "mpi", "hdf5"):
            assert said[name], name


def test_replicates_are_combined():
    """The evidence is the mean of the replicates' estimates, its error that of a mean."""
    with Folder() as folder:
        dunlin("run", small(folder, replicates=4), "--quiet", folder=folder)
        result = os.path.join(folder, "out.h5")
        said = attributes(result)
        log_z, error = (column(result, "replicates", name)
                        for name in ("log_evidence", "log_evidence_error"))
        z = [math.exp(value) for value in log_z]
        mean = sum(z) / 4
        assert abs(said["log_evidence"] - math.log(mean)) < 1e-12
        of_mean = math.sqrt(sum((a * e) ** 2 for a, e in zip(z, error))) / sum(z)
        assert abs(said["log_evidence_error"] - of_mean) < 1e-12
        spread = math.sqrt(sum((a - mean) ** 2 for a in z) / 12) / mean
        assert abs(said["log_evidence_spread"] - spread) < 1e-12
        hashes = set(column(result, "replicates", "hash_low"))
        assert len(hashes) == 4, "replicates repeat each other"


def test_draws_are_thinned():
    import h5py
    with Folder() as folder:
        dunlin("run", small(folder), "--quiet", "--set", "output.draws=50", folder=folder)
        with h5py.File(os.path.join(folder, "out.h5"), "r") as result:
            assert result["posterior/x"].shape == (1, 50, 3)


# ---- summary -------------------------------------------------------------------------------------

def test_summary():
    with Folder() as folder:
        dunlin("run", small(folder, replicates=2), "--quiet", folder=folder)
        result = os.path.join(folder, "out.h5")
        said, root = summary(result), attributes(result)
        for name in ("log_evidence", "log_evidence_error", "effective_sample_size",
                     "population_hash", "diagnosis"):
            assert said[name] == root[name], name
        assert [line["name"] for line in said["parameters"]] == ["x[0]", "x[1]", "x[2]"]
        assert len(said["replicates"]) == 2 and said["deterministic"] is True
        assert said["verdicts"] and all(v["level"] in ("good", "doubtful", "bad") and v["text"]
                                        for v in said["verdicts"])
        text = dunlin("summary", result).stdout
        for word in ("log Z", "x[2]", "95%", "ESS", "acceptance", "evaluations", "diagnosis"):
            assert word in text, word
        assert dunlin("summary", result, ranks=2).stdout == text, "printed more than once"


def test_a_result_of_many_names():
    """A target may have any number of parameters."""
    import h5py
    with Folder() as folder:
        dunlin("run", small(folder), "--quiet", folder=folder)
        with h5py.File(os.path.join(folder, "out.h5"), "a") as file:
            for number in range(5000):
                file["provenance"][f"word{number}"] = number
        assert "log Z" in dunlin("summary", "out.h5", folder=folder).stdout


def test_modes_in_the_summary():
    """Numbers of the summary from the rows of the probe, over two replicates."""
    with Folder() as folder:
        dunlin("run", os.path.join(INPUTS, "forty_modes.yaml"), "--quiet", "--set",
               "run.replicates=2", "--set", "run.particles=300", "--output",
               os.path.join(folder, "out.h5"))
        result = os.path.join(folder, "out.h5")
        rows = {name: numpy.reshape([column(result, "modes", name)], (-1, 41))[-2:]
                for name in ("mode", "share", "due", "hit", "replicate")}
        said = summary(result)["modes"]
        assert (rows["replicate"][:, 0] == [0, 1]).all() and (rows["mode"][:, -1] == -1).all()
        assert said["count"] == 40
        assert said["hit"] == (rows["share"] > .1 * rows["due"])[:, :-1].sum(axis=1).mean()
        assert said["hit"] == rows["hit"].sum(axis=1).mean()
        assert abs(said["outside"] - rows["share"][:, -1].mean()) < 1e-12
        off = abs(rows["share"] - rows["due"]).sum(axis=1).mean() / 2
        assert abs(said["total_variation"] - off) < 1e-12
        assert "of 40 hit, total variation" in dunlin("summary", result).stdout


def test_errors_of_means_and_quantiles():
    """9 means and 27 quantiles of a Gaussian in 3 runs: within 5 standard errors of the truth, the
    errors near those of independent draws or above."""
    truth, normal = (1, -2, .5), {.05: -1.6448536, .5: 0, .95: 1.6448536}
    density = {p: math.exp(-z * z / 2) / math.sqrt(2 * math.pi) for p, z in normal.items()}
    for seed in (1, 2, 3):
        with Folder() as folder:
            dunlin("run", small(folder, replicates=2), "--quiet", "--set", f"run.seed={seed}",
                   folder=folder)
            said = summary(os.path.join(folder, "out.h5"))
        n = 1200
        for line, mean in zip(said["parameters"], truth):
            assert abs(line["mean"] - mean) < 5 * line["mean_error"], line
            assert .8 / math.sqrt(n) < line["mean_error"] < 4 / math.sqrt(n), line
            for q in line["quantiles"]:
                p = q["probability"]
                assert abs(q["value"] - mean - normal[p]) < 5 * q["error"], (line["name"], q)
                alone = math.sqrt(p * (1 - p) / n) / density[p]
                assert .5 * alone < q["error"] < 5 * alone, (line["name"], q, alone)


PLUGIN = """\
#include "dunlin/target.h"
static double point(const void *self, const double *x, double *gradient)
{
  (void)self;
  for (int j = 0; j < 3 && gradient; j++)
    gradient[j] = -(x[j] - j);
  return -.5 * (x[0] * x[0] + (x[1] - 1) * (x[1] - 1) + (x[2] - 2) * (x[2] - 2));
}
static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  static const struct dun_parameter known[] = {
      {.name = "z", .doc = "Last in the alphabet."},
      {.name = "a", .rank = 1, .shape = {2}, .doc = "Two."}};
  (void)self;
  for (int i = 0; i < 2 && i < capacity; i++)
    parameter[i] = known[i];
  return 2;
}
static void constrain(const void *self, const double *x, double *theta)
{
  (void)self;
  theta[0] = 10 + x[0];
  theta[1] = 20 + x[1];
  theta[2] = 30 + x[2];
}
const struct dun_target dun_target_mine = {
    .type = {DUN_TYPE(struct dun_target), .name = "mine", .doc = "A test."},
    .dimension = 3, .point = point, .parameters = parameters, .constrain = constrain,
};
"""


def test_parameters_of_a_library():
    """Names, means and draws belong together, whatever the names' order."""
    with Folder() as folder:
        write(folder, "mine.c", PLUGIN)
        compiled(folder, "mine.so", "mine.c")
        given = "{type: gaussian, dimension: 3, mean: [1, -2, 0.5]}"
        file = small(folder, **{given: "{type: library, file: mine.so}"})
        dunlin("run", file, "--quiet", folder=folder, ranks=2)
        said = summary(os.path.join(folder, "out.h5"))["parameters"]
        assert [line["name"] for line in said] == ["z", "a[0]", "a[1]"]
        for line, mean in zip(said, (10, 21, 32)):
            assert abs(line["mean"] - mean) < 5 * line["mean_error"], line
            assert abs(line["quantiles"][1]["value"] - mean) < 5 * line["quantiles"][1]["error"]


main()

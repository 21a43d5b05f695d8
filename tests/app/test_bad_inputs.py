"""Faulty inputs of every kind: the exit code, a message naming the place, no hang, nothing
half-written.

Every case runs alone.  On three ranks run too

* of the tables EDITS, DATA and LINES those that COLLECTIVE names: every check that evaluates,
  allocates or looks at files, and one of each other kind, which rank 0 or every rank makes alone
  and agrees on in the same place as the rest of its kind;
* all that is refused by name of a library, a checkpoint, an existing result or the memory, but of
  the many ways to damage a file one of each command.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import SOURCE, Folder, compiled, dunlin, main, write  # noqa: E402

GOOD = """\
run:    {seed: 3, particles: 256}
target: {type: gaussian, dimension: 2, mean: 1}
path:   {type: geometric, base: {type: gaussian, mean: 0, scale: 3}, schedule: {type: adaptive}}
kernel: {type: hmc}
method: {type: smc}
output: {file: out.h5}
"""
SEEDS = GOOD.replace("{type: gaussian, dimension: 2, mean: 1}", "{type: seeds, data: data.csv}")
LIBRARY = GOOD.replace("{type: gaussian, dimension: 2, mean: 1}",
                       "{type: library, file: mine.so}")
FILE = "input.yaml"
FROM_PATH = GOOD[GOOD.index("path:"):GOOD.index("output:")]
PILOTS = "{type: geometric, base: {type: fitted, scale: 2}, schedule: {type: fixed, steps: 3}}"
CHAINS = "path: {type: constant}\nkernel: {type: hmc}\nmethod: {type: langevin}\n"
BLURRED = ("path: {type: convolution, half_width: 6, cells: 20, schedule: {highest: 4}}\n"
           "kernel: {type: mala}\n"
           "method: {type: langevin, moves_per_level: 1, warmup: 0, draws: 0}\n")
FOLLOWED = ("target: {type: many_well, dimension: 2, wells: 1}\n"
            "method: {type: flow, process: {type: ve, scale: 4}, field: {type: grid, half_width: "
            "6}}\n")
AT_REST = "path: {type: dilation}\nmethod: {type: smc, moves_per_step: 0}\n"
TARGET = GOOD[GOOD.index("target:"):GOOD.index("output:")]


def blurred(old, new, words):
    assert old in BLURRED, old
    return FROM_PATH, BLURRED.replace(old, new), words


def followed(old, new, words):
    assert old in FOLLOWED, old
    return TARGET, FOLLOWED.replace(old, new), words


# What a line of GOOD is replaced by, and words that the complaint must hold.
EDITS = {
    "unclosed_brace": ("{type: hmc}", "{type: hmc", [FILE + ":"]),
    "tab": ("kernel: {", "kernel:\n\t{", [FILE + ":"]),
    "bad_utf8": ("hmc", "h\udcffmc", [FILE + ":"]),
    "no_mapping": (GOOD, "- 1\n- 2\n", [FILE + ":1"]),
    "scalar_only": (GOOD, "hello\n", [FILE + ":1"]),
    "empty": (GOOD, "", [FILE]),
    "two_documents": ("kernel:", "---\nkernel:", [FILE + ":"]),
    "anchor": ("{type: hmc}", "&a {type: hmc}", [FILE + ":4", "written out"]),
    "tag": ("mean: 1", "mean: !!str 1", [FILE + ":2"]),
    "unknown_section": ("kernel:", "kernal:", [FILE + ":4:1", "kernal", "'kernel'"]),
    "doubled_section": ("method:", "kernel: {type: rwm}\nmethod:", [FILE + ":5", "kernel"]),
    "unknown_option": ("seed: 3", "sede: 3", [FILE + ":1", "sede", "'seed'"]),
    "doubled_option": ("seed: 3", "seed: 3, seed: 4", [FILE + ":1", "seed"]),
    "misspelt_type": ("{type: hmc}", "{type: hcm}", [FILE + ":4", "hcm", "'hmc'"]),
    "no_type": ("{type: hmc}", "{step_size: 1}", [FILE + ":4", "type"]),
    "section_no_mapping": ("{type: hmc}", "hmc", [FILE + ":4", "kernel"]),
    "missing_seed": ("seed: 3, ", "", [FILE + ":1", "run.seed"]),
    "missing_run": ("run:    {seed: 3, particles: 256}\n", "", [FILE + ":1", "run"]),
    "missing_target": ("target: {type: gaussian, dimension: 2, mean: 1}\n", "",
                       [FILE + ":1", "target"]),
    "missing_path": ("path:   {type: geometric, base: {type: gaussian, mean: 0, scale: 3}, "
                     "schedule: {type: adaptive}}\n", "", [FILE + ":4", "path", "smc"]),
    "missing_kernel": ("kernel: {type: hmc}\n", "", [FILE + ":4", "kernel", "smc"]),
    "missing_base": ("base: {type: gaussian, mean: 0, scale: 3}, ", "", [FILE + ":3", "path.base"]),
    "fraction": ("particles: 256", "particles: 5.7", [FILE + ":1:", "run.particles", "5.7"]),
    "trailing_letters": ("particles: 256", "particles: 12abc", ["run.particles", "12abc"]),
    "word_for_number": ("particles: 256", "particles: many", ["run.particles", "many"]),
    "list_for_number": ("particles: 256", "particles: [1, 2]", ["run.particles"]),
    "quoted_number": ("particles: 256", "particles: '256'", ["run.particles"]),
    "infinite": ("scale: 3", "scale: .inf", ["path.base.scale", ".inf"]),
    "overflowing": ("scale: 3", "scale: 1e999", ["path.base.scale", "1e999"]),
    "hexadecimal": ("seed: 3", "seed: 0x10", ["run.seed", "0x10"]),
    "negative_seed": ("seed: 3", "seed: -1", ["run.seed", "-1"]),
    "huge_seed": ("seed: 3", "seed: 9223372036854775808", ["run.seed"]),
    "no_particles": ("particles: 256", "particles: 0", ["run.particles", "0"]),
    "too_many_particles": ("particles: 256", "particles: 1e15", ["run.particles"]),
    "wide_tile": ("particles: 256", "particles: 256, tile: 65", ["run.tile", "65"]),
    "too_many_tiles": ("particles: 256", "particles: 1e13, tile: 1", ["run.particles", "tiles"]),
    "bad_duration": ("seed: 3", "seed: 3, time_limit: 3 fortnights", ["run.time_limit"]),
    "bad_dimension": ("dimension: 2", "dimension: 0", ["target.dimension", "0"]),
    "uneven_ladders": ("{type: smc}", "{type: tempering, temperatures: 7}",
                       ["particles", "multiple", "7"]),
    "biased_ladders": ("{type: hmc}\nmethod: {type: smc}",
                       "{type: underdamped, metropolised: false}\n"
                       "method: {type: tempering, temperatures: 8}", ["tempering", "underdamped"]),
    "uneven_scheme": ("{type: hmc}", "{type: underdamped, scheme: O B A}",
                      [FILE + ":4", "scheme", "palindrome", "O/2 B/2 A B/2 O/2"]),
    "unknown_operator": ("{type: hmc}", "{type: underdamped, scheme: O/2 B/2 X B/2 O/2}",
                         [FILE + ":4", "scheme", "column 9", "no operator", "known are O A B"]),
    "shares_of_a_scheme": ("{type: hmc}", "{type: underdamped, scheme: O/2 B/2 A B/2 O/3}",
                           [FILE + ":4", "scheme", "shares of O", "0.8333"]),
    "scheme_without_noise": ("{type: hmc}", "{type: underdamped, scheme: B/2 A B/2}",
                             [FILE + ":4", "scheme", "has no O"]),
    "no_centre_on_ladders": ("{type: hmc}\nmethod: {type: smc}", "{type: independence}\n"
                             "method: {type: tempering, temperatures: 8}",
                             ["tempering", "independence", "centre"]),
    "one_temperature": ("{type: smc}", "{type: tempering, temperatures: 1}",
                        [FILE + ":5", "temperatures", "2"]),
    "dilation_without_lattice": ("{type: geometric, base: {type: gaussian, mean: 0, scale: 3}, "
                                 "schedule: {type: adaptive}}", "{type: spectral_dilation}",
                                 [FILE + ":3", "gaussian", "lattice"]),
    "waves_without_lattice": ("{type: hmc}", "{type: hmc, metric: fourier}",
                              [FILE + ":4", "gaussian", "lattice"]),
    "dense_in_many_dimensions": (TARGET, TARGET.replace("dimension: 2", "dimension: 1025").replace(
        "{type: hmc}", "{type: hmc, metric: dense}"), [FILE + ":4", "dense", "1024", "1025"]),
    "mass_without_waves": ("{type: hmc}", "{type: hmc, mass: 2}",
                           [FILE + ":4", "mass", "metric: fourier"]),
    "bad_choice": ("{type: smc}", "{type: smc, resampling: magic}", [FILE + ":5", "magic",
                                                                    "systematic"]),
    "contradiction": ("schedule: {type: adaptive}", "schedule: {type: adaptive, steps: 5}",
                      [FILE + ":3", "path.schedule.steps"]),
    "mean_of_other_dimension": ("mean: 1}", "mean: [1, 2, 3]}", [FILE + ":2", "mean"]),
    "too_many_draws": ("file: out.h5", "file: out.h5, draws: 257",
                       [FILE + ":6", "output.draws", "257"]),
    "probes_no_list": ("output:", "probes: {type: modes}\noutput:", [FILE + ":6", "probes"]),
    "finish_no_list": ("output:", "finish: {type: fit_and_reweight}\noutput:",
                       [FILE + ":6", "finish"]),
    "unknown_finish": ("output:", "finish: [{type: fit_and_weight}]\noutput:",
                       [FILE + ":6", "'fit_and_reweight'"]),
    "finish_on_ladders": ("{type: smc}", "{type: tempering, temperatures: 8}\n"
                          "finish: [{type: fit_and_reweight}]", ["finish", "method.draws: 0"]),
    "more_sweeps_than_addresses": ("{type: smc}", "{type: tempering, temperatures: 8, "
                                   "draws: 1000000000, thin: 5}", [FILE + ":5", "5000000500"]),
    "dense_metric_on_ladders": (GOOD, GOOD.replace("dimension: 2", "dimension: 101").replace(
        "{type: hmc}\nmethod: {type: smc}", "{type: hmc, metric: dense}\n"
        "method: {type: tempering, temperatures: 8}"),
                                [FILE + ":5", "metric", "every rung", "100"]),
    "chains_without_times": ("{type: smc}", "{type: langevin}",
                             [FILE + ":5", "langevin", "fixed"]),
    "chains_with_pilots": (FROM_PATH, CHAINS.replace("{type: constant}", PILOTS),
                           ["langevin", "pilot"]),
    "fitted_to_one_chain": (GOOD, GOOD.replace("256", "1").replace(
        "{type: gaussian, mean: 0, scale: 3}", "{type: fitted, scale: 2, covariance: diagonal}"),
                            [FILE + ":5", "pilot", "takes 2"]),
    "fitted_to_few_chains": (GOOD, GOOD.replace("256", "2").replace(
        "{type: gaussian, mean: 0, scale: 3}", "{type: fitted, scale: 2}"),
                             [FILE + ":5", "takes 3"]),
    "start_without_prior": (FROM_PATH, CHAINS.replace("constant", "constant, start: {type: prior}"),
                            [FILE + ":3", "path.start", "prior"]),
    "draws_of_chains_twice": (FROM_PATH + "output: {file: out.h5",
                              CHAINS + "output: {file: out.h5, draws: 5",
                              [FILE + ":6", "output.draws", "method.draws"]),
    "finish_on_draws": (FROM_PATH, CHAINS + "finish: [{type: fit_and_reweight}]\n",
                        [FILE + ":6", "finish", "method.draws: 0"]),
    "no_exact_draws": ("output:", "probes: [{type: energy_distance, reference: input.yaml}]\n"
                       "output:", [FILE + ":6", "input.yaml"]),
    "rhat_of_particles": ("output:", "probes: [{type: rhat}]\noutput:", [FILE + ":6", "rhat"]),
    "smc_without_times": (FROM_PATH, CHAINS.replace("langevin", "smc"), ["smc", "schedule"]),
    "grid_of_four_dimensions": (TARGET, "target: {type: gaussian, dimension: 4}\n" + BLURRED,
                                [FILE + ":3", "grid", "3", "4", "monte_carlo"]),
    "grid_without_a_box": blurred("half_width: 6, ", "", [FILE + ":3", "path.half_width"]),
    "box_within_the_target": blurred("half_width: 6", "half_width: 2",
                                     [FILE + ":3", "half_width", "outermost cells"]),
    "cells_wider_than_the_target": blurred("half_width: 6", "half_width: 60",
                                           [FILE + ":3", "cells", "neighbouring", "20"]),
    "box_of_other_dimension": blurred("half_width: 6", "half_width: [6, 6, 6]",
                                      ["half_width", "3", "2"]),
    "little_padding": blurred("cells: 20", "cells: 20, padding: 2",
                              [FILE + ":3", "padding", "other side", "4.33"]),
    "levels_upwards": blurred("highest: 4", "highest: 4, lowest: 5", [FILE + ":3", "lowest", "4"]),
    "levels_that_coincide": blurred("cells: 20", "cells: 20, scale: 1e12",
                                    [FILE + ":3", "schedule", "lambda"]),
    "carried_along_convolution": blurred("moves_per_level: 1", "moves_per_level: 0",
                                         [FILE + ":5", "moves_per_level", "convolution", "flow"]),
    "samplers_of_old": blurred("cells: 20", "cells: 20, sampler: reverse_sde",
                               [FILE + ":3", "path.sampler is no option any more", "method: {type: "
                                "flow", "process: {type: ve", "field: {type: grid"]),
    "samples_of_old": blurred("half_width: 6, cells: 20", "score: monte_carlo, inner: 1000",
                              [FILE + ":3", "path.score is no option any more", "method: {type: "
                               "flow", "field: {type: monte_carlo"]),
    "tables_of_old": blurred("cells: 20", "cells: 20, distributed: yes",
                             [FILE + ":3", "path.distributed is no option any more", "flow"]),
    "field_without_a_box": followed(", half_width: 6", "", ["method.field.half_width"]),
    "field_with_little_padding": followed("half_width: 6", "half_width: 6, padding: 2",
                                          ["padding", "the noise", "other side"]),
    "field_without_a_closed_form": followed("type: grid, half_width: 6", "type: exact", [
        "field exact", "many_well", "grid or monte_carlo"]),
    "kernel_at_rest": ("{type: smc}", "{type: smc, moves_per_step: 0}",
                       [FILE + ":4", "kernel", "does not use"]),
    "pilots_at_rest": (FROM_PATH, f"path: {PILOTS}\nmethod: {{type: smc, moves_per_step: 0}}\n",
                       [FILE + ":4", "pilot", "moves_per_step"]),
    "point_at_rest": (FROM_PATH, AT_REST, [FILE + ":4", "dilation", "one point"]),
    "point_that_moves_at_the_end": (FROM_PATH, AT_REST.replace("moves_per_step: 0", "moves_at: end")
                                    + "kernel: {type: ula}\n",
                                    [FILE + ":4", "one point", "moves_at: every"]),
    "carried_along_dilation": (FROM_PATH, CHAINS.replace("constant", "dilation").replace(
        "langevin", "langevin, moves_per_level: 0"), [FILE + ":5", "moves_per_level"]),
    "unknown_probe": ("output:", "probes: [{type: mods}]\noutput:", [FILE + ":6", "'modes'"]),
    "doubled_probe": ("output:", "probes: [{type: moments}, {type: moments, every: 2}]\noutput:",
                      [FILE + ":6", "probes[1]", "moments"]),
    "no_folder_for_result": ("out.h5", "nowhere/out.h5", ["output.file", "nowhere"]),
    "result_is_a_folder": ("out.h5", "taken", ["output.file", "taken"]),
}

# Contents of data.csv for the target `seeds`.
DATA = {
    "missing": (None, [FILE + ":2", "data.csv"]),
    "empty": ("", ["data.csv"]),
    "header_only": ("r,n,x1,x2\n", ["data.csv"]),
    "nan": ("r,n,x1,x2\n10,39,0,0\n23,nan,0,1\n", ["data.csv:3", "nan"]),
    "word": ("r,n,x1,x2\n10,39,0,0\n23,many,0,1\n", ["data.csv:3", "many"]),
    "empty_field": ("r,n,x1,x2\n10,39,0,0\n23,,0,1\n", ["data.csv:3"]),
    "short_row": ("r,n,x1,x2\n10,39,0,0\n23,62,0\n", ["data.csv:3"]),
    "missing_column": ("r,m,x1,x2\n10,39,0,0\n", ["data.csv", "'n'"]),
    "more_hits_than_trials": ("r,n,x1,x2\n40,39,0,0\n", [FILE + ":2", "row 1", "40"]),
}

# Options of the command line.
LINES = {
    "set_without_value": (["--set", "run.seed"], ["run.seed"]),
    "set_unknown": (["--set", "run.sed=3"], ["sed", "'seed'"]),
    "set_bad_value": (["--set", "run.particles=few"], ["run.particles", "few"]),
    "set_of_scalar": (["--set", "run.seed.deep=1"], ["run.seed"]),
    "unknown_option": (["--sett", "run.seed=1"], ["--sett"]),
    "bad_time_limit": (["--time-limit", "soon"], ["--time-limit", "soon"]),
    "option_of_other_command": (["--json"], ["--json"]),
    "restart_and_overwrite": (["--restart", "--overwrite"], ["--restart", "--overwrite"]),
    "one_word_too_many": (["another.yaml"], ["another.yaml"]),
    "no_folder_for_output": (["--output", "nowhere/out.h5"], ["nowhere"]),
    "output_is_the_input": (["--output", FILE, "--overwrite"], [FILE, "input itself"]),
}

COLLECTIVE = {
    "unclosed_brace",             # read by rank 0, which tells the others
    "no_mapping", "unknown_section",
    "unknown_option",             # a section against its options
    "misspelt_type",
    "missing_seed", "missing_run", "missing_target", "missing_kernel", "missing_base",
    "too_many_tiles",             # the run against its own bounds
    "bad_dimension", "bad_choice", "contradiction", "mean_of_other_dimension",
    "uneven_ladders",             # parts against each other
    "too_many_draws", "unknown_finish", "unknown_probe", "dense_in_many_dimensions",
    "fitted_to_few_chains", "waves_without_lattice",
    "no_exact_draws",             # files
    "no_folder_for_result", "result_is_a_folder",
    "box_within_the_target",      # evaluated
    "cells_wider_than_the_target",
    "missing", "nan", "more_hits_than_trials",   # data, by rank 0, and by the target
    "set_unknown", "unknown_option", "no_folder_for_output", "output_is_the_input",
}


def refused(folder, words, arguments=("run", FILE), codes=(2,), collective=True):
    """The command fails alone, and on three ranks if it is collective; says so once with these
    words, writes nothing."""
    before = sorted(os.listdir(folder))
    for ranks in (None, 3)[:1 + collective]:
        done = dunlin(*arguments, ranks=ranks, code=None, timeout=60, folder=folder)
        assert done.returncode in codes, f"exit code {done.returncode}\n{done.stderr}"
        for word in words:
            assert word in done.stderr, f"'{word}' is missing in:\n{done.stderr}"
        said = [line for line in done.stderr.split("\n") if words and words[-1] in line]
        assert len(said) == len(set(said)), f"said more than once:\n{done.stderr}"
        assert sorted(os.listdir(folder)) == before, f"left: {sorted(os.listdir(folder))}"


def edited(name):
    old, new, words = EDITS[name]
    assert old in GOOD, name
    with Folder() as folder:
        os.mkdir(os.path.join(folder, "taken"))
        with open(os.path.join(folder, FILE), "wb") as file:
            file.write(GOOD.replace(old, new).encode("utf-8", "surrogateescape"))
        refused(folder, words, collective=name in COLLECTIVE)


def with_data(name):
    data, words = DATA[name]
    with Folder() as folder:
        write(folder, FILE, SEEDS)
        if data is not None:
            write(folder, "data.csv", data)
        refused(folder, words, collective=name in COLLECTIVE)


def with_line(name):
    arguments, words = LINES[name]
    with Folder() as folder:
        write(folder, FILE, GOOD)
        refused(folder, words, ["run", FILE] + arguments, collective=name in COLLECTIVE)


def add_tests():
    for label, cases, run in (("input", EDITS, edited), ("data", DATA, with_data),
                              ("line", LINES, with_line)):
        for name in cases:
            globals()[f"test_{label}_{name}"] = lambda name=name, run=run: run(name)


def test_good_input_is_good():
    with Folder() as folder:
        write(folder, FILE, GOOD)
        dunlin("run", FILE, folder=folder, ranks=3)
        assert os.path.exists(os.path.join(folder, "out.h5"))


def test_a_grid_too_large():
    """Refused before anything is allocated, with the size that would do."""
    with Folder() as folder:
        write(folder, FILE, GOOD.replace(FROM_PATH, BLURRED.replace("cells: 20", "cells: 1e6")))
        refused(folder, ["bytes", "available", "would fit"], codes=(1,))
        refused(folder, ["bytes", "available", "would fit"], ["check", FILE])


def test_all_complaints_at_once():
    with Folder() as folder:
        faulty = GOOD.replace("seed: 3", "sede: 3").replace("hmc", "hcm")
        write(folder, FILE, faulty.replace("dimension: 2", "dimension: two"))
        refused(folder, ["'seed'", "'hmc'", "target.dimension", "two"])


def test_missing_input_and_folder():
    with Folder() as folder:
        refused(folder, ["nothing.yaml"], ["run", "nothing.yaml"])
        refused(folder, ["folder"], ["run", "."])


def test_too_large_input():
    with Folder() as folder:
        write(folder, FILE, "#" * (1 << 20) + "\n" + GOOD)
        refused(folder, [FILE])


def test_memory():
    """More particles than memory: exit code 1, not a kill, and told before any is asked for."""
    with Folder() as folder:
        write(folder, FILE, GOOD)
        refused(folder, ["memory", "are left for it"],
                ["run", FILE, "--set", "run.particles=2e11"], codes=(1,))
        refused(folder, ["memory", "are left for it"],
                ["check", FILE, "--set", "run.particles=2e11"])
        for more in ([], ["--estimate"]):
            refused(folder, ["memory", "are left for it"],
                    ["check", FILE, "--set", "run.particles=1e9", *more])


def test_nan_density():
    """A target that is NaN everywhere is refused, or leaves no weight if it was not tried."""
    with Folder() as folder:
        plugin(folder, "return 0 * x[0] / 0.;")
        write(folder, FILE, LIBRARY)
        refused(folder, [FILE + ":2", "log density NaN at"])
        done = dunlin("run", FILE, "--no-check", ranks=2, code=1, folder=folder, timeout=60)
        assert "dunlin: " in done.stderr
        assert not [name for name in os.listdir(folder) if name.startswith("out.h5.part")]


# ---- existing files, checkpoints -----------------------------------------------------------------

def test_existing_result():
    with Folder() as folder:
        write(folder, FILE, GOOD)
        dunlin("run", FILE, "--quiet", folder=folder)
        refused(folder, ["out.h5", "--overwrite"])
        refused(folder, ["out.h5"], ["run", FILE, "--restart", "--set", "run.seed=4"])
        dunlin("run", FILE, "--overwrite", "--quiet", folder=folder)


def test_result_of_something_else():
    with Folder() as folder:
        write(folder, FILE, GOOD)
        write(folder, "out.h5", "no result\n")
        refused(folder, ["out.h5"])
        refused(folder, ["out.h5"], ["run", FILE, "--restart"])


def stopped(folder):
    """Two generations of checkpoints."""
    write(folder, FILE, GOOD.replace("file: out.h5", "file: out.h5, checkpoint_every: 0"))
    dunlin("run", FILE, "--quiet", "--stop-after", "4000", folder=folder, code=85)
    names = [os.path.join(folder, f"out.{slot}.checkpoint") for slot in (0, 1)]
    assert all(os.path.exists(name) for name in names)
    os.remove(os.path.join(folder, "out.h5.progress.jsonl"))
    return names


def change(path, at, bytes_):
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(bytes_)


def test_checkpoint_without_restart():
    with Folder() as folder:
        stopped(folder)
        refused(folder, ["checkpoint", "--restart"])
        dunlin("run", FILE, "--overwrite", "--quiet", folder=folder)
        assert not [name for name in os.listdir(folder) if name.endswith(".checkpoint")]


def test_checkpoint_of_another_input():
    with Folder() as folder:
        stopped(folder)
        for setting in ("run.seed=4", "target.mean=2", "kernel.jitter=0.1"):
            refused(folder, ["checkpoint"], ["run", FILE, "--restart", "--set", setting],
                    collective=setting == "target.mean=2")


def test_damaged_checkpoints():
    """One of two is damaged: the other restarts.  Both: refused.  Truncated, or a bit flipped."""
    with Folder() as folder:
        names = stopped(folder)
        size = os.path.getsize(names[0])
        whole = {name: open(name, "rb").read() for name in names}
        for at in (8, 100, 5000, size // 2, size - 9):
            for name in names:
                write_bytes(name, whole[name])
                change(name, at, bytes([whole[name][at] ^ 4]))
            refused(folder, ["checkpoint"], ["run", FILE, "--restart"], collective=at == 5000)
        for length in (0, 10, 4096, size - 1):
            for name in names:
                write_bytes(name, whole[name][:length])
            refused(folder, ["checkpoint"], ["run", FILE, "--restart"], collective=length == 4096)
        write_bytes(names[0], whole[names[0]])
        done = dunlin("run", FILE, "--restart", folder=folder)
        assert "warning" in done.stderr, done.stderr
        assert os.path.exists(os.path.join(folder, "out.h5"))


def test_draws_of_finished_replicates_are_lost():
    """The checkpoint alone is not enough; the same command does not succeed the second time."""
    with Folder() as folder:
        write(folder, FILE, GOOD.replace("particles: 256", "particles: 256, replicates: 3"))
        dunlin("run", FILE, "--quiet", "--stop-after", "9e4", folder=folder, code=85)
        os.remove(os.path.join(folder, "out.h5.part"))
        refused(folder, ["out.h5.part", "--overwrite"], ["run", FILE, "--restart"], codes=(1,))
        dunlin("run", FILE, "--overwrite", "--quiet", folder=folder)


def write_bytes(path, content):
    with open(path, "wb") as file:
        file.write(content)


def test_damaged_results():
    """`summary` and `run RESULT` of what is no whole result."""
    with Folder() as folder:
        write(folder, FILE, GOOD)
        dunlin("run", FILE, "--quiet", folder=folder)
        os.remove(os.path.join(folder, "out.h5.progress.jsonl"))
        whole = open(os.path.join(folder, "out.h5"), "rb").read()
        for length in (0, 7, 8, 100, 2048, len(whole) // 2, len(whole) - 100):
            write_bytes(os.path.join(folder, "cut.h5"), whole[:length])
            refused(folder, ["cut.h5"], ["summary", "cut.h5"], collective=length == 2048)
            refused(folder, ["cut.h5"], ["run", "cut.h5", "--output", "again.h5"],
                    collective=length == 2048)
        refused(folder, ["nothing.h5"], ["summary", "nothing.h5"])
        refused(folder, [FILE], ["summary", FILE])


# ---- libraries -----------------------------------------------------------------------------------

PLUGIN = """\
#include "dunlin/target.h"
double density(const double *x);
double density(const double *x) { %s }
static double point(const void *self, const double *x, double *gradient)
{
  (void)self;
  if (gradient)
    gradient[0] = -x[0];
  return density(x);
}
const struct dun_target dun_target_%s = {
    .type = {DUN_TYPE(struct dun_target), .name = "mine", .doc = "A test."},
    .dimension = 1,
    .point = point,
    %s
};
"""


def plugin(folder, density="return -x[0] * x[0] / 2;", name="mine", more="", change_header=None,
           before=""):
    write(folder, "mine.c", before + PLUGIN % (density, name, more))
    include = os.path.join(SOURCE, "include")
    if change_header:
        include = os.path.join(folder, "include")
        os.makedirs(os.path.join(include, "dunlin"), exist_ok=True)
        with open(os.path.join(SOURCE, "include", "dunlin", "target.h")) as file:
            text = file.read()
        assert change_header[0] in text
        write(os.path.join(include, "dunlin"), "target.h", text.replace(*change_header))
    compiled(folder, "mine.so", "mine.c", include=include)


def test_library_is_good():
    with Folder() as folder:
        plugin(folder)
        write(folder, FILE, LIBRARY)
        dunlin("run", FILE, "--quiet", folder=folder, ranks=2)


def test_no_library():
    with Folder() as folder:
        write(folder, FILE, LIBRARY)
        refused(folder, [FILE + ":2", "mine.so"])
        write(folder, "mine.so", "this is no library\n")
        refused(folder, [FILE + ":2", "mine.so"])


def test_library_without_symbol():
    with Folder() as folder:
        plugin(folder, name="yours")
        write(folder, FILE, LIBRARY)
        refused(folder, ["mine.so", "dun_target_mine"])


def test_library_of_other_abi():
    with Folder() as folder:
        plugin(folder, change_header=("DUN_ABI = 7", "DUN_ABI = 77"))
        write(folder, FILE, LIBRARY)
        refused(folder, ["mine.so", "77"])


def test_library_of_other_size():
    with Folder() as folder:
        plugin(folder, change_header=("struct dun_target {", "struct dun_target { long pad;"))
        write(folder, FILE, LIBRARY)
        refused(folder, ["mine.so"])


def test_library_of_other_points():
    """A target on spins along a path of reals, and tilts without the function."""
    with Folder() as folder:
        write(folder, FILE, LIBRARY)
        for more, words in ((".support = DUN_SPINS,", ["spins or letters", "uniform"]),
                            (".support = 9,", ["`support` is unknown"]),
                            (".tilts = DUN_TILTED_MASS,", ["no `tilted`"])):
            plugin(folder, more=more)
            refused(folder, [FILE + ":", *words], collective=False)


def modes(count, share, width):
    return (".modes = modes};\nint modes(const void *self, int capacity, double *centre, "
            "double *share, double *width)\n{\n  (void)self;\n  if (capacity > 0 && centre) {\n"
            f"    centre[0] = 1, share[0] = {share}, width[0] = {width};\n  }}\n"
            f"  return {count};\n")


def test_library_with_impossible_modes():
    """More than memory holds, and numbers of which no share can be told."""
    with Folder() as folder:
        write(folder, FILE, LIBRARY + "probes: [{type: modes}]\n")
        declared = "int modes(const void *, int, double *, double *, double *);\n"
        for said, words in ((modes(2147483647, 1, 1), ["too many"]),
                            (modes(1, '__builtin_nan("")', 1), ["share"]),
                            (modes(1, 1, 0), ["width 0"])):
            plugin(folder, more=said, before=declared)
            refused(folder, [FILE + ":7", *words], collective=words[0] == "share")
        plugin(folder, more=modes(1, 1, 1), before=declared)
        dunlin("run", FILE, "--quiet", folder=folder)


def test_library_that_ends_the_program():
    """Exit code 0 is told of complete results only."""
    with Folder() as folder:
        write(folder, FILE, LIBRARY)
        plugin(folder, density="if (x[0] > 2) exit(0); return -x[0] * x[0] / 2;",
               before="#include <stdlib.h>\n")
        done = dunlin("run", FILE, "--quiet", folder=folder, code=1)
        assert "ended the program" in done.stderr, done.stderr
        assert not os.path.exists(os.path.join(folder, "out.h5"))


def test_library_with_two_densities():
    with Folder() as folder:
        plugin(folder, more=".rows = (void (*)(const void *, int, const double *, double *, "
                            "double *, double *))point,")
        write(folder, FILE, LIBRARY)
        refused(folder, ["mine.so"])


def test_unknown_option_of_library():
    with Folder() as folder:
        plugin(folder)
        write(folder, FILE, LIBRARY.replace("mine.so", "mine.so, widht: 3"))
        refused(folder, [FILE + ":2", "widht"])


add_tests()
main()

"""Twenty posteriors and a funnel, and chains on them by the no-U-turn sampler and by the program's
methods: draws, what they cost, effective sizes, and how far their moments are from the true ones.

The first eight are real ones, whose data and moments are in DUNLIN_DATA/posteriors and whose
densities are in tests/user_target/posteriors; the others are in tests/user_target/more.
"""
import csv
import json
import os
import subprocess
import sys

import h5py
import numpy

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), os.path.join(os.path.dirname(os.path.dirname(HERE)),
                                                    "analysis")]
import reference_diagnostics as reference  # noqa: E402
from support import BUILD, ENVIRONMENT, Folder, SOURCE, data_folder, dunlin, write  # noqa: E402

NUTS = os.path.join(BUILD, "tests", "benchmarks", "nuts")
MORE = os.path.join(SOURCE, "tests", "user_target", "more")

REAL = {"earn_height": "earnings", "kidscore_interaction": "kidiq", "mesquite": "mesquite",
        "logmesquite_logvash": "mesquite", "nes": "nes2000", "kilpisjarvi": "kilpisjarvi_mod",
        "blr": "sblri", "accel_gp": "mcycle_gp"}
MADE = ("schools_noncentred", "item_response", "volatility", "counts", "hidden_markov", "epidemic",
        "garch", "arma", "two_groups", "horseshoe", "random_effects", "survival")
FUNNEL = "schools_centred"  # which chains can only say that they have not met
NAMES = tuple(REAL) + MADE


def target(name):
    """The section `target` of an input."""
    words = name.split("_")
    centred = words[-1] in ("centred", "noncentred")
    library = "_".join(words[:-1]) if centred else name
    more = f", centred: {str(words[-1] == 'centred').lower()}" if centred else ""
    if name in REAL:
        more = f", data: {os.path.join(data_folder(), 'posteriors', REAL[name])}.json"
    path = os.path.join(BUILD, "tests", "user_target", library + ".so")
    return f"{{type: library, file: {path}{more}}}"


def truth(name):
    """{entry: (mean, its error, standard deviation, its error)}"""
    folder = os.path.join(data_folder(), "posteriors") if name in REAL else MORE
    with open(os.path.join(folder, "reference.csv"), encoding="utf-8", newline="") as file:
        return {row["parameter"]: tuple(float(row[column]) for column in
                                        ("mean", "mean_error", "sd", "sd_error"))
                for row in csv.DictReader(file) if row["posterior"] == name}


# ---- runs --------------------------------------------------------------------------------------

class Run:
    """Draws {entry: [chains][draws]} of chains, the gradients of all of them, and what was said."""

    def __init__(self, draws, warmup, gradients, verdict=""):
        self.draws, self.warmup, self.gradients, self.verdict = draws, warmup, gradients, verdict
        self.sweeps = self.nested = numpy.nan  # of a chain's warm-up, and nested R-hat


def made_input(folder, name, chains, method, kernel="", start=""):
    return write(folder, "input.yaml", f"""\
run:    {{seed: 1, particles: {chains}}}
target: {target(name)}
path:   {{type: constant{', start: ' + start if start else ''}}}
kernel: {{type: hmc{', ' + kernel if kernel else ''}}}
method: {method}
output: {{file: result.h5}}
""")


def nuts(folder, name, seed=1, **options):
    file = os.path.join(folder, "draws.npy")
    words = [word for key, value in options.items() for word in (key, str(value))]
    done = subprocess.run([NUTS, made_input(folder, name, 64, "{type: langevin}"), file, "seed",
                           str(seed)] + words, env=ENVIRONMENT, check=True, capture_output=True,
                          text=True)
    said, draws = json.loads(done.stdout), numpy.load(file)
    diverged = sum(chain["divergences"] for chain in said["chains"])
    return Run({entry: draws[:, :, i] for i, entry in enumerate(said["names"])},
               sum(chain["warmup_gradients"] for chain in said["chains"]),
               sum(chain["gradients"] for chain in said["chains"]),
               f"{diverged} diverged" if diverged else "")


def entries(variable):
    """{name of the entry: [chains][draws]} of a variable of /posterior."""
    name, values = variable.name.split("/")[-1], variable[...]
    if values.ndim == 2:
        return {name: values}
    found = {}
    for index in numpy.ndindex(values.shape[2:]):
        label = ",".join(str(i + 1) for i in index)
        found[f"{name}[{label}]"] = values[(slice(None), slice(None)) + index]
    return found


def langevin(folder, name, chains, draws, thin=1, seed=1, kernel="", start="", ranks=None,
             timeout=1800):
    """The defaults but for what is given: the number of chains and draws at least."""
    method = f"{{type: langevin, draws: {draws}, thin: {thin}}}"
    result = os.path.join(folder, "result.h5")
    file = made_input(folder, name, chains, method, kernel, start)
    dunlin("run", file, "--set", f"run.seed={seed}", "--output", result, "--overwrite", "--quiet",
           ranks=ranks, timeout=timeout)
    with h5py.File(result) as file:
        steps = file["trace/steps"]
        spent, moves = steps["evaluations"][...], steps["moves"][...]
        begun = numpy.searchsorted(numpy.cumsum(moves[::-1]), draws * thin)  # their steps, less 1
        warmup, total = int(spent[-begun - 2]), int(spent[-1])
        found = {}
        for variable in file["posterior"].values():
            if variable.ndim >= 2 and variable.shape[:2] == (chains, draws):
                found.update(entries(variable))
        run = Run(found, warmup, total - warmup, file.attrs["diagnosis"].decode())
        run.sweeps = numpy.sum(moves[:-begun - 1])
        if "superchains" in start:
            run.nested = numpy.nanmax(file["trace/rhat/rhat_nested"][...])
    return run


# ---- what they are worth -----------------------------------------------------------------------

def worst_of(draws):
    """Of all entries that vary: the smallest of the bulk, folded and tail effective sizes with its
    kind and entry, and the largest R-hat."""
    least, where, rhat = numpy.inf, "", 0
    for entry, values in draws.items():
        if numpy.ptp(values) == 0:
            continue
        found = reference.diagnostics(values)
        kinds = {kind: found[f"ess_{kind}"] for kind in ("bulk", "folded", "tail")}
        kind = min(kinds, key=kinds.get)
        rhat = max(rhat, found["rhat"])
        if not kinds[kind] >= least:
            least, where = kinds[kind], f"{kind} {entry}"
    return least, where, rhat


def deviation(draws, true):
    """The largest distance of means and standard deviations from the true ones in combined errors,
    its entry, and how many there are."""
    worst, where, count = 0, "", 0
    for entry, (mean, mean_error, spread, spread_error) in true.items():
        values = draws[entry]
        errors = reference.errors(values)
        for word, off, own, other in (("mean", numpy.mean(values) - mean, errors[0], mean_error),
                                      ("sd", numpy.std(values) - spread, errors[1], spread_error)):
            z = abs(off) / numpy.hypot(own, other)
            count += 1
            if not z <= worst:
                worst, where = z, f"{word} {entry}"
    return worst, where, count

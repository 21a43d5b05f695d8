"""Eight real posteriors (tests/user_target/posteriors): a run of each with what an input states and
nothing else, held against the moments of reference.csv, and their densities once more in numpy.

    tests/laws/posteriors.py [--ranks N] [--set SECTION.OPTION=VALUE ...] [NAME ...]

prints a table.  The data lie below DUNLIN_DATA."""
import argparse
import csv
import json
import math
import os
import sys
import time

import h5py
import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import (INPUTS, Folder, Missing, attributes, data_folder, dunlin,  # noqa: E402
                     summary)

DATA = {"earn_height": "earnings", "kidscore_interaction": "kidiq", "mesquite": "mesquite",
        "logmesquite_logvash": "mesquite", "nes": "nes2000", "kilpisjarvi": "kilpisjarvi_mod",
        "blr": "sblri", "accel_gp": "mcycle_gp"}


def path_of(file):
    folder = data_folder()
    path = folder and os.path.join(folder, "posteriors", file)
    if not path or not os.path.exists(path):
        raise Missing(f"no posteriors/{file} in DUNLIN_DATA")
    return path


def data_of(name):
    with open(path_of(DATA[name] + ".json"), encoding="utf-8") as file:
        found = json.load(file)
    return {key: numpy.array(value, dtype=float) for key, value in found.items()}


def reference_of(name):
    """{(variable, index from 0 or None): (mean, its error, deviation, its error)}"""
    found = {}
    with open(path_of("reference.csv"), encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            variable, _, index = row["parameter"].rstrip("]").partition("[")
            if row["posterior"] == name:
                found[variable, int(index) - 1 if index else None] = tuple(
                    float(row[key]) for key in ("mean", "mean_error", "sd", "sd_error"))
    return found


# ---- densities -----------------------------------------------------------------------------------

def normal(value, mean, deviation):
    z = (value - mean) / deviation
    return numpy.sum(-.5 * z * z - numpy.log(deviation) - .5 * math.log(2 * math.pi)
                     + 0 * value)


def student(value, place, width):
    z = (value - place) / width
    return math.log(2 / (math.pi * math.sqrt(3) * width)) - 2 * math.log1p(z * z / 3)


def design(name, data):
    """y and X of a regression."""
    one = numpy.ones(len(next(value for value in data.values() if value.ndim == 1)))
    if name == "earn_height":
        return data["earn"], [one, data["height"]]
    if name == "kidscore_interaction":
        hs, iq = data["mom_hs"], data["mom_iq"]
        return data["kid_score"], [one, hs, iq, hs * iq]
    if name == "mesquite":
        return data["weight"], [one] + [data[key] for key in (
            "diam1", "diam2", "canopy_height", "total_height", "density", "group")]
    if name == "logmesquite_logvash":
        first, second = data["diam1"], data["diam2"]
        return numpy.log(data["weight"]), [
            one, numpy.log(first * second * data["canopy_height"]), numpy.log(first * second),
            numpy.log(first / second), numpy.log(data["total_height"]), data["group"]]
    if name == "nes":
        age = data["age_discrete"]
        return data["partyid7"], [
            one, data["real_ideo"], data["race_adj"], age == 2, age == 3, age == 4, data["educ1"],
            data["gender"], data["income"]]
    return data["y"], list(data["X"].T)


def of_process(basis, slambda, value, sdgp, lscale, z, place, width):
    """The process, and its log prior."""
    power = sdgp ** 2 * math.sqrt(2 * math.pi) * lscale * numpy.exp(-.5 * (lscale * slambda) ** 2)
    shape, rate = 1.124909, .0177
    prior = student(value, place, width) + math.log(2) + student(sdgp, 0, 36) + normal(z, 0, 1)
    prior += (shape * math.log(rate) - math.lgamma(shape) - (shape + 1) * math.log(lscale)
              - rate / lscale)
    return value + basis @ (numpy.sqrt(power) * z), prior


def log_density(name, data, theta):
    """Of one draw {variable: value}, with all constants but those of flat priors, and with the
    Jacobians of the positive parameters."""
    if name == "accel_gp":
        mean, first = of_process(data["Xgp_1"], data["slambda_1"][:, 0], theta["Intercept"],
                                 theta["sdgp_1"], theta["lscale_1"], theta["zgp_1"], -13, 36)
        log_s, second = of_process(data["Xgp_sigma_1"], data["slambda_sigma_1"][:, 0],
                                   theta["Intercept_sigma"], theta["sdgp_sigma_1"],
                                   theta["lscale_sigma_1"], theta["zgp_sigma_1"], 0, 10)
        positive = ("sdgp_1", "lscale_1", "sdgp_sigma_1", "lscale_sigma_1")
        return (normal(data["Y"], mean, numpy.exp(log_s)) + first + second
                + sum(math.log(theta[key]) for key in positive))
    sigma = theta["sigma"]
    if name == "kilpisjarvi":
        return (normal(data["y"], theta["alpha"] + theta["beta"] * data["x"], sigma)
                + normal(theta["alpha"], data["pmualpha"], data["psalpha"])
                + normal(theta["beta"], data["pmubeta"], data["psbeta"]) + math.log(sigma))
    y, columns = design(name, data)
    found = normal(y, numpy.stack(columns, 1) @ theta["beta"], sigma) + math.log(sigma)
    if name == "kidscore_interaction":
        found += math.log(2 / (math.pi * 2.5 * (1 + (sigma / 2.5) ** 2)))
    if name == "blr":
        found += normal(theta["beta"], 0, 10) + normal(sigma, 0, 10) + math.log(2)
    return found


# ---- runs ----------------------------------------------------------------------------------------

def run(name, result, ranks=2, settings=()):
    words = [word for setting in settings for word in ("--set", setting)]
    path_of(DATA[name] + ".json")
    dunlin("run", os.path.join(INPUTS, f"posterior_{name}.yaml"), "--quiet", "--overwrite",
           "--output", result, *words, ranks=ranks, timeout=3000,
           environment={"DUNLIN_DATA": data_folder()})


def compare(name, result):
    """[(how many errors a mean or deviation is off, what)], two for each parameter.  Errors of ours
    are from the spread of the chains, which are independent."""
    found = []
    with h5py.File(result, "r") as file:
        for (variable, index), truth in reference_of(name).items():
            draws = file["posterior"][variable][...]
            draws = draws if index is None else draws[:, :, index]
            chains, mean = len(draws), draws.mean()
            squares = ((draws - mean) ** 2).mean(1)
            deviation = math.sqrt(squares.mean())
            mean_error = draws.mean(1).std(ddof=1) / math.sqrt(chains)
            deviation_error = squares.std(ddof=1) / math.sqrt(chains) / (2 * deviation)
            what = variable if index is None else f"{variable}[{index}]"
            found.append(((mean - truth[0]) / math.hypot(mean_error, truth[1]), "mean of " + what))
            found.append(((deviation - truth[2]) / math.hypot(deviation_error, truth[3]),
                          "deviation of " + what))
    return found


def worst(found):
    return max(found, key=lambda row: abs(row[0]) if row[0] == row[0] else math.inf)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("names", nargs="*", default=list(DATA))
    words = parser.parse_args()
    print("posterior             comparisons  beyond 4  worst  R-hat   bulk ESS  evaluations  "
          "seconds  diagnosis")
    for name in words.names or DATA:
        with Folder() as folder:
            result, begun = os.path.join(folder, "out.h5"), time.monotonic()
            run(name, result, words.ranks, words.set)
            seconds, said, found = time.monotonic() - begun, summary(result), compare(name, result)
            rows = said["parameters"]
            evaluations = int(attributes(result)["evaluations"])
            print(f"{name:22}{len(found):11}{sum(not abs(off) < 4 for off, _ in found):10}"
                  f"{worst(found)[0]:7.1f}{max(row['rhat'] or math.inf for row in rows):7.3f}"
                  f"{min(row['ess_bulk'] or 0 for row in rows):11.0f}{evaluations:13}"
                  f"{seconds:9.1f}  {said['diagnosis']} ("
                  + ", ".join(row["name"] for row in said["verdicts"] if row["level"] != "good")
                  + f") {worst(found)[1]}", flush=True)


if __name__ == "__main__":
    main()

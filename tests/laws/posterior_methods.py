"""Posteriors by smc and by tempering, from a base that is fitted and from a wide Gaussian that is
stated (flat priors are no base): means, deviations, log Z and verdicts.  Eight are real ones
(tests/user_target/posteriors), thirteen are of our own (tests/user_target/more).

    tests/laws/posterior_methods.py [--ranks N] [--seed N] [--set SECTION.OPTION=VALUE ...]
                                    [--ways WAY ...] [NAME ...]

prints a table, of the real ones where nothing is named: seconds and evaluations, how many means
and deviations are compared with those of reference.csv, how many lie 4 combined errors or more
from them and the worst, log Z of the method and of its second estimate, and which verdicts are not
good.  A WAY is one of "smc fitted",
"smc wide", "tempering fitted" and "tempering wide".  The data lie below DUNLIN_DATA."""
import argparse
import os
import re
import sys
import time

import h5py
import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from benchmarks import posterior_cases  # noqa: E402
from laws import posteriors  # noqa: E402
from support import Folder, attributes, dunlin, summary, write  # noqa: E402

WAYS = ("smc fitted", "smc wide", "tempering fitted", "tempering wide")
PARTICLES = {"smc": 4096, "tempering": 256}

# Means and deviations of the unconstrained coordinates as somebody states them who has seen the
# spreads of the data: of coefficients several times that of y over that of their covariate, of a
# constant that far from 0 as covariates which are not centred may take it; of log sigma within a
# factor of ten of the spread of y.
WIDE = {"earn_height": ("[0, 0, 10]", "[200000, 3000, 2]"),
        "kidscore_interaction": ("[0, 0, 0, 0, 3]", "[200, 200, 3, 3, 2]"),
        "mesquite": ("[0, 0, 0, 0, 0, 0, 0, 6]",
                     "[2000, 2000, 2000, 2000, 2000, 1000, 2000, 2]"),
        "logmesquite_logvash": ("0", "[10, 3, 3, 3, 3, 3, 2]"),
        "nes": ("0", "[10, 3, 3, 3, 3, 3, 3, 3, 3, 2]"),
        "kilpisjarvi": ("0", "[100, .1, 2]"),
        "blr": ("0", "[10, 10, 10, 10, 10, 3]"),
        "accel_gp": ("0", "3")}
WIDE.update({name: ("0", "3") for name in posterior_cases.MADE + (posterior_cases.FUNNEL,)})


def settings(name, way, seed=1):
    method, base = way.split()
    mean, scale = WIDE[name]
    law = ("{type: fitted, scale: 1}" if base == "fitted" else
           f"{{type: gaussian, mean: {mean}, scale: {scale}}}")
    return [f"path={{type: geometric, base: {law}}}", f"method={{type: {method}}}",
            f"run.particles={PARTICLES[method]}", f"run.seed={seed}"]


def run(folder, name, result, ranks, words):
    if name in posteriors.DATA:
        posteriors.run(name, result, ranks, words)
        return
    file = write(folder, "input.yaml", f"run: {{seed: 1}}\ntarget: {posterior_cases.target(name)}\n"
                                       "kernel: {type: hmc}\n")
    dunlin("run", file, "--quiet", "--overwrite", "--output", result,
           *(word for setting in words for word in ("--set", setting)), ranks=ranks, timeout=3000)


def compare(name, result, said):
    """[(how many errors a mean or deviation is off, what)] of those that have an error."""
    found, place = [], {row["name"]: i for i, row in enumerate(said["parameters"])}
    with h5py.File(result, "r") as file:
        table = {key: file["trace"]["moments"][key][-len(place):]
                 for key in ("mean", "error", "deviation", "deviation_error")}
    for what, truth in posterior_cases.truth(name).items():
        i = place[re.sub(r"\d+(?=[],])", lambda index: str(int(index[0]) - 1), what)]  # from 0 on
        for word, own, at in (("mean", "error", 0), ("deviation", "deviation_error", 2)):
            if numpy.isnan(table[own][i]):
                print(f"the {word} of {what} has no error: heavy tails")
                continue
            off = (table[word][i] - truth[at]) / numpy.hypot(table[own][i], truth[at + 1])
            found.append((off, f"{word} of {what}"))
    return found


class Row:
    """What a run came to."""

    def __init__(self, name, way, ranks=None, seed=1, words=()):
        with Folder() as folder:
            result, begun = os.path.join(folder, "out.h5"), time.monotonic()
            run(folder, name, result, ranks, [*settings(name, way, seed), *words])
            self.seconds, self.said = time.monotonic() - begun, summary(result)
            self.found = compare(name, result, self.said)
            self.evaluations = int(attributes(result)["evaluations"])
        self.log_z, self.error = self.said["log_evidence"], self.said["log_evidence_error"]
        self.second = [(row["log_evidence"], row["error"]) for row in self.said["evidence"]
                       if row["estimator"] == 1]
        self.not_good = [row["name"] for row in self.said["verdicts"] if row["level"] != "good"]
        self.off, self.what = posteriors.worst(self.found)


def tell(name, way, row):
    second = f"{row.second[0][0]:12.4f} ±{row.second[0][1]:7.4f}" if row.second else " " * 21
    beyond = sum(not abs(off) < 4 for off, _ in row.found)
    print(f"{name:21}{way:17}{row.seconds:8.1f}{row.evaluations:12}{len(row.found):5}{beyond:4}"
          f"{row.off:6.1f}  {row.log_z:12.4f} ±{row.error:7.4f} {second}  "
          f"{row.said['diagnosis']} ({', '.join(row.not_good)}) {row.what}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ranks", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--ways", nargs="*", default=list(WAYS))
    parser.add_argument("names", nargs="*", default=list(posteriors.DATA))
    words = parser.parse_args()
    print(f"{'':38}{'seconds':>8}{'evaluations':>12}  off by 4, worst{'log Z':>8}{'second':>22}")
    for name in words.names:
        for way in words.ways:
            tell(name, way, Row(name, way, words.ranks, words.seed, words.set))


if __name__ == "__main__":
    main()

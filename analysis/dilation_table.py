#!/usr/bin/python3
"""Modes found and their shares, by Langevin chains along paths and by baselines with as many target
evaluations, beside the figures of a reference implementation.

    dilation_table.py [--long] [--seed S] [--jobs J] [--program DUNLIN] [TARGET ...]

A cell is: modes hit (with more than a tenth of their due share), and the total variation distance
of the shares from the due ones, where a particle counts for the nearest mean within 4 standard
deviations, else as an outlier; in brackets the reference.  For B2 it is the share of the left mode
(0.10 is due).  --long adds the columns that take minutes.

A number behind a sampler is the scale of its start or base, or the rule's step or cap.  The fit
has 20000 chains, since the reference draws so many points from its mixture: exact draws of them
have a third of the distance, or less."""
import argparse
import collections
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy

# ---- targets ------------------------------------------------------------------------------------

GRID = "{type: gaussian_mixture, log_evidence: 1.7, layout: grid, separation: 10"
TARGETS = {
    "G5": GRID + "}",
    "G5s": GRID + ", shift: [20, 0]}",
    "G5w": GRID + f", weights: {list(range(1, 17))}" + "}",
    "B2": "{type: gaussian_mixture, log_evidence: 1.7, means: [[-5], [5]], weights: [0.1, 0.9]}",
    "F40": "{type: gaussian_mixture, log_evidence: 1.7, layout: forty}",
    "F40s": "{type: gaussian_mixture, log_evidence: 1.7, layout: forty, shift: -50}",
}
REACH = 4  # standard deviations

# Of what is followed back on a grid: its box and highest blur.
BOXES = {
    TARGETS["G5"]: ("half_width: 21", 20),
    TARGETS["G5s"]: ("half_width: 21, center: [20, 0]", 20),
    TARGETS["G5w"]: ("half_width: 21", 20),
    TARGETS["B2"]: ("half_width: 12", 10),
    TARGETS["F40s"]: ("half_width: 48, center: -50, cells: 256", 60),
}


def within(target):
    """The probe's limit is so much more than the square root of the dimension."""
    return REACH - (1 if target == TARGETS["B2"] else numpy.sqrt(2))


# ---- samplers -----------------------------------------------------------------------------------

FINAL = 200


def document(particles, seed, target, path, kernel, method, probe=None):
    probe = probe or f"{{type: modes, within: {within(target):.17g}}}"
    moves = f"path: {path}\nkernel: {kernel}\n" if path else ""
    return (f"run: {{seed: {seed}, particles: {particles}}}\ntarget: {target}\n{moves}"
            f"method: {method}\nprobes: [{probe}]\noutput: {{file: result.h5}}\n")


def annealed(path, kernel, more=""):
    """Langevin steps along a path of so many levels, and 200 small steps at its end."""
    def text(levels, particles, seed, target, **options):
        return document(particles, seed, target, path.replace("LEVELS", str(levels)),
                        f"{{type: ula, {kernel}, final_step_size: 0.1}}",
                        f"{{type: langevin, warmup: 0, draws: 0, final_moves: {FINAL}}}",
                        **options) + more
    return text


def dilation(kernel, more=""):
    return annealed("{type: dilation, schedule: {levels: LEVELS}}", kernel, more)


def geometric(scale):
    return annealed(f"{{type: geometric, base: {{type: gaussian, scale: {scale}}}, schedule: "
                    "{type: fixed, steps: LEVELS, spacing: linear}}",
                    "step_rule: const, step_size: 0.1")


def unguided(scale):
    """Langevin steps on the target, as many as of a guided run."""
    def text(levels, particles, seed, target, **options):
        return document(particles, seed, target, f"{{type: constant, start: {{scale: {scale}}}}}",
                        "{type: ula, final_step_size: 0.1}",
                        "{type: langevin, warmup: 0, draws: 0, final_moves: "
                        f"{levels + FINAL}}}", **options)
    return text


def smc(scale):
    """40 times, and moves of 10 gradients each, as many as make up the same number."""
    def text(levels, particles, seed, target):
        return document(particles, seed, target,
                        f"{{type: geometric, base: {{type: gaussian, scale: {scale}}}, schedule: "
                        "{type: fixed, steps: 40, spacing: logarithmic, start: 1e-3}}",
                        "{type: hmc, leapfrog_steps: 9}",
                        f"{{type: smc, moves_per_step: {round((levels + FINAL) / 400)}}}")
    return text


def tempering(scale):
    """A ladder of 5 rungs for each draw, 32 evaluations of a replica at the start, then 2 in a move
    and one at the base; a third of the sweeps after the warm-up."""
    def text(levels, particles, seed, target):
        sweeps = max(40, round(((levels + FINAL) / 5 - 32) / 2.2))
        rest = max(20, sweeps // 3)
        return document(5 * particles, seed, target,
                        f"{{type: geometric, base: {{type: gaussian, scale: {scale}}}}}",
                        "{type: mala}", "{type: tempering, temperatures: 5, "
                        f"warmup: {sweeps - rest}, draws: 1, thin: {rest}}}")
    return text


def convolution(levels, particles, seed, target):
    """Followed back in 100 levels, however many the others have."""
    box, highest = BOXES[target]
    return document(particles, seed, target, None, None,
                    f"{{type: flow, process: {{type: ve, scale: {highest}}}, noise: {{type: "
                    "reverse}, final: denoise, grid: {type: geometric, steps: 100, last: 0.1}, "
                    f"field: {{type: grid, {box}}}}}")


def fitted(levels, particles, seed, target):
    """As many chains as the reference has draws from the mixture; they become the draws."""
    guide = dilation("step_rule: cap1, step_size: 1, cap: 5",
                     "finish: [{type: fit_and_reweight}]\n")
    return guide(levels, max(particles, 20000), seed, target)


SAMPLERS = {
    "ULA": unguided(1),
    "ULA wide 15": unguided(15),
    "ULA wide 40": unguided(40),
    "geometric 1": geometric(1),
    "geometric 15": geometric(15),
    "geometric 40": geometric(40),
    "dilation lambda .1": dilation("step_rule: lambda, step_size: 0.1"),
    "dilation lambda 1": dilation("step_rule: lambda, step_size: 1"),
    "dilation const .1": dilation("step_rule: const, step_size: 0.1"),
    "dilation cap1": dilation("step_rule: cap1, step_size: 1, cap: 5"),
    "dilation cap1 .1, 1": dilation("step_rule: cap1, step_size: 0.1, cap: 1"),
    "dilation cap2": dilation("step_rule: cap2, step_size: 1, cap: 4"),
    "dilation snr": dilation("step_rule: snr, step_size: 1, ratio: 1"),
    "dilation mean 1": dilation("step_rule: mean, step_size: 1, cap: 1"),
    "dilation mean 5": dilation("step_rule: mean, step_size: 1, cap: 5"),
    "dilation tamed": dilation("step_rule: tamed, step_size: 1"),
    "dilation cap1 + fit": fitted,
    "convolution SDE": convolution,
    "SMC 5": smc(5),
    "SMC 15": smc(15),
    "SMC 40": smc(40),
    "tempering 5": tempering(5),
    "tempering 15": tempering(15),
    "tempering 40": tempering(40),
}

# ---- scores -------------------------------------------------------------------------------------

Score = collections.namedtuple("Score", "hit variation share due evaluations log_evidence error "
                               "diagnosis")


def score(result):
    with h5py.File(result) as file:
        table = {name: file["trace/modes"][name][...] for name in ("mode", "share", "due")}
        said = dict(file.attrs)
    last = len(table["mode"]) - 1 - numpy.flatnonzero(table["mode"][::-1] == -1)[0]
    first = numpy.flatnonzero(table["mode"][:last] == 0)[-1]
    share, due = table["share"][first:last + 1], table["due"][first:last + 1]
    return Score(int(numpy.sum(share[:-1] > .1 * due[:-1])), .5 * numpy.abs(share - due).sum(),
                 share, due, int(said["evaluations"]), float(said["log_evidence"]),
                 float(said["log_evidence_error"]), said["diagnosis"].decode())


def exact_variation(due, particles):
    """The mean total variation distance of so many independent exact draws."""
    counts = numpy.random.default_rng(1).multinomial(particles, due[:-1] / due[:-1].sum(), 2000)
    return numpy.mean(.5 * numpy.abs(counts / particles - due[:-1]).sum(1))


# ---- the table ----------------------------------------------------------------------------------

# target: particles, columns of quick and of long runs, {sampler: reference by column}
TABLE = {
    "G5": (2000, (200, 1000), (5000, 20000), {
        "ULA": ("4, .750", "4, .750", "4, .748", "4, .736"),
        "geometric 1": ("4, .749", "4, .750", "4, .750", "4, .748"),
        "geometric 15": ("16, .034", "16, .041", "16, .098", "16, .060"),
        "dilation lambda .1": ("4, .750", "4, .750", "4, .749", "4, .735"),
        "dilation lambda 1": ("10, .689", "14, .453", "16, .084", "16, .044"),
        "dilation const .1": ("16, .213", "16, .171", "16, .401", "diverged"),
        "dilation cap1": ("16, .031", "16, .034", "16, .035", "16, .023"),
        "dilation cap1 .1, 1": ("16, .410", "16, .061", "16, .032", "16, .032"),
        "dilation cap2": ("16, .057", "16, .044", "16, .045", "16, .041"),
        "dilation snr": ("16, .158", "16, .047", "16, .036", "16, .035"),
        "dilation tamed": ("16, .071", "16, .030", "16, .040", "16, .030"),
        "dilation cap1 + fit": (), "convolution SDE": (), "SMC 15": (), "tempering 15": (),
    }),
    "G5s": (2000, (2000,), (), {
        "ULA": ("2, .874",), "ULA wide 15": ("14, .501",), "geometric 15": ("13, .409",),
        "dilation lambda .1": ("2, .874",), "dilation cap1": ("16, .032",),
        "dilation cap2": ("16, .032",), "dilation mean 5": ("16, .040",),
        "dilation tamed": ("16, .038",),
        "dilation cap1 + fit": (), "convolution SDE": (), "SMC 15": (), "tempering 15": (),
    }),
    "G5w": (2000, (1000,), (10000,), {
        "ULA": ("4, .750", "4, .744"), "ULA wide 15": ("16, .244", "16, .246"),
        "geometric 15": ("16, .232", "16, .195"), "dilation cap1": ("16, .166", "16, .140"),
        "dilation snr": ("16, .107", "16, .132"), "dilation mean 1": ("16, .196", "16, .117"),
        "dilation cap1 + fit": ("16, .010", "-"), "convolution SDE": ("16, .024", "-"),
        "SMC 15": (), "tempering 15": ("16, .029", "-"),
    }),
    "B2": (4000, (1000,), (10000,), {
        "ULA": (".41", ".41"), "geometric 1": (".256", ".196"),
        "dilation cap1": (".307", ".251"), "dilation snr": (".314", ".250"),
        "dilation mean 1": (".288", ".236"), "dilation cap1 + fit": (), "convolution SDE": (),
        "SMC 5": (), "tempering 5": (".094", "-"),
    }),
    "F40s": (1000, (2000,), (), {
        "ULA": ("3, .924",), "ULA wide 40": ("23, .668",), "geometric 40": ("26, .617",),
        "dilation lambda .1": ("3, .935",), "dilation cap1": ("40, .109",),
        "dilation cap2": ("34, .392",), "dilation snr": ("20, .682",),
        "dilation tamed": ("39, .211",), "dilation cap1 + fit": (), "convolution SDE": (),
        "SMC 40": (), "tempering 40": (),
    }),
}


def measure(arguments, folder, name, sampler, levels):
    file = os.path.join(folder, f"{name}-{sampler}-{levels}".replace(" ", "_"))
    particles = TABLE[name][0]
    with open(file + ".yaml", "w") as out:
        out.write(SAMPLERS[sampler](levels, particles, arguments.seed, TARGETS[name]))
    subprocess.run([arguments.program, "run", file + ".yaml", "--output", file + ".h5", "--quiet"],
                   check=True, stdout=subprocess.DEVNULL)
    return score(file + ".h5")


def cell(name, found):
    first = f"{found.share[0]:.3f}" if name == "B2" else f"{found.hit}, {found.variation:.3f}"
    return first.replace("0.", ".") if found.variation < 1 else first


def show(name, columns, rows, found):
    particles, due = TABLE[name][0], found[name, next(iter(rows)), columns[0]].due
    exact = f"{exact_variation(due, particles):.3f}".lstrip("0")
    print(f"\n{name}: {particles} particles, exact draws have a distance of {exact}\n")
    print("| sampler | " + " | ".join(f"K = {levels}" for levels in columns) +
          " | evaluations | log Z (1.7) |")
    print("| --- " * (len(columns) + 3) + "|")
    for sampler, reference in rows.items():
        cells = []
        for i, levels in enumerate(columns):
            beside = f" ({reference[i]})" if i < len(reference) else ""
            cells.append(cell(name, found[name, sampler, levels]) + beside)
        last = found[name, sampler, columns[-1]]
        cells.append(f"{last.evaluations / 1e6:.1f}e6")
        known = last.error == last.error
        cells.append(f"{last.log_evidence:.3f} ± {last.error:.3f}" if known else "-")
        print(f"| {sampler} | " + " | ".join(cells) + " |")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    source = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TABLE))
    parser.add_argument("--long", action="store_true", help="the columns that take minutes too")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--program", default=os.path.join(source, "build", "release", "dunlin"))
    arguments = parser.parse_args()
    names = arguments.targets or list(TABLE)
    if set(names) - set(TABLE):
        parser.error("the targets are " + ", ".join(TABLE))
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(arguments.jobs) as pool:
        for name in names:
            _, quick, long, rows = TABLE[name]
            columns = quick + (long if arguments.long else ())
            jobs = {(name, sampler, levels): pool.submit(measure, arguments, folder, name, sampler,
                                                         levels)
                    for levels in columns for sampler in rows}
            show(name, columns, rows, {key: job.result() for key, job in jobs.items()})


if __name__ == "__main__":
    main()

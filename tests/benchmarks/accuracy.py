"""Time to accuracy: CPU seconds of one run × mean squared error of log Z, over 50 populations.

The product does not depend on the number of particles.  It is scaled to a core of 60 GF/s by the
peak that `bench` measures; beside it stands the product with the mean squared reported error, which
is less noisy.

    /usr/bin/python3 tests/benchmarks/accuracy.py        DUNLIN_BUILD: build/release
"""
import os
import re
import resource
import subprocess
import tempfile

import h5py
import numpy

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("DUNLIN_BUILD", os.path.join(TOP, "build", "release"))
COUNT, PARTICLES = 50, 10000

BASE = "path: {type: geometric, base: {type: gaussian, scale: 5}, schedule: {SCHEDULE}}\n"
CASES = [
    ("10-D mixture .7/.3 at ±3", 6e-5, "conditional_ess: 0.9", "auto",
     "{type: gaussian_mixture, dimension: 10, layout: two_modes, separation: 3, "
     "weights: [.7, .3]}"),
    ("30-D Toeplitz .9", 1e-3, "conditional_ess: 0.9", "auto",
     "{type: gaussian, dimension: 30, covariance: {type: toeplitz, correlation: .9}}"),
    ("30-D Toeplitz .9, small steps", 1e-3, "conditional_ess: 0.95", "2",
     "{type: gaussian, dimension: 30, covariance: {type: toeplitz, correlation: .9}}"),
]


def peak():
    done = subprocess.run([os.path.join(BUILD, "tests", "benchmarks", "bench"), "uniforms"],
                          capture_output=True, text=True, check=True)
    return float(re.search(r"peak of a core ([0-9.]+)", done.stdout).group(1))


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(folder, target, schedule, moves):
    name, result = os.path.join(folder, "a.yaml"), os.path.join(folder, "a.h5")
    with open(name, "w", encoding="utf-8") as file:
        file.write(f"run: {{seed: 1000, particles: {PARTICLES}, replicates: {COUNT}}}\n"
                   f"target: {target}\n" + BASE.replace("SCHEDULE", schedule) +
                   f"kernel: {{type: hmc}}\nmethod: {{type: smc, moves_per_step: {moves}}}\n"
                   "output: {draws: 10}\n")
    before = cpu_seconds()
    subprocess.run([os.path.join(BUILD, "dunlin"), "run", name, "--output", result, "--overwrite",
                    "--quiet"], check=True, stderr=subprocess.DEVNULL)
    seconds = (cpu_seconds() - before) / COUNT
    with h5py.File(result) as file:
        table = file["trace/replicates"]
        return seconds, table["log_evidence"][:], table["log_evidence_error"][:]


def main():
    scale = peak() / 60
    print(f"peak of a core {60 * scale:.1f} GF/s; {COUNT} populations of {PARTICLES}")
    print(f"{'':32}{'CPU s':>8}{'rms':>9}{'CPU mse':>10}{'reported':>10}{'aim':>9}")
    with tempfile.TemporaryDirectory() as folder:
        for name, aim, schedule, moves, target in CASES:
            seconds, value, error = measure(folder, target, schedule, moves)
            square, reported = numpy.mean(value**2), numpy.mean(error**2)
            print(f"{name:32}{seconds:8.3f}{square**.5:9.4f}{seconds * scale * square:10.2e}"
                  f"{seconds * scale * reported:10.2e}{aim:9.0e}")


main()

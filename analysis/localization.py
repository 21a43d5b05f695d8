#!/usr/bin/python3
"""Stochastic localization beside known figures, all tables by one command.

    localization.py [--program DUNLIN] [--folder FOLDER] [--check] [TABLE ...]

steps: how many nats Euler's steps are from the law of observations, of a Gaussian, in closed form
and as runs tell it of themselves; windows: spectra of images by small windows, without chance;
mixture: two modes in 128 dimensions; halves: the same by networks, one of each half of the examples
and one alone that sees the observation itself; counts: points found by counting events; wrong:
log Z with means that are too short, its error over a hundred populations, and the nats of the
ways; slips: two modes in 16 dimensions and eight on a circle by nothing but gradients.  Then those
of analysis/spins.py (ring, curie_weiss, glass, signal, torus) and of analysis/long_range.py (two,
exact, colours, pyramid).

Known figures stand in brackets; --check: exit code 1 where one with a limit is further off.  The
tables steps, windows and wrong need programs of the tests, and are left out where there are none.
All take about twelve minutes of one core."""
import math
import os
import subprocess

import h5py
import numpy

import long_range
import spins
from known_figures import TOP, main
from spins import mean_of, note, tell

# ---- programs of the tests ----------------------------------------------------------------------


def beside(chosen, name):
    """A program of the tests; None, and a line, where it is not built."""
    found = os.path.join(os.path.dirname(os.path.abspath(chosen.program)), "tests", name)
    if os.path.exists(found):
        return found
    note(f"{found} is not there: left out")
    return None


def printed(chosen, name, say):
    """Whether a test program passes; the lines that it prints, but for its names."""
    program = beside(chosen, name)
    if not program:
        return True
    done = subprocess.run([program], capture_output=True, text=True, check=False,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})
    for line in done.stdout.splitlines():
        if say(line):
            note(line.removeprefix("# "))
    if done.returncode:
        note(name + " fails!")
    return done.returncode == 0


def nats_of_run(file):
    """Of ways of path localized, and their error."""
    return tuple(float(file["trace/smc"][name][0]) for name in ("nats", "nats_error"))


# ---- steps --------------------------------------------------------------------------------------

NATS = {50: .081953, 200: .020123}
GAUSSIAN = """
run: {{seed: 1, particles: 100000}}
target: {{type: gaussian, dimension: 3, covariance: {{type: diagonal, variances: [3, 1, .25]}}}}
path: {{type: localized, first: 1e-9, horizon: 5, steps: {}, pieces: 1}}
method: {{type: smc, moves_per_step: 0}}
"""


def steps(chosen):
    print("Euler's steps on a Gaussian with variances 3, 1, .25 to t = 5: nats of the law of "
          "observations from them [closed form]")
    good = printed(chosen, "test_euler_nats", lambda line: "nats (" in line)
    for count, known in NATS.items():
        with spins.run(chosen, f"steps {count}", GAUSSIAN.format(count)) as file:
            found, error = nats_of_run(file)
        good = tell(f"path localized, {count} steps", (found, error, known, 4 * error)) and good
    return good


def windows(chosen):
    print("spectra of images by windows, without chance, beside known ones (limit .002)")
    return printed(chosen, "test_window_long", lambda line: not line.startswith("ok"))


# ---- mixture ------------------------------------------------------------------------------------

SIDE, HORIZON = 128, math.tan(math.pi / 2 - .3) ** 2
MIXTURE = """
run: {{seed: 1, particles: 5000}}
target: {{type: gaussian_mixture, {}}}
method: {{{}}}
"""
READ = (f"type: flow, process: {{type: isotropic, horizon: {HORIZON!r}}}, scheme: ddpm, "
        "grid: {type: arctan, steps: 200}")
DRAWN = ("type: localization, by: means, steps: 200, observation: {type: gaussian, horizon: "
         f"{HORIZON!r}}}")


MODES = (f"means: [[{', '.join(['0.3'] * SIDE)}], [{', '.join(['-0.7'] * SIDE)}]], "
         "weights: [.7, .3]")


def mixture(chosen):
    print(f"two modes in {SIDE} dimensions, 200 steps to t = {HORIZON:.2f}: weight, mean and "
          "deviation of the projections on the modes' distance")
    good = True
    for name, method, wide in (("read out as y / T", READ, .0925),
                               ("drawn at the end", DRAWN, SIDE ** -.5)):
        with spins.run(chosen, "mixture " + name, MIXTURE.format(MODES, method)) as file:
            s = spins.spins(file).mean(1)
        up = s > -.2
        cells = [(*mean_of(up * 1.), .7, .02)]
        for part, mean in ((s[up], .3), (s[~up], -.7)):
            cells += [(*mean_of(part), mean, .01), (part.std(), None, wide, .003)]
        good = tell(name, *cells) and good
    return good


# ---- halves -------------------------------------------------------------------------------------

# Read out as y / T: the width of a mode, and how far a point of it may lie from its mean.
WIDE, FAR = math.sqrt((1 + 1 / HORIZON) / SIDE), 4
LESSONS = ("type: train, network: {{type: two_layer, levels: 3, width: 256}}, lessons: {{{}, "
           "batch: 50, output: denoiser, optimiser: {{rate: 1e-3, schedule: constant, clip: 1, "
           "weight_decay: 1e-4}}}}")
HALF = "half: {}, steps: 4800, every: 600, examples: {{count: 12000, held_back: 4000}}"
RAW = "input: raw, steps: 30000, every: 1200, examples: {count: 3000, held_back: 2000}"


def distance(s):
    """Kolmogorov's, of projections from those of the two modes."""
    s = numpy.sort(s)
    share = sum(weight * numpy.array([.5 * math.erfc((mean - y) / WIDE / math.sqrt(2)) for y in s])
                for weight, mean in ((.7, .3), (.3, -.7)))
    place = numpy.arange(len(s) + 1) / len(s)
    return max(abs(share - place[1:]).max(), abs(share - place[:-1]).max())


def halves(chosen):
    print(f"the same by networks: weight, share further than {FAR} deviations from both modes, "
          "distance of the projections (Kolmogorov) from those of the law")

    def name_of(label):
        return os.path.join(os.path.abspath(chosen.folder), label + ".h5")

    def learn(label, lessons):
        spins.run(chosen, label, MIXTURE.format(MODES, LESSONS.format(lessons))).close()

    def row(label, field, weight, known):
        text = MIXTURE.format(MODES, READ + ", field: " + field)
        with spins.run(chosen, label, text) as file:
            s = spins.spins(file).mean(1)
        far = ((abs(s - .3) > FAR * WIDE) & (abs(s + .7) > FAR * WIDE)).mean()
        share, error = mean_of((s > -.2) * 1.)
        return tell(label.replace("_", " "), (share, error, *weight(error)), (far, None, *known[0]),
                    (distance(s), None, *known[1]))

    for half in ("upper", "lower"):
        learn(half, HALF.format(half))
    with h5py.File(name_of("upper"), "r") as file:
        share = float(file["learned/method/share"][0])
    learn("raw", RAW)
    outside = math.erfc(FAR / math.sqrt(2))
    good = row("one_of_each_half", f"{{type: split, upper: {name_of('upper')!r}, lower: "
               f"{name_of('lower')!r}}}", lambda error: (share, 4 * error),
               [(outside, 5 * math.sqrt(outside / 5000)), (0, .03)])
    # That one alone does not find the law is what is known of it: .163 by 5000 examples.
    return row("one_alone,_raw", f"{{type: network, load: {name_of('raw')!r}}}",
               lambda error: (.619, None), [(.072, None), (.163, .063)]) and good


# ---- counts -------------------------------------------------------------------------------------

SHAPE, RATE, UNTIL = 2.5, 1.5, 6
COUNTS = """
run: {{seed: 1, particles: 20000}}
target: {{type: gaussian, dimension: 1}}
method: {{type: localization, observation: {{type: poisson, horizon: {}}},
         field: {{type: atoms, points: "{}"}}, {}}}
"""


def counts(chosen):
    print(f"counts of events at rates from a gamma law of shape {SHAPE} and rate {RATE} to t = "
          f"{UNTIL}: mean and variance of the rates")
    # A thousand points of equal weight with the law's own mean and variance.
    x = numpy.sort(numpy.random.default_rng(1).gamma(SHAPE, 1 / RATE, 1000))
    x = numpy.maximum(SHAPE / RATE + (x - x.mean()) * math.sqrt(SHAPE) / RATE / x.std(), 1e-3)
    file = os.path.join(os.path.abspath(chosen.folder), "rates.csv")
    numpy.savetxt(file, x)
    good = True
    for name, how in (("draws", "steps: 20"), ("means, 400 steps", "by: means, steps: 400")):
        with spins.run(chosen, "counts " + name, COUNTS.format(UNTIL, file, how)) as found:
            y = spins.spins(found)[:, 0]
        good = tell(name, (*mean_of(y), x.mean(), .02 * x.mean()),
                    (*mean_of((y - x.mean()) ** 2), x.var(), .04 * x.var())) and good
    return good


# ---- log Z with means that are wrong ------------------------------------------------------------

WRONG = """
run: {{seed: 1, particles: {}, replicates: {}}}
target: {{type: gaussian_mixture, means: [[0.6], [-1.4]], weights: [0.7, 0.3], scales: 0.2,
         log_evidence: 1.3}}
path: {{type: localized, field: {{{}}}, {}, width: 0.2, steps: 200}}
method: {{type: smc, moves_per_step: 0}}
"""


def entropy(weights, means, variance):
    """Of a mixture of normal laws of one variance."""
    wide = 10 * math.sqrt(variance)
    x = numpy.linspace(means.min() - wide, means.max() + wide, 20001)
    p = weights @ numpy.exp(-.5 * (x - means[:, None]) ** 2 / variance)
    p = p / math.sqrt(2 * math.pi * variance)
    return -(p * numpy.log(p + 1e-300)).sum() * (x[1] - x[0])


def square_of_means(t, weights, means, variance):
    """E |E x|^2 given t x + W_t."""
    if t == 0:
        return (weights @ means) ** 2
    spread, left = t + t * t * variance, variance / (1 + t * variance)
    y = numpy.linspace(t * means.min() - 10 * spread ** .5, t * means.max() + 10 * spread ** .5,
                       4001)
    p = weights[:, None] * numpy.exp(-.5 * (y - t * means[:, None]) ** 2 / spread)
    m = (p * left * (means[:, None] / variance + y)).sum(0) / (p.sum(0) + 1e-300)
    return (p.sum(0) * m ** 2).sum() / p.sum()


def nats_of(factor, horizon, first=1e-3, steps=200):
    """Of the ways of the mixture's points from those of these steps, and of the last draw where it
    is from a normal law: means that are right come with draws."""
    law = numpy.array([.7, .3]), numpy.array([.6, -1.4]), .04
    square = law[0] @ law[1] ** 2 + law[2]
    share = numpy.linspace(math.atan(first ** .5), math.atan(horizon ** .5), steps + 1)
    time = numpy.concatenate([[0], numpy.tan(share) ** 2])

    def off(t):
        return square - (2 * factor - factor ** 2) * square_of_means(t, *law) if t > 0 else square
    nats = .5 * sum((after - t) * off(t) for t, after in zip(time[:-1], time[1:]))
    told = entropy(law[0], horizon * law[1], horizon + horizon ** 2 * law[2])
    told -= .5 * math.log(2 * math.pi * math.e * horizon)
    left, wide = entropy(*law) - told, 1 / (horizon + 1 / law[2])
    last = .5 * math.log(2 * math.pi * wide) + .5 * off(horizon) / wide - left
    return nats - told + (last if factor < 1 else 0)


def wrong(chosen):
    print("log Z of a mixture with means that are right, 2 and 10 % too short: mean [1.3], share "
          "within 1 and 2 errors; nats of the ways [by integrals]")
    program = beside(chosen, "dunlin_types")
    if not program:
        return True
    chosen.program, usual = program, chosen.program
    good = True
    for factor in (1, .98, .9):
        field = f"type: faulty, factor: {factor}" if factor < 1 else "type: exact"
        text = WRONG.format(1000, 100, field, "horizon: 25, pieces: 40")
        with spins.run(chosen, f"wrong {factor}", text) as file:
            table = file["trace/replicates"]
            found, error = (table[name][...] for name in ("log_evidence", "log_evidence_error"))
        text = WRONG.format(40000, 1, field, "horizon: 25, pieces: 1")
        with spins.run(chosen, f"ways {factor}", text) as file:
            nats, nats_error = nats_of_run(file)
        off = abs(found - 1.3) / error
        mean, spread = mean_of(found)
        within = [(off < k).mean() for k in (1, 2)]
        limit = (.1, .045) if factor > .9 else (None, None)
        good = tell(f"times {factor}", (mean, spread, 1.3, 4 * spread),
                    (within[0], None, .68, limit[0]), (within[1], None, .945, limit[1]),
                    (nats, nats_error, nats_of(factor, 25),
                     5 * nats_error + .003)) and good  # heavy tails
    chosen.program = usual
    return good


# ---- nothing but gradients ----------------------------------------------------------------------


def nearest(chosen, name, modes):
    """Of points of an input, the mode that each is nearest to, and the points."""
    with open(os.path.join(TOP, "inputs", name + ".yaml"), encoding="utf-8") as file:
        with spins.run(chosen, name, file.read()) as found:
            x = spins.spins(found)
    return ((x[:, None] - modes[None]) ** 2).sum(2).argmin(1), x


def slips(chosen):
    modes = numpy.array([[-2 / 3] * 16, [4 / 3] * 16])
    own, x = nearest(chosen, "localization_slips_modes", modes)
    print("two modes in 16 dimensions by gradients: share of the first, and the modes' means")
    cells = [(*mean_of((own == 0) * 1.), 2 / 3, .1)]
    cells += [(*mean_of(x[own == k].mean(1)), modes[k, 0], .03) for k in (0, 1)]
    good = tell("geom(2, 1) from .35, 256 steps", *cells)
    turn = numpy.arange(8) * math.pi / 4
    own, _ = nearest(chosen, "localization_slips",
                     10 * numpy.stack([numpy.cos(turn), numpy.sin(turn)], 1))
    print("eight modes on a circle: the least and the largest share")
    share = numpy.bincount(own, minlength=8) / len(own)
    return tell("geom(1, 1) from .15, 256 steps", (share.min(), None, .125, .045),
                (share.max(), None, .125, .045)) and good


# -------------------------------------------------------------------------------------------------

TABLES = {"steps": steps, "windows": windows, "mixture": mixture, "halves": halves,
          "counts": counts, "wrong": wrong, "slips": slips, **spins.TABLES, **long_range.TABLES}


if __name__ == "__main__":
    main(TABLES, __doc__)

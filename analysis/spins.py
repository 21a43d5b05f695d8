#!/usr/bin/python3
"""Spins by localization and by Glauber dynamics, beside known figures.

    spins.py [--program DUNLIN] [--folder FOLDER] [--check] [ring] [curie_weiss] [glass] [signal]
             [torus]

Prints each figure with its standard error and the known one behind it in brackets.  ring: six
spins, through every observation whose steps the law of single spins takes; curie_weiss: a hundred
spins that all attract each other; glass: the Sherrington-Kirkpatrick model, 400 spins; signal: 500
signs hidden in couplings (the spiked Wigner model); torus: log Z of the square lattice where it
orders, by SMC.

Known figures of glass and signal are of another instance of the couplings, and of as many draws as
are stated below: energies and overlaps of single instances differ by more than their errors.  So
Glauber dynamics of the same instance stands beside them, and is what --check holds localization
against; it holds the means over instances against theory where that is right for so few spins.

--check: exit code 1 where a figure that has a limit is further off than that, behind a '!'."""
import itertools
import math
import os
import subprocess

import h5py
import numpy

from known_figures import TOP, main


# ---- runs ---------------------------------------------------------------------------------------


def run(chosen, label, text):
    """The result of an input, opened."""
    name = os.path.join(chosen.folder, "".join(c if c.isalnum() else "_" for c in label))
    with open(name + ".yaml", "w", encoding="utf-8") as file:
        file.write(text)
    subprocess.run([chosen.program, "run", name + ".yaml", "--output", name + ".h5", "--overwrite",
                    "--quiet"], check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    return h5py.File(name + ".h5", "r")


def spins(file):
    x = file["posterior/x"][...]
    return x.reshape(-1, x.shape[-1])


def mean_of(values):
    """Mean and standard error of independent draws."""
    return values.mean(), values.std(ddof=1) / math.sqrt(len(values))


def tell(name, *cells):
    """A row of cells (found, error, known, limit), of which all but the first may be None; whether
    all with a limit lie within it."""
    good, words = True, []
    for found, error, known, limit in cells:
        off = limit is not None and not abs(found - known) <= limit
        good = good and not off
        words.append(f"{found:8.4f}" + ("        " if error is None else f" ±{error:.4f}") +
                     ("         " if known is None else f" [{known:.4f}]") + ("!" if off else " "))
    print(f"  {name:34s}" + " ".join(words), flush=True)
    return good


def note(text):
    print("  " + text, flush=True)


# ---- ring ---------------------------------------------------------------------------------------

SITES, COUPLING, FIELD, DRAWS = 6, .6, .1, 40000
RING = f"""
run:    {{seed: 1, particles: {DRAWS}}}
target: {{type: ising_chain, dimension: {SITES}, coupling: {COUPLING}, field: {FIELD},
         closed: true}}
"""
# An observation, its steps, and the total variation from the exact law of 4e4 draws that is known;
# None: not stated.  Exact draws have .0110 by chance.
FLOOR = .0110
SYMMETRIC, ERASURE = "type: symmetric", "type: erasure"
GAUSSIAN = "type: gaussian, horizon: 15"
THROUGH = [
    (GAUSSIAN, 50, .018), (GAUSSIAN, 200, .013), (GAUSSIAN, 800, .014),
    (SYMMETRIC, 50, .016), (SYMMETRIC, 200, .013), (SYMMETRIC, 800, .015),
    (ERASURE + ", order: sequential", SITES, .0093), (ERASURE, 128, .0141), (ERASURE, 32, .0204),
    (ERASURE, 8, .0663), (ERASURE, 4, .1296)]
# Means of s_i, s_i s_i+1 and s_i s_i+3, and the entropy in nats.
MOMENTS = (.3033, .5922, .3478, 2.9823)


def ring_law():
    """Probabilities of all states, the first spin the fastest."""
    state = numpy.array(list(itertools.product((-1, 1), repeat=SITES)))[:, ::-1]
    lp = COUPLING * (state * numpy.roll(state, 1, 1)).sum(1) + FIELD * state.sum(1)
    p = numpy.exp(lp - lp.max())
    return state, p / p.sum()


def moments(x, law):
    """Of draws: s_i, s_i s_i+1, s_i s_i+3 and minus the log of their probability."""
    number = (x > 0) @ (1 << numpy.arange(SITES))
    pairs = [(x * numpy.roll(x, apart, 1)).mean(1) for apart in (1, 3)]
    return [mean_of(value) for value in (x.mean(1), *pairs, -numpy.log(law[number]))]


def ring(chosen):
    _, law = ring_law()
    entropy = -(law * numpy.log(law)).sum()
    print(f"ring of six spins: total variation of {DRAWS} draws from the exact law, of exact draws "
          f"{FLOOR}\n  means of s_i, s_i s_i+1, s_i s_i+3; entropy, exactly {entropy:.4f}")
    good = abs(entropy - MOMENTS[3]) < 1e-4
    for observation, steps, known in THROUGH:
        name = f"{observation.removeprefix('type: ')}, {steps} steps"
        method = (f"method: {{type: localization, by: means, observation: {{{observation}}}, "
                  f"steps: {steps}}}\n")
        with run(chosen, "ring " + name, RING + method) as file:
            x = spins(file)
        counts = numpy.bincount((x > 0) @ (1 << numpy.arange(SITES)), minlength=len(law))
        off = abs(counts / len(x) - law).sum() / 2
        # A tenth more than is known, and a quarter of chance; less is no fault.
        cells = [(off, None, known, .25 * FLOOR + (.1 * known if off > known else known))]
        exact = steps in (SITES, 200, 800)
        for (value, error), is_known in zip(moments(x, law), MOMENTS):
            cells.append((value, error, is_known, 4 * error if exact else None))
        good = tell(name, *cells) and good
    return good


# ---- Curie-Weiss --------------------------------------------------------------------------------

CURIE = 100, 1.3, .02
CURIE_TEXT = """
run:    {{seed: 1, particles: 1500}}
target: {{type: hopfield, dimension: {}, beta: {}, field: {}}}
method: {}
"""
# E m, E |m|, P(m > 0): the law's, and those of 1500 draws by a hundred steps.
CURIE_EXACT, CURIE_KNOWN = (.6712, .7441, .9466), (.694, .759, .953)


def curie_law():
    n, beta, field = CURIE
    up = numpy.arange(n + 1)
    ways = [math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) for k in up]
    sums = 2 * up - n
    lp = numpy.array(ways) + beta / (2 * n) * sums ** 2 + field * sums
    p = numpy.exp(lp - lp.max())
    p, m = p / p.sum(), sums / n
    return [(p * m).sum(), (p * abs(m)).sum(), p[m > 0].sum()]


def curie_weiss(chosen):
    exact = curie_law()
    print("Curie-Weiss, 100 spins: E m, E |m|, P(m > 0)")
    good = tell("by a sum over all states", *[(value, None, known, 1e-4)
                                              for value, known in zip(exact, CURIE_EXACT)])
    note("known of 1500 draws by 100 steps:  " +
         " ".join(f"{known:8.4f}                  " for known in CURIE_KNOWN))
    for name, method in (
            ("draws, 20 steps", "{type: localization, observation: {type: symmetric}}"),
            ("means, 100 steps", "{type: localization, by: means, observation: {type: gaussian, "
             "horizon: 10}, first_step: 0.001, steps: 100}"),
            ("means, 400 steps", "{type: localization, by: means, observation: {type: gaussian, "
             "horizon: 10}, first_step: 0.001, steps: 400}")):
        with run(chosen, "curie " + name, CURIE_TEXT.format(*CURIE, method)) as file:
            m = spins(file).mean(1)
        cells = [(*mean_of(value), known, 4 * mean_of(value)[1])
                 for value, known in zip((m, abs(m), (m > 0) * 1.), exact)]
        good = tell(name, *cells) and good
    return good


# ---- spin glasses -------------------------------------------------------------------------------

GLASS = """
run:    {{seed: 1, particles: {particles}}}
target: {{type: sherrington_kirkpatrick, dimension: {n}, beta: {beta}, instance: {instance},
         signal: {signal}}}
{method}
"""
LOCALIZED = """method: {{type: localization, observation: {{type: gaussian, horizon: 8}},
         field: {{type: amp, {field}}}, steps: {steps}, keep: {keep}, stride: {steps}}}"""
GLAUBER = """path:   {type: geometric, base: {type: uniform}}
kernel: {type: glauber}
method: {type: smc}"""

# beta: energies and n E R^2 by localization and by Glauber dynamics of another instance, |m|^2 / n
# at the end and q* of state evolution.
GLASS_KNOWN = {.3: ((.1487, 1.117), (.1489, 1.063), (.9925, .9932)),
               .5: ((.2444, 1.338), (.2456, 1.302), (.9925, .9938)),
               .8: ((.4071, 2.93), (.4105, 3.53), (.9948, .9949))}
ENERGY_LIMIT, OVERLAP_LIMIT = .015, .15
# beta: overlaps with the hidden signs and of two draws of another instance, and for many spins.
SIGNAL_KNOWN = {1.1: (.133, .121, .1917), 1.3: (.467, .418, .4945), 1.5: (.662, .625, .6923)}
SIGNAL_LIMIT = .05


NODE, WEIGHT = numpy.polynomial.hermite_e.hermegauss(200)


def gauss(f):
    """E f(g) of a standard normal g."""
    return (WEIGHT * f(NODE)).sum() / WEIGHT.sum()


def fixed_point(f):
    value = 1.
    for _ in range(1000):
        value = f(value)
    return value


def state_evolution(beta, t):
    return fixed_point(lambda q: gauss(
        lambda g: numpy.tanh(beta ** 2 * q + t + math.sqrt(beta ** 2 * q + t) * g) ** 2))


def overlaps(x):
    """<x, x'> / n of all pairs of draws."""
    return (x @ x.T / x.shape[1])[numpy.triu_indices(len(x), 1)]


def drawn(chosen, label, **filled):
    """Draws [..][n] of one instance, mean and error of the energy, and of the overlap with the
    signal."""
    with run(chosen, label, GLASS.format(**filled)) as file:
        energy, x = file["posterior/energy"][...].ravel(), spins(file)
        hidden = mean_of(file["posterior/overlap"][...].ravel()) if filled["signal"] else None
        kept = None
        if "trace/localization" in file:
            table = file["trace/localization"]
            last = table["step"][...] == table["step"][...].max()
            kept = (table["mean"][...][last] ** 2).mean()
    return x, mean_of(energy), hidden, kept


def glass_of(chosen, beta):
    same = dict(n=400, beta=beta, instance=3, signal=0)
    x, energy, _, kept = drawn(
        chosen, f"glass {beta}", particles=128, method=LOCALIZED.format(
            field="passes: 8, descents: 10", steps=80, keep=64), **same)
    y, known, _, _ = drawn(chosen, f"glauber {beta}", particles=1024, method=GLAUBER, **same)
    limit = OVERLAP_LIMIT / (1 - beta ** 2) if beta <= .5 else None
    squares, known_squares = (400 * (overlaps(z) ** 2).mean() for z in (x, y))
    other, other_glauber, (length, q) = GLASS_KNOWN[beta]
    good = tell(f"beta {beta}, localization",
                (*energy, known[0], ENERGY_LIMIT), (squares, None, 1 / (1 - beta ** 2), limit),
                (kept, None, state_evolution(beta, 8), .005))
    good = tell(f"  Glauber dynamics, theory", (*known, beta / 2, None),
                (known_squares, None, 1 / (1 - beta ** 2), None)) and good
    note(f"  another instance: localization {other[0]:.4f}, {other[1]:.3f}, {length:.4f}; Glauber "
         f"dynamics {other_glauber[0]:.4f}, {other_glauber[1]:.3f}; q* {q:.4f}")
    return good and abs(state_evolution(beta, 8) - q) < 1e-3


def glass(chosen):
    print("spin glass, 400 spins: energy [Glauber dynamics of the same instance], n E R^2 [theory, "
          "1 / (1 - beta^2)],\n  |m|^2 / n at t = 8 [state evolution's q*]")
    return all([glass_of(chosen, beta) for beta in GLASS_KNOWN])


def signal_of(chosen, beta):
    same = dict(n=500, beta=beta, instance=3, signal=beta)
    x, energy, hidden, _ = drawn(chosen, f"signal {beta}", particles=128, method=LOCALIZED.format(
        field="passes: 25, descents: 0", steps=160, keep=0), **same)
    y, known, known_hidden, _ = drawn(chosen, f"signal glauber {beta}", particles=512,
                                      method=GLAUBER, **same)
    pairs, known_pairs = (abs(overlaps(z)).mean() for z in (x, y))
    other, other_pairs, many = SIGNAL_KNOWN[beta]
    q = fixed_point(lambda q: gauss(
        lambda g: numpy.tanh(beta ** 2 * q + beta * math.sqrt(q) * g) ** 2))
    good = tell(f"beta {beta}, localization", (*hidden, known_hidden[0], SIGNAL_LIMIT),
                (pairs, None, known_pairs, SIGNAL_LIMIT), (*energy, known[0], ENERGY_LIMIT))
    note(f"  another instance {other:.3f}, {other_pairs:.3f}; for many spins {q:.4f} [{many:.4f}] "
         "both")
    return good and abs(q - many) < 1e-4


def signal(chosen):
    print("signs hidden in couplings, 500 spins: overlap with them, overlap of two draws, energy "
          "[Glauber dynamics of the same instance]")
    return all([signal_of(chosen, beta) for beta in SIGNAL_KNOWN])


# ---- torus --------------------------------------------------------------------------------------

CRITICAL = math.log(1 + math.sqrt(2)) / 2


def kaufman(K, M, N):
    """log Z of the M x N lattice that closes on itself, without field (Kaufman 1949, Phys. Rev. 76,
    1232, eq. 61): half the sum of four products over k, each taken by its logarithm."""
    cosh = math.cosh(2 * K) / math.tanh(2 * K)
    gamma = [2 * K + math.log(math.tanh(K))]
    gamma += [math.acosh(max(cosh - math.cos(math.pi * k / M), 1)) for k in range(1, 2 * M)]

    def log_product(first, sign):
        """Of 2 cosh, or with sign -1 of 2 |sinh|, of N gamma / 2."""
        half = [abs(N * value / 2) for value in gamma[first::2]]
        return math.fsum(h + math.log1p(sign * math.exp(-2 * h)) if h > 0 or sign > 0 else -math.inf
                         for h in half)
    logs = [log_product(1, 1), log_product(1, -1), log_product(0, 1), log_product(0, -1)]
    signs = [1, 1, 1, -1 if gamma[0] < 0 else 1]
    most = max(logs)
    total = math.fsum(sign * math.exp(value - most) for sign, value in zip(signs, logs))
    return M * N / 2 * math.log(2 * math.sinh(2 * K)) - math.log(2) + most + math.log(total)


def enumerated(K, M, N):
    """The same by a sum over all states."""
    number = numpy.arange(1 << M * N)
    state = (number[:, None] >> numpy.arange(M * N) & 1).astype(numpy.int8) * 2 - 1
    state = state.reshape(-1, M, N)
    pairs = sum((state * numpy.roll(state, 1, axis)).sum((1, 2), dtype=int) for axis in (1, 2))
    lp = K * pairs
    return lp.max() + math.log(math.fsum(numpy.exp(lp - lp.max())))


def torus(chosen):
    print("square lattice that closes on itself: Kaufman's log Z [by a sum over all states]")
    good = True
    for M, N, K in ((3, 3, CRITICAL), (4, 4, CRITICAL), (3, 4, .3), (4, 4, .7), (4, 3, CRITICAL)):
        known = enumerated(K, M, N)
        good = tell(f"{M} x {N}, coupling {K:.4f}", (kaufman(K, M, N), None, known, 1e-11 * known)
                    ) and good
    known = kaufman(CRITICAL, 16, 16)
    print("  log Z of 16 x 16 at the critical coupling by SMC with Glauber dynamics [Kaufman's], "
          "and how many errors off")
    for seed in (1, 2, 3):
        text = f"""
run:    {{seed: {seed}, particles: 4096}}
target: {{type: ising, side: 16, coupling: {CRITICAL!r}, outputs: observables}}
path:   {{type: geometric, base: {{type: uniform}}}}
kernel: {{type: glauber}}
method: {{type: smc}}
"""
        with run(chosen, f"torus {seed}", text) as file:
            found, error = (float(numpy.squeeze(file.attrs[name]))
                            for name in ("log_evidence", "log_evidence_error"))
        good = tell(f"seed {seed}", (found, error, known, 3 * error),
                    ((found - known) / error, None, None, None)) and error < .1 and good
    return good


# -------------------------------------------------------------------------------------------------

TABLES = {"ring": ring, "curie_weiss": curie_weiss, "glass": glass, "signal": signal,
          "torus": torus}


if __name__ == "__main__":
    main(TABLES, __doc__)

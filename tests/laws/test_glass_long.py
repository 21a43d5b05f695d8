# tier: long
"""Spin glasses of 400 and 500 spins by localization with message passing, against Glauber dynamics
of the same instance, and the overlaps of two samples against theory: 7 comparisons with what is
known of the method, .015 of energies, 15 % of overlaps, and .05 of overlaps with a signal."""
import os
import sys

import h5py
import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import Folder, dunlin, main, write  # noqa: E402

INPUT = """
run:    {{seed: 1, particles: {particles}}}
target:
  {{type: sherrington_kirkpatrick, dimension: {n}, beta: {beta}, instance: 3, signal: {signal}}}
{method}
output: {{file: result.h5}}
"""
LOCALIZED = ("method: {type: localization, observation: {type: gaussian, horizon: 8}, "
             "field: {type: amp}, steps: 80}")
PASSES = LOCALIZED.replace("type: amp", "type: amp, passes: 25, descents: 0")
GLAUBER = """path:   {type: geometric, base: {type: uniform}}
kernel: {type: glauber}
method: {type: smc}"""


def draws(beta, method, particles, n=400, signal=0):
    """Energies, n times the mean square of two samples' overlap, and mean overlaps with a signal
    and of two samples, without signs."""
    with Folder() as folder:
        text = INPUT.format(beta=beta, method=method, particles=particles, n=n, signal=signal)
        result = os.path.join(folder, "result.h5")
        dunlin("run", write(folder, "input.yaml", text), "--output", result, "--quiet",
               timeout=3000)
        with h5py.File(result, "r") as file:
            energy = file["posterior/energy"][...].ravel()
            x = file["posterior/x"][...]
            hidden = numpy.mean(file["posterior/overlap"][...]) if signal else 0
    x = x.reshape(-1, x.shape[-1])
    pairs = numpy.triu_indices(len(x), 1)
    overlap = (x @ x.T / x.shape[1])[pairs]
    squares = x.shape[1] * float((overlap ** 2).mean())
    return energy, squares, hidden, float(abs(overlap).mean())


def test_energies_and_overlaps():
    for beta in (.3, .5):
        found, squares, _, _ = draws(beta, LOCALIZED, 128)
        known, known_squares, _, _ = draws(beta, GLAUBER, 1024)
        print(f"beta {beta}: energy {found.mean():.4f} of Glauber {known.mean():.4f}, overlaps "
              f"{squares:.3f}, {known_squares:.3f}, in theory {1 / (1 - beta ** 2):.3f}")
        assert abs(found.mean() - known.mean()) < .015, (found.mean(), known.mean())
        assert abs(squares * (1 - beta ** 2) - 1) < .15, squares


def test_a_hidden_signal():
    """Signs of which the couplings tell a little: message passing finds what Glauber does."""
    found, _, hidden, pairs = draws(1.3, PASSES, 128, 500, 1.3)
    known, _, known_hidden, known_pairs = draws(1.3, GLAUBER, 512, 500, 1.3)
    print(f"energy {found.mean():.4f} of Glauber {known.mean():.4f}, overlap with the signal "
          f"{hidden:.3f}, {known_hidden:.3f}, of two samples {pairs:.3f}, {known_pairs:.3f}, for "
          "many spins .494 both")
    assert abs(found.mean() - known.mean()) < .015, (found.mean(), known.mean())
    assert abs(hidden - known_hidden) < .05 and abs(pairs - known_pairs) < .05
    assert hidden > .2


main()

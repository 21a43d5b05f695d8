# tier: long
"""Spin glasses of 400 spins by localization with message passing, against Glauber dynamics of the
same instance, and the overlaps of two samples against theory: 4 comparisons with what is known of
the method, .015 and 15 %."""
import os
import sys

import h5py
import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import Folder, dunlin, main, write  # noqa: E402

INPUT = """
run:    {{seed: 1, particles: {particles}}}
target: {{type: sherrington_kirkpatrick, dimension: 400, beta: {beta}, instance: 3}}
{method}
output: {{file: result.h5}}
"""
LOCALIZED = ("method: {type: localization, observation: {type: gaussian, horizon: 8}, "
             "field: {type: amp}, steps: 80}")
GLAUBER = """path:   {type: geometric, base: {type: uniform}}
kernel: {type: glauber}
method: {type: smc}"""


def draws(beta, method, particles):
    """Energies, and n times the mean square of two samples' overlap."""
    with Folder() as folder:
        text = INPUT.format(beta=beta, method=method, particles=particles)
        result = os.path.join(folder, "result.h5")
        dunlin("run", write(folder, "input.yaml", text), "--output", result, "--quiet",
               timeout=3000)
        with h5py.File(result, "r") as file:
            energy = file["posterior/energy"][...].ravel()
            x = file["posterior/x"][...]
    x = x.reshape(-1, x.shape[-1])
    pairs = numpy.triu_indices(len(x), 1)
    overlap = (x @ x.T / x.shape[1])[pairs]
    return energy, x.shape[1] * float((overlap ** 2).mean())


def test_energies_and_overlaps():
    for beta in (.3, .5):
        found, squares = draws(beta, LOCALIZED, 128)
        known, known_squares = draws(beta, GLAUBER, 1024)
        print(f"beta {beta}: energy {found.mean():.4f} of Glauber {known.mean():.4f}, overlaps "
              f"{squares:.3f}, {known_squares:.3f}, in theory {1 / (1 - beta ** 2):.3f}")
        assert abs(found.mean() - known.mean()) < .015, (found.mean(), known.mean())
        assert abs(squares * (1 - beta ** 2) - 1) < .15, squares


main()

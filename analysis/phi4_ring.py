#!/usr/bin/python3
"""Independent draws of phi^4 on a ring of sites, exact but for the rounding of a fine grid, by the
transfer matrix: for the probes' `reference`.

    phi4_ring.py OUT.h5 [--sites N] [--mass2 M] [--coupling C] [--field F] [--draws D] [--seed S]

The target is {type: phi4, axes: 1, side: N, mass2: M, coupling: C, field: F, outputs: observables};
the defaults are those of inputs/sweeps/slips_phi4.yaml.  Prints <phi>, <phi^2> and the probability
that a site is positive, which are sums, and the draws' own."""
import argparse

import h5py
import numpy

CELLS = 401


def grid(chosen):
    """Values of phi, as far as the density reaches at one site alone, and the transfer matrix."""
    def potential(phi):
        return chosen.mass2 / 2 * phi ** 2 + chosen.coupling * phi ** 4 - chosen.field * phi
    wide = numpy.linspace(-1, 1, 200001) * (60 / chosen.coupling) ** .25
    inside = wide[potential(wide) - potential(wide).min() < 40]
    phi = numpy.linspace(inside[0], inside[-1], CELLS)
    own = potential(phi)
    return phi, numpy.exp(-(phi[:, None] - phi) ** 2 / 2 - (own[:, None] + own) / 2)


def powers(matrix, count):
    """[count + 1], each scaled so that its largest entry is 1."""
    found = [numpy.eye(len(matrix))]
    for _ in range(count):
        found.append(found[-1] @ matrix)
        found[-1] /= found[-1].max()
    return found


def pick(generator, weights):
    """For each row of weights the number of a cell."""
    total = weights.cumsum(1)
    return (total < generator.random(len(weights))[:, None] * total[:, -1:]).sum(1)


def sampled(chosen, matrix, power):
    """Numbers of cells, [draws][sites]: each site given the one before it and the first."""
    generator, n = numpy.random.default_rng(chosen.seed), chosen.sites
    state = numpy.empty((chosen.draws, n), int)
    state[:, 0] = pick(generator, numpy.repeat(numpy.diag(power[n])[None], chosen.draws, 0))
    for k in range(1, n):
        state[:, k] = pick(generator, matrix[state[:, k - 1]] * power[n - k][state[:, 0]])
    return state


def observables(chosen, x):
    mean, square = x.mean(1), (x ** 2).mean(1)
    links = ((numpy.roll(x, -1, 1) - x) ** 2).mean(1) / 2
    energy = links + chosen.mass2 / 2 * square + chosen.coupling * (x ** 4).mean(1)
    return {"magnetisation": mean, "magnetisation_abs": abs(mean), "phi2": square,
            "energy": energy - chosen.field * mean}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("out")
    parser.add_argument("--sites", type=int, default=100)
    parser.add_argument("--mass2", type=float, default=-.01)
    parser.add_argument("--coupling", type=float, default=1.25e-5)
    parser.add_argument("--field", type=float, default=2.5207e-4)
    parser.add_argument("--draws", type=int, default=4096)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    if chosen.coupling <= 0 or chosen.sites < 2 or chosen.draws < 1:
        parser.error("expected a positive coupling, two sites or more, and draws")
    phi, matrix = grid(chosen)
    if numpy.diff(phi)[0] > .3:
        parser.error(f"{CELLS} cells are too coarse for this field")
    power = powers(matrix, chosen.sites)
    law = numpy.diag(power[chosen.sites]) / numpy.trace(power[chosen.sites])
    x = phi[sampled(chosen, matrix, power)]
    print(f"<phi> {law @ phi:.4f} ({x.mean():.4f}), <phi^2> {law @ phi ** 2:.3f} "
          f"({(x ** 2).mean():.3f}), P(phi > 0) {law[phi > 0].sum():.4f} ({(x > 0).mean():.4f})")
    with h5py.File(chosen.out, "w") as file:
        for name, value in observables(chosen, x).items():
            file["posterior/" + name] = value[None]


main()

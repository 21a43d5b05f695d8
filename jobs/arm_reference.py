#!/usr/bin/python3
"""Makes draws of a planar arm with four goals from draws of one with a single goal.

    jobs/arm_reference.py planar_robot_1goal_gt10k.csv arm_four_goals.csv

As the truth of Chen et al. 2024 is made: four copies of each draw, whose first angle, N(0, 1), is
turned by quarters of a circle and brought back to within half a turn, so that the hand reaches
(7, 0), (0, 7), (-7, 0) or (0, -7) as well as it did; a copy's weight is the prior of its first
angle over that of the draw's, and as many copies as there were draws are kept without replacement
(the exponential race, by seed 0), which flattens the shares of the goals a little.
"""
import argparse

import numpy


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("draws")
    parser.add_argument("output")
    args = parser.parse_args()
    with open(args.draws, encoding="utf-8") as file:
        header = file.readline().strip()
    draws = numpy.loadtxt(args.draws, delimiter=",", skiprows=1, ndmin=2)
    turned = numpy.concatenate([draws + numpy.eye(draws.shape[1])[0] * turn * numpy.pi / 2
                                for turn in (-2, -1, 0, 1)])
    turned[:, 0] = (turned[:, 0] + numpy.pi) % (2 * numpy.pi) - numpy.pi
    weight = numpy.exp((numpy.tile(draws[:, 0], 4) ** 2 - turned[:, 0] ** 2) / 2)
    race = numpy.random.default_rng(0).exponential(size=len(turned)) / weight
    kept = numpy.sort(numpy.argsort(race)[:len(draws)])
    numpy.savetxt(args.output, turned[kept], delimiter=",", fmt="%.10g", header=header,
                  comments="")


if __name__ == "__main__":
    main()

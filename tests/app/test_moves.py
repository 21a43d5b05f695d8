"""Where smc moves its particles, at every time, at t = 1 only, or nowhere, and how often."""
import os
import sys

import h5py
import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import Folder, attributes, column, dunlin, main, write  # noqa: E402

INPUT = """
run: {seed: 1, particles: 500}
target: {type: gaussian, dimension: 2}
path: {type: geometric, base: {type: gaussian, mean: 0, scale: 3}, schedule: {type: adaptive}}
kernel: {type: hmc}
method: {type: smc, METHOD}
output: {file: result.h5}
"""


def moves(method, kernel="kernel: {type: hmc}\n", verdicts=None, dimension=2):
    """In each step."""
    with Folder() as folder:
        text = INPUT.replace("kernel: {type: hmc}\n", kernel)
        text = text.replace("dimension: 2", f"dimension: {dimension}")
        result = os.path.join(folder, "result.h5")
        file = write(folder, "input.yaml", text.replace("METHOD", method))
        dunlin("run", file, "--output", result, "--quiet")
        if verdicts is not None:
            lines = attributes(result)["diagnosis_details"].splitlines()
            verdicts.update(line.split(": ", 2)[:2] for line in lines)
        return list(column(result, "steps", "moves"))


def test_every_time():
    for count in (3, 10):
        found = moves(f"moves_per_step: {count}")
        assert len(found) > 1 and set(found) == {count}, found


def test_the_end_only():
    found = moves("moves_per_step: 3, moves_at: end")
    assert len(found) > 1 and found[-1] == 3 and set(found[:-1]) == {0}, found


def test_nowhere():
    found = moves("moves_per_step: 0", kernel="")
    assert len(found) > 1 and set(found) == {0}, found


def test_moves_that_end_by_themselves():
    """At rare looks only, and random walks may take more than the 20 of other kernels: 4 for each
    dimension."""
    looks = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 80}
    found = moves("moves_per_step: auto", "kernel: {type: rwm}\n", dimension=20)
    assert set(found) <= looks and max(found) > 20, found


def chains(kernel):
    """The points of 50 chains at the end, and the lowest acceptance."""
    with Folder() as folder:
        result = os.path.join(folder, "result.h5")
        text = INPUT.replace("METHOD", "chain_length: 10").replace("{type: hmc}", kernel)
        dunlin("run", write(folder, "input.yaml", text), "--output", result, "--quiet")
        assert set(column(result, "steps", "moves")) == {9}
        with h5py.File(result) as held:
            points = held["posterior/x"][...].reshape(50, 10, 2)
        return points, min(column(result, "steps", "acceptance"))


def test_chains_whose_points_are_all_particles():
    """One move less than points, which differ but where moves were refused."""
    points, accepted = chains("{type: hmc}")
    different = len(numpy.unique(points.reshape(500, 2), axis=0))
    print(f"{different} of 500 points differ, acceptance {accepted:.2f}")
    assert accepted > .6 and different > 500 * (accepted - .1), (different, accepted)


def test_chains_go_on_from_point_to_point():
    """Distances from the selected point grow with the moves: of short steps their squares do."""
    points, _ = chains("{type: rwm, step_size: 0.05, metric: identity}")
    square = ((points - points[:, :1]) ** 2).sum(2).mean(0)
    print("mean squares " + " ".join(f"{value:.4f}" for value in square))
    assert square[0] == 0 and 4 < square[9] / square[1] < 20, square


def test_steps_without_moves_do_not_hide_a_cap():
    verdicts = {}
    moves("moves_per_step: auto, moves_at: end, most_moves: 2",
          "kernel: {type: rwm, step_size: 0.05, metric: identity}\n", verdicts)
    assert verdicts["moves"] == "bad", verdicts


main()

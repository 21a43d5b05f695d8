"""What steps of localization by single coordinates tell of their own law: its divergence from the
target's against the integral over a grid (3 comparisons, limit 5 standard errors), log Z by the
weights of ways through every kind of observation (6, limit 5), and never good where means of so
many points are off."""
import os
import re

import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import BUILD, Folder, dunlin, main, summary, write  # noqa: E402

MIXTURE = ("{type: gaussian_mixture, means: [[0.6], [-1.4]], weights: [0.7, 0.3], scales: 0.2, "
           "log_evidence: 1.3}")
RING = "{type: ising_chain, dimension: 6, coupling: 0.6, field: 0.1, closed: true}"
INPUT = """
run: {seed: 1, particles: COUNT}
target: TARGET
method: {type: localization, steps: STEPS, observation: {OBSERVATION}MEANS}
output: {file: result.h5}
"""


PROGRAM = os.path.join(BUILD, "tests", "dunlin_types")


def run(target, observation, steps, particles):
    """All verdicts, by their names, and that on the whole as ''."""
    text = INPUT
    for word, value in (("COUNT", particles), ("TARGET", target), ("STEPS", steps),
                        ("OBSERVATION", observation),
                        ("MEANS", "" if "by: " in observation else ", by: means")):
        text = text.replace(word, str(value))
    with Folder() as folder:
        file = write(folder, "input.yaml", text)
        result = os.path.join(folder, "result.h5")
        dunlin("run", file, "--output", result, "--quiet", program=PROGRAM)
        said = summary(result)
    found = {verdict["name"]: verdict for verdict in said["verdicts"]}
    found[""] = said["diagnosis"]
    return found


def told(verdicts):
    found = re.search(r"are (\S+) \+- (\S+) nats", verdicts["steps"]["text"])
    return float(found.group(1)), float(found.group(2))


def posterior(y, t):
    """Log mass and mean of the mixture tilted by y and t."""
    import numpy
    weights, means, variance = numpy.array([.7, .3]), numpy.array([.6, -1.4]), .04
    left = 1 / (1 / variance + t)
    mean = left * (means / variance + y[:, None])
    log = (numpy.log(weights) + .5 * numpy.log(left / variance)
           + .5 * mean ** 2 / left - .5 * means ** 2 / variance)
    most = log.max(axis=1)
    share = numpy.exp(log - most[:, None])
    return most + numpy.log(share.sum(axis=1)), (share * mean).sum(axis=1) / share.sum(axis=1)


def nats_of_steps(horizon, steps, factor=1):
    """The divergence of the law of steps by means times a factor, by that law on a grid; and what
    of it the means' errors make."""
    import numpy
    time = numpy.tan(numpy.linspace(0, numpy.arctan(numpy.sqrt(horizon)), steps + 1)) ** 2
    y, law, nats, errors = numpy.zeros(1), numpy.ones(1), 0, 0
    for t, after in zip(time[:-1], time[1:]):
        step, (_, mean) = after - t, posterior(y, t)
        errors += .5 * step * (law * ((1 - factor) * mean) ** 2).sum()
        mean = factor * mean
        nats += .5 * step * (law * mean ** 2).sum()
        wide = 8 * numpy.sqrt(after + .04 * after ** 2)
        grid = numpy.linspace(-1.4 * after - wide, .6 * after + wide, 700)
        here = numpy.exp(-.5 * (grid[:, None] - y - step * mean) ** 2 / step) @ law
        y, law = grid, here / here.sum()
    return nats - (law * posterior(y, time[-1])[0]).sum(), errors


def test_divergence():
    for steps in (30, 60):
        truth = nats_of_steps(25, steps)[0]
        nats, error = told(run(MIXTURE, "type: gaussian, horizon: 25", steps, 10000))
        print(f"# {steps} steps: {nats} +- {error} nats ({truth:.4f})")
        assert abs(nats - truth) < 5 * error and error < .1 * truth, (nats, error, truth)


def test_errors_of_the_field():
    """Of means that are 10 % too short; what they do to steps that are not short is of neither."""
    truth, errors = nats_of_steps(25, 100, .9)
    wrong = "type: gaussian, horizon: 25}, final: mean, field: {type: faulty, factor: .9"
    said = run(MIXTURE, wrong, 100, 10000)
    nats, error = told(said)
    words = re.search(r"about (\S+) nats of it .* and (\S+) the errors", said["parts"]["text"])
    found = [float(number) for number in words.groups()]
    print(f"# {nats} +- {error} nats ({truth:.4f}), parts {found} ({errors:.4f} of the field)")
    assert abs(nats - truth) < 5 * error and abs(found[1] - errors) < .1 * errors + 5 * error, said
    assert abs(found[0] - (truth - errors)) < .2 * (truth - errors) and said[""] == "doubtful", said


def test_weights_have_log_z():
    for target, observation, steps in (
            (RING, "type: gaussian, horizon: 5", 30), (RING, "type: symmetric", 20),
            (RING, "type: linear, pixels: yes, average: 1, horizon: 5}, field: {type: atoms", 30),
            (RING, "type: product, parts: [{type: symmetric}, {type: erasure}, {type: gaussian, "
                   "horizon: 2}]}, field: {type: atoms", 40),
            ("{type: potts, side: [2, 2], coupling: .7, letters: 3}",
             "type: symmetric}, field: {type: atoms", 20),
            ("{type: potts, side: [2, 2], coupling: .7, letters: 3}",
             "type: erasure}, field: {type: atoms", 20)):
        said = run(target, observation, steps, 5000)
        text = said["mass of ways"]["text"]
        off = float(re.search(r"is (\S+) errors", text).group(1))
        print(f"# {observation}: {off} errors, {told(said)[0]} nats")
        assert abs(off) < 5 and told(said)[0] > -5 * told(said)[1], (observation, text)


def share_of_mode(by, steps, particles):
    """Of the mixture's first mode, in so many steps to the time 200."""
    import h5py
    with Folder() as folder:
        file = write(folder, "input.yaml", f"""
run: {{seed: 1, particles: {particles}}}
target: {MIXTURE}
method:
  {{type: localization, by: {by}, steps: {steps}, observation: {{type: gaussian, horizon: 200}}}}
output: {{file: result.h5}}
""")
        result = os.path.join(folder, "result.h5")
        dunlin("run", file, "--output", result, "--quiet")
        with h5py.File(result, "r") as found:
            return (found["posterior/x"][...] > -.4).mean()


def test_covariances_are_of_higher_order():
    """The divergence falls with the square of the steps, not with the steps; of a Gaussian none is
    left.  Of eight steps the share of a mode, .7, is known: .7012 by covariances, .7296 without."""
    found = [told(run(MIXTURE, "type: gaussian, horizon: 25}, by: covariance, field: {type: exact",
                      steps, 20000)) for steps in (12, 24, 48)]
    print("#", found)
    for (few, few_error), (many, error) in zip(found, found[1:]):
        assert few - 3 * few_error > 2.5 * (many - 3 * error) and many < .06, found
    said = run("{type: gaussian, dimension: 3, covariance: {type: toeplitz, correlation: .8}}",
               "type: gaussian, rate: [1, 3, .2]}, by: covariance, field: {type: exact", 6, 5000)
    assert told(said)[0] < 1e-9 and said[""] == "good", said
    for by, share in (("covariance", .7012), ("means", .7296)):
        here, error = share_of_mode(by, 8, 50000), (.21 / 50000) ** .5
        print(f"# by {by}: {here:.4f} ({share})")
        assert abs(here - share) < 5 * error, (by, here)


def test_too_few_steps_are_never_good():
    """20000 points of the mixture in 200 steps have modes that are several errors too narrow."""
    for target, observation, steps in ((MIXTURE, "type: gaussian, horizon: 200", 200),
                                       (RING, "type: erasure", 32), (RING, "type: gaussian", 25)):
        said = run(target, observation, steps, 20000)
        assert said[""] == "doubtful" and said["steps"]["level"] == "doubtful", said


def test_no_error_is_good():
    """Of letters that know nothing of each other; and where so few points tell nothing."""
    alone = "{type: ising_chain, dimension: 5, coupling: 0, field: [1, 0, -.5, .2, 2]}"
    for observation in ("type: symmetric", "type: erasure"):
        said = run(alone, observation, 4, 6400)
        assert said[""] == "good" and abs(told(said)[0]) < 1e-6, said
    said = run(RING, "type: gaussian, horizon: .5", 1000, 64)
    assert said[""] == "good" and "parts" in said, said


main()

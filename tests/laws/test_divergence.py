"""What path localized tells of its ways: their divergence, and what the length of its steps and the
errors of means make of it, against closed forms for a Gaussian target; selected or not, with means
that are right and too short, last draws by the field and by a normal law: 14 comparisons, limit 5
standard errors and what a trapezoid leaves."""
import math
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import BUILD, Folder, column, dunlin, main, summary, write  # noqa: E402

PROGRAM = os.path.join(BUILD, "tests", "dunlin_types")
VARIANCES = (3, 1, .25)
FIRST, HORIZON = 1e-3, 5
INPUT = """
run: {seed: SEED, particles: 4000}
target: {type: gaussian, dimension: 3, covariance: {type: diagonal, variances: [3, 1, .25]}}
path: {type: localized, field: {FIELD}, first: 1e-3, horizon: 5, PATH}
METHOD
output: {file: result.h5}
"""


def closed_form(steps, factor, width):
    """Nats by the length of steps, by means times a factor, and by the last draw, which is the
    law's own or normal of this width."""
    ends = [math.atan(math.sqrt(t)) for t in (FIRST, HORIZON)]
    time = [0] + [math.tan(ends[0] + (ends[1] - ends[0]) * k / steps) ** 2
                  for k in range(steps + 1)]
    length = errors = last = 0
    for v in VARIANCES:
        for t, after in zip(time[:-1], time[1:]):
            left = v / (1 + v * t)
            length += .5 * (after - t) * left
            errors += .5 * (after - t) * (1 - factor) ** 2 * (v - left)
        length -= .5 * math.log(1 + v * HORIZON)
        if width:
            left, wide = v / (1 + v * HORIZON), 1 / (HORIZON + width ** -2)
            square = left + (1 - factor) ** 2 * (v - left)
            last += .5 * (math.log(wide / left) + square / wide - 1)
    return length, errors, last


def run(field, path, method="method: {type: smc, moves_per_step: 0}", seed=1):
    text = INPUT
    for word, value in (("FIELD", field), ("PATH", path), ("METHOD", method), ("SEED", seed)):
        text = text.replace(word, str(value))
    with Folder() as folder:
        file = write(folder, "input.yaml", text)
        result = os.path.join(folder, "result.h5")
        dunlin("run", file, "--output", result, "--quiet", program=PROGRAM)
        said = {verdict["name"]: verdict for verdict in summary(result)["verdicts"]}
        if "ways" in said:
            nats, length = (column(result, "smc", name) for name in ("nats", "length"))
            assert len(nats) == 1 and f"are {nats[0]:.3g} +-" in said["ways"]["text"], said
            assert "all of it" in said["parts"]["text"] and length[0] == nats[0] or (
                said["parts"]["text"].startswith(f"{length[0]:.3g} +-")), said
        return said


NUMBER = r"(\d\S*) \+- (\S+)"


def check(said, steps, factor, width):
    length, errors, last = closed_form(steps, factor, width)
    truth = length + errors + last
    nats, error = map(float, re.search(NUMBER + " nats", said["ways"]["text"]).groups())
    parts = said["parts"]["text"]
    print(f"# {nats} +- {error} nats ({truth:.4f}); {parts} ({length:.4f}, {errors + last:.4f})")
    near = abs(nats - truth) < 5 * error + .005 * truth
    assert near and error < .25 * truth, (nats, error, truth)
    if "all of it" in parts:
        assert factor == 1 and not width, parts
        return
    found, error = map(float, re.search(NUMBER + " nats", parts).groups())
    assert abs(found - length) < 5 * error + .05 * length, (found, error, length)


def test_right_means():
    for steps, pieces in ((20, 20), (60, 6)):
        said = run("type: exact", f"steps: {steps}, pieces: {pieces}")
        check(said, steps, 1, 0)
        assert "all of it" in said["parts"]["text"], said


def test_wrong_means():
    """Selected at every time, at few, and never."""
    for factor, steps, pieces, threshold in ((1, 40, 40, 1), (.9, 40, 8, .8), (.8, 40, 40, 1),
                                             (.9, 60, 60, 0), (.8, 20, 2, 0)):
        path = f"steps: {steps}, pieces: {pieces}, width: .8"
        said = run(f"type: faulty, factor: {factor}", path,
                   f"method: {{type: smc, moves_per_step: 0, ess_threshold: {threshold}}}")
        check(said, steps, factor, .8)


def test_noise_is_no_length():
    """Of means by few draws the noise is an error; by how far they move half would be length."""
    said = run("type: monte_carlo, samples: 100, begin: {scale: 1.7}",
               "steps: 40, width: .8, spread: 1")
    length = closed_form(40, 1, .8)[0]
    found, error = map(float, re.search(NUMBER + " nats", said["parts"]["text"]).groups())
    rest = float(re.search(r"and (\S+) the errors", said["parts"]["text"]).group(1))
    print(f"# {said['ways']['text']}; {said['parts']['text']} ({length:.4f})")
    assert rest > 1 and abs(found - length) < 5 * error + .2 * rest, (found, error, length)


def test_moves_between():
    """Ways that moves interrupt are not told of; moves of the points at the end interrupt none."""
    kernel = "kernel: {type: mala}\nmethod: {type: smc, moves_per_step: 2, moves_at: %s}"
    assert "ways" not in run("type: exact", "steps: 20", kernel % "every")
    check(run("type: exact", "steps: 20", kernel % "end"), 20, 1, 0)


main()

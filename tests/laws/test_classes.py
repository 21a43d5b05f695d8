"""Localization of points whose class is found first: shares of modes are then right however few the
steps, each mode is as far from its law as a single one, and log Z by the weights of ways is that of
all classes; 12 comparisons, limit 5 standard errors; and who knows of no classes refuses."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import Folder, dunlin, main, summary, write  # noqa: E402

MIXTURE = ("{type: gaussian_mixture, means: [[0.6, 1], [-1.4, 0], [0, -2]], weights: [5, 3, 2], "
           "scales: [0.2, .2, .4], log_evidence: 1.3}")
MODES, SHARES, COUNT = ((.6, 1), (-1.4, 0), (0, -2)), (.5, .3, .2), 20000
INPUT = """
run: {seed: 1, particles: COUNT}
target: TARGET
method: {type: localization, classes: CLASSES, observation: {OBSERVATION}, MORE}
output: {file: result.h5}
"""


def text_of(target, observation, more, classes="first"):
    text = INPUT
    for word, value in (("COUNT", COUNT), ("TARGET", target), ("OBSERVATION", observation),
                        ("CLASSES", classes), ("MORE", more)):
        text = text.replace(word, str(value))
    return text


def run(*words, **options):
    """Points, and the verdicts with that on the whole as ''."""
    import h5py
    with Folder() as folder:
        result = os.path.join(folder, "result.h5")
        dunlin("run", write(folder, "input.yaml", text_of(*words, **options)), "--output", result,
               "--quiet")
        said = summary(result)
        with h5py.File(result, "r") as file:
            x = file["posterior/x"][...].reshape(COUNT, -1)
    found = {verdict["name"]: verdict for verdict in said["verdicts"]}
    found[""] = said["diagnosis"]
    return x, found


def deviations(x):
    """Of shares of the modes, in standard errors."""
    import numpy
    own = ((x[:, None] - numpy.array(MODES)[None]) ** 2).sum(2).argmin(1)
    share, due = numpy.bincount(own, minlength=3) / len(x), numpy.array(SHARES)
    return (share - due) / numpy.sqrt(due * (1 - due) / len(x))


def number(pattern, text):
    return float(re.search(pattern, text).group(1))


def test_shares_of_modes():
    """By means in eight steps; by draws in one."""
    means = "by: means, steps: 8"
    observation = "type: gaussian, horizon: 200"
    off = deviations(run(MIXTURE, observation, means, classes="open")[0])
    print("# open:", off)
    assert abs(off).max() > 7
    x, said = run(MIXTURE, observation, means)
    print("#", deviations(x), said["steps"]["text"])
    assert abs(deviations(x)).max() < 5
    assert abs(number(r"is (\S+) errors", said["mass of ways"]["text"])) < 5, said
    x, said = run(MIXTURE, observation, "by: draws, steps: 1")
    print("#", deviations(x))
    assert abs(deviations(x)).max() < 5 and said[""] == "good", said


def nats(verdicts):
    found = re.search(r"are (\S+) \+- (\S+) nats", verdicts["steps"]["text"])
    return float(found.group(1)), float(found.group(2))


def test_nats():
    """Of few steps by means those of single modes, by their shares; by covariances none."""
    horizon, means = "type: gaussian, horizon: 25", "by: means, steps: 40"
    alone = "{type: gaussian, dimension: 2, covariance: {type: diagonal, variances: [V, V]}}"
    x, said = run(MIXTURE, horizon, means)
    narrow, wide = (nats(run(alone.replace("V", v), horizon, means, classes="open")[1])
                    for v in (".04", ".16"))
    found, due = nats(said), .8 * narrow[0] + .2 * wide[0]
    print(f"# {found} nats, {due:.4f} of single modes; shares {deviations(x)}")
    assert abs(found[0] - due) < 5 * (found[1] + .8 * narrow[1] + .2 * wide[1]) < .6 * due
    assert abs(deviations(x)).max() < 5
    x, said = run(MIXTURE, "type: gaussian, horizon: 25", "by: covariance, steps: 5")
    print("#", said["steps"]["text"])
    assert nats(said)[0] < 1e-9 and said[""] == "good", said
    assert abs(deviations(x)).max() < 5


def test_who_knows_of_none():
    for target, observation in (("{type: gaussian, dimension: 2}", "type: gaussian"),
                                ("{type: ising_chain, dimension: 4}", "type: symmetric")):
        with Folder() as folder:
            file = write(folder, "input.yaml", text_of(target, observation, "steps: 5"))
            said = dunlin("check", file, code=2)
            assert "classes: field exact knows of no classes" in said.stderr, said.stderr
        with Folder() as folder:
            file = write(folder, "input.yaml", text_of(MIXTURE, "type: gaussian", "first: .1"))
            assert "classes: what is found first" in dunlin("check", file, code=2).stderr


main()

# tier: long
"""Splitting programs of method psld on three mixtures, at full size: the sweeps under
inputs/sweeps/psld_*.yaml against the published figures, within three times the floor of each
target, or 5 % of large distances; and how far the ways of two programs are from the noising run
backwards, against published figures of as many particles."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import INPUTS, SOURCE, Folder, dunlin, main, summary, write  # noqa: E402

sys.path.insert(0, os.path.join(SOURCE, "jobs"))
import phase_tables  # noqa: E402


def compare(name, known):
    file = os.path.join(INPUTS, "sweeps", f"psld_{name}.yaml")
    with Folder() as folder:
        dunlin("sweep", file, "--output", folder, "--quiet", timeout=5000)
        found = phase_tables.measured(file, folder)
    far = []
    for key, expected in known.items():
        allowed = max(3 * phase_tables.FLOOR[key[0]], .05 * expected)
        print(*key, f"{found[key]:.4f} ({expected:.4f})")
        if abs(found[key] - expected) > allowed:
            far.append((*key, found[key], expected))
    assert not far, far


def test_quadratic_grid():
    compare("quadratic", phase_tables.published("quadratic"))


def test_uniform_grid():
    compare("uniform", phase_tables.published("uniform"))


def test_scaled_noise():
    compare("lambda", phase_tables.published_scaled())


WAYS = """
run:    {seed: 6, particles: 20000}
target: {type: gaussian_mixture, means: [[-0.8], [0.1], [0.7]], scales: [0.05, 0.15, 0.1],
         weights: [3, 5, 2]}
method: {type: psld, program: PROGRAM, process: {type: psld, gamma: GAMMA},
         grid: {type: quadratic, last: 0.05, steps: STEPS}}
output: {file: result.h5, draws: 1}
"""
# gamma, steps, program, nats, share of the weights that is effective
PUBLISHED = ((1, 100, "rbao", .264, .589), (1, 100, "em", 1.80, .085), (1, 400, "rbao", .078, .865),
             (1, 400, "em", .404, .470), (.25, 100, "rbao", 1.31, .085),
             (.25, 100, "em", 2.66, .038), (.25, 400, "rbao", .348, .497),
             (.25, 400, "em", .607, .330), (.25, 1600, "rbao", .090, .837),
             (.25, 1600, "em", .147, .750), (.01, 1600, "rbao", 2.42, .018),
             (.01, 1600, "em", 2.47, .028))


def test_ways():
    """Nats within .05 and a tenth; the effective share, which few weights make, within a fifth."""
    for gamma, steps, program, nats, share in PUBLISHED:
        text = WAYS.replace("PROGRAM", program).replace("GAMMA", str(gamma))
        with Folder() as folder:
            file = write(folder, "input.yaml", text.replace("STEPS", str(steps)))
            dunlin("run", file, "--quiet", folder=folder)
            told = summary(os.path.join(folder, "result.h5"))["verdicts"]
        said = next(v["text"] for v in told if v["name"] == "path")
        away = float(re.search(r"(-?[\d.e+-]+) nats", said).group(1))
        weighed = re.search(r"([\d.e+-]+)% of them", said)  # not told of where they are few
        effective = float(weighed.group(1)) / 100 if weighed else 0
        print(f"gamma {gamma}, {steps} steps, {program}: {away:.3f} ({nats}), "
              f"{effective:.3f} ({share})")
        assert abs(away - nats) <= .05 + .1 * nats, (gamma, steps, program, said)
        if share > .1:
            assert abs(effective / share - 1) <= .2, (gamma, steps, program, said)


if __name__ == "__main__":
    main()

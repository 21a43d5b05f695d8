"""Standard errors of standard deviations where the deviation hardly depends on what scatters: of
spins, sqrt(1 - m^2), which is flat about m = 0.  What a mean is off is as large as the mean here.
Spins that are independent; each deviation of a population of its own is held against what it should
be by its own error: none may be further off than 5 of them, and the mean of the squares lies
between .1 and 1 within 5 standard errors (errors that take the mean that was found for the true
one are rather too large about 0).  3 methods.  And what tells where there is no error."""
import math
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import Folder, attributes, column, dunlin, main, write  # noqa: E402

import numpy  # noqa: E402

SPINS, MEAN = 16, .1
TARGET = f"""
target: {{type: ising_chain, dimension: {SPINS}, coupling: 0, field: {math.atanh(MEAN)}}}
probes: [{{type: moments}}, {{type: ess}}]
output: {{file: result.h5}}
"""
SMC = """
run:    {seed: 1, particles: 100, replicates: 25}
path:   {type: geometric, base: {type: uniform}}
kernel: {type: glauber}
method: {type: smc}
"""
LOCALIZATION = """
run:    {seed: 1, particles: 100, replicates: 25}
method: {type: localization, observation: {type: symmetric}}
"""
CHAINS = """
run:    {seed: 1, particles: 20, replicates: 25}
path:   {type: constant}
kernel: {type: glauber}
method: {type: langevin, warmup: 2, draws: 5}
"""


def check(text):
    with Folder() as folder:
        result = os.path.join(folder, "result.h5")
        dunlin("run", write(folder, "input.yaml", text + TARGET), "--output", result, "--quiet")
        last = numpy.concatenate([
            numpy.flatnonzero(column(result, "moments", "replicate") == r)[-SPINS:]
            for r in range(25)])
        found, error, mean = (column(result, "moments", name)[last]
                              for name in ("deviation", "deviation_error", "mean"))
        size = column(result, "ess", "deviation_ess")
    off = (found - math.sqrt(1 - MEAN ** 2)) / error
    middle = abs(mean) < .005
    scatter = (off ** 2).std() / math.sqrt(len(off))
    print(f"{len(off)} deviations: at most {abs(off).max():.2f} errors off, mean square "
          f"{(off ** 2).mean():.2f} +- {scatter:.2f}; {middle.sum()} means are 0")
    assert middle.any() and (error > 0).all()
    assert numpy.isfinite(size).all()
    assert abs(off).max() < 5
    assert .1 - 5 * scatter < (off ** 2).mean() < 1 + 5 * scatter


def test_populations():
    check(SMC)


def test_independent_points():
    check(LOCALIZATION)


def test_chains():
    check(CHAINS)


EXACT = """
run:    {{seed: {seed}, particles: 10000}}
target: {target}
method: {{type: exact}}
"""


def exact_moments(target, seed):
    with Folder() as folder:
        result = os.path.join(folder, "result.h5")
        dunlin("run", write(folder, "input.yaml", EXACT.format(target=target, seed=seed)),
               "--output", result, "--quiet")
        return {name: column(result, "moments", name) for name in
                ("mean", "deviation", "error", "deviation_error")}


def test_what_a_few_far_draws_decide():
    """Of funnels the narrow coordinate's deviation has no error, and the wide one's has: 8
    comparisons, limit 5 standard errors."""
    for seed in range(8):
        found = exact_moments("{type: funnel, dimension: 2}", seed)
        assert math.isnan(found["deviation_error"][1]), (seed, found)
        assert abs(found["deviation"][0] - 3) < 5 * found["deviation_error"][0], (seed, found)


def test_a_far_mode_is_no_tail():
    """One draw of a hundred is 100 away: mean and deviation have errors; 16 comparisons."""
    target = "{type: gaussian_mixture, means: [[0], [100]], weights: [.99, .01]}"
    deviation = math.sqrt(1 + .99 * .01 * 100 ** 2)
    for seed in range(8):
        found = exact_moments(target, seed)
        assert abs(found["mean"][0] - 1) < 5 * found["error"][0], (seed, found)
        assert abs(found["deviation"][0] - deviation) < 5 * found["deviation_error"][0], found


def test_letters_that_were_hardly_met():
    """Where all draws of a spin are equal its error is 0, and wrong: no run is good then."""
    with Folder() as folder:
        for field, level in ((2, "doubtful"), (.1, "good")):
            result = os.path.join(folder, f"{level}.h5")
            write(folder, "input.yaml", SMC.replace("100, replicates: 25", "4000") +
                  TARGET.replace(str(math.atanh(MEAN)), str(2 * field)))
            dunlin("run", "input.yaml", "--output", result, "--quiet", folder=folder)
            said = attributes(result)["diagnosis_details"]
            assert f"rare letters: {level}" in said, said


main()

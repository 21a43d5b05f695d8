"""Modes that none of the first draws is near are missing in all that began there, with small errors
and chains that agree: climbs from farther off meet them, and the verdict `lost parts` tells, of
chains too.  Where chains hold modes in due shares it stays good.  Fixed seeds, a sweep each."""
import glob
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import Folder, attributes, dunlin, main, write  # noqa: E402

FAR = ("{type: gaussian_mixture, dimension: 2, layout: two_modes, separation: 5, "
       "weights: [0.1, 0.9]}")
NEAR = FAR.replace("separation: 5", "separation: 1.2")
CHAINS = """
path:   {type: constant, start: {START}}
kernel: {type: hmc}
method: {type: langevin, draws: DRAWS}
"""
SMC = """
path:   {type: geometric, base: {type: fitted, mean: 5, scale: 1}}
kernel: {type: hmc}
method: {type: smc}
"""
BOX = "type: uniform, lower: 3, upper: 7"


def levels(target, text, particles, seeds=4, ranks=None):
    """The level of `lost parts` in each run."""
    found = []
    with Folder() as folder:
        file = write(folder, "input.yaml", text + f"run: {{particles: {particles}}}\n"
                     f"target: {target}\noutput: {{file: r.h5}}\n"
                     f"sweep: {{run.seed: {{from: 1, to: {seeds}}}}}")
        dunlin("sweep", file, "--quiet", "--output", os.path.join(folder, "s"), ranks=ranks)
        for result in sorted(glob.glob(os.path.join(folder, "s", "*.h5"))):
            lines = attributes(result)["diagnosis_details"].split("\n")
            found += [line.split(": ")[1] for line in lines if line.startswith("lost parts: ")]
    print(found)
    return found


def chains(start, draws):
    return CHAINS.replace("START", start).replace("DRAWS", str(draws))


def test_chains_that_began_in_one_mode():
    """Many and few of them, and superchains, whose R-hat is good."""
    for particles, start, draws in ((64, BOX, 200), (4, BOX, 1000),
                                    (256, BOX + ", superchains: 2", 20)):
        assert levels(FAR, chains(start, draws), particles) == ["bad"] * 4


def test_a_base_that_was_fitted_to_one_mode():
    found = levels(FAR, SMC, 2000)
    assert len(found) == 4 and found.count("good") <= 1, found


def test_chains_that_hold_both_modes():
    for particles, draws in ((64, 200), (4, 1000)):
        assert levels(NEAR, chains("scale: 2", draws), particles).count("good") >= 3


def test_ranks_find_the_same():
    found = [levels(FAR, chains(BOX, 200), 64, 1, ranks) for ranks in (1, 2)]
    assert found[0] == found[1] == ["bad"], found


main()

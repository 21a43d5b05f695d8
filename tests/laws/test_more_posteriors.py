"""The posteriors of tests/user_target/more: what their targets promise is kept, gradients against
differences among it, and short chains agree with their reference moments."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "benchmarks"))
from posterior_cases import (BUILD, FUNNEL, MADE, deviation, langevin, nuts,  # noqa: E402
                             truth, worst_of)
from support import Folder, dunlin, main  # noqa: E402

LIMIT = 5
QUICK = "schools_noncentred", "two_groups", "survival"


def test_promises():
    for name in MADE + (FUNNEL,):
        words = name.split("_")
        centred = [f"centred={str(words[1] == 'centred').lower()}"] if words[0] == "schools" else []
        file = os.path.join(BUILD, "tests", "user_target", (words[0] if centred else name) + ".so")
        said = dunlin("check-target", file, *centred).stdout
        assert "all kept" in said, said


def test_moments():
    """Means and standard deviations of 42 entries."""
    count = 0
    for name in QUICK:
        with Folder() as folder:
            draws = nuts(folder, name, seed=3, draws=600, warmup=500).draws
        off, where, compared = deviation(draws, truth(name))
        assert off < LIMIT, f"{name}: {where} is off by {off:.1f} errors"
        assert worst_of(draws)[2] < 1.05
        count += compared
    assert count == 84, count


def test_lengths_that_the_last_window_asks_for():
    """Slow spreads of correlated effects take longer trajectories than the windows before show."""
    with Folder() as folder:
        size, where, rhat = worst_of(langevin(folder, "random_effects", 64, 100, seed=1).draws)
    print(f"# worth {size:.0f} draws, {where}, R-hat {rhat:.3f}")
    assert rhat < 1.05 and size > 1000, (rhat, size)


def test_reference_is_whole():
    """Every entry of every posterior, and the centred schools beside the others."""
    expected = {"schools_noncentred": 32, "schools_centred": 32, "item_response": 74,
                "volatility": 103, "counts": 33, "hidden_markov": 8, "epidemic": 5, "garch": 5,
                "arma": 4, "two_groups": 5, "horseshoe": 43, "random_effects": 72, "survival": 5}
    assert {name: len(truth(name)) for name in MADE + (FUNNEL,)} == expected
    for entry in ("mu", "tau"):
        one, other = (truth(f"schools_{word}")[entry] for word in ("centred", "noncentred"))
        assert one == other


main()

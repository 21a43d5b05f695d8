# tier: long
"""Localization with means by chains at the sizes of the paper's benchmarks, reduced: two modes in
sixteen dimensions, whose weight is known to .1 and whose means to .03; eight modes on a circle, of
which each holds .08 to .17; log Z by weighted localization over three times a hundred populations;
a hundred seeds of an easy and of a hard case, whose verdict is never good."""
import numpy

from slips import FAR, GAUSSIAN, KNOWN, evidences, sampled, shares
from support import main


def test_two_modes():
    modes = numpy.array([-2 / 3, 4 / 3])[:, None] * numpy.ones(16)
    for seed in (1, 2, 3):
        x, _, _ = sampled("localization_slips_modes.yaml", f"run.seed={seed}", "run.particles=2048")
        found = shares(x, modes)
        off = [abs(mean.mean() - mode.mean()) for (_, mean), mode in zip(found, modes)]
        print(seed, found[0][0], off)
        assert abs(found[0][0] - 2 / 3) < .1 and max(off) < .03
        for share, k in zip(found, range(2)):
            near = x[((x - modes[k]) ** 2).sum(axis=1) < 4]
            assert abs(near.var(axis=0).mean() / .05 - 1) < .15, near.var(axis=0).mean()


def test_eight_modes():
    turn = numpy.arange(8) * numpy.pi / 4
    modes = 10 * numpy.stack([numpy.cos(turn), numpy.sin(turn)], axis=1)
    for seed, first in ((1, .1), (2, .15), (3, .35)):
        x, _, _ = sampled("localization_slips.yaml", f"run.seed={seed}", "run.particles=2048",
                       f"method.first={first}")
        found = [share for share, _ in shares(x, modes)]
        print(seed, numpy.round(found, 3))
        assert min(found) >= .08 and max(found) <= .17, found


def test_log_z():
    for seed in (2, 3, 4):
        found, error = evidences(seed)
        off = abs(found - KNOWN) / error
        within = [(off < k).mean() for k in (1, 2, 3)]
        print(f"{found.mean():.4f}, errors {error.mean():.4f}, within 1, 2, 3 of them {within}")
        assert abs(found.mean() - KNOWN) < 5 * found.std(ddof=1) / 10
        assert .58 <= within[0] <= .82 and within[2] >= .96, within


def test_no_verdict_is_good():
    """Of a hundred seeds each; how many are off by more than 3 standard errors in the mean."""
    for text, place, know in ((GAUSSIAN, 0, 1), (FAR, 0, -7.2)):
        off = good = 0
        for seed in range(100):
            x, levels, _ = sampled(text, f"run.seed={seed}", "run.particles=256", "method.steps=30")
            far = abs(x[:, place].mean() - know) / (x[:, place].std() / len(x) ** .5) > 3
            off += far
            good += far and set(levels.values()) == {"good"}
        print(know, off, good)
        assert good == 0


main()

"""Localization with means by Langevin chains: moments of a Gaussian along all schedules, 5
standard errors, 4 x 5 comparisons; log Z by weighted localization over a hundred small populations;
no verdict of all is ever good, and what is seen of chains that do not find the target is told."""
import numpy

from slips import FAR, GAUSSIAN, KNOWN, evidences, sampled
from support import main

SCHEDULES = {"standard, sigma: 1": (.1, 30), "geom_infinity, a: 2, sigma: 2": (.7, 10),
             "geom, a: 2, b: 1, radius: 1, width: 1": (.35, .96), "tangent": (.2, .95)}


def test_moments_along_schedules():
    for schedule, (first, last) in SCHEDULES.items():
        x, levels, each = sampled(GAUSSIAN, f"method.schedule={{type: {schedule}}}",
                            f"method.first={first}", f"method.last={last}")
        n = len(x)
        c = numpy.cov(x.T)
        off = [(x[:, 0].mean() - 1) * n ** .5, (x[:, 1].mean() + 2) * n ** .5,
               (c[0, 0] - 1) * (n / 2) ** .5, (c[1, 1] - 1) * (n / 2) ** .5,
               (c[0, 1] - .6) * (n / 1.36) ** .5]
        print(schedule, numpy.round(off, 2), levels)
        assert max(map(abs, off)) < 5, (schedule, off)
        # A first call, with its warm-up, and one for the other moves, the steps and the end.
        assert each == 4 * (1 + 51 * 16) + (9 + 80 + 1) * 4 * (1 + 16), each
        assert levels["steps"] == "doubtful" and levels["chains"] == "good", levels
        assert levels["forgetting"] == levels["first law"] == "good", levels


def test_log_z():
    found, error = evidences(1)
    spread = found.std(ddof=1) / len(found) ** .5
    off = abs(found - KNOWN) / error
    print(f"{found.mean():.4f} +- {spread:.4f}, errors {error.mean():.4f}, within 1, 2, 3 of them "
          f"{[(off < k).mean() for k in (1, 2, 3)]}")
    assert abs(found.mean() - KNOWN) < 5 * spread and spread < .02
    assert (off < 3).mean() > .95 and .5 < (off < 1).mean() < .85


def test_what_is_not_found_is_told():
    """Modes that no chain goes between: their shares are those of the places where observations
    began, which is seen."""
    x, levels, _ = sampled(FAR)
    print((x[:, 0] > 0).mean(), levels)
    assert abs((x[:, 0] > 0).mean() - .1) > .1, "the case is not hard any more"
    assert levels["steps"] == "doubtful" and levels["forgetting"] == "bad", levels


def test_one_chain_tells_nothing():
    _, levels, _ = sampled(GAUSSIAN, "run.particles=128", "method.field.chains=1")
    assert levels["chains"] == levels["first chains"] == "bad", levels


def test_a_first_time_with_exact_draws():
    """The steps are exact then; where they begin is not known, so that nothing is good."""
    x, levels, _ = sampled(GAUSSIAN, "method.field={type: exact}", "method.steps=5")
    assert abs(x[:, 0].mean() - 1) * len(x) ** .5 < 5 and levels["steps"] == "doubtful", levels


main()

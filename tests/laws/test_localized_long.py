# tier: long
"""Errors of log Z by weighted localization, with means that are right and 2 % too short: over two
hundred populations each they mean what they say."""
import numpy

from localized import KNOWN, evidences
from support import main


def judge(wrong):
    found, error = evidences(wrong, 200, seed=11)
    off = (found - KNOWN) / error
    within = [float((numpy.abs(off) < k).mean()) for k in (1, 2, 3)]
    ratio = error.mean() / found.std(ddof=1)
    print(f"{wrong}: mean {found.mean():.4f}, errors {error.mean():.4f} = {ratio:.2f} of the "
          f"spread, within 1, 2, 3 of them {within}")
    return within, ratio


def test_errors():
    for wrong in (0, .02):
        within, _ = judge(wrong)
        assert .58 <= within[0] <= .78 and .90 <= within[1] <= .99, within


main()

# tier: long
"""SMC by every kernel that fits, and parallel tempering, find log Z of targets of eleven shapes
(shapes.py): 20 and 4 populations each, 421 comparisons."""
from shapes import CASES, SMC, TEMPERING, check
from support import main


def kernels(case):
    """The case, and what has a gradient by the other kernels too."""
    others = ("mala", "underdamped", "rwm") if case[3] == "hmc" else ()
    return [case] + [(*case[:3], kernel, case[4]) for kernel in others]


def test_smc():
    for case in CASES:
        check(SMC, case, 20)


def test_kernels():
    for case in CASES:
        for other in kernels(case)[1:]:
            check(SMC, other, 4)


def test_tempering():
    for case in CASES:
        check(TEMPERING, case, 4)


main()

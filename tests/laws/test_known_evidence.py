"""SMC finds log Z of targets of eleven shapes (shapes.py): 4 populations each, 55 comparisons."""
from shapes import CASES, SMC, check
from support import main


def test_shapes():
    for case in CASES:
        check(SMC, case, 4)


main()

"""Long correlations of images by a denoiser that sees small windows: lost where pixels alone are
seen, there where their average is seen beside them.  5 comparisons with what is known of both."""
import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import PROGRAM, SOURCE, Folder, main  # noqa: E402

sys.path.insert(0, os.path.join(SOURCE, "analysis"))
import long_range  # noqa: E402


def measures(name):
    with Folder() as folder:
        chosen = argparse.Namespace(folder=folder, program=PROGRAM)
        found = long_range.measures(long_range.images(chosen, name, [], 256)[:, 0])
    print(name, *(f"{value:.3f}" for value in found))
    return found


def test_windows_alone():
    positive, far, *_ = measures("_isotropic")
    assert abs(far) < .05 and positive > .97, (far, positive)


def test_an_average_beside():
    """A share of 256 images has an error of .029."""
    positive, far, _, _, _, agree = measures("")
    assert far > .73 and agree > .99, (far, agree)
    assert abs(positive - .7) < .12, positive


main()

# tier: long
"""Sinkhorn divergences between two exact sets of 2000, against figures that others found with the
same definition: four pairs each, means and spreads (limit 5 standard errors, 3 comparisons)."""
import os
import sys

import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import Folder, Missing, column, data_folder, dunlin, main, write  # noqa: E402

INPUT = """
run:    {seed: $seed, particles: 2000}
target: {$target}
method: {type: exact}
probes: [{type: sinkhorn}]
output: {file: out.h5}
"""
PAIRS = 4


def found(target):
    """The divergences of PAIRS pairs, each of a run and of the probe's own two sets."""
    values = []
    with Folder() as folder:
        for seed in range(PAIRS // 2):
            text = INPUT.replace("$seed", str(seed)).replace("$target", target)
            dunlin("run", write(folder, "input.yaml", text), "--quiet", "--overwrite",
                   folder=folder, ranks=2, timeout=1200)
            file = os.path.join(folder, "out.h5")
            values += [column(file, "sinkhorn", name)[-1] for name in ("sinkhorn", "chance")]
    return numpy.array(values)


def check(target, mean, spread):
    values = found(target)
    print(f"{target}: {values.mean():.4g} ± {values.std(ddof=1):.2g}, expected {mean} ± {spread}")
    assert abs(values.mean() - mean) < 5 * spread * (2 / PAIRS) ** .5, values


def of_file(name):
    folder = data_folder()
    if not folder:
        raise Missing(f"no data file {name}")
    return os.path.join(folder, name)


def test_many_wells():
    check("type: many_well, dimension: 5", .66, .11)


def test_forty_gaussians_in_fifty_dimensions():
    check(f"type: gaussian_mixture, file: {of_file('gmm40_means_d50.csv')}", 2530, 119)


def test_ten_students_in_fifty_dimensions():
    check("type: student_mixture, layout: given, freedom: 2, file: "
          + of_file("mos10_locs_d50.csv"), 765, 246)


main()

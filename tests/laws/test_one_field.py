"""Seven samplers of one field agree with the law itself, in moments and shares of modes: limit 4
standard errors, 41 comparisons each."""
import csv
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import INPUTS, Folder, dunlin, main  # noqa: E402

LIMIT = 4
SAMPLERS = ["localization", "ddpm", "ddim", "ve", "vp", "flow", "phase space"]


def law(file):
    """Weights and means of the modes, as the input states them."""
    import numpy
    import yaml
    with open(file, encoding="utf-8") as text:
        target = yaml.safe_load(text)["target"]
    weights = numpy.array(target["weights"], float)
    return weights / weights.sum(), numpy.array(target["means"])


def deviations(x, weights, means):
    """In standard errors: of means, variances, shares of modes, and the variance within them."""
    import numpy
    n, d = x.shape
    mean = weights @ means
    variance = 1 + weights @ (means - mean) ** 2
    square = (x - mean) ** 2
    near = ((x[:, None] - means[None]) ** 2).sum(axis=2).argmin(axis=1)
    share = numpy.bincount(near, minlength=len(means)) / n
    within = ((x - means[near]) ** 2).mean()
    return numpy.concatenate([
        (x.mean(axis=0) - mean) / numpy.sqrt(variance / n),
        (square.mean(axis=0) - variance) / (square.std(axis=0) / numpy.sqrt(n)),
        (share - weights) / numpy.sqrt(weights * (1 - weights) / n),
        [(within - 1) / numpy.sqrt(2 / (n * d))]])


def test_seven_samplers():
    import h5py
    document = os.path.join(INPUTS, "sweeps", "one_field.yaml")
    weights, means = law(document)
    with Folder() as folder:
        results, table = os.path.join(folder, "results"), os.path.join(folder, "table.csv")
        dunlin("sweep", document, "--output", results, "--quiet")
        dunlin("sweep", document, "--output", results, "--collect", table)
        with open(table, encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert [row["method"] for row in rows] == SAMPLERS
        for row in rows:
            with h5py.File(os.path.join(results, row["identity"] + ".h5"), "r") as result:
                x = result["posterior/x"][...].reshape(-1, means.shape[1])
            off = deviations(x, weights, means)
            print(f"# {row['method']}: {abs(off).max():.2f}")
            assert abs(off).max() < LIMIT, (row["method"], off)


main()

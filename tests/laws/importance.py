"""log Z of the seven real regressions by importance sampling from a Student t, without Dunlin.

    tests/laws/importance.py [--draws N] [--seed N] [NAME ...]

prints log Z of the density that the targets have (flat priors are 1, with the Jacobian of sigma),
its error, what share of the draws the weights are worth, and the largest deviation of means and
standard deviations from reference.csv, in combined errors.  The t begins with the moments of
reference.csv and is fitted to its own weighted draws; the last draws are others than those of the
fit."""
import argparse
import math
import os
import sys

import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from laws import posteriors  # noqa: E402

NAMES = tuple(name for name in posteriors.DATA if name != "accel_gp")
FREEDOM, ROUNDS, CHECKED = 8, 12, 20


class Regression:
    """The log density at many points [n][p + 1] of coefficients and log sigma: residuals' squares
    are those of the best fit and of what lies between, and nothing cancels."""

    def __init__(self, name):
        self.name, self.data = name, posteriors.data_of(name)
        if name == "kilpisjarvi":
            y, columns = self.data["y"], [numpy.ones(len(self.data["y"])), self.data["x"]]
        else:
            y, columns = posteriors.design(name, self.data)
        self.n, self.p = len(y), len(columns)
        q, self.root = numpy.linalg.qr(numpy.stack(columns, 1))
        self.best = numpy.linalg.solve(self.root, q.T @ y)
        self.least = numpy.sum((y - q @ (q.T @ y)) ** 2)

    def density(self, x):
        beta, log_sigma = x[:, :self.p], x[:, self.p]
        squares = self.least + numpy.sum(((beta - self.best) @ self.root.T) ** 2, 1)
        found = (-.5 * squares * numpy.exp(-2 * log_sigma)
                 - self.n * (log_sigma + .5 * math.log(2 * math.pi)) + log_sigma)
        return found + self.prior(beta, numpy.exp(log_sigma))

    def prior(self, beta, sigma):
        def normal(value, mean, deviation):
            return (-.5 * ((value - mean) / deviation) ** 2 - math.log(deviation)
                    - .5 * math.log(2 * math.pi))
        if self.name == "kidscore_interaction":
            return math.log(2 / (math.pi * 2.5)) - numpy.log1p((sigma / 2.5) ** 2)
        if self.name == "blr":
            return normal(beta, 0, 10).sum(1) + normal(sigma, 0, 10) + math.log(2)
        if self.name == "kilpisjarvi":
            return sum(normal(beta[:, j], float(self.data["pmu" + word]),
                              float(self.data["ps" + word]))
                       for j, word in enumerate(("alpha", "beta")))
        return 0

    def check(self, x):
        """Against the density that is written down draw by draw."""
        for point, own in zip(x, self.density(x)):
            theta = {"beta": point[:self.p], "sigma": math.exp(point[self.p])}
            if self.name == "kilpisjarvi":
                theta.update(alpha=point[0], beta=point[1])
            other = posteriors.log_density(self.name, self.data, theta)
            assert abs(own - other) < 1e-8 * (1 + abs(other)), (self.name, own, other)


def student(generator, count, mean, covariance):
    """Draws [count][d] and their log densities."""
    d, root = len(mean), numpy.linalg.cholesky(covariance)
    z = generator.standard_normal((count, d))
    z *= numpy.sqrt(FREEDOM / generator.chisquare(FREEDOM, count))[:, None]
    density = (math.lgamma((FREEDOM + d) / 2) - math.lgamma(FREEDOM / 2)
               - d / 2 * math.log(FREEDOM * math.pi) - numpy.log(numpy.diag(root)).sum()
               - (FREEDOM + d) / 2 * numpy.log1p(numpy.sum(z * z, 1) / FREEDOM))
    return mean + z @ root.T, density


def begin(name, p):
    """Mean and covariance of reference.csv, without correlations."""
    rows = posteriors.reference_of(name)
    names = [("alpha", None), ("beta", None)] if name == "kilpisjarvi" else [
        ("beta", j) for j in range(p)]
    of = [rows[key] for key in names]
    sigma = rows["sigma", None]
    mean = numpy.array([row[0] for row in of] + [math.log(sigma[0])])
    spread = numpy.array([row[2] for row in of] + [sigma[2] / sigma[0]])
    return mean, numpy.diag(spread ** 2), names + [("sigma", None)]


def weights(target, generator, count, mean, covariance):
    x, density = student(generator, count, mean, covariance)
    log_w = target.density(x) - density
    top = log_w.max()
    return x, numpy.exp(log_w - top), top


def moments(x, w):
    mean = (w[:, None] * x).sum(0) / w.sum()
    return mean, (w[:, None] * (x - mean)).T @ (x - mean) / w.sum()


def worst(rows, names, x, w):
    """Of means and deviations against the reference, in combined errors."""
    share, found = w / w.sum(), []
    for column, key in enumerate(names):
        truth = rows[key]
        value = numpy.exp(x[:, column]) if key[0] == "sigma" else x[:, column]
        mean = (share * value).sum()
        squares = (value - mean) ** 2
        deviation = math.sqrt((share * squares).sum())
        mean_error = math.sqrt((share ** 2 * squares).sum())
        deviation_error = (math.sqrt((share ** 2 * (squares - deviation ** 2) ** 2).sum())
                           / (2 * deviation))
        found.append(((mean - truth[0]) / math.hypot(mean_error, truth[1]), f"mean of {key[0]}"))
        found.append(((deviation - truth[2]) / math.hypot(deviation_error, truth[3]),
                      f"deviation of {key[0]}"))
    return posteriors.worst(found)


def evidence(name, draws=200000, seed=1):
    """log Z, its error, the share of the draws that the weights are worth, and the worst moment."""
    target, generator = Regression(name), numpy.random.default_rng(seed)
    mean, covariance, names = begin(name, target.p)
    for _ in range(ROUNDS):
        x, w, _ = weights(target, generator, draws, mean, covariance)
        mean, covariance = moments(x, w)
    x, w, top = weights(target, generator, draws, mean, covariance)
    target.check(x[:CHECKED])
    error = w.std(ddof=1) / w.mean() / math.sqrt(draws)
    return (top + math.log(w.mean()), error, w.sum() ** 2 / (w * w).sum() / draws,
            worst(posteriors.reference_of(name), names, x, w))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=200000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("names", nargs="*", default=list(NAMES))
    words = parser.parse_args()
    print(f"{'':24}log Z     error  worth  worst against the reference")
    for name in words.names:
        log_z, error, share, (off, what) = evidence(name, words.draws, words.seed)
        print(f"{name:21}{log_z:12.5f}{error:9.5f}{share:7.2f}{off:7.2f} {what}", flush=True)


if __name__ == "__main__":
    main()

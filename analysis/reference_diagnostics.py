#!/usr/bin/python3
"""Convergence diagnostics of chains, written from the published formulas with numpy alone: what the
probes rhat and ess are checked against.

    reference_diagnostics.py RESULT.h5     a table of all scalars of /posterior

Vehtari, Gelman, Simpson, Carpenter & Buerkner 2021, Bayesian Analysis 16, 667: split R-hat (eq. 1
to 4), rank normalisation (eq. 14), folding (eq. 15), the effective sample size (eq. 10 and 13) with
Geyer's (1992) initial monotone sequence, bulk and tail.  As in Stan, autocovariances are divided by
the number of draws whatever the lag, the first even-odd pair always counts, and a last positive
even term is added.  Scalars that are constant or not finite have no diagnostics: NaN.
"""
import sys
from statistics import NormalDist

import numpy as np


def split(chains):
    """The halves of every chain [M][D], without the middle draw if D is odd: [2 M][D // 2]."""
    half = chains.shape[1] // 2
    both = np.stack([chains[:, :half], chains[:, chains.shape[1] - half:]], axis=1)
    return both.reshape(2 * chains.shape[0], half)


def average_ranks(values):
    """Ranks from 1 among all values; equal ones share the mean of theirs."""
    _, inverse, count = np.unique(values.ravel(), return_inverse=True, return_counts=True)
    behind = np.cumsum(count)
    return (behind - (count - 1) / 2)[inverse].reshape(values.shape)


def rank_normalised(values):
    """Eq. 14: normal scores of the ranks (r - 3/8) / (S + 1/4)."""
    share = (average_ranks(values) - .375) / (values.size + .25)
    levels, inverse = np.unique(share, return_inverse=True)
    score = np.array([NormalDist().inv_cdf(p) for p in levels])
    return score[inverse].reshape(values.shape)


def usable(chains):
    return chains.shape[1] >= 2 and np.all(np.isfinite(chains)) and np.ptp(chains) > 0


def rhat_of(chains):
    """Eq. 1 to 4 for chains [M][N] that are split already."""
    if not usable(chains):
        return np.nan
    n = chains.shape[1]
    first = chains[:, :1]  # a chain that stands still has variance 0 to the last bit
    between = n * np.var(first[:, 0] + np.mean(chains - first, axis=1), ddof=1)
    within = np.mean(np.var(chains - first, axis=1, ddof=1))
    if within == 0:
        return np.inf
    return np.sqrt(((n - 1) / n * within + between / n) / within)


def autocovariance(chains):
    """[M][N]: mean over a chain of (x_i - mean)(x_{i + t} - mean), divided by N at every lag t."""
    m, n = chains.shape
    centred = chains - chains[:, :1]
    centred = centred - np.mean(centred, axis=1, keepdims=True)
    transform = np.fft.rfft(centred, 2 * n, axis=1)
    return np.fft.irfft(np.abs(transform) ** 2, 2 * n, axis=1)[:, :n] / n


def ess_of(chains):
    """Eq. 10 and 13 for chains [M][N] that are split already."""
    if not usable(chains):
        return np.nan
    m, n = chains.shape
    chains = chains - np.mean(chains)  # what is far from 0 keeps its digits
    covariance = np.mean(autocovariance(chains), axis=0)
    within = covariance[0] * n / (n - 1)
    total = covariance[0] + (np.var(np.mean(chains, axis=1), ddof=1) if m > 1 else 0)
    rho = 1 - (within - covariance) / total
    rho[0] = 1
    return size_of_sequence(rho, m * n)


def size_of_sequence(rho, draws):
    """Of so many draws with these autocorrelations."""
    # Geyer's initial positive sequence: pairs of an even and an odd lag while their sum is positive
    n = len(rho)
    pairs = []
    t = 0
    while t + 1 < n and rho[t] + rho[t + 1] > 1e-12 or t == 0:
        pairs.append(rho[t] + (rho[t + 1] if t + 1 < n else 0))
        t += 2
    last = rho[t] if t < n and rho[t] > 0 else 0
    # initial monotone sequence: no pair above the one before it
    monotone = np.minimum.accumulate(pairs)
    tau = max(-1 + 2 * np.sum(monotone) + last, 1 / np.log10(draws))
    return draws / tau


def ess_of_whole(chains):
    """Of many short chains [M][D]: autocovariances about the mean of all, over whole chains."""
    m, n = chains.shape
    if not np.all(np.isfinite(chains)) or np.ptp(chains) == 0:
        return np.nan
    centred = chains - np.mean(chains)
    transform = np.fft.rfft(centred, 2 * n, axis=1)
    covariance = np.mean(np.fft.irfft(np.abs(transform) ** 2, 2 * n, axis=1)[:, :n], axis=0)
    return size_of_sequence(covariance / covariance[0], m * n)


def by_chain(chains):
    """Whether chains [M][D] are so many and so short that they are judged as whole ones."""
    return chains.shape[0] >= 16 and chains.shape[0] >= chains.shape[1]


def quantile(values, p):
    """Linear between the order statistics: number p (S - 1) counted from 0."""
    return np.quantile(values, p)


def diagnostics(chains):
    """All of them for one scalar, chains [M][D]."""
    chains = np.asarray(chains, dtype=float)
    halves, whole = split(chains), by_chain(chains)
    found = dict.fromkeys(("rhat_bulk", "rhat_folded", "rhat", "ess_bulk", "ess_folded", "ess_tail",
                           "ess_mean"), np.nan)
    if usable(halves):
        bulk, tail = (rhat_of(part) for part in (rank_normalised(halves), folded(halves)))
        found.update(rhat_bulk=bulk, rhat_folded=tail, rhat=max(bulk, tail))
    values, size = (chains, ess_of_whole) if whole else (halves, ess_of)
    if (whole or usable(halves)) and np.all(np.isfinite(values)) and np.ptp(values) > 0:
        tails = [(values <= quantile(values, p)).astype(float) for p in (.05, .95)]
        found.update(ess_bulk=size(rank_normalised(values)), ess_folded=size(folded(values)),
                     ess_tail=np.nanmin([size(part) for part in tails]), ess_mean=size(values))
    return found


def folded(values):
    return rank_normalised(np.abs(values - np.median(values)))


def nested_rhat(chains, superchains):
    """Nested R-hat of chains [K M][N] of which M consecutive ones began at one point (Margossian et
    al. 2024), of normal scores and of those of the distances from the median, the larger one."""
    found = []
    for scores in (rank_normalised(chains), folded(chains)):
        parts = scores.reshape(superchains, -1, chains.shape[1])
        means = parts.mean(axis=2)
        between = np.var(means.mean(axis=1), ddof=1)
        within = np.mean(np.var(means, axis=1, ddof=1)) if parts.shape[1] > 1 else 0
        within += np.mean(np.var(parts, axis=2, ddof=1)) if parts.shape[2] > 1 else 0
        found.append(np.sqrt(1 + between / within))
    return max(found)


def errors(chains):
    """Standard errors of the mean and of the standard deviation of one scalar, chains [M][D]: by
    the spread of the chains' own means where they are many and short, else by effective sizes."""
    chains = np.asarray(chains, dtype=float)
    count, draws = chains.shape
    squares = (chains - np.mean(chains)) ** 2
    values = (chains, squares)
    if by_chain(chains):
        found = [np.std(np.mean(x, axis=1)) / np.sqrt(count - 1) for x in values]
    elif draws >= 4:
        found = [np.std(x) / np.sqrt(ess_of(split(y)))
                 for x, y in ((chains, chains), (split(squares), squares))]
    else:
        found = [np.nan, np.nan]
    # the square of what the mean is off counts, too: E d^4 = 3 error^4 of a normal d
    return found[0], np.sqrt(found[1] ** 2 + 3 * found[0] ** 4) / 2 / np.std(chains)


def main():
    import h5py
    with h5py.File(sys.argv[1], "r") as result:
        print(f"{'parameter':24} {'R-hat':>8} {'bulk ESS':>10} {'folded':>10} "
              f"{'tail ESS':>10} {'mean ESS':>10}")
        for name, variable in result["posterior"].items():
            if variable.ndim < 2:
                continue
            draws = variable[...].reshape(variable.shape[0], variable.shape[1], -1)
            for i in range(draws.shape[2]):
                found = diagnostics(draws[:, :, i])
                label = name if variable.ndim == 2 else f"{name}[{i}]"
                print(f"{label:24} {found['rhat']:8.4f} {found['ess_bulk']:10.1f} "
                      f"{found['ess_folded']:10.1f} {found['ess_tail']:10.1f} "
                      f"{found['ess_mean']:10.1f}")


if __name__ == "__main__":
    main()

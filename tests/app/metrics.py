"""Distances between sets of points in plain numpy, each as its definition reads."""
import numpy


def squares(x, y):
    return ((x[:, None, :] - y[None, :, :]) ** 2).sum(-1)


def energy_distance(x, y):
    def mean(a, b, same):
        return numpy.sqrt(squares(a, b)).sum() / (len(a) * (len(b) - same))
    return 2 * mean(x, y, 0) - mean(x, x, 1) - mean(y, y, 1)


def mmd(x, y):
    """The square root; width: the median over the upper triangle of the pool, diagonal included."""
    pool = numpy.concatenate([x, y])
    all_squares = squares(pool, pool)
    width = numpy.median(numpy.sqrt(all_squares[numpy.triu_indices(len(pool))]))
    kernel = numpy.exp(-all_squares / (2 * width ** 2))
    n, m = len(x), len(y)
    value = kernel[:n, :n].sum() / (n * (n - 1)) + kernel[n:, n:].sum() / (m * (m - 1))
    return numpy.sqrt(max(1e-20, value - 2 * kernel[:n, n:].mean()))


def soften(exponent, axis):
    most = exponent.max(axis=axis, keepdims=True)
    return numpy.log(numpy.exp(exponent - most).sum(axis=axis)) + most.squeeze(axis)


def transport(cost, epsilon, symmetric):
    """The dual value of entropic transport between uniform weights."""
    n, m = cost.shape
    log_a, log_b = -numpy.log(n), -numpy.log(m)
    f, g = numpy.zeros(n), numpy.zeros(m)
    for iteration in range(1, 2001):
        new_g = epsilon * (log_b - soften((f[:, None] - cost) / epsilon, 0))
        if symmetric:
            new_f = epsilon * (log_a - soften((g[None, :] - cost) / epsilon, 1))
            f, g = .5 * (f + new_f), .5 * (g + new_g)
        else:
            g = new_g
            f = epsilon * (log_a - soften((g[None, :] - cost) / epsilon, 1))
        if iteration % 10:
            continue
        plan = numpy.exp((f[:, None] + g[None, :] - cost) / epsilon)
        error = numpy.abs(plan.sum(0) - 1 / m).sum()
        if symmetric:
            error += numpy.abs(plan.sum(1) - 1 / n).sum()
        if error <= 1e-3:
            break
    return (f - epsilon * log_a).mean() + (g - epsilon * log_b).mean() + epsilon * (1 - plan.sum())


def sinkhorn(x, y):
    cost = squares(x, y)
    epsilon = .05 * cost.mean()
    return (transport(cost, epsilon, 0) - .5 * transport(squares(x, x), epsilon, 1)
            - .5 * transport(squares(y, y), epsilon, 1))


def wasserstein(x, y):
    """(W1, W2^2) of two lists of numbers of any lengths."""
    x, y = numpy.sort(x), numpy.sort(y)
    steps = numpy.unique(numpy.concatenate([numpy.arange(len(x) + 1) / len(x),
                                            numpy.arange(len(y) + 1) / len(y)]))
    middle, width = .5 * (steps[1:] + steps[:-1]), numpy.diff(steps)
    away = numpy.abs(x[(middle * len(x)).astype(int)] - y[(middle * len(y)).astype(int)])
    return (width * away).sum(), (width * away ** 2).sum()


def picked(points, count):
    """Evenly spread ones, as the program takes them."""
    return points[[k * len(points) // count for k in range(count)]] if count < len(points) \
        else points

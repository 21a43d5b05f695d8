"""What the program says of chains is what the published formulas say (in numpy): R-hat, effective
sample sizes, moments and their errors; and the layout of the draws."""
import math
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import INPUTS, SOURCE, Folder, column, dunlin, main, summary, write  # noqa: E402

sys.path.insert(0, os.path.join(SOURCE, "analysis"))
import numpy  # noqa: E402
import reference_diagnostics as reference  # noqa: E402

NORMAL = """
run:    {{seed: 3, particles: {chains}}}
target: {{type: gaussian, dimension: 6, mean: 1, covariance: {{type: toeplitz, correlation: 0.7}}}}
path:   {{type: constant, start: {{scale: {start}}}}}
kernel: {{type: {kernel}}}
method: {{type: langevin, warmup: {warmup}, draws: {draws}, thin: {thin}}}
probes: [{{type: ess}}]
output: {{file: result.h5}}
"""
SEEDS = """
run:    {{seed: 3, particles: {chains}}}
target: {{type: seeds, data: {inputs}/data/seeds.csv}}
path:   {{type: constant, start: {{scale: {start}}}}}
kernel: {{type: {kernel}}}
method: {{type: langevin, warmup: {warmup}, draws: {draws}, thin: {thin}}}
probes: [{{type: ess}}]
output: {{file: result.h5}}
"""
LADDERS = """
run:    {{seed: 3, particles: {chains}}}
target: {{type: gaussian_mixture, dimension: 2, layout: two_modes, separation: 2}}
path:   {{type: geometric, base: {{type: gaussian, scale: 3}}}}
kernel: {{type: {kernel}}}
method: {{type: tempering, temperatures: 5, warmup: {warmup}, draws: {draws}, thin: {thin}}}
probes: [{{type: ess}}, {{type: modes}}]
output: {{file: result.h5}}
"""


def sample(folder, text, ranks=None, **options):
    options = {"start": 2, "kernel": "hmc", "warmup": 40, "draws": 50, "thin": 1, **options}
    file = write(folder, "input.yaml", text.format(inputs=INPUTS, **options))
    result = os.path.join(folder, "result.h5")
    dunlin("run", file, "--output", result, "--quiet", "--overwrite", ranks=ranks)
    return result


def scalars(result):
    """(name, draws [chain][draw]) in the order in which the program counts them."""
    import h5py
    with h5py.File(result, "r") as file:
        for line in summary(result)["parameters"]:
            name, index = re.fullmatch(r"([^\[]+)(?:\[(.+)\])?", line["name"]).groups()
            place = tuple(int(i) for i in index.split(",")) if index else ()
            yield line, file["posterior"][name][(slice(None), slice(None)) + place]


def close(found, expected, what):
    same = math.isnan(found) and math.isnan(expected) or found == expected
    assert same or abs(found - expected) <= 1e-10 * abs(expected), f"{what}: {found}, {expected}"


def check_values(result):
    for i, (line, draws) in enumerate(scalars(result)):
        expected = reference.diagnostics(draws)
        for name in ("rhat", "rhat_bulk", "rhat_folded", "ess_bulk", "ess_folded", "ess_tail"):
            found = column(result, "rhat", name)[i]
            close(found, expected[name], f"{line['name']}: {name}")
            if name in line:
                close(line[name] if line[name] is not None else math.nan, found, "summary")
        mean, deviation = numpy.mean(draws), numpy.std(draws)
        close(column(result, "moments", "mean")[i] - 10, mean - 10, "mean")
        close(column(result, "moments", "deviation")[i], deviation, "deviation")
        error, deviation_error = reference.errors(draws)
        for name, tail, due in (("error", "tail", error),
                                ("deviation_error", "square_tail", deviation_error)):
            heavy = column(result, "moments", tail)[i] >= .5
            close(column(result, "moments", name)[i], math.nan if heavy else due, name)
        close(column(result, "ess", "ess")[i], (deviation / error) ** 2, "ess")
        if draws.shape[0] >= 16 and draws.shape[0] >= draws.shape[1]:
            check_quantiles(line, draws)
    check_names(result)


def check_quantiles(line, draws):
    """Errors of the quantiles of many short chains, each of which counts as one."""
    for said in line["quantiles"]:
        p, value = said["probability"], numpy.quantile(draws, said["probability"])
        below = draws <= value
        share = numpy.std(numpy.mean(below, axis=1)) / math.sqrt(len(draws))
        reach = min(.05, .5 * min(p, 1 - p))
        density = 2 * reach / numpy.subtract(*numpy.quantile(draws, [p + reach, p - reach]))
        close(said["value"] - 10, value - 10, "quantile")
        close(said["error"], share / density, "error of a quantile")


def check_names(result):
    """Verdicts name the worst scalars as the table of the summary does."""
    said = summary(result)
    text = {verdict["name"]: verdict["text"] for verdict in said["verdicts"]}
    lines = [line for line in said["parameters"] if line["rhat"] is not None]
    if lines:
        worst = max(lines, key=lambda line: line["rhat"])["name"]
        assert f"({worst})" in text["mixing"], f"{worst}: {text['mixing']}"
        for name, where in (("ess_bulk", "in the bulk"), ("ess_tail", "in the tails"),
                            ("ess_folded", "of distances from the median")):
            worst = min(lines, key=lambda line: line[name])["name"]
            assert f"{where} ({worst})" in text["effective draws"], text["effective draws"]


def test_values_of_good_chains():
    with Folder() as folder:
        check_values(sample(folder, NORMAL, chains=70, draws=60, ranks=2))


def test_values_with_an_odd_number_of_draws():
    with Folder() as folder:
        check_values(sample(folder, NORMAL, chains=10, draws=37, thin=2))


def test_values_of_slow_chains_with_repeated_draws():
    """Random walks far from where they should be: R-hat is large, many draws are equal."""
    with Folder() as folder:
        result = sample(folder, NORMAL, chains=20, draws=300, warmup=0, start=30, ranks=3,
                        kernel="rwm, step_size: 2")
        check_values(result)
        assert max(column(result, "rhat", "rhat")) > 1.2
        assert min(column(result, "rhat", "ess_bulk")) < 200
        said = summary(result)
        assert said["diagnosis"] == "bad"
        levels = {verdict["name"]: verdict["level"] for verdict in said["verdicts"]}
        assert levels["mixing"] == "bad" and levels["effective draws"] == "doubtful"


def test_values_of_one_chain():
    with Folder() as folder:
        check_values(sample(folder, NORMAL, chains=1, draws=200))


def test_values_of_short_chains():
    for draws in (1, 3, 4, 5):
        with Folder() as folder:
            check_values(sample(folder, NORMAL, chains=80, draws=draws))


def test_values_of_seeds():
    """Output parameters that are functions of the point, at another number of ranks."""
    with Folder() as folder:
        check_values(sample(folder, SEEDS, chains=40, draws=40, start=.5, ranks=3))


def test_values_of_ladders():
    """Draws of a chain that lie on several ranks, and of one ladder alone."""
    for chains, draws, thin, ranks in ((70, 60, 1, 3), (200, 37, 3, 2), (5, 200, 1, 2)):
        with Folder() as folder:
            result = sample(folder, LADDERS, chains=chains, draws=draws, thin=thin, ranks=ranks)
            check_values(result)
            check_modes(result)
            assert next(scalars(result))[1].shape == (chains // 5, draws)


def check_modes(result):
    """Shares over all draws, with the errors of means; of rare ones at least with that of two
    independent draws more."""
    import h5py
    with h5py.File(result, "r") as file:
        x = file["posterior/x"][...]
    far = numpy.stack([((x - center) ** 2).sum(axis=2) for center in ([-2, -2], [2, 2])])
    near = numpy.where(far.min(axis=0) < (4 + math.sqrt(2)) ** 2, far.argmin(axis=0), 2)
    own = [(near == k).astype(float) for k in range(3)]
    errors = [reference.errors(one)[0] if one.std() > 0 else 0 for one in own]
    independent = min(one.var() / error ** 2 for one, error in zip(own, errors) if error > 0)
    for k in range(3):
        share, n = own[k].mean(), independent
        more = (share * n + 2) / (n + 4)  # two of either kind
        least = math.sqrt(more * (1 - more) / n) if n * min(share, 1 - share) < 20 else 0
        close(column(result, "modes", "share")[k], share, f"share {k}")
        close(column(result, "modes", "error")[k], max(errors[k], least), f"error {k}")


def test_rungs():
    """The table of the ladder, and what the summary says of it."""
    with Folder() as folder:
        result = sample(folder, LADDERS, chains=50, draws=100, warmup=100, ranks=2)
        said = summary(result)
        rungs = said["rungs"]
        assert len(rungs) % 5 == 0 and len(rungs) >= 30
        for first in range(0, len(rungs), 5):
            times = [row["time"] for row in rungs[first:first + 5]]
            assert times[0] == 0 and times[-1] == 1 and times == sorted(times), times
            assert [row["rung"] for row in rungs[first:first + 5]] == [0, 1, 2, 3, 4]
            barrier = 0
            for row in rungs[first:first + 4]:
                close(row["barrier"], barrier, "barrier")
                barrier += row["rejection"]
            close(rungs[first + 4]["barrier"], barrier, "barrier")
        last = rungs[-5:]
        assert last[0]["log_evidence"] == 0 and last[0]["round_trips"] > 0
        close(last[-1]["log_evidence"] - 1, said["log_evidence"] - 1, "log Z")
        rejections = [row["rejection"] for row in last[:-1]]
        assert max(rejections) - min(rejections) < .2, rejections
        text = dunlin("summary", result).stdout
        assert f"{last[0]['round_trips']:.0f} round trips" in text, text
        assert "rungs        5" in text, text


def check_price(result, warmup):
    """Evaluations for each effective draw, of all and of those behind the warm-up alone."""
    import h5py
    with h5py.File(result, "r") as file:
        ess, all_of_them, draws = (float(file.attrs[name]) for name in (
            "effective_sample_size", "evaluations_per_effective_draw",
            "evaluations_per_effective_draw_sampling"))
    least = min(min(column(result, "rhat", name))
                for name in ("ess_bulk", "ess_folded", "ess_tail"))
    close(ess, least, "effective draws")
    spent = dict(zip(column(result, "steps", "step"), column(result, "steps", "evaluations")))
    last = spent[max(spent)]
    close(all_of_them, last / ess, "evaluations for each")
    close(draws, (last - spent[warmup]) / ess, "without warm-up")
    said = summary(result)
    close(said["evaluations_per_effective_draw"], all_of_them, "in the summary")
    text = dunlin("summary", result).stdout
    assert f"{all_of_them:.3g} evaluations for each effective draw" in text, text


def test_price():
    """Also where the run was stopped amid its draws, and of ladders."""
    with Folder() as folder:
        check_price(sample(folder, NORMAL, chains=64, warmup=40, draws=50, thin=3, ranks=2), 40)
    with Folder() as folder:
        file = write(folder, "input.yaml", NORMAL.format(
            chains=64, start=2, kernel="hmc, leapfrog_steps: 4", warmup=40, draws=50, thin=1))
        result = os.path.join(folder, "result.h5")
        dunlin("run", file, "--output", result, "--quiet", "--stop-after", "20000", code=85)
        dunlin("run", file, "--output", result, "--quiet", "--restart")
        check_price(result, 40)
    with Folder() as folder:
        result = sample(folder, LADDERS, chains=50, draws=100, warmup=100)
        said, evaluations = summary(result), column(result, "steps", "evaluations")[-1]
        price = said["evaluations_per_effective_draw"]
        close(price, evaluations / said["effective_sample_size"], "evaluations for each")
        share = said["evaluations_per_effective_draw_sampling"] / price
        assert .4 < share < .5, share  # ladders set out by some moves of the base's


def test_antithetic_chains():
    """Moves by half a period to the other side: the bulk counts more than the draws, which is worth
    nothing for widths."""
    with Folder() as folder:
        free = NORMAL.replace(", covariance: {{type: toeplitz, correlation: 0.7}}", "")
        result = sample(folder, free, chains=4, warmup=200, draws=500,
                        kernel="hmc, metric: identity, step_size: .5, jitter: 0, leapfrog_steps: 6")
        bulk, folded = (min(column(result, "rhat", name)) for name in ("ess_bulk", "ess_folded"))
        assert bulk > 2500 > 1000 > folded, (bulk, folded)
        assert summary(result)["effective_sample_size"] <= folded


def energy_distance(one, other):
    """Of two sets [points][scalars], pairs of a point with itself left out (Szekely & Rizzo)."""
    scale = numpy.std(other, axis=0)

    def mean(a, b):
        apart = numpy.sqrt((((a[:, None] - b[None]) / scale) ** 2).sum(axis=2))
        return apart.sum() / (len(a) * (len(b) - (a is b)))
    return 2 * mean(one, other) - mean(one, one) - mean(other, other)


def points_of(result, count):
    import h5py
    with h5py.File(result, "r") as file:
        draws = file["posterior/x"][...].reshape(-1, 6)
    return draws[[k * len(draws) // count for k in range(count)]]


def test_energy_distance():
    with Folder() as first, Folder() as second:
        reference_file = sample(first, NORMAL, chains=30, draws=40)
        probe = f"probes: [{{{{type: energy_distance, reference: {reference_file}, points: 300}}}}]"
        text = NORMAL.replace("probes: [{{type: ess}}]", probe)
        for shift, low, high in ((1, -.05, .05), (2, .5, 5)):
            result = sample(second, text.replace("mean: 1", f"mean: {shift}"), chains=20, draws=30,
                            ranks=2)
            found = column(result, "energy_distance", "energy_distance")[-1]
            expected = energy_distance(points_of(result, 300), points_of(reference_file, 300))
            assert abs(found - expected) < 1e-10, (found, expected)
            assert low < found < high, found


def test_layout():
    import xarray
    with Folder() as folder:
        result = sample(folder, SEEDS, chains=5, draws=7, start=.5)
        with xarray.open_dataset(result, group="posterior") as posterior:
            assert posterior.sizes["chain"] == 5 and posterior.sizes["draw"] == 7
            assert posterior["b"].dims[:2] == ("chain", "draw") and posterior["b"].shape[2] == 21
            assert posterior.notnull().all().to_array().all()
        with xarray.open_dataset(result, group="sample_stats") as stats:
            assert stats["lp"].shape == (5, 7) and stats["acceptance_rate"].shape == (5, 7)
            assert 0 <= float(stats["acceptance_rate"].min())
            assert float(stats["acceptance_rate"].max()) <= 1


def test_the_reference_itself():
    """Independent numbers have about as many effective draws; autoregressions as theory says."""
    random = numpy.random.default_rng(1)
    white = reference.diagnostics(random.normal(size=(50, 400)))
    assert white["rhat"] < 1.002 and abs(white["ess_bulk"] / 20000 - 1) < .1
    chains = numpy.zeros((200, 1000))
    chains[:, 0] = random.normal(size=200)
    for t in range(1, 1000):
        chains[:, t] = .8 * chains[:, t - 1] + .6 * random.normal(size=200)
    assert abs(reference.diagnostics(chains)["ess_mean"] / (200000 * .2 / 1.8) - 1) < .05


main()

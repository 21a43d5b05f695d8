"""The same bits at any number of ranks: the populations, log Z, draws and traces."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cases import (ADAPTED, ANNEALED, ASKED, BROWNIAN, CHAINS_SEEN, DRAWN, GLASS,  # noqa: E402
                   FEW, GUIDED_FLOW, HEUN, LAYERS, LEAPS, LEVELS, MODES, PASSED, PIXELS, TANGENT,
                   TEXTURE, WINDOW, REVEALED, REVERSE, RING, SPREAD_GLASS, SPREAD_PASSED, TRAPEZOID,
                   TUNED, WAYS, case, differences, fingerprint)
from support import Folder, attributes, dunlin, main  # noqa: E402


def same_at(ranks, name, **options):
    """Runs the case at each number of ranks and compares everything with the first."""
    with Folder() as folder:
        found = {}
        for number in ranks:
            result = os.path.join(folder, f"at{number}.h5")
            dunlin("run", case(folder, name, **options), "--output", result, "--quiet",
                   ranks=number)
            found[number] = fingerprint(result)
        for number in ranks[1:]:
            wrong = differences(found[ranks[0]], found[number])
            assert not wrong, f"{name} {options}: {number} ranks:\n" + "\n".join(wrong)
        return found[ranks[0]]


def test_mixture_by_random_walk():
    same_at((1, 2, 3, 4, 7), "mixture", kernel="rwm", particles=3000)


def test_mixture_by_trajectories():
    same_at((1, 2, 3, 4, 7), "mixture", kernel="hmc", particles=3000)


def test_moves_that_end_by_themselves():
    same_at((1, 3), "mixture", kernel="hmc", particles=1000, moves="auto")


def test_waste_free():
    """Chains of more points than a tile has, and of fewer; a short last tile of them."""
    same_at((1, 2, 3), "waste_free", kernel="hmc", particles=150 * 5, moves=5)
    same_at((1, 4), "waste_free", kernel="rwm", particles=70 * 70, moves=70,
            resampling="multinomial")


def test_fit_and_reweight():
    same_at((1, 2, 3, 7), "finished", kernel="hmc", particles=1000)


def test_seeds():
    same_at((1, 2, 3, 7), "seeds", kernel="hmc", particles=1000)


def test_seeds_by_random_walk_multinomial():
    same_at((1, 2, 7), "seeds", kernel="rwm", particles=1000, resampling="multinomial")


def test_seeds_from_a_fitted_base():
    same_at((1, 2, 3), "seeds", kernel="hmc", particles=500, base="fitted, scale: 2")


def test_observations_in_batches():
    same_at((1, 2, 3, 7), "batches", kernel="hmc", particles=1000)


def test_sonar():
    same_at((1, 4, 7), "sonar", kernel="hmc", particles=500, moves=1)


def test_trainings():
    """Also at more ranks than there are groups."""
    same_at((1, 2, 3, 7), "trained", path=LAYERS, particles=500)
    same_at((1, 2), "trained", path=LEVELS, particles=100)
    same_at((1, 3), "trained", path=PIXELS, particles=100)
    same_at((1, 2, 3, 7), "steered", kernel=LEAPS, path=FEW, particles=300)
    same_at((1, 3), "driven", kernel=LEAPS, path=FEW, particles=300)
    same_at((1, 5), "steered", kernel="rwm", path="batches: 1", particles=100)


def test_flows():
    for options in (HEUN, DRAWN, GUIDED_FLOW):
        same_at((1, 2, 3, 7), "march", path=options, particles=1000)


def test_phase_space_diffusions():
    for options in (WAYS, TRAPEZOID, TUNED):
        same_at((1, 2, 3, 7), "phase", path=options, particles=1000)


def test_weighted_carries():
    for path in (ANNEALED, BROWNIAN):
        same_at((1, 2, 3, 7), "carried", path=path, particles=1000)
    same_at((1, 3), "localized", kernel="hmc", particles=500)


def test_tempering():
    same_at((1, 2, 3, 4, 7), "tempering", kernel="hmc", particles=500)
    same_at((1, 3), "tempering", kernel="rwm", particles=30)
    same_at((1, 3), "tempering", kernel="underdamped", particles=70)
    same_at((1, 2, 7), "tempering", kernel="mala, metric: identity", particles=10)


def test_fit_and_reweight_after_tempering():
    same_at((1, 2, 3, 7), "ladders_finished", kernel="hmc", particles=500)


def test_spins_and_letters():
    same_at((1, 2, 3, 7), "spins", kernel="glauber", particles=500, moves="auto")
    same_at((1, 3), "letters", kernel="glauber, rule: metropolis", particles=100)


def test_points_that_were_observed():
    same_at((1, 2, 3, 7), "seen", kernel=RING, path=REVEALED, particles=1000)
    same_at((1, 3), "seen", kernel=GLASS, path=ASKED, particles=500)
    same_at((1, 3), "seen", kernel=TEXTURE, path=WINDOW, particles=300)
    same_at((1, 2, 3, 7), "seen", kernel=MODES, path=ADAPTED, particles=1000)


def test_couplings_over_the_ranks():
    """The same bits as by one rank's own table, which is not told from the result."""
    spread = same_at((1, 2, 3, 7), "seen", kernel=SPREAD_GLASS, path=SPREAD_PASSED, particles=150)
    kept = SPREAD_GLASS.replace(", couplings: drawn", "")
    whole = same_at((1,), "seen", kernel=kept, path=PASSED, particles=150)
    assert not differences(spread, whole), differences(spread, whole)


def test_chains_that_stay_with_their_particle():
    for path in (CHAINS_SEEN, TANGENT):
        same_at((1, 3), "slips", path=path, particles=300)
    same_at((1, 7), "remembered", kernel="rwm", particles=500)


def test_exact_draws():
    same_at((1, 2, 3, 7), "exact", particles=3000)


def test_chains():
    same_at((1, 2, 7), "chains", kernel="hmc", particles=300)
    same_at((1, 3), "chains", particles=70, every="20min, unconstrained: true")
    same_at((1, 3), "chains", kernel="underdamped", particles=70)
    same_at((1, 3), "chains", kernel="hmc, metric: dense", particles=200)


def test_populations_with_a_dense_metric():
    same_at((1, 3), "mixture", kernel="rwm, metric: dense", particles=1000)
    same_at((1, 2, 7), "mixture", kernel="independence", particles=1000)


def test_chains_along_dilation():
    same_at((1, 2, 7), "guided", kernel="ula, step_rule: cap1", particles=500)
    same_at((1, 3), "guided", kernel="ula, step_rule: snr", particles=300)
    same_at((1, 3), "guided", kernel="mala", particles=70)


def test_fields_in_fourier_space():
    same_at((1, 2, 7), "field", kernel="hmc", particles=300)
    same_at((1, 3), "field", kernel="underdamped", particles=70)
    same_at((1, 3), "field", kernel="mala", particles=70)
    same_at((1, 2, 7), "opened", kernel="ula, step_rule: cap1", particles=200, path="form: u")
    same_at((1, 3), "opened", kernel="hmc, metric: fourier, step_size: 0.2", particles=70,
            path="form: x")


def test_chains_along_convolution():
    same_at((1, 2, 3), "blurred", kernel="ula, step_rule: mean", particles=300)
    same_at((1, 7), "blurred", kernel="mala", particles=300, moves=1)


def test_diffusions_followed_back():
    same_at((1, 2, 3, 7), "diffused", particles=500, path=REVERSE)
    same_at((1, 3), "diffused", particles=300, path=REVERSE.replace("reverse", "deterministic"))
    same_at((1, 2, 3), "diffused", particles=300,
            path="scheme: ddpm, field: {type: monte_carlo, samples: 20}")


def test_tables_between_ranks():
    """Spread over the ranks they may change the last bits, and the result says so."""
    spread = REVERSE.replace("type: grid", "type: grid, distributed: yes")
    with Folder() as folder:
        for ranks, path, said in ((1, REVERSE, 1), (1, spread, 0), (3, spread, 0)):
            result = os.path.join(folder, "result.h5")
            dunlin("run", case(folder, "diffused", particles=200, path=path),
                   "--output", result, "--quiet", "--overwrite", ranks=ranks)
            assert attributes(result)["deterministic"] == said, (ranks, path)


def test_more_ranks_than_tiles():
    same_at((1, 7), "mixture", kernel="hmc", particles=200)
    same_at((1, 3), "mixture", kernel="rwm", particles=40)


def test_other_resampling():
    seen = set()
    for resampling in ("systematic", "stratified", "residual", "multinomial"):
        found = same_at((1, 3), "mixture", kernel="rwm", particles=1000, resampling=resampling)
        seen.add(found["population_hash"])
    assert len(seen) == 4, "two schemes gave the same population"


def test_another_seed_is_another_run():
    with Folder() as folder:
        hashes = set()
        for seed in (1, 2):
            result = os.path.join(folder, f"seed{seed}.h5")
            dunlin("run", case(folder, "mixture", particles=200), "--output", result, "--quiet",
                   "--set", f"run.seed={seed}")
            hashes.add(fingerprint(result)["population_hash"])
        assert len(hashes) == 2, "the hash does not see the seed"


main()

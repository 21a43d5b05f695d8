"""The convolutional path brings a mixture's weights and widths back, at 100 levels from tau = 20 to
0.1 and 4000 particles (of as many independent draws the total variation is 0.026)."""
from blurred import of_modes
from support import main


def near(sampler, seeds, limit, lowest, highest, levels=100, moves=0):
    for seed in seeds:
        off, variance = of_modes(sampler, levels, seed, moves)
        assert off < limit
        assert lowest < variance < highest


def test_reverse_sde():
    near("reverse_sde", (1, 2, 3), .04, .93, 1.10)


def test_ode():
    near("ode", (1, 2, 3), .04, .93, 1.10)


def test_ancestral():
    """Its variance comes from below."""
    near("ancestral", (1, 2), .045, .90, 1.02)


def test_annealed_langevin():
    """Its steps are not adjusted: at the end their own variance is 1 / (1 - 0.15 / 2) = 1.081."""
    near("langevin", (1,), .055, 1.03, 1.14, moves=2)
    near("langevin", (1,), .045, 1.03, 1.14, levels=50, moves=10)


def test_scores_by_samples():
    """In the plane a few hundred samples still give the weights roughly, and lose no mode."""
    off, variance = of_modes("ancestral", 50, 1, particles=1000,
                             more="score: monte_carlo, inner: 300, begin: {scale: 11}")
    assert off < .15
    assert .85 < variance < 1.1


main()

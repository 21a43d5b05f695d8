# tier: long
"""Splitting programs of method psld on three mixtures, at full size: the sweeps under
inputs/sweeps/psld_*.yaml against the published figures, within three times the floor of each
target, or 5 % of large distances."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import INPUTS, SOURCE, Folder, dunlin, main  # noqa: E402

sys.path.insert(0, os.path.join(SOURCE, "jobs"))
import phase_tables  # noqa: E402


def compare(name, known):
    file = os.path.join(INPUTS, "sweeps", f"psld_{name}.yaml")
    with Folder() as folder:
        dunlin("sweep", file, "--output", folder, "--quiet", timeout=5000)
        found = phase_tables.measured(file, folder)
    far = []
    for key, expected in known.items():
        allowed = max(3 * phase_tables.FLOOR[key[0]], .05 * expected)
        print(*key, f"{found[key]:.4f} ({expected:.4f})")
        if abs(found[key] - expected) > allowed:
            far.append((*key, found[key], expected))
    assert not far, far


def test_quadratic_grid():
    compare("quadratic", phase_tables.published("quadratic"))


def test_uniform_grid():
    compare("uniform", phase_tables.published("uniform"))


def test_scaled_noise():
    compare("lambda", phase_tables.published_scaled())


if __name__ == "__main__":
    main()

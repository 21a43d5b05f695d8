"""`analysis/plot_localization.py` on results that kept the means of posteriors: what is kept,
against the points, on other numbers of ranks and behind an interruption; figures; and what is no
such result."""
import os
import subprocess
import sys

import h5py
import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import PYTHON, SOURCE, Folder, dunlin, main, write  # noqa: E402

sys.path.insert(0, os.path.join(SOURCE, "analysis"))
import plot_localization  # noqa: E402

SCRIPT = os.path.join(SOURCE, "analysis", "plot_localization.py")
IMAGES = """
run:    {seed: 3, particles: 100, tile: 16}
target: {type: coloured_texture, side: [4, 6], colours: [[1], [-1]], weights: [.8, .2]}
method:
  type: localization
  observation: {type: linear, average: 1}
  field: {type: window, radius: 1}
  steps: 20
  stride: 3
  first_step: 1e-3
  final: mean
  keep: 40
output: {file: images.h5}
"""
SPINS = """
run:    {seed: 3, particles: 64, replicates: 2}
target: {type: ising_chain, dimension: 12, coupling: .6, field: .1}
method: {type: localization, observation: {type: symmetric}, keep: 5}
output: {file: spins.h5}
"""


def plotted(*words, code=0):
    done = subprocess.run([PYTHON, SCRIPT, *words], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    assert (done.returncode != 0) == code and "Traceback" not in done.stderr, done.stderr
    return done.stdout + done.stderr


def rows(name):
    with h5py.File(name, "r") as file:
        return {key: value[...] for key, value in file["trace/localization"].items()}


def kept_images(folder):
    """All means at first, the points themselves at last; looks after every third step and the last;
    the same on three ranks, and where the run was stopped in its midst."""
    write(folder, "images.yaml", IMAGES)
    dunlin("run", "images.yaml", "--quiet", folder=folder)
    name = os.path.join(folder, "images.h5")
    kept = plot_localization.Kept(name)
    with h5py.File(name, "r") as file:
        points = file["posterior/image"][0, :40].reshape(40, 24)
    assert kept.shape == (4, 6) and kept.mean.shape == (8, 40, 24), kept.mean.shape
    assert kept.time[0] == 0 and kept.time[-1] == 100, kept.time
    assert abs(kept.time[1] - 1e-3 * 1e5 ** (2 / 19)) < 1e-12, kept.time
    assert numpy.allclose(kept.mean[0], .6, rtol=1e-12), kept.mean[0]
    assert (kept.mean[-1] == points).all()
    first = rows(name)
    assert (first["step"][::40 * 24] == [0, 3, 6, 9, 12, 15, 18, 20]).all(), first["step"]
    dunlin("run", "images.yaml", "--quiet", "--output", "three.h5", ranks=3, folder=folder)
    dunlin("run", "images.yaml", "--quiet", "--output", "two.h5", "--time-limit", "0.001", code=85,
           folder=folder)
    dunlin("run", "images.yaml", "--quiet", "--output", "two.h5", "--restart", folder=folder)
    for other in ("three.h5", "two.h5"):
        found = rows(os.path.join(folder, other))
        for key, value in first.items():
            assert (found[key] == value).all(), (other, key)
    return name


def kept_spins(folder):
    """Magnetisations of the first replicate, which grow to -1 and 1."""
    write(folder, "spins.yaml", SPINS)
    dunlin("run", "spins.yaml", "--quiet", folder=folder)
    kept = plot_localization.Kept(os.path.join(folder, "spins.h5"))
    assert kept.shape is None and kept.mean.shape == (21, 5, 12), kept.mean.shape
    size = abs(kept.mean).mean((1, 2))
    assert size[0] < .5 and size[-1] > .98 and abs(kept.mean).max() <= 1, size
    return kept.name


def test_means_and_figures():
    with Folder() as folder:
        images, spins = kept_images(folder), kept_spins(folder)
        for words in ((spins, "--times", "3"),
                      (spins, images, "--coordinates", "1", "--particles", "2", "--range", "-1",
                       "1")):
            figure = os.path.join(folder, "figure.png")
            assert figure in plotted(*words, figure)
            with open(figure, "rb") as file:
                assert file.read(8) == b"\x89PNG\r\n\x1a\n"
            assert os.path.getsize(figure) > 20000
        assert "images.localization.png" in plotted(images, "--particles", "1", "--times", "2")


def test_other_results():
    with Folder() as folder:
        write(folder, "spins.yaml", SPINS)
        dunlin("run", "spins.yaml", "--quiet", "--set", "method.keep=0", folder=folder)
        name = os.path.join(folder, "spins.h5")
        assert "no means were kept" in plotted(name, code=1)
        assert "at least 1" in plotted(name, "--times", "0", code=1)
        assert "at most one figure" in plotted(name, "a.png", "b.png", code=1)


if __name__ == "__main__":
    main()

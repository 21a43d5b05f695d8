"""Densities of images: which digits chains visit with and without the dilation path, and a density
fitted to IDX files that are written here."""
import os
import struct
import subprocess
import sys

import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import INPUTS, PYTHON, SOURCE, Folder, column, dunlin, main, write  # noqa: E402

IDX = """
run:    {seed: 5, particles: 500}
target:
  {type: image, source: idx, data: images.idx, labels: labels.idx, factors: 1, noise: 0.05}
path:   {type: geometric, base: {type: gaussian, scale: 0.5}, schedule: {type: adaptive}}
kernel: {type: hmc}
method: {type: smc}
probes: [{type: modes}]
output: {file: result.h5}
"""


def shares(folder, name, *more):
    result = os.path.join(folder, "result.h5")
    dunlin("run", os.path.join(INPUTS, name), "--output", result, "--overwrite", "--quiet",
           "--set", "run.particles=128", *more)
    return column(result, "modes", "share")[-11:-1], result


def test_dilation_visits_all_digits():
    """A digit counts if a hundredth of the chains, a tenth of its due, end in it."""
    with Folder() as folder:
        alone, _ = shares(folder, "image_ula.yaml", "--set", "method.final_moves=500")
        guided, result = shares(folder, "image.yaml", "--set", "path.schedule.levels=500",
                                "--set", "method.final_moves=200")
        print("ULA alone:", numpy.round(alone, 3), "along dilation:", numpy.round(guided, 3))
        assert numpy.sum(alone > .01) <= 4 and alone.max() > .7
        assert numpy.sum(guided > .01) >= 9 and guided.max() < .4
        figure = os.path.join(folder, "figure.png")
        subprocess.run([PYTHON, os.path.join(SOURCE, "analysis", "plot_images.py"), result, figure],
                       check=True, stdout=subprocess.DEVNULL)
        with open(figure, "rb") as file:
            assert file.read(8) == b"\x89PNG\r\n\x1a\n"
        assert os.path.getsize(figure) > 10000


def write_idx(folder, name, array):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(struct.pack(">HBB", 0, 8, array.ndim))
        file.write(struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes())


def two_classes():
    """Images of 4 x 3: the first class (three quarters) is light at the left, the other at the
    right."""
    generator = numpy.random.default_rng(1)
    labels = (numpy.arange(200) % 4 == 0).astype(numpy.uint8) * 7
    images = generator.integers(20, 80, (200, 4, 3))
    images[labels == 0, :, 0] += 150
    images[labels == 7, :, 2] += 150
    return images.astype(numpy.uint8), labels


def test_a_file_is_read():
    """log Z and the classes' shares within 5 errors; the pixels' means and mean squares (24
    comparisons) within 15 errors of independent draws: those of one ancestor are alike."""
    images, labels = two_classes()
    with Folder() as folder:
        write_idx(folder, "images.idx", images)
        write_idx(folder, "labels.idx", labels)
        write(folder, "input.yaml", IDX)
        dunlin("run", "input.yaml", "--quiet", folder=folder)
        result = os.path.join(folder, "result.h5")
        import h5py
        with h5py.File(result, "r") as file:
            draws = file["posterior/image"][0]
            log_z, error = file.attrs["log_evidence"], file.attrs["log_evidence_error"]
        assert draws.shape == (500, 4, 3)
        assert abs(log_z) < 5 * error, f"log Z is {log_z} ± {error}, not 0"
        off = column(result, "modes", "share")[0] - .75
        assert abs(off) < 5 * column(result, "modes", "error")[0]
        pixels, n = images / 255, len(draws)
        for power in (1, 2):
            known, found = (pixels ** power).mean(0), (draws ** power).mean(0)
            spread = (draws ** power).std(0) / n ** .5
            assert numpy.all(abs(found - known) < 15 * spread + .01 * (power - 1)), found - known


def test_refused_files():
    images, labels = two_classes()
    with Folder() as folder:
        write(folder, "input.yaml", IDX)
        write_idx(folder, "images.idx", images)
        for wrong, words in ((labels[:-1], "holds 199, but"), (images, "dimensions, expected 1"),
                             (labels.astype(">u2"), "found 400 bytes after the head")):
            write_idx(folder, "labels.idx", wrong)
            for ranks in (None, 3):
                said = dunlin("run", "input.yaml", ranks=ranks, code=2, folder=folder).stderr
                assert "labels.idx" in said and words in said, said


def test_more_images_than_there_are():
    images, labels = two_classes()
    with Folder() as folder:
        write(folder, "input.yaml", IDX)
        write_idx(folder, "images.idx", images)
        write_idx(folder, "labels.idx", labels)
        said = dunlin("check", "input.yaml", "--set", "target.images=201", code=2, folder=folder)
        assert "images.idx holds 200, expected the 201" in said.stderr, said.stderr


main()

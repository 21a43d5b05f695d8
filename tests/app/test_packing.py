"""Results of all methods can be packed by h5repack, with lists of no numbers among them, and what
was packed is read as before."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cases import (CASES, FEW, LAYERS, LEAPS, RING, REVEALED, case,  # noqa: E402
                   differences, fingerprint)
from support import Folder, dunlin, main, write  # noqa: E402

# what stands in the places of a case's template where the defaults do not fit
FILLED = {"trained": {"path": LAYERS}, "slips": {"path": "field: {type: exact}"},
          "spins": {"kernel": "glauber"}, "letters": {"kernel": "glauber"},
          "march": {"path": "final: denoise"}, "phase": {"path": "program: S B A O"},
          "seen": {"kernel": RING, "path": REVEALED}, "seeds": {"base": "prior"},
          "carried": {"path": "base: {scale: 1}"}, "opened": {"path": "center: 0"},
          "diffused": {"path": "noise: {type: reverse}, field: {type: exact}"},
          "steered": {"kernel": LEAPS, "path": FEW}, "driven": {"kernel": LEAPS, "path": FEW}}


def packed(folder, name):
    """The packed copy's name; an error where h5repack fails."""
    copy = "packed_" + name
    done = subprocess.run(["h5repack", "-f", "GZIP=6", name, copy], cwd=folder, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, f"h5repack {name}: {done.stdout}"
    return copy


def test_results_can_be_packed():
    import h5py
    wrong, empty = [], []

    def look(place, value):
        if isinstance(value, h5py.Dataset) and value.size == 0:
            empty.append(place)

    for name in CASES:
        with Folder() as folder:
            case(folder, name, particles=100, **FILLED.get(name, {}))
            dunlin("run", "input.yaml", "--quiet", folder=folder)
            with h5py.File(os.path.join(folder, "result.h5"), "r") as file:
                file.visititems(look)
            try:
                both = [fingerprint(os.path.join(folder, file))
                        for file in ("result.h5", packed(folder, "result.h5"))]
                wrong += [f"{name}: {said}" for said in differences(*both)]
            except AssertionError as error:
                wrong.append(f"{name}: {error}")
    assert not wrong, "\n".join(wrong)
    assert empty, "no result had a list of no numbers: nothing was tested"


PILOT = """
run:    {seed: 5, particles: 20}
target: {type: gaussian, dimension: 3}
path:   {type: constant}
kernel: {type: hmc, metric: diagonal}
method: {type: langevin, warmup: 50, draws: 5}
output: {file: pilot.h5}
"""


def test_what_was_packed_is_loaded():
    with Folder() as folder:
        write(folder, "input.yaml", PILOT)
        dunlin("run", "input.yaml", "--quiet", folder=folder)
        found = []
        for name in ("pilot.h5", packed(folder, "pilot.h5")):
            dunlin("run", "input.yaml", "--quiet", "--overwrite", "--output", "on.h5", "--set",
                   f"kernel.load={name}", folder=folder)
            found.append(fingerprint(os.path.join(folder, "on.h5")))
        assert not differences(*found), differences(*found)


main()

"""log Z of a mixture by weighted localization, with a field that is wrong by a share."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import BUILD, Folder, column, dunlin, write  # noqa: E402

PROGRAM = os.path.join(BUILD, "tests", "dunlin_types")
KNOWN = 1.3
INPUT = """
run: {seed: SEED, particles: 1000, replicates: COUNT}
target:
  {type: gaussian_mixture, means: [[0.6], [-1.4]], weights: [0.7, 0.3], scales: 0.2,
   log_evidence: 1.3}
path:
  {type: localized, field: {type: faulty, factor: FACTOR, silent: SILENT}, horizon: 25, width: 0.2,
   spread: 1, steps: 200, pieces: 40}
method: {type: smc, moves_per_step: 0}
output: {file: result.h5}
"""


def evidences(wrong, count, seed=1, silent=False):
    """log Z and its errors of so many populations, with means that are too short by a share."""
    text = INPUT
    for word, value in (("SEED", seed), ("COUNT", count), ("FACTOR", 1 - wrong),
                        ("SILENT", str(silent).lower())):
        text = text.replace(word, str(value))
    with Folder() as folder:
        file = write(folder, "input.yaml", text)
        result = os.path.join(folder, "result.h5")
        dunlin("run", file, "--output", result, "--quiet", timeout=3000, program=PROGRAM)
        return tuple(column(result, "replicates", name)
                     for name in ("log_evidence", "log_evidence_error"))

# tier: long
"""The benchmark of method scld before anything is learned, against figures of another program in
double precision, means and deviations of three runs of 2000 particles: log Z and its lower bound
with selections and moves, the bound without, the variance of the pieces' log weights, selections
and acceptance.  54 comparisons; limit 5 deviations, which are themselves of three runs only."""
import glob
import os
import re
import subprocess
import sys

import h5py

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import (INPUTS, SOURCE, Folder, Missing, data_folder, dunlin, main,  # noqa: E402
                     write)

# Bound, log Z, bound without moves; selections, acceptance, loss.  The wells are left out: without
# a control their steps are unstable, and weights are differences of huge numbers.  A loss is cut
# at 1e7 a piece.
KNOWN = {
    "seeds": ((-74.714, .056), (-73.345, .060), (-172.22, .60), (4, 4), .949, .044),
    "sonar": ((-111.21, .44), (-108.71, .45), (-320.43, 1.02), (8, 9), .999, .062),
    "credit": ((-564.8, 8.6), (-563.0, 8.7), (-664.3, .5), (6, 7), .003, .12),
    "brownian": ((-4.38, .53), (.34, .63), (-55.02, .06), (8, 9), .972, .073),
    "funnel": ((-.289, .046), (-.231, .057), (-2.600, .051), (1, 1), .996, .001),
    "one goal": ((-37966, 270), (-436, 234), (-53416, 340), (3, 4), 0, 2.5e6),
    "four goals": ((-17869, 87), (-134, 21), (-30420, 130), (1, 2), .67, 2.5e6),
    "forty modes": ((-3236, 4.6), (-1555, 45), (-3238, 4.9), (4, 4), 1, 9.4e4),
    "ten students": ((-3.98, .75), (-3.24, .77), (-113.77, .15), (8, 9), .992, .012),
}


def untrained(folder):
    """The sweep as it ships, but for the rates, which are 0, and the steps: one."""
    with open(os.path.join(INPUTS, "sweeps", "scld_benchmark.yaml"), encoding="utf-8") as file:
        text = file.read().replace("../data/", INPUTS + "/data/")
    text, removed = re.subn(r"\n +method\.rates\.\w+: \[[^]]*\]", "", text)
    assert removed == 3
    text = text.replace("steps: 3000", "steps: 1, batches: 1, rates: {control: 0, exponents: 0, "
                        "base: 0}")
    text = re.sub(r"every: 1(?=[,}])", "every: 0, points: 10", text)
    return write(folder, "untrained.yaml", text)


def test_untrained():
    if not os.path.exists(os.path.join(data_folder() or "/nonexistent", "mos10_locs_d50.csv")):
        raise Missing("no folder of the benchmarks' data files")
    off = []
    with Folder() as folder:
        sweep = untrained(folder)
        subprocess.run([sys.executable, os.path.join(SOURCE, "jobs", "arm_reference.py"),
                        os.path.join(data_folder(), "planar_robot_1goal_gt10k.csv"),
                        os.path.join(folder, "arm_four_goals.csv")], check=True)
        members = dunlin("sweep", sweep, "--list", folder=folder).stdout.splitlines()
        for index, member in enumerate(members, 1):
            name = member.split("target=")[1].split(",")[0]
            if name not in KNOWN:
                continue
            dunlin("sweep", sweep, "--index", index, "--quiet", "--output", name, folder=folder,
                   timeout=3000)
            with h5py.File(glob.glob(os.path.join(folder, name, "*.h5"))[0]) as file:
                row = {key: float(column[0]) for key, column in file["trace/scld"].items()}
            off += judge(name, row)
    assert not off, off


def judge(name, row):
    """What is off."""
    *three, (least, most), acceptance, loss = KNOWN[name]
    found = [row[key] for key in ("bound", "log_evidence", "plain_bound")]
    errors = [(one - mean) / deviation for one, (mean, deviation) in zip(found, three)]
    print(f"{name}: {found}, deviations {[round(one, 1) for one in errors]}; selections "
          f"{row['selections']:.0f}, acceptance {row['acceptance']:.4f}, loss {row['loss']:.4g}",
          flush=True)
    off = [(name, errors)] * any(abs(one) > 5 for one in errors)
    wrong = {"selections": not least - 1 <= row["selections"] <= most + 1,
             "acceptance": abs(row["acceptance"] - acceptance) > .05,
             "loss": not .7 * loss < row["loss"] < 1.4 * loss}
    return off + [(name, key, row[key]) for key, is_wrong in wrong.items() if is_wrong]


main()

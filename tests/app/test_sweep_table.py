"""The table of a sweep: what it says is what the results say, whatever lies in their places."""
import csv
import glob
import math
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import Folder, attributes, dunlin, main, summary, write  # noqa: E402

BASE = """run: {seed: 1, particles: 64}
target: {type: gaussian_mixture, dimension: 1, layout: two_modes, separation: 2}
path:
  type: geometric
  base: {type: gaussian, mean: 0, scale: 3}
  schedule: {type: fixed, steps: 4}
kernel: {type: rwm}
method: {type: smc, moves_per_step: 1}
probes: [{type: modes}, {type: mmd}]
"""
SWEEP = BASE + """sweep:
  kernel: [{label: 'long, "quoted"; moves', type: hmc, leapfrog_steps: 2}, {label: walk, type: rwm}]
  run.seed: {from: 1, to: 3}
"""
CHAINS = """run: {seed: 1, particles: 4}
target: {type: banana}
path: {type: constant, start: {scale: 1}}
kernel: {type: rwm}
method: {type: langevin, warmup: 20, draws: 20}
"""
MACHINE = ["wall_seconds", "processor_seconds", "memory_bytes", "sent_bytes", "ranks"]


def rows(folder, name="t.csv"):
    with open(os.path.join(folder, name), newline="") as file:
        return list(csv.DictReader(file))


def collect(folder, name="t.csv", *options):
    dunlin("sweep", "s.yaml", "--collect", name, *options, folder=folder)
    return rows(folder, name)


def stable(table):
    """Without clocks and machines, which stand last."""
    assert list(table[0])[-len(MACHINE):] == MACHINE
    return [{name: value for name, value in row.items() if name not in MACHINE} for row in table]


def result(folder, row):
    return os.path.join(folder, "s.sweep", row["identity"] + ".h5")


def test_the_table_says_what_the_results_say():
    with Folder() as folder:
        write(folder, "s.yaml", SWEEP)
        assert [row["state"] for row in collect(folder)] == ["missing"] * 6
        dunlin("sweep", "s.yaml", "--index", 5, folder=folder, ranks=2)
        dunlin("sweep", "s.yaml", folder=folder)
        table = collect(folder)
        assert [row["kernel"] for row in table] == ['long, "quoted"; moves'] * 3 + ["walk"] * 3
        for row in table:
            assert row["state"] == "done" and not row["reason"] and not row["rhat"]
            said, kept = summary(result(folder, row)), attributes(result(folder, row))
            value, error = float(row["log_evidence"]), float(row["log_evidence_error"])
            assert (value, error) == (kept["log_evidence"], kept["log_evidence_error"])
            assert float(row["log_evidence_truth"]) == 0
            assert abs(float(row["log_evidence_z"]) - value / error) < 1e-12
            assert row["verdict"] == kept["diagnosis"]
            assert row["population_hash"] == kept["population_hash"]
            assert all(verdict["text"] in row["diagnosis"] for verdict in said["verdicts"]
                       if verdict["level"] == row["verdict"] != "good")
            assert float(row["modes.hit"]) == said["modes"]["hit"]
            assert float(row["modes.total_variation"]) == said["modes"]["total_variation"]
            assert float(row["mmd.mmd"]) > 0
            assert float(row["evaluations"]) == said["cost"]["evaluations"]
            walks = row["kernel"] == "walk"
            share = float(row["gradients"]) / float(row["evaluations"])
            assert share < .5 if walks else .5 < share <= 1, share
        assert [row["ranks"] for row in table] == ["1", "1", "1", "1", "2", "1"]


def test_means_over_seeds():
    with Folder() as folder:
        write(folder, "s.yaml", SWEEP)
        dunlin("sweep", "s.yaml", folder=folder)
        os.remove(result(folder, collect(folder)[1]))
        table, names = collect(folder), ["log_evidence", "modes.outside", "evaluations", "rhat"]
        means = rows(folder, "t.means.csv")
        assert [row["done"] + row["members"] for row in means] == ["23", "33"]
        assert "run.seed" not in means[0]
        for row in means:
            own = [member for member in table if member["kernel"] == row["kernel"]]
            for name in names:
                values = [float(member[name]) for member in own if member[name]]
                assert int(row[name + "_count"]) == len(values)
                if not values:
                    assert row[name] == row[name + "_standard_error"] == ""
                    continue
                mean = sum(values) / len(values)
                square = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
                error = math.sqrt(square / len(values))
                assert abs(float(row[name]) - mean) < 1e-9 * (1 + abs(mean))
                assert abs(float(row[name + "_standard_error"]) - error) < 1e-9 * (1 + error)


def test_the_same_table_as_hdf5():
    import h5py
    with Folder() as folder:
        write(folder, "s.yaml", CHAINS + "sweep:\n  run.seed: [1, 2]\n")
        dunlin("sweep", "s.yaml", folder=folder)
        table = collect(folder)
        assert all(float(row["rhat"]) > .9 and not row["log_evidence"] for row in table)
        dunlin("sweep", "s.yaml", "--collect", "t.h5", folder=folder)
        with h5py.File(os.path.join(folder, "t.h5"), "r") as file:
            assert set(file["members"]) == set(table[0])
            assert float(file["means"]["rhat_count"][0]) == 2
            for name in table[0]:
                for row, value in zip(table, file["members"][name][...]):
                    if isinstance(value, bytes):
                        assert value.decode() == row[name], name
                    else:
                        assert value == float(row[name] or "nan") or not row[name], name


def test_whatever_lies_in_the_places_of_results():
    with Folder() as folder:
        write(folder, "s.yaml", SWEEP)
        dunlin("sweep", "s.yaml", folder=folder)
        good = collect(folder)
        files = [result(folder, row) for row in good]
        shutil.copy(files[1], files[0])
        os.truncate(files[1], os.path.getsize(files[1]) // 2)
        with open(files[2], "wb") as file:
            file.write(b"no result\n" * 100)
        os.remove(files[3])
        os.mkdir(files[3])
        os.remove(files[4])
        with open(files[4].replace(".h5", ".failed"), "wb") as file:
            file.write(b'a reason, with "quotes"\xff\x01 and\tmore.\nand lines\n' * 1000)
        table = collect(folder)
        assert [row["state"] for row in table] == ["failed"] * 5 + ["done"]
        assert "result of another run" in table[0]["reason"]
        assert all(os.path.basename(file) in row["reason"] for file, row in zip(files, table[:4]))
        assert table[4]["reason"] == 'a reason, with "quotes"?? and?more'
        assert not any(row["log_evidence"] or row["evaluations"] for row in table[:5])
        assert stable(table)[5] == stable(good)[5]
        said = dunlin("sweep", "s.yaml", "--list", folder=folder).stdout.splitlines()
        assert "failed\tkernel=" in said[4] and said[4].endswith("and?more")
        assert len(glob.glob(os.path.join(folder, "*.writing"))) == 0


def test_what_is_refused():
    with Folder() as folder:
        write(folder, "s.yaml", SWEEP)
        said = dunlin("sweep", "s.yaml", "--collect", "t.txt", code=2, folder=folder).stderr
        assert "found 't.txt', expected FILE.csv or FILE.h5" in said
        for name in ("own.csv", "own.h5"):
            write(folder, name, "a,b\n1,2\n")
            said = dunlin("sweep", "s.yaml", "--collect", name, code=2, folder=folder).stderr
            assert "is no table of a sweep" in said
            dunlin("sweep", "s.yaml", "--collect", name, "--overwrite", folder=folder)
            dunlin("sweep", "s.yaml", "--collect", name, folder=folder)
        dunlin("sweep", "s.yaml", "--collect", "none/t.csv", code=1, folder=folder)
        write(folder, "s.yaml", BASE + "sweep:\n  run.sed: [1, 2]\n")
        assert "sed" in dunlin("sweep", "s.yaml", "--collect", "t.csv", code=2,
                               folder=folder).stderr
        assert not os.path.exists(os.path.join(folder, "t.csv"))
        dunlin("run", "s.yaml", "--collect", "t.csv", code=2, folder=folder)


if __name__ == "__main__":
    main()

"""What scripts that print tables of a sweep share."""
import csv
import os
import subprocess
import tempfile


def members(program, file, folder):
    """Rows of a sweep's table that are done, with their results' files."""
    with tempfile.TemporaryDirectory() as there:
        table = os.path.join(there, "table.csv")
        subprocess.run([program, "sweep", file, "--output", folder, "--collect", table], check=True,
                       stdout=subprocess.DEVNULL)
        with open(table, encoding="utf-8", newline="") as text:
            rows = list(csv.DictReader(text))
    for row in rows:
        row["file"] = os.path.join(folder, row["identity"] + ".h5")
    return [row for row in rows if row["state"] == "done"]

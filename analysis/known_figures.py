"""Command line of the scripts that print figures of runs beside known ones."""
import argparse
import os
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def main(tables, doc):
    """Makes the chosen ones of {name: function}, which get the words as an object with `program`
    and `folder` and return whether all figures are within their limits."""
    parser = argparse.ArgumentParser(description=doc.split("\n\n")[0])
    parser.add_argument("tables", nargs="*", help=", ".join(tables))
    parser.add_argument("--program", default=os.path.join(TOP, "build", "release", "dunlin"))
    parser.add_argument("--folder", help="where results go; left out: they are not kept")
    parser.add_argument("--check", action="store_true")
    chosen = parser.parse_args()
    for name in chosen.tables:
        if name not in tables:
            parser.error(f"found table '{name}', expected: {', '.join(tables)}")
    with tempfile.TemporaryDirectory() as folder:
        chosen.folder = chosen.folder or folder
        good = [tables[name](chosen) for name in chosen.tables or tables]
    if chosen.check and not all(good):
        sys.exit(1)

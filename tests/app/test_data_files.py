"""Data files as they are found in the wild: each gives the result of the plain file, to the last
bit, or is refused by the name of what is wrong."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import Folder, attributes, dunlin, main, write  # noqa: E402

INPUT = """\
run:    {seed: 3, particles: 64}
target: {type: logistic_regression, data: data.csv$options}
path:   {type: geometric, base: {type: prior}, schedule: {type: fixed, steps: 3}}
kernel: {type: rwm}
method: {type: smc, moves_per_step: 1}
output: {file: out.h5}
"""
ROWS = [(1.5, 2, 0), (-0.25, 3, 1), (4, -1, 1), (2.5, 0.5, 0), (-3, 7, 1)]


def table(header="a,b,y", separator=",", end="\n", decimal="."):
    lines = [header] * bool(header)
    lines += [separator.join(repr(x).replace(".", decimal) for x in row) for row in ROWS]
    return end.join(lines) + end


def run(folder, content, options="", code=0):
    """The hash of the population; None if it was refused, with the message."""
    path = os.path.join(folder, "data.csv")
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    write(folder, "input.yaml", INPUT.replace("$options", options))
    done = dunlin("run", "input.yaml", "--quiet", "--overwrite", folder=folder, code=code)
    if code:
        return done.stderr
    return attributes(os.path.join(folder, "out.h5"))["population_hash"]


def with_first(text):
    """The plain file without a header, its first line replaced."""
    return text + "\n" + table(None).split("\n", 1)[1]


PLAIN = table()
SAME = {
    "CR only": (table(end="\r"), ""),
    "CRLF": (table(end="\r\n"), ""),
    "semicolons": (table("a;b;y", ";"), ""),
    "semicolons and decimal commas": (table("a;b;y", ";", decimal=","), ""),
    "tabs": (table("first a\tsecond b\ty", "\t"), ""),
    "blanks": (table("a b y", "  "), ""),
    "blanks and decimal commas": (table("a b y", " ", decimal=","),
                                  ", separator: blanks, decimal: comma"),
    "comments and blank lines": ("# by hand\n\n" + PLAIN.replace("4,", "# note, 1, 2\n\n4,"), ""),
    "quotes": (table('"a","b, or c","y"').replace("1.5", '"1.5"'), ""),
    "index of pandas": (",a,b,y\n" + "".join(
        f"{i},{line}\n" for i, line in enumerate(table(None).split())), ""),
    "index of R": ('"","a","b","y"\n' + "".join(
        f'"{i + 1}",{line}\n' for i, line in enumerate(table(None).split())), ""),
    "numbers of columns as header": (table("0,1,2"), ", header: yes"),
    "label by name": ("y,a,b\n" + "".join(f"{y},{a},{b}\n" for a, b, y in ROWS), ", label: y"),
    "omitted texts": ("id,a,name,b,y\n" + "".join(
        f"7,{a},Ann,{b},{y}\n" for a, b, y in ROWS), ", omit: 'id, name'"),
    "chosen features": ("id,b,name,a,y\n" + "".join(
        f"7,{b},Ann,{a},{y}\n" for a, b, y in ROWS), ", features: 'a, b'"),
    "labels 1 and 2": (PLAIN.replace(",1\n", ",2\n").replace(",0\n", ",1\n"), ""),
}

BOTH = ["data.csv:1", "header: yes", "header: no"]
REFUSED = {
    "per cent": (with_first("1.5,5%,0"), "", BOTH + ["percent"]),
    "quoted decimal comma": (with_first('"1,5",2,0'), "", BOTH + ["decimal: comma"]),
    "Unicode minus": (with_first("\u22121.5,2,0"), "", BOTH + ["U+2212"]),
    "numbers of columns": (table("0,1,2"), "", BOTH),
    "no header where it is stated": (table(), ", header: no", ["data.csv:1: column 2", "'y'"]),
    "underscore below": (PLAIN + "2020_01,2,1\n", "", ["data.csv:7: column 'a'", "underscore"]),
    "texts as labels": (PLAIN.replace(",1\n", ",M\n").replace(",0\n", ",B\n"), "",
                        ["data.csv:2: column 'y'", "'B'", "label"]),
    "a third label": (table("a,b,y").replace("4,-1,1", "4,-1,3"), "",
                      ["column 'y'", "0 (2 rows, first in line 2)", "3 (1 row, first in line 4)",
                       "0 and 1"]),
    "label that is omitted": (PLAIN, ", omit: y", ["omit", "label"]),
    "features and omit": (PLAIN, ", omit: a, features: b", ["omit", "features"]),
    "unknown feature": (PLAIN, ", features: 'a, c'", ["'c'", "nearest"]),
    "label that is not the last": ("Class,a,b\n0,2,1\n1,3,0\n1,4,1\n", "",
                                   ["'Class'", "'b'", "label: NAME"]),
    "number beside an index": (",a,b,y\n0,1,2,0\n1,2,1,1\n", ", label: 2",
                               ["no column '2'", "left out"]),
    "thousands": (table("a;b;y", ";").replace("1.5;2", "1,500;2").replace(".", "1"), "",
                  ["1,234", "decimal: comma"]),
    "squares without a number": (PLAIN.replace("1.5", "1e200"), "", ["squares"]),
}


def test_same():
    with Folder() as folder:
        plain = run(folder, PLAIN)
        other = {name for name, (content, options) in SAME.items()
                 if run(folder, content, options) != plain}
        assert not other, f"other results than the plain file's: {sorted(other)}"
        assert run(folder, PLAIN.replace("-0.25", "-0.5")) != plain


def test_refused():
    with Folder() as folder:
        for name, (content, options, words) in REFUSED.items():
            said = run(folder, content, options, code=2)
            for word in words:
                assert word in said, f"{name}: '{word}' is missing in:\n{said}"
            assert not os.path.exists(os.path.join(folder, "out.h5")), name


def test_other_targets():
    """Means and covariances: a header is no row of them, numbers that may be one are refused."""
    with Folder() as folder:
        head = "run: {seed: 3, particles: 64}\ntarget: "
        tail = INPUT[INPUT.index("path:"):].replace("prior", "gaussian, scale: 3")
        for target, rows in (("{type: gaussian_mixture, file: data.csv$}", "1,2\n-3,4\n"),
                             ("{type: gaussian, dimension: 2, covariance: {type: dense, "
                              "file: data.csv$}}", "2,1\n1,3\n")):
            def result(content, options="", code=0):
                write(folder, "data.csv", content)
                write(folder, "input.yaml", head + target.replace("$", options) + "\n" + tail)
                done = dunlin("run", "input.yaml", "--quiet", "--overwrite", folder=folder,
                              code=code)
                if code:
                    return done.stderr
                return attributes(os.path.join(folder, "out.h5"))["population_hash"]
            plain = result(rows)
            assert result("u,v\n" + rows) == plain
            assert result("0,1\n" + rows, ", header: yes") == plain
            assert result(rows.replace(",", ";"), ", separator: semicolon") == plain
            assert "header: yes" in result("0,1\n" + rows, code=2)
            assert "None" in result("1,None\n" + rows, code=2)


def test_results_are_not_written_over_them():
    with Folder() as folder:
        write(folder, "input.yaml", INPUT.replace("$options", ""))
        write(folder, "data.csv", table())
        os.symlink("data.csv", os.path.join(folder, "other.csv"))
        for name, ranks in (("data.csv", None), ("other.csv", 2)):
            said = dunlin("run", "input.yaml", "--overwrite", "--output", name, folder=folder,
                          ranks=ranks, code=2).stderr
            assert f"{name} is the file that target.data names" in said, said
        with open(os.path.join(folder, "data.csv"), encoding="utf-8") as file:
            assert file.read() == table()


main()

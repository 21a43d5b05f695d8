"""Budgets that keep the source readable: functions, files and lines; sizes; leftovers."""
import os
import re

from files import SOURCE, functions, own_files, read
from support import main

LONGEST_FUNCTION, LONGEST_FILE, WIDEST_LINE = 120, 600, 100
USUAL_FUNCTION, NINE_IN_TEN = 15, 45
LARGEST_FILE = 1 << 20


def lengths(under):
    found = []
    for path in own_files(".c", ".h"):
        if path.startswith(under):
            for name, first, last in functions(read(path)):
                found.append((last - first + 1, f"{path}:{first}: {name}"))
    return sorted(found)


def refuse_long(found):
    too_long = [f"{where}: {length} lines" for length, where in found if length > LONGEST_FUNCTION]
    assert not too_long, "\n".join(too_long)


def test_functions_are_short():
    found = lengths(("src/", "include/"))
    assert len(found) > 100, f"only {len(found)} functions were found"
    median, ninth = found[len(found) // 2][0], found[len(found) * 9 // 10][0]
    print(f"{len(found)} functions: median {median} lines, nine in ten within {ninth}, "
          f"longest {found[-1][0]} ({found[-1][1]})")
    refuse_long(found)
    assert median <= USUAL_FUNCTION, f"the median function has {median} lines, not {USUAL_FUNCTION}"
    assert ninth <= NINE_IN_TEN, f"nine in ten have up to {ninth} lines, not {NINE_IN_TEN}"


def test_functions_of_tests_are_short():
    refuse_long(lengths("tests/"))


def test_files_are_short():
    too_long = [f"{path} has {read(path).count(chr(10))} lines"
                for path in own_files(".c", ".h", ".py", ".sh", ".cmake")
                if read(path).count("\n") > LONGEST_FILE]
    assert not too_long, "\n".join(too_long)


def test_lines_are_narrow():
    wide = []
    for path in own_files(".c", ".h", ".py", ".sh", ".cmake", "CMakeLists.txt", ".yaml"):
        for number, line in enumerate(read(path).split("\n"), 1):
            if len(line) > WIDEST_LINE:
                wide.append(f"{path}:{number}: {len(line)} columns")
    assert not wide, "\n".join(wide)


def test_no_tabs_and_no_space_at_line_ends():
    wrong = []
    for path in own_files(".c", ".h", ".py", ".sh", ".cmake", ".md", ".yaml", "CMakeLists.txt"):
        for number, line in enumerate(read(path).split("\n"), 1):
            if "\t" in line or line.endswith((" ", "\r")):
                wrong.append(f"{path}:{number}")
    assert not wrong, "\n".join(wrong)


def test_no_large_files():
    large = [path for path in own_files()
             if os.path.getsize(os.path.join(SOURCE, path)) > LARGEST_FILE
             and not path.endswith((".h5", ".part", ".checkpoint"))]
    assert not large, f"larger than {LARGEST_FILE} bytes: {large}"


def test_nothing_is_left_to_do():
    words = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|not imple" + r"mented)\b")
    found = []
    for path in own_files(".c", ".h", ".py", ".sh", ".cmake", ".yaml", ".md", ".txt", ".sbatch"):
        for number, line in enumerate(read(path).split("\n"), 1):
            if words.search(line):
                found.append(f"{path}:{number}: {line.strip()}")
    assert not found, "\n".join(found)


main()

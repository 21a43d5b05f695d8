"""Data of a user's target from JSON and CSV files: what is read, and what is refused with file,
line, what was found and what was expected."""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import BUILD, Folder, attributes, dunlin, main, write  # noqa: E402

LIBRARY = os.path.join(BUILD, "tests", "user_target", "reads_data.so")
INPUT = """\
run:    {seed: 5, particles: 64}
target: {type: library, file: %s, data: data.json, %s}
method: {type: exact}
output: {file: out.h5}
"""


def read(folder, text, options, ranks=None):
    """The weighted sum of the numbers that were taken."""
    write(folder, "data.json", text)
    write(folder, "input.yaml", INPUT % (LIBRARY, options))
    dunlin("run", "input.yaml", "--quiet", "--overwrite", folder=folder, ranks=ranks)
    return attributes(os.path.join(folder, "out.h5"))["log_evidence_truth"]


def refused(folder, text, options, *sentences):
    if isinstance(text, bytes):
        with open(os.path.join(folder, "data.json"), "wb") as file:
            file.write(text)
    else:
        write(folder, "data.json", text)
    write(folder, "input.yaml", INPUT % (LIBRARY, options))
    said = dunlin("check", "input.yaml", folder=folder, code=2).stderr
    for sentence in sentences:
        assert sentence in said, f"no '{sentence}' in {said}"
    assert said.startswith("input.yaml:2:"), said


def test_what_is_read():
    with Folder() as folder:
        for value, options, expected in (
                (3.5, "as: number", 3.5), (-7, "as: whole, least: -9", -7),
                ([1, 2.5, -3e2], "as: list, rows: 3", 1 + 5 - 900),
                ([], "as: list", 0), ([[], []], "as: table, rows: 2, columns: 0", 0),
                ([[1, 2], [3, 4], [5, 6]], "as: table, rows: 3, columns: 2", 91),
                ([[[[1, 2]], [[3, 4]]]], "as: any", 30),
                ([2, 0, 5], "as: wholes, most: 5", 17),
                (9007199254740991, "as: whole", 9007199254740991),
                (5e-324, "as: number", 5e-324), (1e-400, "as: number", 0)):
            text = json.dumps({"other": 1, "y": value, "note": "text", "none": None,
                               "deep": {"a": [1, {"b": 2}]}})
            assert read(folder, text, options) == expected, (value, options)
        assert read(folder, '{"y":[1e-400,-0.0,1E+2]}', "as: list", ranks=2) == 300
        assert read(folder, '\ufeff\n{\n\t"y":\t[1,\n2] }\n', "as: list") == 5
        assert read(folder, '{"caf\\u00e9": 2, "y": 1}', 'name: "caf\u00e9"') == 2


def test_tables():
    with Folder() as folder:
        table = "a,y,word\n1,2,x\n3,4,x\n"
        assert read(folder, table, "as: list, rows: 2") == 10
        assert read(folder, table, "name: a") == 7
        assert read(folder, "1.5 2\n3.5 4\n", "name: '1'") == 10
        refused(folder, table, "name: word", "'word': line 2: found 'x', expected a finite number")
        refused(folder, "a,y\n1,2\n3\n", "name: y", "data.json:3")


def test_many_numbers():
    """A line of two hundred thousand."""
    with Folder() as folder:
        count = 200000
        assert read(folder, json.dumps({"y": [1] * count}), "as: list") == count * (count + 1) / 2


def test_what_a_target_refuses():
    with Folder() as folder:
        for text, options, sentence in (
                ('{"x": 1}', "name: y", "data.json has nothing under the name 'y'"),
                ('{"y": [1]}', "as: number", "'y': found a list of numbers, expected one number"),
                ('{"y": 1}', "as: list", "'y': found one number, expected a list of numbers"),
                ('{"y": [1, 2]}', "{as: list, rows: 3}"[1:-1], "found a list of 2, expected 3"),
                ('{"y": [[1, 2]]}', "as: table, rows: 1, columns: 3",
                 "found 1 rows of 2 numbers, expected 1 of 3"),
                ('{"y": [1, 2.5]}', "as: wholes", "entry 2 is 2.5, expected a whole number from 0"),
                ('{"y": -1}', "as: whole", "entry 1 is -1, expected a whole number from 0"),
                ('{"y": 9007199254740993}', "as: whole", "expected a whole number"),
                ('{\n"y": "3"}', "", "line 2: found '3' in quotes, expected a number"),
                ('{"y": [1,\n true]}', "", "line 2: found 'true', expected a number"),
                ('{"y": null}', "", "line 1: found 'null', expected a number"),
                ('{"y": [1, NaN]}', "", "found 'NaN', expected a number"),
                ('{"y": -Infinity}', "", "found '-Infinity', expected a number"),
                ('{"y": .inf}', "", "found '.inf', expected a number"),
                ('{"y": 1e400}', "", "found '1e400', expected a number that a double can hold"),
                ('{"y": 0x10}', "", "found '0x10', expected a number"),
                ('{"y": 007}', "", "found '007', expected a number"),
                ('{"y": 1_000}', "", "found '1_000', expected a number"),
                ('{"y": +1}', "", "found '+1', expected a number"),
                ('{"y": [1 2]}', "", "found '1 2', expected a number"),
                ('{"y": [[1, 2],\n[3]]}', "", "line 2: found a list of 1, expected 2 as before"),
                ('{"y": [[1], 2]}', "", "found numbers 1 lists deep, expected 2 as before"),
                ('{"y": [[], [[]]]}', "", "found numbers 3 lists deep, expected 2 as before"),
                ('{"y": [[[[[1]]]]]}', "", "found more than 4 lists in each other"),
                ('{"y": [{"a": [1, [2]]}, 1], "z": 2}', "", "found an object, expected numbers")):
            refused(folder, text, options or "name: y", sentence)
        write(folder, "input.yaml", (INPUT % (LIBRARY, "name: y")).replace("data: data.json, ", ""))
        said = dunlin("check", "input.yaml", folder=folder, code=2).stderr
        assert "no file was given, which has nothing under the name 'y'" in said, said


def test_hostile_files():
    with Folder() as folder:
        deep = '{"y": 1, "z": ' + "[" * 100 + "]" * 100 + "}"
        names = json.dumps({f"a{i}": 0 for i in range(10001)})
        for text, sentence in (
                ('{"y": 1, "y": 2}', "data.json: the name 'y' is given twice, expected once"),
                ("[1, 2]", 'data.json: found a list, expected an object {"name": numbers, ...}'),
                ('{y: 1}', "data.json:1:2: expected a name in double quotes"),
                ("{'y': 1}", "data.json:1:2: expected a name in double quotes"),
                ('{"": 1}', "expected a name of 1 to 255 bytes"),
                ('{"%s": 1}' % ("n" * 256), "expected a name of 1 to 255 bytes"),
                ('{"a\\nb": 1}', "expected a name of 1 to 255 bytes on one line"),
                ('{"a\\u0000b": 1}', "expected a name of 1 to 255 bytes"),
                ('{"y": 1} {"z": 2}', "data.json:1"), ('{"y": 1}\n]', "data.json:2"),
                ('{"y": 1}\n--- {"z": 1}', "data.json:2"),
                ('{"y": &a 1}', "found an anchor, alias or tag of YAML, expected JSON"),
                ('{"y": &a [1], "z": *a}', "found an anchor, alias or tag of YAML, expected JSON"),
                ('{"y": !!float 1}', "found an anchor, alias or tag of YAML, expected JSON"),
                ('{"y": [1, 2', "this is not JSON"),
                ('{"y": [1,\n, 2]}', "data.json:2:1: this is not JSON"),
                (b'{"y\xff": 1}', "data.json:1: found a byte or character 0xff"),
                (b'{"y": 1\x00}', "data.json:1: found a byte or character 0x00"),
                (deep, "found more than 64 lists or objects in each other"),
                (names, "data.json: found more than 10000 names"),
                ("{" + '"a":{' * 5000, "data.json:1"), ("", "data.json"),
                (b"\xff\xfe{\x00", "UTF-16"), (b"\x1f\x8b123", "gunzip")):
            refused(folder, text, "name: y", sentence)
        os.remove(os.path.join(folder, "data.json"))
        assert "data.json" in dunlin("check", "input.yaml", folder=folder, code=2).stderr


main()

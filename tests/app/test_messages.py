"""Messages name the cause and the cure of what people write into inputs."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import Folder, dunlin, main, write  # noqa: E402

FILE = "input.yaml"
GOOD = """\
run:    {seed: 3, particles: 256}
target: {type: gaussian, dimension: 2, mean: 1}
path:   {type: geometric, base: {type: gaussian, mean: 0, scale: 3}, schedule: {type: adaptive}}
kernel: {type: hmc}
method: {type: smc}
output: {file: out.h5}
"""
BLOCK = GOOD.replace("run:    {seed: 3, particles: 256}", "run:\n  seed: 3\n  particles: 256")
CURLY = "curly quotes"
BLANK = "a blank is missing behind the colon: "

# What is replaced by what, and words of the message; several faults are told at once.
FAULTS = {
    "curly quotes": (GOOD, {"out.h5": "“out.h5”", "hmc": "“hmc”", "seed: 3": "seed: “3”"},
                     [":6:16: output.file: found '“out.h5”': " + CURLY, ":4:16: kernel.type",
                      ":1:16: run.seed", CURLY]),
    "curly quotes of a section": (GOOD, {"kernel:": "‘kernel’:"}, [":4:1", CURLY]),
    "null": (GOOD, {"out.h5": "null", "seed: 3": "seed: ~"},
             [":6:16: output.file: found 'null'", "left out", ":1:16: run.seed: found '~'"]),
    "null data": (GOOD, {"{type: gaussian, dimension: 2, mean: 1}": "{type: seeds, data: None}"},
                  [":2:29: target.data: found 'None'", "left out"]),
    "no blank in braces": (GOOD, {"seed: 3": "seed:3", "{type: smc}": "{type:smc}"},
                           [":1:10: run: found 'seed:3'", BLANK + "'seed: 3'",
                            ":5:9: method.type", BLANK + "'type: smc'"]),
    "no blank in a block": (BLOCK, {"seed: 3": "seed:3"}, [":2:3", BLANK + "'seed: 3'"]),
    "no blank at the end": (BLOCK, {"particles: 256": "particles:256"},
                            [":3:3", BLANK + "'particles: 256'"]),
    "no blank behind text": (GOOD, {"{file: out.h5}": "\n  file: out.h5\n    checkpoint_every:0"},
                             [":8:5: output.file", "lines 7 to 8",
                              BLANK + "'checkpoint_every: 0'"]),
    "no blank before a brace": (GOOD, {"kernel: {": "kernel:{"}, [":4:1", BLANK]),
    "no colon": (GOOD, {"kernel: {": "kernel {"}, [":4:1", "a colon is missing"]),
    "equals": (GOOD, {"seed: 3": "seed=3"}, [":1:10", "with a colon: 'seed: 3'"]),
    "tab": (BLOCK, {"  seed": "\tseed"}, [":2:1", "found a tab: indent by spaces"]),
    "anchor": (GOOD, {"{type: hmc}": "&k {type: hmc}"}, [":4:9", "anchor 'k'", "written out"]),
    "alias": (GOOD, {"{type: hmc}": "*k"}, [":4:9", "alias '*k'", "written out"]),
    "call": (GOOD, {"{seed: 3, particles: 256}": "dict(seed=3)"}, [":1:9", "{name: value, ...}"]),
    "list for a mapping": (GOOD, {"{type: hmc}": "[hmc]"}, [":4:9", "curly brackets"]),
    "commas in numbers": (BLOCK, {"256": "65,536"}, [":3:14", "no commas"]),
    "commas between numbers": (GOOD, {"256": "65,536", "mean: 1}": "mean: 1,5}"},
                               [":1:33", ":2:48", "the comma before it"]),
    "no numbers": (GOOD, {"dimension: 2": "dimension: 2^3", "mean: 1": "mean: 1/3",
                          "scale: 3": "scale: 5%", "seed: 3": "seed: 03", "256": "'256'"},
                   ["expressions are not evaluated", "write 5% as 0.05", "leading zero",
                    "leave the quotes out"]),
    "comment": (BLOCK, {"seed: 3": "seed: 3#c"}, [":2:9", "a comment has a blank before"]),
    "no-break space": (GOOD, {"seed: 3": "seed:\u00a03"}, [":1:10", "U+00A0"]),
    "Unicode minus": (GOOD, {"mean: 1": "mean: \u22121"}, [":2:46", "U+2212"]),
    "blank in a time": (GOOD, {"seed: 3": "seed: 3, time_limit: 20 min"},
                        ["20min, have no blanks"]),
    "flag": (GOOD, {"{type: gaussian, dimension: 2, mean: 1}":
                    "{type: logistic_regression, data: x, intercept: yes, standardise: True}"},
             [":2:57", ":2:75", "write true or false"]),
}


def test_faults():
    with Folder() as folder:
        for name, (text, changes, words) in FAULTS.items():
            for old, new in changes.items():
                assert old in text, name
                text = text.replace(old, new)
            write(folder, FILE, text)
            said = dunlin("check", FILE, folder=folder, code=2).stderr
            for word in words:
                assert word in said, f"{name}: '{word}' is missing in:\n{said}"
        assert os.listdir(folder) == [FILE], os.listdir(folder)


def test_texts_that_are_meant():
    """Quoted words are texts; apostrophes within a name are no quotes."""
    with Folder() as folder:
        for name in ("'null'", "'“out”.h5'", "Bob’s.h5", "no.h5"):
            write(folder, FILE, GOOD.replace("out.h5", name))
            said = dunlin("check", FILE, folder=folder).stdout
            assert "result: " + name.strip("'") in said, said


def test_bounds():
    """The bounds in the help are those that hold: the last number within is taken, the next not."""
    text = dunlin("help", "run").stdout
    assert "0 to 9223372036854775807" in text and "1 to 281474976710656" in text, text
    assert "e+" not in re.sub(r"evaluations.*", "", text), text
    assert "1e-300 to 1e+300" in dunlin("help", "path", "geometric").stdout
    with Folder() as folder:
        write(folder, FILE, GOOD)
        dunlin("check", FILE, "--set", "run.seed=9223372036854775807", folder=folder)
        for option, beyond, bound in (("run.seed", "9223372036854775808", "9223372036854775807"),
                                      ("run.particles", "281474976710657", "281474976710656")):
            said = dunlin("check", FILE, "--set", f"{option}={beyond}", folder=folder,
                          code=2).stderr
            assert f"to {bound}" in said, said


def test_memory():
    """What does not fit is refused by check, as a fault of the input."""
    with Folder() as folder:
        write(folder, FILE, GOOD)
        said = dunlin("check", FILE, "--set", "run.particles=2e11", folder=folder, code=2).stderr
        assert "are left for it" in said and "fewer particles" in said, said


main()

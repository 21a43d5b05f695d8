"""What spins and letters do not go with is refused with a sentence; a wrong `site` is found."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import Folder, compiled, dunlin, main, write  # noqa: E402

TEXT = """
run:    {{seed: 1, particles: 60}}
target: {{{target}}}
path:   {{{path}}}
kernel: {{{kernel}}}
method: {{{method}}}
output: {{file: result.h5}}
"""
GOOD = {"target": "type: ising, side: 3", "path": "type: geometric, base: {type: uniform}",
        "kernel": "type: glauber", "method": "type: smc"}
HERE = os.path.dirname(os.path.abspath(__file__))


def refused(words, folder, **changes):
    text = TEXT.format(**{**GOOD, **changes})
    said = dunlin("run", write(folder, "input.yaml", text), code=2, folder=folder).stderr
    for word in words:
        assert word in said, (changes, word, said)
    assert not os.path.exists(os.path.join(folder, "result.h5"))


def test_what_does_not_go_together():
    with Folder() as folder:
        for kernel in ("hmc", "rwm", "mala", "underdamped", "ula", "independence"):
            refused(["moves points of real numbers", "spins", "glauber"], folder,
                    kernel=f"type: {kernel}")
        refused(["glauber", "real numbers"], folder, target="type: funnel",
                path="type: constant", method="type: langevin")
        refused(["uniform", "real numbers"], folder, target="type: funnel", kernel="type: hmc")
        refused(["path.base.type", "spins or letters", "uniform"], folder,
                path="type: geometric, base: {type: gaussian, scale: 1}")
        refused(["dilation", "geometric or constant"], folder, path="type: dilation",
                method="type: langevin")


def test_bad_options():
    with Folder() as folder:
        refused(["side", "missing"], folder, target="type: ising")
        refused(["field", "found 2 numbers", "9"], folder,
                target="type: ising, side: 3, field: [1, 2]")
        refused(["file", "missing"], folder, target="type: ising, graph: file")
        refused(["letters", "65"], folder, target="type: potts, side: 3, letters: 65")
        refused(["patterns", "expected lists of 4"], folder,
                target="type: hopfield, dimension: 4, beta: 1, layout: given, patterns: [[1, 1]]")


def test_bad_files_of_pairs():
    rows = {"0,1\n": ["found 2 columns, expected 3"], "0,1,x\n0,2,1\n": ["pairs.csv:1"],
            "0,-1,1\n": ["pairs.csv:1", "found -1", "a site from 0"],
            "0,1,1\n0,1.5,1\n": ["pairs.csv:2", "found 1.5"],
            "0,1,1\n7,1,1\n": ["pairs.csv:2", "found 7", "0 to 4"],
            "0,1e300,1\n": ["pairs.csv:1", "1e+300"], "3,3,1\n": ["site 3 coupled to itself"],
            "": ["pairs.csv"]}
    with Folder() as folder:
        for text, words in rows.items():
            write(folder, "pairs.csv", text)
            refused(words, folder, target="type: ising, graph: file, file: pairs.csv, sites: 5, "
                                          "header: no")


def test_a_wrong_site_is_found():
    with open(os.path.join(HERE, "..", "user_target", "letters.c"), encoding="utf-8") as file:
        source = file.read()
    with Folder() as folder:
        for old, new, words in (
                ("word[j] = a;", "word[j] = a;", None),
                ("word[j] = a;", "word[j] = LETTERS - 1 - a;",
                 ["`site`", "difference of the log densities"]),
                ("a < LETTERS; a++) {", "a < LETTERS - 1; a++) {",
                 ["`site` leaves number 128 of 192 unwritten"]),
                ("a < LETTERS; a++) {", "a <= LETTERS; a++) {",
                 ["`site` writes behind the end of"]),
                ("word[j] = a;", "word[j] = ((double *)x)[l] = a;", ["`site` writes into x"])):
            assert old in source, old
            library = compiled(folder, "letters.so",
                               write(folder, "letters.c", source.replace(old, new)))
            target = f"type: library, file: {library}"
            if words:
                refused(words, folder, target=target)
            else:
                dunlin("run", write(folder, "good.yaml", TEXT.format(**{**GOOD, "target": target})),
                       folder=folder)
                os.unlink(os.path.join(folder, "result.h5"))


main()

"""Headers explain themselves, inputs show every type, the README's tables are the program's own."""
import os
import re

from files import own_files, read, without_comments
from support import PROGRAM, dunlin, main

KINDS = ("target", "path", "kernel", "method", "finish", "probe", "process", "field",
         "network")
ROOMS = {"finish": "finishes", "process": "processes", "network": "learning"}
NESTED = ("process", "field", "network")  # named inside other sections only


def registered():
    """(kind, name) of every type, from the file that defines it, as the build finds them."""
    for kind in KINDS:
        for path in own_files(".c"):
            name = os.path.splitext(os.path.basename(path))[0]
            definition = rf"^const struct dun_{kind} dun_{kind}_{name} ="
            room = ROOMS.get(kind, kind + "s")
            if path.startswith(f"src/{room}/") and re.search(definition, read(path), re.MULTILINE):
                yield kind, name


def headers():
    return [path for path in own_files(".h") if path.startswith(("src/", "include/"))]


def test_headers_begin_with_what_they_are():
    wrong = [path for path in headers() if not read(path).startswith("/* ")]
    assert not wrong, f"no comment at the top: {wrong}"


def test_guards_carry_the_path():
    wrong = []
    for path in headers():
        words = os.path.splitext(path)[0].replace("include/dunlin", "").replace("src/", "")
        guard = "DUNLIN_" + words.strip("/").replace("/", "_").upper() + "_H"
        if f"#ifndef {guard}\n#define {guard}\n" not in read(path):
            wrong.append(f"{path}: {guard}")
    assert not wrong, "\n".join(wrong)


def test_every_public_function_is_described():
    """Each paragraph (lines without a blank one between) that declares functions has a comment."""
    wrong = []
    for path in headers():
        text, code = read(path), without_comments(read(path))
        start = 0
        for paragraph in re.split(r"(?<=\n)(?=\n)", text):
            body = code[start:start + len(paragraph)]
            start += len(paragraph)
            declared = re.findall(r"^[A-Za-z].*?\b(dun_\w+)\s*\(", body, flags=re.MULTILINE)
            if declared and "/*" not in paragraph:
                wrong.append(f"{path}: {', '.join(declared)}")
    assert not wrong, "no comment near:\n" + "\n".join(wrong)


def test_every_type_has_an_input():
    sections = {kind: "" for kind in KINDS}
    for path in own_files(".yaml"):
        kind = None
        for line in read(path).split("\n"):
            top = re.match(r"(\w+):", line)
            kind = top.group(1).rstrip("s") if top else kind
            if kind in sections and not line.startswith("#"):
                sections[kind] += line + "\n"
        for kind in NESTED:
            found = re.findall(rf"^[^#\n]*\b{kind}:\s*\{{\s*(type: \w+)", read(path), re.MULTILINE)
            sections[kind] += "".join(part + "\n" for part in found)
    missing = [f"{kind} {name}" for kind, name in registered()
               if not re.search(rf"\btype:\s*{name}\b", sections[kind])]
    assert not missing, f"no file under inputs/ uses {missing}"


def test_the_readme_names_every_other_text():
    """Notes that somebody left behind are no part of the project."""
    lost = [path for path in own_files(".md") if path != "README.md" and f"({path})" not in
            read("README.md")]
    assert not lost, f"the README has no link to {lost}"


def test_tables_of_the_readme_are_current():
    assert os.path.exists(PROGRAM)
    text = read("README.md")
    blocks = re.findall(r"<!-- dunlin (.*?) -->\n(.*?)<!-- end -->", text, flags=re.DOTALL)
    assert blocks, "the README has no tables made by the program"
    for words, there in blocks:
        now = dunlin(*words.split()).stdout
        assert there.strip() == now.strip(), f"not what `dunlin {words}` prints; run jobs/readme.py"


main()

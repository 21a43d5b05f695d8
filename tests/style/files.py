"""The project's own files, and a scan of C that is as simple as the house style allows."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import SOURCE  # noqa: E402

END = re.compile(r"[;}]\s*$|^#")
LEFT_OUT = {".git", "build", "results", "__pycache__", ".cache"}


def own_files(*endings):
    """Paths from the project's folder of all files with one of the endings (none: all)."""
    found = []
    for folder, folders, names in os.walk(SOURCE):
        folders[:] = sorted(set(folders) - LEFT_OUT)
        for name in sorted(names):
            if not endings or name.endswith(endings):
                found.append(os.path.relpath(os.path.join(folder, name), SOURCE))
    return found


def read(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as file:
        return file.read()


def without_comments(text, strings=True):
    """C with comments (and the insides of strings) blanked out, line by line the same."""
    def blank(match):
        word = match.group(0)
        if word.startswith("/"):
            return re.sub(r"[^\n]", " ", word)
        return word[0] + " " * (len(word) - 2) + word[-1] if strings else word
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text,
                  flags=re.DOTALL)


def functions(text):
    """(name, first line, last line) of every function: its braces stand alone in column 1."""
    lines = without_comments(text).split("\n")
    found = []
    for number, line in enumerate(lines):
        if line.rstrip() != "{":
            continue
        first = number
        while first and lines[first - 1].strip() and not END.search(lines[first - 1]):
            first -= 1
        last = next(n for n in range(number, len(lines)) if lines[n].rstrip() == "}")
        names = re.findall(r"(\w+)\s*\(", " ".join(lines[first:number]))
        found.append((names[0] if names else "?", first + 1, last + 1))
    return found

#!/usr/bin/python3
"""Writes the tables of README.md anew from the program's own option rows.

Each block between the lines `<!-- dunlin WORDS -->` and `<!-- end -->` becomes what
build/release/dunlin prints for WORDS.
"""
import os
import re
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
README = os.path.join(TOP, "README.md")
BLOCK = re.compile(r"(<!-- dunlin (.*?) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill(match):
    program = os.path.join(TOP, "build", "release", "dunlin")
    words = match.group(2).split()
    said = subprocess.run([program] + words, check=True, stdout=subprocess.PIPE, text=True).stdout
    return match.group(1) + "\n" + said.strip() + "\n\n" + match.group(3)


def main():
    with open(README, encoding="utf-8") as file:
        text = file.read()
    with open(README, "w", encoding="utf-8") as file:
        file.write(BLOCK.sub(fill, text))


main()

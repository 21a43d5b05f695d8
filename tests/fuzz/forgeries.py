"""Checkpoints whose rows of states have values that nobody writes: cases of fuzz_checkpoint."""
import re
import os
import struct

from support import SOURCE

SHORTER, VALUE = 0, 3
# kind and value of a change, as odd_value of fuzz_checkpoint.c has them
VALUES = {"-1": (0, 0), "0": (6, 0), "2^31": (1, 31), "2^40": (1, 40), "2^62": (1, 62),
          "not a number": (3, 1), "infinite": (3, 0), "1e300": (4, 2), "-1e300": (4, 3)}


def scenes():
    with open(os.path.join(SOURCE, "tests", "fuzz", "fuzz_checkpoint.c")) as file:
        text = file.read()
    return int(re.search(r"SCENES = (\d+)", text).group(1)), text


def forgery(scene, row, value):
    """All numbers of a row; None: one number less."""
    kind, number = VALUES[value] if value else (0, 0)
    return struct.pack("<BBBHHBq", scene, 0, VALUE if value else SHORTER, row, 0xffff, kind, number)


def all_forgeries(rows):
    count, _ = scenes()
    return [(f"{scene}.{row}.{value or 'shorter'}", forgery(scene, row, value))
            for scene in range(count) for row in range(rows) for value in (*VALUES, None)]

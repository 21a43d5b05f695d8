"""Parallel tempering of one target: the input, to be formatted, and hard targets of the tests."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import BUILD  # noqa: E402

LIBRARY = os.path.join(BUILD, "tests", "user_target", "hard_cases.so")
LADDERS = """
run:    {{seed: {seed}, particles: {particles}}}
target: {target}
path:   {{type: geometric, base: {base}}}
kernel: {{type: {kernel}}}
method: {{type: tempering, temperatures: {rungs}, warmup: {warmup}, draws: {draws}}}
output: {{file: result.h5}}
"""

"""Runs in which one call fails, or that are killed at one: small inputs, and what must hold behind
every such run."""
import os
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cases import differences, fingerprint  # noqa: E402
from support import BUILD, Folder, dunlin, write  # noqa: E402

LIBRARY = os.path.join(BUILD, "tests", "faults.so")
EARLY = 85
SECONDS = 60  # within which every run ends

GAUSSIAN = "{type: gaussian, mean: 0, scale: 3}"
INPUTS = {
    "smc": f"""
run:    {{seed: 7, particles: 40, tile: 8, replicates: 2}}
target: {{type: gaussian, dimension: 2}}
path:   {{type: geometric, base: {GAUSSIAN}, schedule: {{type: adaptive, conditional_ess: 0.2}}}}
kernel: {{type: rwm}}
method: {{type: smc, moves_per_step: 1}}
output: {{file: r.h5, checkpoint_every: 0}}
""",
    "langevin": """
run:    {seed: 7, particles: 40, tile: 8}
target: {type: gaussian, dimension: 2}
path:   {type: constant, start: {scale: 2}}
kernel: {type: rwm}
method: {type: langevin, warmup: 3, draws: 5}
output: {file: r.h5, checkpoint_every: 0}
""",
    "tempering": f"""
run:    {{seed: 7, particles: 40, tile: 8}}
target: {{type: gaussian, dimension: 2}}
path:   {{type: geometric, base: {GAUSSIAN}}}
kernel: {{type: rwm}}
method: {{type: tempering, temperatures: 4, warmup: 4, draws: 5}}
output: {{file: r.h5, checkpoint_every: 0}}
"""}
BEGINNINGS = ("fresh", "restart", "overwrite")


def fault(call, number, action="EIO", **words):
    """The environment in which that call of the program fails."""
    text = " ".join(f"{key}={value}" for key, value in
                    dict(call=call, number=number, action=action, **words).items())
    return {"LD_PRELOAD": LIBRARY, "DUNLIN_FAULT": text}


class Scene:
    """A folder in which a run begins afresh, goes on from half of its work, or takes the place of
    another's result; and the result that it comes to undisturbed."""

    def __init__(self, folder, name, beginning):
        self.folder, self.name, self.beginning = folder, name, beginning
        self.before, self.now = (os.path.join(folder, part) for part in ("before", "now"))
        self.input = write(folder, "input.yaml", INPUTS[name])
        self.whole = os.path.join(folder, "whole.h5")
        os.mkdir(self.before)
        counted = os.path.join(folder, "renames")
        self.run(self.whole, environment=fault("rename", 0, path="checkpoint", count=counted))
        self.expected = fingerprint(self.whole)
        self.half = 7 * int(open(counted + ".0").read()) // 10  # behind the warm-up
        first = os.path.join(self.before, "r.h5")
        if beginning == "restart":
            self.leave_half(first)
        elif beginning == "overwrite":
            self.run(first, "--set", "run.seed=8")
            self.old = fingerprint(first)
        self.word = {"fresh": (), "restart": ("--restart",),
                     "overwrite": ("--overwrite",)}[beginning]

    def leave_half(self, result, *more):
        """Kills a run when half of its checkpoints are written."""
        self.run(result, *more, code=-signal.SIGKILL,
                 environment=fault("rename", self.half, "kill", path="checkpoint"))

    def run(self, result, *more, code=0, ranks=None, environment=None):
        return dunlin("run", self.input, "--output", result, "--no-check", *more, code=code,
                      ranks=ranks, timeout=SECONDS, environment=environment)

    def again(self):
        shutil.rmtree(self.now, ignore_errors=True)
        shutil.copytree(self.before, self.now, symlinks=True)
        return os.path.join(self.now, "r.h5")

    def count(self, call, ranks=None, **words):
        """The calls of each rank in an undisturbed run."""
        file = os.path.join(self.folder, "count")
        result = self.again()
        self.run(result, *self.word, ranks=ranks,
                 environment=fault(call, 0, count=file, **words))
        assert fingerprint(result) == self.expected or differences(fingerprint(result),
                                                                   self.expected) == []
        return [int(open(f"{file}.{rank}").read()) for rank in range(ranks or 1)]

    def disturb(self, call, number, action, ranks=None, **words):
        """One run with that fault, and what must hold behind it.  Returns its exit code."""
        result = self.again()
        try:
            done = self.run(result, *self.word, code=None, ranks=ranks,
                            environment=fault(call, number, action, **words))
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.told(call, number, action, words)}: it hangs")
        self.check(result, done, action, self.told(call, number, action, words))
        return done.returncode

    def told(self, call, number, action, words):
        more = " ".join(f"{key}={value}" for key, value in words.items())
        return f"{self.name}, {self.beginning}: {call} {number} {action} {more}"

    def check(self, result, done, action, told):
        code = done.returncode
        killed = action == "kill" and code not in (0, 1, 2, EARLY)
        assert killed or code in (0, 1, 2, EARLY), f"{told}: {code}\n{done.stderr[-2000:]}"
        if not killed and code:
            assert "dunlin: " in done.stderr, f"{told}: {code} without a sentence\n{done.stderr}"
        if code == 0:
            assert os.path.exists(result), f"{told}: exit code 0 without a result"
        if os.path.exists(result):
            found = fingerprint(result)
            fine = not differences(found, self.expected) or (
                self.beginning == "overwrite" and code != 0 and not differences(found, self.old))
            assert fine, f"{told}: another result\n" + "\n".join(differences(found, self.expected))
        self.go_on(result, told)

    def go_on(self, result, told):
        """Whatever is left is the whole result, or leads to it."""
        word = "--restart"
        if self.beginning == "overwrite" and not self.left(".checkpoint"):
            word = "--overwrite"
        done = self.run(result, word, code=None)
        assert done.returncode == 0, f"{told}: then {done.returncode}\n{done.stderr[-2000:]}"
        wrong = differences(fingerprint(result), self.expected)
        assert not wrong, f"{told}: behind the restart\n" + "\n".join(wrong)
        if not (word == "--restart" and "complete already" in done.stderr):
            left = [name for name in os.listdir(self.now) if name not in
                    ("r.h5", "r.h5.progress.jsonl")]
            assert not left, f"{told}: left over: {left}"

    def left(self, word):
        return [name for name in os.listdir(self.now) if name.endswith(word)]


def all_of(name, beginning, call, action, ranks=None, some=None, **words):
    """Every call, or `some` of them evenly spread, on the last rank.  Returns the number of calls,
    of runs, and of runs by exit code."""
    outcomes = {}
    with Folder() as folder:
        scene = Scene(folder, name, beginning)
        last = (ranks or 1) - 1
        total = scene.count(call, ranks, **words)[last]
        numbers = range(1, total + 1)
        if some and some < total:
            numbers = sorted({1 + (total - 1) * i // (some - 1) for i in range(some)})
        for number in numbers:
            code = scene.disturb(call, number, action, ranks, rank=last, **words)
            outcomes[code] = outcomes.get(code, 0) + 1
    return total, sum(outcomes.values()), outcomes

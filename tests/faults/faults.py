"""Runs in which one call fails, or that are killed at one: small inputs, and what must hold behind
every such run."""
import concurrent.futures
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cases import differences, fingerprint  # noqa: E402
from support import BUILD, Folder, Missing, dunlin, write  # noqa: E402

LIBRARY = os.path.join(BUILD, "tests", "faults.so")
EARLY = 85
SECONDS = 60  # within which every run ends
AT_ONCE = {1: 4, 2: 2}  # runs, by ranks: they sleep most of the time while MPI starts and ends
with open(os.path.join(BUILD, "CMakeCache.txt"), encoding="utf-8") as cache:
    SANITIZED = "DUNLIN_SANITIZE:BOOL=ON" in cache.read()
# The sanitizer's library is no longer the first one.
AFTER_OTHERS = dict(ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "detect_leaks=0") +
                    ":verify_asan_link_order=0") if SANITIZED else {}
COPIES = 100  # that a run makes of its folder


# A process without a launcher needs no daemon of MPI's, and little of MPI: it starts in less time.
ALONE = dict(OMPI_MCA_ess_singleton_isolated="1", OMPI_MCA_pml="ob1", OMPI_MCA_btl="self",
             OMPI_MCA_coll="self,basic,libnbc", HWLOC_COMPONENTS="no_os,stop")
# MPI does not look at the machine, which takes most of its start on several ranks.
TOGETHER = dict(OMPI_MCA_pml="ob1", HWLOC_COMPONENTS="no_os,stop")

GAUSSIAN = "{type: gaussian, mean: 0, scale: 3}"
INPUTS = {
    "smc": f"""
run:    {{seed: 7, particles: 16, tile: 8, replicates: 2}}
target: {{type: gaussian, dimension: 2}}
path:   {{type: geometric, base: {GAUSSIAN}, schedule: {{type: adaptive, conditional_ess: 0.2}}}}
kernel: {{type: rwm}}
method: {{type: smc, moves_per_step: 1}}
output: {{file: r.h5, checkpoint_every: 0}}
""",
    "langevin": """
run:    {seed: 7, particles: 16, tile: 8}
target: {type: gaussian, dimension: 2}
path:   {type: constant, start: {scale: 2}}
kernel: {type: rwm}
method: {type: langevin, warmup: 2, draws: 3}
output: {file: r.h5, checkpoint_every: 0}
""",
    "tempering": f"""
run:    {{seed: 7, particles: 16, tile: 8}}
target: {{type: gaussian, dimension: 2}}
path:   {{type: geometric, base: {GAUSSIAN}}}
kernel: {{type: rwm}}
method: {{type: tempering, temperatures: 4, warmup: 2, draws: 3}}
output: {{file: r.h5, checkpoint_every: 0}}
"""}
BEGINNINGS = ("fresh", "restart", "overwrite")


def fault(call, number, action="EIO", **words):
    """The environment in which that call of the program fails."""
    if SANITIZED and call == "memory":
        raise Missing("memory is the sanitizer's")
    text = " ".join(f"{key}={value}" for key, value in
                    dict(call=call, number=number, action=action, **words).items())
    return {"LD_PRELOAD": LIBRARY, "DUNLIN_FAULT": text, **AFTER_OTHERS}


def newest(folder):
    """The generation of the newest checkpoint; 0: there is none."""
    found = 0
    for name in os.listdir(folder):
        if name.endswith(".checkpoint"):
            with open(os.path.join(folder, name), "rb") as file:
                found = max(found, int.from_bytes(file.read(32)[24:], "little"))
    return found


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
        self.generation = newest(self.before)
        self.word = {"fresh": (), "restart": ("--restart",),
                     "overwrite": ("--overwrite",)}[beginning]

    def leave_half(self, result, *more):
        """Kills a run when half of its checkpoints are written."""
        self.run(result, *more, code=-signal.SIGKILL,
                 environment=fault("rename", self.half, "kill", path="checkpoint"))

    def run(self, result, *more, code=0, ranks=None, environment=None):
        with tempfile.TemporaryDirectory(dir=self.folder) as place:
            alone = dict(ALONE, TMPDIR=place) if ranks is None else TOGETHER
            return dunlin("run", self.input, "--output", result, "--no-check", *more, code=code,
                          ranks=ranks, timeout=SECONDS,
                          environment={**alone, **(environment or {})})

    def again(self, folder=None):
        folder = folder or self.now
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.before, folder, symlinks=True)
        return os.path.join(folder, "r.h5")

    def count(self, call, ranks=None, **words):
        """The calls of each rank in an undisturbed run."""
        file = os.path.join(self.folder, "count")
        result = self.again()
        self.run(result, *self.word, ranks=ranks,
                 environment=fault(call, 0, count=file, **words))
        assert fingerprint(result) == self.expected or differences(fingerprint(result),
                                                                   self.expected) == []
        return [int(open(f"{file}.{rank}").read()) for rank in range(ranks or 1)]

    def told(self, call, number, action, words):
        more = " ".join(f"{key}={value}" for key, value in words.items())
        return f"{self.name}, {self.beginning}: {call} {number} {action} {more}"

    def disturb(self, call, number, action, ranks=None, **words):
        """One run with that fault, and what must hold behind it.  Returns its exit code."""
        told = self.told(call, number, action, words)
        folder = tempfile.mkdtemp(dir=self.folder)
        result = self.again(folder)
        try:
            done = self.run(result, *self.word, code=None, ranks=ranks,
                            environment=fault(call, number, action, **words))
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{told}: it hangs")
        self.check(result, done, action, told)
        shutil.rmtree(folder)
        return done.returncode

    def copy(self, folder, numbers, **words):
        """Copies of the run's folder at those calls that may change it, into folders named by
        their numbers: what a kill in the place of the call would leave."""
        self.run(self.again(), *self.word,
                 environment=fault("change", numbers[0], "copy", last=numbers[-1], copies=folder,
                                   **words))

    def killed(self, folder, number):
        """What must hold in such a copy."""
        self.check_left(os.path.join(folder, str(number), "r.h5"), -signal.SIGKILL,
                        self.told("change", number, "killed", {}))
        return -signal.SIGKILL

    def check(self, result, done, action, told):
        code = done.returncode
        killed = action == "kill" and code in (-signal.SIGKILL, 128 + signal.SIGKILL)
        assert killed or code in (0, 1, 2, EARLY), f"{told}: {code}\n{done.stderr[-2000:]}"
        if not killed and code:
            assert "dunlin: " in done.stderr, f"{told}: {code} without a sentence\n{done.stderr}"
        if code == 0:
            assert os.path.exists(result), f"{told}: exit code 0 without a result"
        self.check_left(result, code, told)

    def check_left(self, result, code, told):
        """What was durable is there: the result that is to be replaced until the new one is, and
        work that was done until there is a result of it."""
        folder = os.path.dirname(result)
        if os.path.exists(result):
            found = fingerprint(result)
            fine = not differences(found, self.expected) or (
                self.beginning == "overwrite" and code != 0 and not differences(found, self.old))
            assert fine, f"{told}: another result\n" + "\n".join(differences(found, self.expected))
        else:
            assert self.beginning != "overwrite", f"{told}: the old result is gone"
            assert newest(folder) >= self.generation, f"{told}: the checkpoints are gone"
        if code != 0 or any(name not in ("r.h5", "r.h5.progress.jsonl")
                            for name in os.listdir(folder)):
            self.go_on(result, told)

    def go_on(self, result, told):
        """Whatever is left is the whole result, or leads to it."""
        folder, word = os.path.dirname(result), "--restart"
        saved = newest(folder)
        if self.beginning == "overwrite" and not saved:
            word = "--overwrite"
        done = self.run(result, word, code=None)
        assert done.returncode == 0, f"{told}: then {done.returncode}\n{done.stderr[-2000:]}"
        wrong = differences(fingerprint(result), self.expected)
        assert not wrong, f"{told}: behind the restart\n" + "\n".join(wrong)
        assert not saved or re.search("goes on from a checkpoint|complete already", done.stderr), \
            f"{told}: the restart began afresh\n{done.stderr[-2000:]}"
        left = [name for name in os.listdir(folder)
                if name not in ("r.h5", "r.h5.progress.jsonl")]
        assert not left, f"{told}: left over: {left}\n{done.stderr[-2000:]}"


def spread(total, some):
    """Numbers from 1 on: all, or `some` of them evenly spread."""
    if not some or some >= total:
        return list(range(1, total + 1))
    return sorted({1 + (total - 1) * i // max(some - 1, 1) for i in range(some)})


class Tally:
    """Runs by exit code, and what went wrong."""

    def __init__(self, total):
        self.total, self.runs, self.codes, self.wrong = total, 0, {}, []
        self.lock = threading.Lock()

    def note(self, work, *arguments, **words):
        try:
            code = work(*arguments, **words)
        except Exception as fault:  # whatever it is, the other runs are made
            with self.lock:
                self.runs += 1
                self.wrong.append((str(fault) or repr(fault))[-3000:])
                print(self.wrong[-1], flush=True)
            return
        with self.lock:
            self.runs += 1
            self.codes[code] = self.codes.get(code, 0) + 1

    def result(self):
        assert not self.wrong, f"{len(self.wrong)} of {self.runs} runs went wrong, see above"
        return self.total, self.runs, dict(sorted(self.codes.items()))


def all_of(name, beginning, call, action, ranks=None, some=None, rank=None, **words):
    """Every call, or `some` of them evenly spread, on one rank, the last one if it is not told.
    Returns the number of calls, of runs, and of runs by exit code."""
    rank = (ranks or 1) - 1 if rank is None else rank
    with Folder() as folder:
        scene = Scene(folder, name, beginning)
        tally = Tally(scene.count(call, ranks, **words)[rank])
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE[ranks or 1]) as pool:
            for number in spread(tally.total, some):
                pool.submit(tally.note, scene.disturb, call, number, action, ranks, rank=rank,
                            **words)
        return tally.result()


def all_kills(name, beginning, **words):
    """At every call that may change a file of a run on one rank: what a kill in its place leaves,
    which is what there is at that moment."""
    with Folder() as folder:
        scene = Scene(folder, name, beginning)
        tally = Tally(scene.count("change", **words)[0])
        numbers = spread(tally.total, None)
        for first in range(0, tally.total, COPIES):
            some = numbers[first:first + COPIES]
            with tempfile.TemporaryDirectory(dir=folder) as copies:
                scene.copy(copies, some, **words)
                with concurrent.futures.ThreadPoolExecutor(AT_ONCE[1]) as pool:
                    for number in some:
                        pool.submit(tally.note, scene.killed, copies, number)
        return tally.result()

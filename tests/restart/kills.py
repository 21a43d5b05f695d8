"""Kills runs at random moments and lets them go on."""
import json
import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "faults"))
from faults import fault  # noqa: E402
from interrupt import checkpoints, equal, finish, kill, ranks_of, run, wait_for  # noqa: E402
from cases import case  # noqa: E402
from support import Folder, start  # noqa: E402


def survive(kills, seed, name="mixture", **options):
    """One run that is killed `kills` times while it goes, alternately one of its ranks and its
    launcher, and goes on each time at another number of ranks, must be the undisturbed one."""
    choose = random.Random(seed)
    with Folder() as folder:
        # Checkpoints follow each other so closely that kills fall into the writing.
        file = case(folder, name, every="0.1s", **options)
        whole, cut = os.path.join(folder, "whole.h5"), os.path.join(folder, "cut.h5")
        begun = time.monotonic()
        run(file, whole, ranks=2)
        taken = undisturbed = time.monotonic() - begun
        going = tries = 0
        while going < kills:  # a kill that comes too late tells nothing, and is tried again
            tries += 1
            assert tries <= 4 * kills, f"only {going} of {tries - 1} kills met a run that was going"
            ranks = choose.choice((1, 2, 3))
            victim = "launcher" if tries % 2 == 0 else choose.randrange(ranks)
            met = kill(file, cut, victim, ranks, choose.uniform(0, .2) * taken)
            going += met
            taken *= 1 if met else .5  # the first run may have had less of the machine
            if os.path.exists(cut):  # complete before the next kill: once more from the start
                equal(whole, cut)
                os.remove(cut)
        run(file, cut, "--restart", ranks=2)
        equal(whole, cut)
        left = [name for name in os.listdir(folder)
                if name.endswith((".tmp", ".part", ".checkpoint"))]
        assert not left, f"left over: {left}"
        print(f"{tries} kills, {going} of a run that was going, {undisturbed:.1f} s undisturbed")


def progressed(result):
    """The last step that the progress tells of; 0: none yet."""
    try:
        with open(result + ".progress.jsonl") as file:  # a line may be in the writing: read at once
            lines = file.read().split("\n")[:-1]
    except OSError:
        return 0
    return int(json.loads(lines[-1])["step"]) if lines else 0


def kill_between(first, last, file, result, ranks):
    """Goes on with a run, or starts it, and kills its last rank when the progress tells of a step
    from `first` to `last`.  Returns whether the kill fell between the two."""
    if os.path.exists(result + ".progress.jsonl"):
        os.remove(result + ".progress.jsonl")  # its steps are those of the run before
    process = start("run", file, "--output", result, "--restart", ranks=ranks)
    wait_for(lambda: process.poll() is not None or
             progressed(result) >= first and checkpoints(result), 120, f"step {first}")
    for pid in ranks_of(process)[-1:]:
        os.kill(pid, signal.SIGKILL)
    code, output = finish(process)
    if os.path.exists(result) or progressed(result) > last:
        return False
    assert code != 0 and checkpoints(result), output
    print(f"killed at step {progressed(result)} on {ranks} ranks")
    return True


def kill_at_steps(name, steps, **options):
    """A rank is killed in each of the ranges of steps, each time at another number of ranks.  A run
    that was faster than its kill begins afresh."""
    with Folder() as folder:
        file = case(folder, name, every="0s", **options)
        whole, cut = os.path.join(folder, "whole.h5"), os.path.join(folder, "cut.h5")
        run(file, whole, ranks=2)
        for _ in range(5):
            for left in [cut] * os.path.exists(cut) + checkpoints(cut):
                os.remove(left)
            if all(kill_between(first, last, file, cut, ranks)
                   for ranks, (first, last) in enumerate(steps, 1)):
                break
        else:
            raise AssertionError("the kills came too late, five times")
        run(file, cut, "--restart", ranks=2)
        equal(whole, cut)


def kill_at_checkpoints(name, parts, **options):
    """Kills a run and what goes on from it, each time at another number of ranks, when so large a
    part of the checkpoints of an undisturbed run has been written: runs that take less time than a
    look at their progress are met too."""
    with Folder() as folder:
        file = case(folder, name, every="0s", **options)
        whole, cut, counted = (os.path.join(folder, name)
                               for name in ("whole.h5", "cut.h5", "count"))
        run(file, whole, ranks=2, environment=fault("rename", 0, path="checkpoint", count=counted))
        written = int(open(counted + ".0").read())
        assert written > 20, f"{written} checkpoints are too few"
        for ranks, part in enumerate(parts, 1):
            done = run(file, cut, "--restart", ranks=ranks, code=None, environment=fault(
                "rename", int(part * written), "kill", path="checkpoint", rank=0))
            assert done.returncode != 0 and checkpoints(cut), done.stdout
            assert not os.path.exists(cut), "the kill came too late"
        run(file, cut, "--restart", ranks=2)
        equal(whole, cut)


class Moments:
    """A run and the moments in which it may be killed: of its time, and of the calls by which it
    changes its files, of which the last ones turn the draws into the result."""

    def __init__(self, folder, name, seed, sets, **options):
        self.choose = random.Random(seed)
        self.file = case(folder, name, every="0", **options)
        self.more = [word for value in sets for word in ("--set", value)]
        self.folder, self.cut = folder, os.path.join(folder, "cut.h5")
        self.whole = os.path.join(folder, "whole.h5")
        self.seconds, self.calls = {}, {}
        for ranks in (1, 2, 3):
            counted, begun = os.path.join(folder, "count"), time.monotonic()
            run(self.file, self.whole, *self.more, "--overwrite", ranks=ranks,
                environment=fault("change", 0, path="/whole.", count=counted))
            self.seconds[ranks] = time.monotonic() - begun
            self.calls[ranks] = [int(open(f"{counted}.{rank}").read()) for rank in range(ranks)]
        self.steps = progressed(self.whole)

    def kill_at_call(self, ranks):
        """Every second time in the last fifth, which is behind the last step or nearly so."""
        victim = self.choose.randrange(ranks)
        total = self.calls[ranks][victim]
        first = self.choose.choice((1, max(1, 4 * total // 5)))
        number = self.choose.randint(first, total)
        done = run(self.file, self.cut, *self.more, ranks=ranks, code=None,
                   environment=fault("change", number, "kill", path="/cut.", rank=victim))
        return done.returncode != 0

    def kill_at_time(self, ranks):
        process = start("run", self.file, "--output", self.cut, *self.more, ranks=ranks)
        time.sleep(self.choose.uniform(0, self.seconds[ranks]))
        victim = self.choose.choice(ranks_of(process)[:ranks] + [process.pid])
        going = process.poll() is None
        try:
            if going:
                os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            going = False
        code, output = finish(process)
        assert not going or code != 0 or os.path.exists(self.cut), output
        self.seconds[ranks] *= 1 if going else .95
        return going and code != 0

    def clear(self):
        for name in os.listdir(self.folder):
            if name.startswith("cut."):
                os.remove(os.path.join(self.folder, name))

    def kill(self, at_call):
        """One kill, and the run that goes on at another number of ranks.  Returns the part of the
        steps that were done, or None where the run was over before."""
        ranks = self.choose.choice((1, 2, 3))
        met = self.kill_at_call(ranks) if at_call else self.kill_at_time(ranks)
        done = progressed(self.cut) / self.steps
        if met:
            other = self.choose.choice([number for number in (1, 2, 3) if number != ranks])
            run(self.file, self.cut, *self.more, "--restart", ranks=other)
        equal(self.whole, self.cut)
        left = [name for name in os.listdir(self.folder) if name.startswith("cut.") and
                name not in ("cut.h5", "cut.h5.progress.jsonl")]
        assert not left, f"left over: {left}"
        self.clear()
        return done if met else None


def kill_at_moments(kills, name, seed, sets=(), **options):
    """So many kills, by time and at calls in turn, each of a run of its own: every time the run
    that goes on comes to the same bits, with all draws."""
    with Folder() as folder:
        moments, done, tries = Moments(folder, name, seed, sets, **options), [], 0
        while len(done) < kills:
            assert tries < 3 * kills, f"only {len(done)} of {tries} kills met a run that was going"
            part = moments.kill(at_call=tries % 2)
            tries += 1
            done += [part] * (part is not None)
        tenths = [sum(min(int(10 * part), 10) == tenth for part in done) for tenth in range(11)]
        print(f"{name}: {len(done)} kills of {tries} met a run that was going; by tenths of the "
              f"steps, the last behind them all: {tenths}", flush=True)

"""Kills runs at random moments and lets them go on."""
import json
import os
import random
import signal
import time

from interrupt import checkpoints, equal, finish, kill, ranks_of, run, wait_for
from cases import case
from support import Folder, start


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
        with open(result + ".progress.jsonl") as file:
            steps = [json.loads(line)["step"] for line in file if line.endswith("\n")]
    except OSError:
        return 0
    return int(steps[-1]) if steps else 0


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

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
    """One run that is killed `kills` times, alternately one of its ranks and its launcher, and goes
    on each time at another number of ranks, must be the undisturbed one."""
    choose = random.Random(seed)
    with Folder() as folder:
        # Checkpoints follow each other so closely that kills fall into the writing.
        file = case(folder, name, every="0.1s", **options)
        whole, cut = os.path.join(folder, "whole.h5"), os.path.join(folder, "cut.h5")
        begun = time.monotonic()
        run(file, whole, ranks=2)
        taken = time.monotonic() - begun
        going = 0
        for number in range(kills):
            ranks = choose.choice((1, 2, 3))
            victim = "launcher" if number % 2 else choose.randrange(ranks)
            going += kill(file, cut, victim, ranks, choose.uniform(0, .2) * taken)
            if os.path.exists(cut):  # complete before the next kill: once more from the start
                equal(whole, cut)
                os.remove(cut)
        assert going > kills / 2, f"only {going} of {kills} kills met a run that was going"
        run(file, cut, "--restart", ranks=2)
        equal(whole, cut)
        left = [name for name in os.listdir(folder)
                if name.endswith((".tmp", ".part", ".checkpoint"))]
        assert not left, f"left over: {left}"
        print(f"{kills} kills, {going} of a run that was going, {taken:.1f} s undisturbed")


def progressed(result):
    """The last step that the progress tells of; 0: none yet."""
    try:
        with open(result + ".progress.jsonl") as file:
            steps = [json.loads(line)["step"] for line in file if line.endswith("\n")]
    except OSError:
        return 0
    return int(steps[-1]) if steps else 0


def kill_at_steps(name, steps, **options):
    """One rank is killed behind each of the steps, each time at another number of ranks."""
    with Folder() as folder:
        file = case(folder, name, every="0.1s", **options)
        whole, cut = os.path.join(folder, "whole.h5"), os.path.join(folder, "cut.h5")
        run(file, whole, ranks=2)
        for ranks, step in enumerate(steps, 1):
            process = start("run", file, "--output", cut, "--restart", ranks=ranks)
            wait_for(lambda: process.poll() is not None or
                     progressed(cut) >= step and checkpoints(cut), 120, f"step {step}")
            assert process.poll() is None, "complete before it was killed"
            os.kill(ranks_of(process)[-1], signal.SIGKILL)
            code, output = finish(process)
            assert code != 0 and checkpoints(cut) and not os.path.exists(cut), output
            print(f"{name}: killed at step {progressed(cut)} on {ranks} ranks")
        run(file, cut, "--restart", ranks=2)
        equal(whole, cut)

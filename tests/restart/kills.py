"""Kills runs at random moments and lets them go on."""
import os
import random
import time

from interrupt import equal, kill, run
from cases import case
from support import Folder


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

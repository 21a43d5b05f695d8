"""The disk is full while a checkpoint or the result is written: a message, exit code 1, no hang,
and the checkpoint that was there still restarts."""
import os
import subprocess

from interrupt import EARLY, checkpoints, equal, generation, run
from cases import case
from support import Folder, Missing, attributes, main

SIZE = 24 << 20   # of the small disk, in bytes
ROOM = 64 << 10   # what is left on it when it is called full


class SmallDisk:
    """A tmpfs of a few MiB, mounted in a folder."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "disk")
        os.mkdir(self.path)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", self.path],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise Missing(f"mounting a small tmpfs takes root ({done.stdout.strip()})")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        subprocess.run(["umount", self.path], check=True)

    def fill(self):
        free = os.statvfs(self.path).f_bavail * os.statvfs(self.path).f_frsize
        with open(os.path.join(self.path, "ballast"), "wb") as file:
            file.write(bytes(max(free - ROOM, 0)))

    def empty(self):
        os.remove(os.path.join(self.path, "ballast"))


def full_from_the_start(ranks):
    with Folder() as folder, SmallDisk(folder) as disk:
        file, result = case(folder, "mixture", particles=20000), os.path.join(disk.path, "cut.h5")
        disk.fill()
        done = run(file, result, ranks=ranks, code=1, timeout=120)
        assert "space" in done.stderr and "cut" in done.stderr, done.stderr
        assert not os.path.exists(result)


def full_on_the_way(ranks, name="mixture", particles=20000):
    with Folder() as folder, SmallDisk(folder) as disk:
        file = case(folder, name, kernel="rwm", particles=particles, moves=3, every="0.1s")
        whole, cut = os.path.join(folder, "whole.h5"), os.path.join(disk.path, "cut.h5")
        run(file, whole)
        half = int(.5 * attributes(whole)["evaluations"])
        run(file, cut, "--stop-after", half, ranks=ranks, code=EARLY)
        there = checkpoints(cut)
        assert there
        kept = {path: open(path, "rb").read() for path in there}
        disk.fill()
        done = run(file, cut, "--restart", ranks=ranks, code=1, timeout=120)
        assert "space" in done.stderr, done.stderr
        assert not os.path.exists(cut), "a result in spite of the full disk"
        newest = max(there, key=generation)
        assert open(newest, "rb").read() == kept[newest], "the good checkpoint was touched"
        left = [name for name in os.listdir(disk.path) if name.endswith(".tmp")]
        assert not left, f"half-written files are left: {left}"
        disk.empty()
        run(file, cut, "--restart", ranks=2)
        equal(whole, cut)


def test_full_from_the_start():
    for ranks in (1, 2, 4):
        full_from_the_start(ranks)


def test_full_on_the_way_1_rank():
    full_on_the_way(1)


def test_full_on_the_way_2_ranks():
    full_on_the_way(2)


def test_full_while_draws_stream():
    """The draws' own place is reserved: no checkpoint comes through, but nothing is lost."""
    for name, particles in (("chains", 1000), ("tempering", 20000)):
        full_on_the_way(2, name, particles)


def test_full_on_the_way_4_ranks():
    full_on_the_way(4)


main()

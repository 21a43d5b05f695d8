"""Starting runs, stopping or killing them, and going on."""
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cases import case, differences, fingerprint  # noqa: E402
from support import Folder, attributes, dunlin, start  # noqa: E402

EARLY = 85  # exit code of a run that stopped early, with a checkpoint


def processes(session):
    """(pid, name) of all living processes of a session."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as file:
                head, tail = file.read().rsplit(")", 1)
        except OSError:
            continue
        fields = tail.split()
        if int(fields[3]) == session and fields[0] != "Z":
            found.append((int(pid), head.split("(", 1)[1]))
    return found


def ranks_of(process):
    return [pid for pid, name in processes(process.pid) if name == "dunlin"]


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(.02)


def end_launcher(process):
    """Open MPI's launcher locks itself up at its own end (in the finalisation of PMIx) once in some
    hundreds of killed runs.  Only if none of our ranks is left is it that."""
    assert not ranks_of(process), "ranks that do not end"
    print("the launcher hung behind the end of its ranks, and was killed", flush=True)
    process.kill()


def finish(process, seconds=60):
    """Waits for the process and for all that it started; returns exit code and output."""
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        end_launcher(process)
        output, _ = process.communicate(timeout=seconds)
    wait_for(lambda: not processes(process.pid), 30, "ranks ending after their launcher")
    return process.returncode, output


def wait_for_progress(result):
    """Until a few lines of progress are there: the run is on its way and far from its end."""
    file = result + ".progress.jsonl"
    wait_for(lambda: os.path.exists(file) and os.path.getsize(file) > 200, 60, "progress")


def checkpoints(result):
    folder, name = os.path.split(os.path.splitext(result)[0])
    return [os.path.join(folder, f"{name}.{generation}.checkpoint") for generation in (0, 1)
            if os.path.exists(os.path.join(folder, f"{name}.{generation}.checkpoint"))]


def generation(checkpoint):
    """Its number in the order of writing, which the time of the file is too coarse to tell."""
    with open(checkpoint, "rb") as file:
        return int.from_bytes(file.read(32)[24:], "little")


def run(file, result, *more, ranks=1, code=0, **options):
    return dunlin("run", file, "--output", result, *more, ranks=ranks, code=code, **options)


def kill(file, result, victim, ranks, seconds):
    """Starts or goes on with a run and kills one of its ranks (or the launcher) so many seconds
    after it has begun to work.  Returns whether the run was still going."""
    process = start("run", file, "--output", result, "--restart", ranks=ranks)
    wait_for(lambda: process.poll() is not None or len(ranks_of(process)) == ranks, 60, "ranks")
    time.sleep(.3 + seconds)  # MPI itself takes some tenths to start
    if victim == "launcher":
        victims = [process.pid]
    else:
        victims = ranks_of(process)[victim:victim + 1]
    going = process.poll() is None and bool(victims)
    for pid in victims:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            going = False
    code, output = finish(process)
    assert not going or code != 0 or os.path.exists(result), f"killed, but exit code 0\n{output}"
    return going


def equal(one, other):
    wrong = differences(fingerprint(one), fingerprint(other))
    assert not wrong, f"{one} and {other} differ:\n" + "\n".join(wrong)


def verdict(result, name):
    """Its line among those of the result; None: it has no such verdict."""
    lines = attributes(result)["diagnosis_details"].splitlines()
    return next((line for line in lines if line.startswith(name + ": ")), None)


def one_tick_at_a_time(name, *more, moves=1, adaptive=True, **options):
    """A time limit that is over at once lets one tick pass: every place to stop is tried."""
    with Folder() as folder:
        file = case(folder, name, particles=200, moves=moves, **options)
        whole, cut = os.path.join(folder, "whole.h5"), os.path.join(folder, "cut.h5")
        more = ("--quiet", *more, *("--set", "path.schedule.conditional_ess=0.2") * adaptive)
        run(file, whole, *more, ranks=1)
        for ticks in range(200):
            done = run(file, cut, *more, "--restart", "--time-limit", "0.000001",
                       ranks=2 if ticks % 5 == 2 else None, code=None)
            if done.returncode == 0:
                break
            assert done.returncode == EARLY, done.stderr
        print(f"{name}: stopped {ticks} times")
        assert ticks >= 10
        equal(whole, cut)
        for name in ("drift", "ways", "parts"):
            said, after = (verdict(result, name) for result in (whole, cut))
            assert said == after, f"{said!r} became {after!r}"

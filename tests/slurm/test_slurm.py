# tier: long
"""The job script under Slurm: the early warning leads to a checkpoint, the job goes back into the
queue and ends with the bits of a run that nobody disturbed."""
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cases import case, differences, fingerprint  # noqa: E402
from support import PROGRAM, SOURCE, Folder, Missing, dunlin, main  # noqa: E402

PARTICLES, MOVES = 100000, 20  # ten seconds or more of work


def slurm(*words):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}"
    return done.stdout.strip()


def need_a_cluster():
    quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
    if not shutil.which("sinfo") or subprocess.run(["sinfo", "-h"], **quiet).returncode != 0:
        raise Missing("no Slurm controller answers here")


def state(job):
    said = slurm("scontrol", "show", "job", "-o", job)
    found = re.search(r"JobState=(\S+).*Restarts=(\d+)", said)
    return found.group(1), int(found.group(2))


def wait_for(job, condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition(*state(job)):
        assert time.monotonic() < end, f"{what}: not within {seconds} s; {state(job)}"
        time.sleep(1)


def read(folder):
    with open(os.path.join(folder, "job.log")) as file:
        return file.read()


def test_the_job_goes_back_into_the_queue():
    need_a_cluster()
    with Folder() as folder:
        file = case(folder, "mixture", kernel="hmc", particles=PARTICLES, moves=MOVES)
        whole, cut = os.path.join(folder, "whole.h5"), os.path.join(folder, "cut.h5")
        dunlin("run", file, "--output", whole, "--quiet", ranks=2)
        os.environ["DUNLIN"] = PROGRAM
        job = slurm("sbatch", "--parsable", "-n", "2", "-t", "10", "-D", folder, "-o",
                    os.path.join(folder, "job.log"), os.path.join(SOURCE, "jobs", "slurm.sbatch"),
                    file, "--output", cut)
        progress = cut + ".progress.jsonl"
        wait_for(job, lambda *_: os.path.exists(progress) and os.path.getsize(progress) > 200, 300,
                 "progress")
        slurm("scancel", "--signal=USR1", "--batch", job)  # as the early warning comes
        wait_for(job, lambda name, restarts: restarts == 1, 120, "requeue")
        wait_for(job, lambda name, restarts: name not in ("PENDING", "RUNNING", "COMPLETING"), 600,
                 "the end")
        assert state(job) == ("COMPLETED", 1), read(folder)
        assert "goes on from a checkpoint" in read(folder)
        wrong = differences(fingerprint(whole), fingerprint(cut))
        assert not wrong, "\n".join(wrong)


main()

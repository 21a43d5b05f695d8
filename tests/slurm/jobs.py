"""What tests share that submit jobs."""
import re
import shutil
import subprocess
import tempfile
import time

from support import Missing


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


def node_of(job):
    said = slurm("scontrol", "show", "job", "-o", job)
    return re.search(r" NodeList=(\S+)", said).group(1)


def folder_of_job():
    """Where the nodes find it, too."""
    return tempfile.TemporaryDirectory(prefix="dunlin-test-", ignore_cleanup_errors=True)

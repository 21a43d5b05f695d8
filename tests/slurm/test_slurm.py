# tier: long
"""The job script under Slurm: the early warning leads to a checkpoint, the job goes back into the
queue and ends with the bits of a run that nobody disturbed."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cases import case, differences, fingerprint  # noqa: E402
from jobs import need_a_cluster, slurm, state, wait_for  # noqa: E402
from support import PROGRAM, SOURCE, Folder, dunlin, main  # noqa: E402

PARTICLES, MOVES = 100000, 20  # ten seconds or more of work


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

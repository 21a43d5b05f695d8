# tier: long
"""The job script under Slurm, with a target that takes its time: whatever befalls the job, it ends
with the bits of a run that nobody disturbed, and comes back into the queue only where it must."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cases import differences, fingerprint  # noqa: E402
from jobs import (folder_of_job, need_a_cluster, node_of, slurm, state,  # noqa: E402
                  wait_for)
from support import (PROGRAM, SOURCE, Missing, attributes, compiled, dunlin, main,  # noqa: E402
                     write)

TARGET = """
#include <dunlin/target.h>
#include <stdlib.h>
#include <time.h>

static double point(const void *self, const double *x, double *gradient)
{
  const char *pace = getenv("PACE"); /* milliseconds of an evaluation */
  struct timespec time = {0, pace ? 1000000 * atol(pace) : 0};
  (void)self;
  (void)gradient;
  nanosleep(&time, NULL);
  return -.5 * x[0] * x[0] - .5 * (x[1] - x[0]) * (x[1] - x[0]);
}

const struct dun_target dun_target_slow = {
    .type = {DUN_TYPE(struct dun_target), .name = "slow", .doc = "Takes its time."},
    .dimension = 2,
    .no_gradient = 1,
    .point = point,
};
"""
INPUT = """
run:    {seed: 7, particles: 64, tile: 8}
target: {type: library, file: slow.so}
path:   {type: constant, start: {scale: 2}}
kernel: {type: rwm}
method: {type: langevin, warmup: 20, draws: 480}
output: {file: r.h5, checkpoint_every: 1s}
"""
OVER = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY")


class Job:
    """The job script with that input, submitted in a folder of its own; 16 evaluations a second and
    rank for each millisecond of its pace."""

    def __init__(self, folder, *more, pace=1, limit="10", signal="B:USR1@120", options=()):
        self.folder = folder
        self.options = options
        compiled(folder, "slow.so", write(folder, "slow.c", TARGET))
        write(folder, "input.yaml", INPUT)
        self.result = os.path.join(folder, "r.h5")
        self.pace, self.limit, self.signal, self.more = pace, limit, signal, more
        self.submit()

    def submit(self):
        environment = dict(DUNLIN=PROGRAM, PACE=str(self.pace))
        os.environ.update(environment)
        self.job = slurm("sbatch", "--parsable", "-n", "2", "-N", "1", "-t", self.limit,
                         f"--signal={self.signal}", "-D", self.folder, "-o",
                         os.path.join(self.folder, "job.log"), *self.more,
                         os.path.join(SOURCE, "jobs", "slurm.sbatch"), "input.yaml",
                         *self.options)

    def log(self):
        with open(os.path.join(self.folder, "job.log")) as file:
            return file.read()

    def wait_for_work(self):
        progress = self.result + ".progress.jsonl"
        wait_for(self.job, lambda name, _: name not in OVER and os.path.exists(progress) and
                 os.path.getsize(progress) > 200, 120, "progress")
        time.sleep(2)  # a checkpoint or more

    def wait_for_requeue(self):
        wait_for(self.job, lambda _, restarts: restarts == 1, 120, "requeue")

    def warn(self):
        """The early warning, after some work: the job comes back, and ends."""
        self.wait_for_work()
        slurm("scancel", "--signal=USR1", "--batch", self.job)
        self.wait_for_requeue()
        assert self.wait_for_end() == ("COMPLETED", 1), self.log()

    def wait_for_end(self, seconds=400):
        wait_for(self.job, lambda name, _: name in OVER, seconds, "the end")
        return state(self.job)

    def check(self):
        """The result against one of this machine."""
        assert "goes on from a checkpoint" in self.log() or state(self.job)[1] == 0, self.log()
        whole = os.path.join(self.folder, "whole.h5")
        os.environ["PACE"] = "0"
        dunlin("run", "input.yaml", "--output", whole, "--quiet", *self.options, ranks=1,
               folder=self.folder)
        wrong = differences(fingerprint(whole), fingerprint(self.result))
        assert not wrong, "\n".join(wrong)
        left = [name for name in os.listdir(self.folder) if name.endswith(("checkpoint", ".part"))]
        assert not left, left


def test_the_early_warning():
    """It leads to a checkpoint, and the job goes back into the queue."""
    need_a_cluster()
    with folder_of_job() as folder:
        job = Job(folder)
        job.warn()
        job.check()


def test_the_time_limit_twice():
    """Slurm's own warnings, which come as soon as the limit is near."""
    need_a_cluster()
    with folder_of_job() as folder:
        job = Job(folder, pace=8, limit="2", signal="B:USR1@70")
        name, restarts = job.wait_for_end(900)
        assert name == "COMPLETED" and restarts >= 2, (name, restarts, job.log())
        print(f"requeued {restarts} times")
        job.check()


def test_a_job_that_is_cancelled():
    """It is not queued again; submitted again it goes on."""
    need_a_cluster()
    with folder_of_job() as folder:
        job = Job(folder, pace=2)
        job.wait_for_work()
        slurm("scancel", job.job)
        assert job.wait_for_end(60) == ("CANCELLED", 0), job.log()
        time.sleep(25)
        assert state(job.job) == ("CANCELLED", 0), "a job that was cancelled came back"
        assert not os.path.exists(job.result)
        job.submit()
        assert job.wait_for_end() == ("COMPLETED", 0), job.log()
        assert "goes on from a checkpoint" in job.log(), job.log()
        job.check()


def test_a_node_that_goes_down():
    need_a_cluster()
    with folder_of_job() as folder:
        job = Job(folder, pace=2)
        job.wait_for_work()
        node = node_of(job.job)
        try:
            slurm("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
        except AssertionError as refused:
            slurm("scancel", job.job)
            raise Missing(f"only who runs the cluster takes nodes down ({refused})")
        try:
            job.wait_for_requeue()
        finally:
            try:
                slurm("scontrol", "update", f"nodename={node}", "state=resume")
            except AssertionError:
                pass  # it has come back of itself
        assert job.wait_for_end() == ("COMPLETED", 1), job.log()
        job.check()


def test_a_budget_of_evaluations():
    """It ends the run, also one that was stopped before: no tick more with each start."""
    need_a_cluster()
    with folder_of_job() as folder:
        job = Job(folder, pace=2, options=("--set", "run.evaluations=12000"))
        job.warn()
        assert attributes(job.result)["cut_short"] == 1
        job.check()


def test_a_run_that_fails():
    """No input that is refused comes back."""
    need_a_cluster()
    with folder_of_job() as folder:
        job = Job(folder, options=("--set", "run.particle=3"))
        assert job.wait_for_end(120) == ("FAILED", 0), job.log()


main()

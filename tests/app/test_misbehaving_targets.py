"""Targets of users that end the process, never come back, or change what belongs to all: the run
ends with a sentence that names the target and its function, or goes on as if nothing was."""
import os
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import (Folder, Missing, attributes, compiled, dunlin, main,  # noqa: E402
                     start, write)

INPUT = """\
run:    {seed: 5, particles: 128}
target: {type: library, file: odd.so$more}
path:   {type: geometric, base: {type: gaussian, mean: 0, scale: 3}, schedule: {type: adaptive}}
kernel: {type: hmc}
method: {type: smc, moves_per_step: 2}
output: {file: out.h5}
"""
# A standard normal law that does ODD in its call number 100000 or so, or in `init`.
LIBRARY = """\
#define _GNU_SOURCE
#include <dunlin/target.h>
#include <fenv.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static volatile long calls, zero;
static jmp_buf place;
static void handler(int number) { (void)number; }
static long deep(long n)
{
  volatile char room[100000];
  room[n % 1000] = (char)n;
  return n > 0 ? deep(n - 1) + room[3] : 0;
}
static pthread_t thread;
static void *stays(void *p) { for (;;) usleep(1000); return p; }
static void *crashes(void *p) { usleep(3000); *(volatile int *)8 = 1; return p; }
static void *leaves(void *p) { usleep(3000); _exit(0); return p; }
static void begin(void *(*what)(void *)) { pthread_create(&thread, NULL, what, NULL); }
static void unused(void) { handler(0); (void)deep(0); (void)place; (void)zero; (void)begin;
                           (void)stays, (void)crashes, (void)leaves; }
END
static int init(void *self, struct dun_message why)
{
  (void)self, (void)why, (void)unused;
  INIT;
  return 0;
}
static double point(const void *self, const double *x, double *gradient)
{
  double lp = -.5 * x[0] * x[0] - .5 * log(2 * M_PI);
  (void)self;
  if (gradient)
    gradient[0] = -x[0];
  if (++calls == 3000) { ODD; }
  AFTER
  return lp;
}
const struct dun_target dun_target_odd = {
    .type = {DUN_TYPE(struct dun_target), .name = "odd", .doc = "Odd.", .size = 8},
    .init = init,
    .dimension = 1,
    .point = point,
};
"""


# The same in C++.
PLUS = """\
#include <dunlin/target.h>
#include <cmath>
#include <cstdlib>
#include <stdexcept>
static long calls;
static int init(void *, struct dun_message) { INIT; return 0; }
static double point(const void *, const double *x, double *gradient)
{
  if (gradient)
    gradient[0] = -x[0];
  if (++calls == 3000) { ODD; }
  return -.5 * x[0] * x[0] - .5 * std::log(2 * M_PI);
}
static dun_target make()
{
  dun_target t = {};
  t.type = {DUN_TYPE(struct dun_target)};
  t.type.name = "odd", t.type.doc = "Odd.", t.type.size = 8;
  t.init = init, t.dimension = 1, t.point = point;
  return t;
}
extern "C" { extern const dun_target dun_target_odd; const dun_target dun_target_odd = make(); }
"""


def build(folder, odd="", begin="", after="", more="", end="", plus=False):
    text = PLUS if plus else LIBRARY.replace("END", end)
    text = text.replace("ODD;", odd + ";").replace("INIT;", begin + ";").replace("AFTER", after)
    if plus:
        compiler = shutil.which("g++") or shutil.which("clang++")
        if not compiler:
            raise Missing("no compiler of C++")
        write(folder, "odd.cc", text)
        compiled(folder, "odd.so", "odd.cc", flags=("-O1", "-std=c++17"), compiler=compiler)
        return write(folder, "input.yaml", INPUT.replace("$more", more))
    write(folder, "odd.c", text)
    compiled(folder, "odd.so", "odd.c", flags=("-O1", "-D_FORTIFY_SOURCE=2", "-pthread"))
    return write(folder, "input.yaml", INPUT.replace("$more", more))


def ends(odd, *sentences, ranks=None, **options):
    """The run ends with 1 and the sentences, soon, and leaves no result."""
    with Folder() as folder:
        build(folder, odd, **options)
        done = dunlin("run", "input.yaml", "--no-check", folder=folder, code=None, ranks=ranks,
                      timeout=60)
        assert done.returncode == 1, f"{odd}: {done.returncode}\n{done.stderr[-2000:]}"
        for sentence in sentences:
            assert sentence in done.stderr, f"{odd}: no '{sentence}' in {done.stderr[-2000:]}"
        assert not os.path.exists(os.path.join(folder, "out.h5"))


def good(folder):
    found = attributes(os.path.join(folder, "out.h5"))
    assert abs(found["log_evidence"]) < 5 * found["log_evidence_error"] < .5
    return found["population_hash"]


def test_crashes():
    ends("*(volatile int *)8 = 1", "rank 0: target odd crashed in `point`: segmentation fault")
    ends("deep(1000000)", "target odd crashed in `point`: segmentation fault")
    ends("abort()", "target odd crashed in `point`: abort")
    ends("calls = 7 / zero", "target odd crashed in `point`: arithmetic fault")
    ends("__builtin_trap()", "target odd crashed in `point`: illegal instruction")
    ends("free((void *)&calls)", "target odd crashed in `point`: abort")
    ends("", "target odd crashed in `init`: segmentation fault", begin="*(volatile int *)8 = 1")


def test_crash_of_one_rank_ends_all():
    ends("if (atoi(getenv(\"OMPI_COMM_WORLD_RANK\")) == 1) *(volatile int *)8 = 1",
         "rank 1: target odd crashed in `point`", ranks=3)


def test_a_jump_out():
    ends("longjmp(place, 1)", "target odd crashed in `point`", begin="if (setjmp(place)) return -1")


def test_exceptions():
    """Those that leave `point` or `init`, on one rank of three too; those that do not harm none."""
    throw = "throw std::runtime_error(\"no\")"
    ends(throw, "target odd crashed in `point`: abort", "exception that nobody caught", plus=True)
    ends("", "target odd crashed in `init`: abort", begin=throw, plus=True)
    ends(f"if (atoi(getenv(\"OMPI_COMM_WORLD_RANK\")) == 1) {throw}",
         "rank 1: target odd crashed in `point`: abort", ranks=3, plus=True)
    with Folder() as folder:
        build(folder)
        dunlin("run", "input.yaml", "--no-check", folder=folder)
        plain = good(folder)
        build(folder, "try { throw 3; } catch (int) {}", plus=True)
        dunlin("run", "input.yaml", "--no-check", "--overwrite", folder=folder)
        assert good(folder) == plain


def test_threads():
    """One that goes on is nobody's loss; one that crashes, or ends the program, ends all."""
    crash = "a thread that target odd or another library began has crashed: segmentation fault"
    with Folder() as folder:
        build(folder)
        dunlin("run", "input.yaml", "--no-check", folder=folder)
        plain = good(folder)
        build(folder, "begin(stays)")
        dunlin("run", "input.yaml", "--no-check", "--overwrite", folder=folder)
        assert good(folder) == plain
    ends("begin(crashes)", crash, after="if (calls > 3000) usleep(100);")
    ends("", crash, begin="begin(crashes)", after="if (calls == 1) usleep(100000);")
    ends("if (atoi(getenv(\"OMPI_COMM_WORLD_RANK\")) == 1) begin(crashes)", "rank 1: " + crash,
         after="if (calls > 3000) usleep(500);", ranks=2)
    ends("", "there is no result", begin="begin(leaves)")


def test_the_end_of_the_own_thread():
    """Other threads, those of MPI too, would let the process live for ever."""
    ended = "target odd ended the program in `point`: there is no result"
    ends("pthread_exit(NULL)", ended)
    ends("if (atoi(getenv(\"OMPI_COMM_WORLD_RANK\")) == 1) pthread_exit(NULL)", "rank 1: " + ended,
         ranks=2)


def test_ends_of_libraries():
    """What they do when they are cleaned up changes nothing of a result, or of the exit code."""
    with Folder() as folder:
        for end in ("pthread_join(thread, NULL)", "_exit(3)", "exit(3)", "*(volatile int *)8 = 1"):
            build(folder, begin="begin(stays)",
                  end=f"__attribute__((destructor)) static void end(void) {{ {end}; }}")
            done = dunlin("run", "input.yaml", "--no-check", "--overwrite", folder=folder,
                          timeout=60)
            assert ("does not come back from its end" in done.stderr) == ("join" in end), end
            good(folder)


def test_exits():
    for call in ("exit(0)", "exit(3)", "_exit(0)", "_Exit(0)", "quick_exit(0)"):
        ends(call, "target odd ended the program in `point`: there is no result")
    ends("", "target odd ended the program in `init`", begin="_exit(0)")
    ends("if (atoi(getenv(\"OMPI_COMM_WORLD_RANK\")) == 1) _exit(0)",
         "rank 1: target odd ended the program in `point`", ranks=2)


def test_endless_loops():
    """With a timeout, and ten seconds behind a signal, which are over while the others run."""
    with Folder() as folder:
        build(folder, "for (;;) usleep(1000)")
        process = start("run", "input.yaml", "--no-check", folder=folder)
        time.sleep(1.5)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        ends("for (;;) zero++", "target odd did not come back from `point`: target.timeout is over",
             more=", timeout: 1s", ranks=2)
        ends("", "target odd did not come back from `init`", begin="for (;;) zero++",
             more=", timeout: 1s")
        said = process.communicate(timeout=40)[0]
        assert process.returncode == 1, said
        assert "did not come back from `point`: the program was asked to end" in said, said


def test_a_slow_target_is_waited_for():
    """An evaluation slower than the timeout's looks, but within it, and no signal for its sleep."""
    with Folder() as folder:
        build(folder, "usleep(2500000)", more=", timeout: 4s")
        dunlin("run", "input.yaml", "--no-check", folder=folder)
        slow = good(folder)
        build(folder)
        dunlin("run", "input.yaml", "--overwrite", folder=folder)
        assert good(folder) == slow


def test_what_is_put_back():
    """Folder, handlers, rounding, flush-to-zero: the same result, and a warning."""
    with Folder() as folder:
        build(folder)
        dunlin("run", "input.yaml", folder=folder)
        plain = good(folder)
        for odd, warning in (("chdir(\"/\")", "target odd changes the working folder"),
                             ("signal(SIGUSR1, handler)", "target odd changes handlers of signals"),
                             ("sigset_t all; sigfillset(&all); sigprocmask(SIG_BLOCK, &all, NULL)",
                              "target odd blocks signals"),
                             ("fesetround(FE_DOWNWARD)", ""),
                             ("__builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040)", "")):
            for where in ({"odd": odd}, {"begin": odd}):
                build(folder, **where)
                done = dunlin("run", "input.yaml", "--no-check", "--overwrite", folder=folder)
                assert warning in done.stderr, f"{odd}: {done.stderr}"
                assert good(folder) == plain, odd
        build(folder, "signal(SIGUSR1, SIG_DFL)", after="if (calls > 3000) usleep(1000);")
        process = start("run", "input.yaml", "--no-check", "--overwrite", folder=folder)
        deadline = time.time() + 60
        said = ""
        while "handlers of signals" not in said and time.time() < deadline:
            said += process.stdout.readline()
        process.send_signal(signal.SIGUSR1)
        said += process.communicate(timeout=60)[0]
        assert process.returncode == 85, f"{process.returncode}: {said}"


def test_gradients_that_are_none():
    """All of them, and one in a hundred: never good."""
    for when in ("1", "calls % 100 == 0"):
        with Folder() as folder:
            build(folder, after=f"if (({when}) && gradient) gradient[0] = NAN;")
            dunlin("run", "input.yaml", "--no-check", folder=folder)
            summary = dunlin("summary", "out.h5", folder=folder).stdout
            assert "log densities or gradients were NaN" in summary, summary
            assert attributes(os.path.join(folder, "out.h5"))["diagnosis"] != "good", summary


def test_a_library_with_a_timeout_of_its_own():
    """Its option means what the library says."""
    with Folder() as folder:
        build(folder, more=", timeout: 7")
        path = os.path.join(folder, "odd.c")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        text = text.replace(".size = 8}", ".size = 8, .options = rows}").replace(
            "static int init", "static const struct dun_option rows[] = {{.name = \"timeout\", "
            ".type = DUN_NUMBER, .doc = \"Own.\"}, {0}};\nstatic int init").replace(
            "(void)unused;", "(void)unused; if (*(double *)self != 7) return -1;")
        write(folder, "odd.c", text)
        compiled(folder, "odd.so", "odd.c")
        dunlin("check", "input.yaml", folder=folder)
        found = dunlin("check", "input.yaml", "--set", "target.timeout=8", folder=folder, code=2)
        assert "target: refused" in found.stderr, found.stderr


main()

"""`dunlin check-target` names what is wrong with a library, whatever it does to the process."""
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import BUILD, SOURCE, Folder, Missing, compiled, dunlin, main, write  # noqa: E402

SOURCE_OF = """
#include <dunlin/target.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
enum { D = 3 };
%(before)s
static double point(const void *self, const double *x, double *g)
{
  double lp = 0;
  (void)self;
  for (int j = 0; j < D; j++) {
    lp += -.5 * x[j] * x[j];
    if (g) g[j] = -x[j];
  }
  %(twist)s
  return lp;
}
const struct dun_target dun_target_mine = {
    .type = {DUN_TYPE(struct dun_target), .name = "mine", .doc = "A test.", .size = 16},
    .dimension = D, .point = point, %(more)s
};
"""
FORGETS = """
static int dimension(const void *self) { static int n; (void)self; return D + (n++ > 0); }
"""
# The twist, what stands before, further members; the exit code; words of the sentence.
DEADLY = {
    "segfault": ("if (g) *(volatile int *)8 = 1;", "", "", ["`point` writes", "segmentation"]),
    "null_call": ("((void (*)(void))0)();", "", "", ["`point` calls", "segmentation"]),
    "abort": ("abort();", "", "", ["`point`", "abort"]),
    "double_free": ("char *p = malloc(8); free(p); free(p);", "", "", ["`point`", "memory"]),
    "loop": ("if (x[0] > 0) for (;;) ;", "", "", ["`point` does not come back", "endless loop"]),
    "loop_in_init": ("", "static int f(void *s, struct dun_message w) { (void)s, (void)w; for (;;);"
                         " }", ".init = f,", ["`init` does not come back"]),
    "loop_at_load": ("", "__attribute__((constructor)) static void f(void) { for (;;) ; }", "",
                     ["a constructor", "does not come back"]),
    "writes_far": ("if (g) for (int j = 0; j < 100; j++) g[j] = 0;", "", "",
                   ["`point` writes out of bounds", "gradient["]),
    "writes_near": ("if (g) g[D] = 0;", "", "", ["`point` writes behind", "gradient"]),
    "writes_before": ("if (g) g[-1] = 0;", "", "", ["`point` writes in front", "gradient"]),
    "reads_far": ("for (int j = 0; j < 1000; j++) lp += 1e-300 * x[j];", "", "",
                  ["`point` reads out of bounds", "x["]),
    "dimension": ("", FORGETS, ".dimension_of = dimension,", ["dimension_of", "3", "4"]),
    "exit": ("exit(0);", "", "", ["`point` ends the program by exit(0)"]),
    "recursion": ("lp += 0 * f(x[0]);", "static double f(double x) { volatile char a[4096]; "
                  "a[0] = 1; return a[0] + f(x + 1); }", "", ["stack"]),
    "division": ("static volatile int z; lp += 7 / z;", "", "", ["divides"]),
    "instruction": ("__builtin_trap();", "", "", ["instruction"]),
    "killed": ("kill(getpid(), SIGKILL);", "", "", ["signal 9"]),
    "wrong_sign": ("if (g) g[1] = -g[1];", "", "", ["gradient[1]", "sign"]),
    "refused": ("", "static int f(void *s, struct dun_message w) { (void)s; strncpy(w.text, "
                    "\"not today\", w.size); return -1; }", ".init = f,", ["not today"]),
}
TELLING = {
    "other_process": ("lp += 1e-9 * (getpid() % 1000);", "", "", ["another process"]),
    "count": ("static long n; lp += 1e-13 * (n++ % 2);", "", "", ["other bits"]),
    "rounding": ("__builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x4000);", "", "",
                 ["rounding"]),
    "struct": ("((long *)self)[0]++;", "", "", ["struct"]),
    "nowhere": ("lp = -INFINITY;", "", "", ["-inf"]),
}
SOUND = {
    "normal": ("", "", ""),
    "positive": ("if (!(x[0] > 0)) lp = -INFINITY;", "", ""),
    "cube": ("for (int j = 0; j < D; j++) if (!(x[j] > 0 && x[j] < 1)) lp = -INFINITY;", "", ""),
    "no_gradient": ("if (g) abort();", "", ".no_gradient = 1,"),
}
# Coordinate i is observation i, under no prior.
PARTS = """
static int observations(const void *self) { (void)self; return D; }
static void observed(const void *self, int count, const int *which, const double *x, double *lp,
                     const double *scale, double *g, double *work)
{
  (void)self, (void)work;
  for (int l = 0; l < 64 && lp; l++) lp[l] = 0;
  for (int i = 0; i < count; i++)
    for (int l = 0; l < 64; l++) {
      double at = x[which[i] * 64 + l];
      if (lp) lp[l] += -.5 * at * at;
      if (g) g[which[i] * 64 + l] += scale[l] * -at;
    }
}
"""
IN_PARTS = ".observations = observations, .observed = observed,"
SOUND["parts"] = ("", PARTS, IN_PARTS)
DEADLY["parts_lp"] = ("", PARTS.replace("-.5 * at", "-.6 * at"), IN_PARTS,
                      ["`observed`: all observations", "log density"])
DEADLY["parts_order"] = ("", PARTS.replace("which[i] * 64 + l]", "i * 64 + l]"), IN_PARTS,
                         ["`observed`: all observations"])
DEADLY["parts_gradient"] = ("", PARTS.replace("scale[l] * -at", "scale[l] * at"), IN_PARTS,
                            ["`observed`: all observations add up to gradient["])
DEADLY["parts_one"] = ("", PARTS + "void *unused = observations;", ".observed = observed,",
                       ["only one of `observations` and `observed`"])
WRONG_FILES = {
    "other_abi": ["version", "compile it again"],
    "other_symbol": ["does not define dun_target_other_symbol"],
    "missing_function": ["undefined symbol"],
    "no_table": ["dun_target_no_table"],
    "a_function": ["dun_target_a_function"],
}


def build(folder, twist, before, more):
    source = SOURCE_OF % {"twist": twist, "before": before, "more": more}
    if ".dimension_of" in more:
        source = source.replace(".dimension = D,", "")
    write(folder, "mine.c", source)
    compiled(folder, "mine.so", "mine.c", flags=["-O0"])


def checked(folder, code, words, *more, file="mine.so", ranks=None):
    done = dunlin("check-target", file, *more, folder=folder, code=code, ranks=ranks, timeout=60)
    said = done.stdout + done.stderr
    for word in words:
        assert word in said, f"'{word}' is missing in:\n{said}"
    return done


def all_of(cases, code):
    wrong = []
    for name, (twist, before, more, *words) in cases.items():
        with Folder() as folder:
            build(folder, twist, before, more)
            try:
                checked(folder, code, words[0] if words else ["all kept", "ns", "layout"],
                        "--time-limit", "1s")
            except AssertionError as error:
                wrong.append(f"{name}: {error}")
    assert not wrong, "\n\n".join(wrong)


def test_what_a_run_would_die_of():
    all_of(DEADLY, 2)


def test_what_a_run_would_tell():
    all_of(TELLING, 1)


def test_sound_targets():
    all_of(SOUND, 0)


def test_files_that_are_no_targets():
    plugins = os.path.join(BUILD, "tests", "user_target")
    for name, words in WRONG_FILES.items():
        checked(plugins, 2, words, file=name + ".so")
    checked(plugins, 1, ["flush-to-zero"], file="flushing.so")
    with Folder() as folder:
        write(folder, "text.so", "no library\n")
        os.mkdir(os.path.join(folder, "folder.so"))
        for file, word in (("text.so", "shared library"), ("folder.so", "folder"),
                           ("nothing.so", "No such file")):
            checked(folder, 2, [file, word], file=file)


def test_options():
    plugins = os.path.join(BUILD, "tests", "user_target")
    for file, more in (("funnel_point.so", ["dimension=3"]), ("./funnel_point.so", ["dimension=3"]),
                       ("funnel_point.so", ["--set", "target.dimension=3"])):
        checked(plugins, 0, ["in 3 dimensions, by point", "all kept"], *more, file=file)
    for word, words in (("dimension=0", ["target.dimension", "'0'"]), ("widht=3", ["widht"]),
                        ("dimension", ["OPTION=VALUE"])):
        checked(plugins, 2, words, word, file="funnel_point.so")
    done = checked(plugins, 0, ["all kept"], "dimension=3", file="funnel_point.so", ranks=3)
    assert done.stdout.count("all kept") == 1
    done = checked(plugins, 2, ["compile it again"], file="other_abi.so", ranks=3)
    assert done.stderr.count("compile it again") == 1


def test_exceptions():
    if not shutil.which("g++"):
        raise Missing("there is no g++ here to make one")
    with Folder() as folder:
        table = "const struct dun_target dun_target_mine"
        text = SOURCE_OF.replace(table, f'extern "C" {{\nextern {table};\n{table}') + "}\n"
        write(folder, "mine.cc", "#include <stdexcept>\n" + text % {
            "before": "", "more": "", "twist": "if (x[0] > 0) throw std::runtime_error(\"no\");"})
        compiled(folder, "mine.so", "mine.cc", compiler="g++")
        checked(folder, 2, ["exception", "std::runtime_error", "`point`"])


main()

"""Names of strangers reach the terminal as text: whatever is in them, no output has an escape, a
control character, a letter that turns the line around, or a byte that is no UTF-8."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import ENVIRONMENT, PROGRAM, Folder, compiled, main, write  # noqa: E402

# a colour, a title, the cursor's home; C1 controls, as UTF-8 and bare; an override of the direction
ODD = "\x1b[31mred\x1b]0;title\x07\x1b[H\x08\x7f\u009b31m\u202eback".encode() + b"\x9b2J\xff\xc3"
HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
INPUT = """
run: {{seed: 1, particles: 64}}
target: {target}
path: {{type: geometric, base: {{type: gaussian, scale: 3}}}}
kernel: {{type: rwm}}
method: {{type: smc}}
"""
GOOD = INPUT.format(target="{type: gaussian, dimension: 2}")


def run(*words, folder=None, codes=(0, 1, 2)):
    done = subprocess.run([PROGRAM, *words], cwd=folder, stdin=subprocess.DEVNULL, env=ENVIRONMENT,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False)
    assert done.returncode in codes, (words, done.returncode, done.stderr)
    for output in (done.stdout, done.stderr):
        found = HARMFUL.search(output.decode())
        assert not found, (words, repr(found), output)
    return (done.stdout + done.stderr).decode()


def test_words_of_an_input():
    escaped = r'"\e[31mred\x9b\x07\u202e\x7f"'
    with Folder() as folder:
        for text in (GOOD + f"{escaped}: 1\n", GOOD.replace("smc", escaped),
                     INPUT.format(target=f"{{type: {escaped}}}"),
                     GOOD.replace("scale: 3", f"scale: {escaped}"),
                     GOOD.replace("dimension: 2", f"{escaped}: 2"), GOOD + "\x1b[31m: {}\n",
                     GOOD.replace("gaussian, dimension", f"library, file: {escaped}, dimension"),
                     GOOD.replace("smc", '"' + 5000 * "\\e[1m" + '"')):
            file = write(folder, "input.yaml", text)
            assert "dunlin: " in run("check", file, folder=folder, codes=(2,))
        file = write(folder, "input.yaml", GOOD)
        run("run", file, "--set", b"target.\x1b[1m=1", folder=folder, codes=(2,))
        run("help", "targets", b"\x1b[1m\xff", codes=(2,))
        run("list", ODD, codes=(2,))


def test_words_of_the_command_line():
    """Whatever is wrong with them."""
    for words in ((ODD,), ("run", ODD, ODD), (b"--" + ODD,), (b"-" + ODD,), (b"-q" + ODD,),
                  ("run", "x", b"--quiet=" + ODD), ("run", "x", b"--time-limit=" + ODD),
                  ("run", "x", "--stop-after", ODD), ("compare", "a", "b", b"--points=" + ODD),
                  ("compare", "a", "b", b"--metrics=" + ODD), ("check-target", "x.so", ODD),
                  ("compare", "a", "b", b"--fail-above=" + ODD), (b"--" + 2000 * ODD,),
                  ("run", ODD), ("sweep", ODD), ("check-target", ODD), ("summary", ODD),
                  ("compare", ODD, ODD), ("compare", "a", "b", b"--modes=" + ODD),
                  ("help", "target", b"./" + ODD)):
        assert "dunlin: " in run(*words, codes=(2,))


def test_names_of_files():
    with Folder() as folder:
        long = ODD + 80 * b"\x1b[1m"
        for name in (ODD, long[:200]):
            path = os.path.join(folder.encode(), name + b".yaml")
            with open(path, "w") as file:
                file.write(GOOD)
            run("run", path, folder=folder, codes=(0,))
            run("run", path, folder=folder, codes=(2,))
            run("run", path, "--restart", folder=folder, codes=(0,))
            run("summary", name + b".h5", folder=folder, codes=(0,))
            run("compare", name + b".h5", name + b".h5", folder=folder, codes=(0,))
            with open(os.path.join(folder.encode(), name + b".csv"), "wb") as file:
                file.write(ODD + b",1\n2,3\n")
            run("compare", name + b".csv", name + b".h5", folder=folder, codes=(2,))


def test_texts_of_a_result():
    import h5py
    import numpy
    with Folder() as folder:
        file = write(folder, "input.yaml", GOOD)
        run("run", file, "--output", "r.h5", folder=folder, codes=(0,))
        with h5py.File(os.path.join(folder, "r.h5"), "r+") as result:
            for name, value in list(result.attrs.items()):
                if isinstance(value, (bytes, str)) and name != "identity":
                    result.attrs[name] = numpy.bytes_(ODD + b": good \x1b[1m " + name.encode())
            for name in list(result["provenance"]):
                if result["provenance"][name].dtype.kind == "S":
                    del result["provenance"][name]
                    result["provenance"][name] = numpy.bytes_(b"x\t" + ODD + b"\tb")
            result["posterior"].move("x", b"x\x1b[1m\xc2\x9b")
            result["trace"].move("steps", b"steps\x1b[1m")
        for words in (("summary", "r.h5"), ("summary", "r.h5", "--json"), ("check", "r.h5"),
                      ("compare", "r.h5", "r.h5"), ("run", "r.h5", "--output", "s.h5")):
            run(*words, folder=folder)


TARGET = r"""
#include <dunlin/target.h>
#include <stdio.h>
static double point(const void *self, const double *x, double *gradient)
{
  (void)self;
  if (gradient)
    gradient[0] = -x[0];
  return MOOD == 2 ? *(volatile double *)8 : -x[0] * x[0] / 2;
}
static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  (void)self;
  if (capacity > 0)
    parameter[0] = (struct dun_parameter){.name = "m\033[1mu\302\2331m", .doc = "\033[31m"};
  return 1;
}
static int init(void *self, struct dun_message message)
{
  (void)self;
  snprintf(message.text, message.size, "\033]0;no\007 \377 \302\233 \342\200\256");
  return MOOD == 1 ? -1 : 0;
}
struct empty { struct dun_parameter none; };
const struct dun_target NAME = {
  .type = {DUN_TYPE(struct dun_target), .name = "od\033[1md", .doc = "A \033[31mtest.",
           .size = sizeof(struct empty)},
  .dimension = 1, .init = init, .point = point, .parameters = parameters};
"""


def test_words_of_a_library():
    with Folder() as folder:
        source = write(folder, "odd.c", TARGET)
        for mood in range(3):
            compiled(folder, f"odd{mood}.so", source, flags=("-O1", f"-DMOOD={mood}",
                                                         f"-DNAME=dun_target_odd{mood}"))
            target = f"{{type: library, file: ./odd{mood}.so}}"
            file = write(folder, f"input{mood}.yaml", INPUT.format(target=target))
            for words in (("check-target", f"./odd{mood}.so"), ("check", file), ("run", file),
                          ("run", file, "--no-check", "--overwrite")):
                run(*words, folder=folder)
            if os.path.exists(os.path.join(folder, f"input{mood}.h5")):
                run("summary", f"input{mood}.h5", folder=folder)


main()

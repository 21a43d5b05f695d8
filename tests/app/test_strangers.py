"""A stranger's result, run or checked: no code of the library that it names runs, no file that lies
elsewhere is read, nothing is written where it says, unless --trust or the command line says so."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import BUILD, Folder, compiled, dunlin, main, write  # noqa: E402

INPUT = """\
run:    {seed: 5, particles: 64}
target: TARGET
path:   {type: geometric, base: {type: gaussian, mean: 0, scale: 3}, schedule: {type: adaptive}}
kernel: {type: hmc}
method: {type: smc, moves_per_step: 2}
output: {file: OUTPUT}
"""
# It leaves a file as soon as it is loaded.
LIBRARY = """\
#include <dunlin/target.h>
#include <stdio.h>
static __attribute__((constructor)) void loaded(void)
{
  FILE *file = fopen("MARK", "w");
  if (file)
    fclose(file);
}
static double point(const void *self, const double *x, double *gradient)
{
  (void)self;
  if (gradient)
    gradient[0] = -x[0];
  return -.5 * x[0] * x[0];
}
const struct dun_target dun_target_mine = {
    .type = {DUN_TYPE(struct dun_target), .name = "mine", .doc = "A Gaussian."},
    .dimension = 1,
    .point = point,
};
"""
COMMANDS = (["check", "out.h5"], ["run", "out.h5", "--output", "again.h5"],
            ["run", "out.h5", "--restart"])


def made(theirs, target, output="out.h5"):
    write(theirs, "input.yaml", INPUT.replace("TARGET", target).replace("OUTPUT", output))
    dunlin("run", os.path.join(theirs, "input.yaml"), "--quiet", folder=theirs)


def handed_over(theirs, mine):
    os.rename(os.path.join(theirs, "out.h5"), os.path.join(mine, "out.h5"))


def refused(mine, words, *sentences, ranks=None):
    before = sorted(os.listdir(mine))
    done = dunlin(*words, folder=mine, code=2, ranks=ranks)
    for sentence in sentences:
        assert sentence in done.stderr, f"{words}: no '{sentence}' in {done.stderr}"
    assert sorted(os.listdir(mine)) == before, words


def test_libraries():
    """Those beside the result too: who sends the one can send the other."""
    with Folder() as theirs, Folder() as mine:
        mark = os.path.join(theirs, "mark")
        write(theirs, "mine.c", LIBRARY.replace("MARK", mark))
        library = compiled(theirs, "mine.so", "mine.c")
        made(theirs, "{type: library, file: mine.so}")
        handed_over(theirs, mine)
        assert os.path.exists(mark)
        os.remove(mark)
        for words in COMMANDS:
            refused(mine, words, "input.yaml:2:", "target.file", "--trust", "whose code would run")
            assert not os.path.exists(mark), words
        refused(mine, COMMANDS[0], "whose code would run", ranks=2)
        os.rename(library, os.path.join(mine, "mine.so"))
        refused(mine, COMMANDS[0], "whose code would run")
        assert not os.path.exists(mark)
        dunlin("check", "out.h5", "--output", "new.h5", "--set", "target.file=mine.so",
               folder=mine, code=2)  # beside the input, which is not here
        dunlin("check", "out.h5", "--output", "new.h5", "--set",
               f"target.file={os.path.join(mine, 'mine.so')}", folder=mine)
        assert os.path.exists(mark)
        os.remove(mark)
        os.rename(os.path.join(mine, "mine.so"), library)
        dunlin("run", "out.h5", "--output", "new.h5", "--trust", "--quiet", folder=mine)
        assert os.path.exists(mark)


def test_models():
    """A compiled Stan model is a library too."""
    model = os.path.join(BUILD, "tests", "user_target", "stan_shares.so")
    with Folder() as theirs, Folder() as mine:
        write(theirs, "data.json", '{"n": [1, 2, 3]}')
        made(theirs, f"{{type: bridgestan, file: {model}, data: data.json}}")
        handed_over(theirs, mine)
        refused(mine, COMMANDS[0], "target.file", "names the library", "--trust")


def test_files_elsewhere():
    """Data of the working folder and of the data folder are read, others are not."""
    with Folder() as theirs, Folder() as mine:
        rows = "".join(f"{i % 2},{.1 * i},{(7 * i % 5) * .3}\n" for i in range(40))
        data = os.path.join(theirs, "rows.csv")
        write(theirs, "rows.csv", rows)
        made(theirs, "{type: logistic_regression, data: rows.csv, label: 0}")
        handed_over(theirs, mine)
        for words in COMMANDS:
            refused(mine, words, "target.data", f"the result names the file '{data}'", "--trust")
        refused(mine, COMMANDS[0], "--trust", ranks=2)
        for words in (["--trust"], ["--set", f"target.data={data}"], ["--data", theirs]):
            dunlin("check", "out.h5", "--output", "new.h5", *words, folder=mine)
        dunlin("check", os.path.join(mine, "out.h5"), "--output", "new.h5", folder=theirs)


def test_output_elsewhere():
    with Folder() as theirs, Folder() as mine:
        made(theirs, "{type: gaussian, dimension: 2}", os.path.join(theirs, "out.h5"))
        handed_over(theirs, mine)
        for words in (["check", "out.h5"], ["run", "out.h5"]):
            refused(mine, words, "output.file", "--output gives another name", "--trust")
        assert not os.path.exists(os.path.join(theirs, "out.h5"))
        dunlin("run", "out.h5", "--output", "again.h5", "--quiet", folder=mine)
        dunlin("run", "out.h5", "--trust", "--quiet", folder=mine)
        assert os.path.exists(os.path.join(theirs, "out.h5"))


main()

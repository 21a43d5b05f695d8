"""A pipe, a folder, a device, a socket or a link to itself in the place of anything that a command
reads: a sentence and exit code 2, no waiting; and words of the command line whatever they are."""
import os
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from faults import ALONE, INPUTS, fault  # noqa: E402
from support import ENVIRONMENT, PROGRAM, Folder, dunlin, main, write  # noqa: E402

NONE = ("pipe", "folder", "device", "socket", "loop")
GAUSSIAN = "{type: gaussian, mean: 0, scale: 3}"


def make_none(folder):
    """One of each kind of what is no file."""
    os.mkfifo(os.path.join(folder, "pipe"))
    os.mkdir(os.path.join(folder, "folder"))
    os.symlink("/dev/zero", os.path.join(folder, "device"))
    os.symlink("loop", os.path.join(folder, "loop"))
    here = os.getcwd()
    os.chdir(folder)  # a socket's name is short
    try:
        socket.socket(socket.AF_UNIX).bind("socket")
    finally:
        os.chdir(here)


def refused(folder, *words):
    done = dunlin(*words, folder=folder, code=2, timeout=20, environment=dict(ALONE))
    assert "dunlin: " in done.stderr, (words, done.stderr)
    return done.stderr


def test_operands():
    """Of every command."""
    with Folder() as folder:
        make_none(folder)
        write(folder, "input.yaml", INPUTS["langevin"])
        dunlin("run", "input.yaml", "--output", "good.h5", folder=folder)
        for none in NONE:
            for words in (("run", none, "--output", "o.h5"), ("check", none, "--output", "o.h5"),
                          ("sweep", none), ("sweep", none, "--list"), ("summary", none),
                          ("check-target", "./" + none), ("help", "target", "./" + none),
                          ("compare", none, "good.h5"), ("compare", "good.h5", none + ":/x"),
                          ("compare", "good.h5", "good.h5", "--modes", none)):
                assert none in refused(folder, *words), words


def test_files_of_an_input():
    """Given there or by --set, for a run and for a result that is trusted."""
    sets = ("target={{type: library, file: ./{0}}}", "target={{type: bridgestan, file: ./{0}}}",
            "target={{type: gaussian_mixture, file: ./{0}}}",
            "path={{type: geometric, base: {{type: points, file: ./{0}}}}}",
            "target={{type: gaussian, dimension: 2, covariance: {{type: dense, file: ./{0}}}}}")
    starts = ("path.start={{type: file, file: ./{0}}}",)
    with Folder() as folder:
        make_none(folder)
        write(folder, "smc.yaml", INPUTS["smc"])
        write(folder, "chains.yaml", INPUTS["langevin"])
        dunlin("run", "smc.yaml", "--output", "good.h5", folder=folder)
        for none in NONE:
            for source, some in (("smc.yaml", sets), ("chains.yaml", starts),
                                 ("good.h5", sets[:1])):
                for setting in some:
                    told = refused(folder, "check", source, "--trust", "--output", "o.h5", "--set",
                                   setting.format(none))
                    assert none in told, (setting, told)


def test_files_of_a_sweep():
    """What is kept of its members, and its tables."""
    with Folder() as folder:
        make_none(folder)
        write(folder, "s.yaml", INPUTS["smc"].replace("file: r.h5, ", "") +
              "sweep: {run.seed: [1, 2]}\n")
        for none in NONE[:-1]:
            for end in ("", ".csv", ".h5"):
                if end:
                    os.rename(os.path.join(folder, none), os.path.join(folder, none + end))
                told = refused(folder, "sweep", "s.yaml", "--collect", none + end)
                assert none + end in told, told
                if end:
                    os.rename(os.path.join(folder, none + end), os.path.join(folder, none))
        dunlin("sweep", "s.yaml", folder=folder)
        place = os.path.join(folder, "s.sweep")
        names = sorted(name[:-3] for name in os.listdir(place) if name.endswith(".h5"))
        assert len(names) == 2, os.listdir(place)
        foreign = write(folder, "foreign", "not ours\n")
        for name in names:
            stem = os.path.join(place, name)
            os.remove(stem + ".h5")
            os.mkfifo(stem + ".running")
        os.mkfifo(os.path.join(place, names[0] + ".failed"))
        os.symlink(foreign, os.path.join(place, names[1] + ".failed"))
        assert "killed, or its node was lost" in dunlin("sweep", "s.yaml", "--list", folder=folder,
                                                        timeout=20).stdout
        dunlin("sweep", "s.yaml", folder=folder, timeout=60)
        assert open(foreign).read() == "not ours\n", "a link was followed"
        left = sorted(name for name in os.listdir(place) if not name.endswith(".progress.jsonl"))
        assert left == [name + ".h5" for name in names], left


# ---- answers -------------------------------------------------------------------------------------

def told(words, environment=None):
    return subprocess.run([PROGRAM, *words], env={**ENVIRONMENT, **(environment or {})},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=60,
                          stderr=subprocess.PIPE, text=True, errors="replace", check=False)


def test_answers_without_memory():
    """Whatever allocation fails: the whole answer and 0, or a sentence."""
    with Folder() as folder:
        counted = os.path.join(folder, "count")
        for words in (["--help"], ["--usage"], ["--sett"], ["rnu"], ["run", "i", "--points=1e99"],
                      ["list"], ["help", "kernel", "hmc"]):
            whole = told(words, fault("memory", 0, count=counted))
            total = int(open(counted + ".0").read())
            assert total >= 1 and whole.stdout + whole.stderr
            for number in range(1, total + 1):
                done = told(words, fault("memory", number, "ENOMEM"))
                assert done.returncode in (0, 1, 2), (words, number, done.returncode, done.stderr)
                good = (done.stdout == whole.stdout if done.returncode == 0 else
                        "dunlin: " in done.stderr)
                assert good, (words, number, done.returncode, done.stdout, done.stderr)


def test_a_result_is_told_without_memory():
    """HDF5 ends the program where it has none: not without a sentence."""
    with Folder() as folder:
        counted, result = os.path.join(folder, "count"), os.path.join(folder, "r.h5")
        dunlin("run", write(folder, "input.yaml", INPUTS["langevin"]), "--output", result)
        told(["summary", result], fault("memory", 0, count=counted))
        total, codes = int(open(counted + ".0").read()), {}
        for number in range(1, total + 1, max(1, total // 40)):
            done = told(["summary", result], fault("memory", number, "ENOMEM"))
            codes[done.returncode] = codes.get(done.returncode, 0) + 1
            assert done.returncode in (0, 1, 2), (number, done.returncode, done.stderr)
            assert done.returncode == 0 or "dunlin: " in done.stderr, (number, done.returncode)
        print(f"{total} allocations, exit codes {codes}")


main()

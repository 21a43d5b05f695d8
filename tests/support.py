"""What the tests that drive the program from outside share.

A test file is a program: its functions test_* run in the order in which they stand, and all of
them run even if one fails.  Words on its command line choose some of them by name.
"""
import inspect
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("DUNLIN_SOURCE") or os.path.dirname(HERE)
BUILD = os.environ.get("DUNLIN_BUILD") or os.path.join(SOURCE, "build", "release")
PROGRAM = os.path.join(BUILD, "dunlin")
PYTHON = "/usr/bin/python3"
INPUTS = os.path.join(SOURCE, "inputs")

ENVIRONMENT = dict(os.environ)
ENVIRONMENT.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1",
                   OMPI_MCA_btl="self,vader", OMPI_MCA_btl_vader_single_copy_mechanism="none")
if os.geteuid() == 0:
    ENVIRONMENT.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")


def data_folder():
    """Where the data files are that the project does not ship; None: nowhere."""
    for folder in (os.environ.get("DUNLIN_DATA"), os.path.join(SOURCE, "..", "shared", "data")):
        if folder and os.path.isdir(folder):
            return os.path.abspath(folder)
    return None


def command(arguments, ranks=None, program=None):
    """The command line of the program on so many ranks; None: without a launcher."""
    launcher = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks)]
    return launcher * (ranks is not None) + [program or PROGRAM] + [str(word) for word in arguments]


def dunlin(*arguments, ranks=None, code=0, timeout=300, folder=None, environment=None,
           program=None):
    """Runs the program to its end and returns its output; any other exit code than `code` fails."""
    words = command(arguments, ranks, program)
    done = subprocess.run(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=timeout, errors="replace",
                          env={**ENVIRONMENT, **(environment or {})})
    if code is not None and done.returncode != code:
        raise AssertionError(f"exit code {done.returncode}, not {code}: {' '.join(words)}\n"
                             f"{done.stdout[-3000:]}\n{done.stderr[-6000:]}")
    return done


def start(*arguments, ranks=None, folder=None, program=None, **options):
    """Starts the program and returns the process, in a process group of its own."""
    return subprocess.Popen(command(arguments, ranks, program), cwd=folder, text=True,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, errors="replace", env=ENVIRONMENT,
                            start_new_session=True, **options)


def compiled(folder, library, *sources, flags=("-O1",), include=None, compiler="cc"):
    """Compiles sources of a target in a folder to a library there, whose path it returns."""
    subprocess.run([compiler, *flags, "-w", "-shared", "-fPIC", "-I",
                    include or os.path.join(SOURCE, "include"), "-o", library, *sources, "-lm"],
                   cwd=folder, check=True)
    return os.path.join(folder, library)


def attributes(file):
    """The root attributes of a result file, texts as str and numbers as float."""
    import h5py
    with h5py.File(file, "r") as result:
        found = {}
        for name, value in result.attrs.items():
            if isinstance(value, bytes):
                value = value.decode()
            found[name] = value if isinstance(value, str) else float(value)
        return found


def column(file, table, name):
    """A column of a table under /trace as a numpy array."""
    import h5py
    with h5py.File(file, "r") as result:
        return result["trace"][table][name][...]


def summary(file):
    """What `dunlin summary FILE --json` says."""
    return json.loads(dunlin("summary", file, "--json").stdout)


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(text)
    return path


class Folder:
    """A temporary folder, gone at the end of the `with`."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="dunlin-test-")
        return self.path

    def __exit__(self, *unused):
        shutil.rmtree(self.path, ignore_errors=True)


class Missing(Exception):
    """What a test raises where something that it needs is not here: it is skipped."""


def main():
    """Runs the calling file's tests; to be its last line.  Exit code 77, which ctest calls skipped,
    if none failed and one was skipped."""
    tests = [(name, value) for name, value in sys.modules["__main__"].__dict__.items()
             if name.startswith("test_") and inspect.isfunction(value)]
    chosen = sys.argv[1:] or [name for name, _ in tests]
    unknown = set(chosen) - {name for name, _ in tests}
    failed, skipped = len(unknown), 0
    for name in unknown:
        print(f"not ok - there is no test {name}")
    for name, test in tests:
        if name not in chosen:
            continue
        begun = time.monotonic()
        try:
            test()
            verdict = "ok"
        except Missing as reason:
            print(f"{reason}: nothing checked")
            verdict = "skipped"
            skipped += 1
        except Exception:
            traceback.print_exc(file=sys.stdout)
            verdict = "not ok"
            failed += 1
        print(f"{verdict} - {name} ({time.monotonic() - begun:.1f} s)", flush=True)
    sys.exit(1 if failed else 77 if skipped else 0)

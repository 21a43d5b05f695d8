# tier: long
"""Readers of files and tables under clang's libFuzzer with the address and undefined-behaviour
sanitizers: a minute each (DUNLIN_FUZZ_SECONDS) without a crash, a leak, a hang or an allocation out
of proportion; and checkpoints with every row of states forged.  What is found stays in the build
folder, as <reader>-crash-..."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import BUILD, ENVIRONMENT, SOURCE, Folder, main  # noqa: E402
from forgeries import all_forgeries  # noqa: E402
from seeds import kept, readers  # noqa: E402

PLACE = os.path.join(os.path.dirname(BUILD), "fuzz")
SECONDS = int(os.environ.get("DUNLIN_FUZZ_SECONDS", "60"))
LONGEST = {"checkpoint": 114, "result": 65536}  # bytes of one case
ROWS, AT_ONCE = 150, 250
# What HDF5 keeps is nobody's leak: those of results and checkpoints are looked for at the end.
LATE = ("checkpoint", "result")


def test_build():
    compiler = shutil.which("clang") or shutil.which("clang-14")
    assert compiler, "clang is not installed: jobs/install.sh --long"
    options = ("-DCMAKE_BUILD_TYPE=RelWithDebInfo", f"-DCMAKE_C_COMPILER={compiler}",
               "-DDUNLIN_FUZZ=ON", "-DDUNLIN_SANITIZE=ON", "-DDUNLIN_TESTS=OFF")
    for words in (["cmake", "-G", "Ninja", "-S", SOURCE, "-B", PLACE, *options],
                  ["cmake", "--build", PLACE]):
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        assert done.returncode == 0, done.stdout[-4000:]


def program_of(reader):
    return os.path.join(PLACE, "tests", "fuzz", f"fuzz_{reader}")


def run(words, environment=None):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", env={**ENVIRONMENT, **(environment or {})}, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def fuzz(reader):
    environment = {"ASAN_OPTIONS": "allocator_may_return_null=1"}
    with Folder() as folder:
        corpus, seeds = os.path.join(folder, "corpus"), os.path.join(folder, "seeds")
        os.mkdir(corpus)
        kept(reader, seeds)
        words = [program_of(reader), f"-artifact_prefix={PLACE}/{reader}-", "-rss_limit_mb=1500"]
        told = run([*words, f"-max_total_time={SECONDS}", f"-max_len={LONGEST.get(reader, 4096)}",
                    f"-timeout={60 if reader in LATE else 10}",
                    f"-detect_leaks={int(reader not in LATE)}", "-print_final_stats=1", corpus,
                    seeds], environment)
        count = [line for line in told.splitlines() if "number_of_executed_units" in line]
        print(f"{reader}: {' '.join(count)}")
        if reader in LATE:
            found = sorted(os.path.join(corpus, name) for name in os.listdir(corpus))
            run([*words, *found[:500]],
                environment)


def test_readers():
    assert len(readers()) >= 7, readers()
    for reader in readers():
        fuzz(reader)


def test_every_row_forged():
    cases = all_forgeries(ROWS)
    environment = {"ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1"}
    for first in range(0, len(cases), AT_ONCE):
        with Folder() as folder:
            for name, bytes_ in cases[first:first + AT_ONCE]:
                with open(os.path.join(folder, name), "wb") as file:
                    file.write(bytes_)
            run([program_of("checkpoint"), "-timeout=60", "-rss_limit_mb=1500",
                 f"-artifact_prefix={PLACE}/forged-",
                 *(os.path.join(folder, name) for name in sorted(os.listdir(folder)))], environment)


main()

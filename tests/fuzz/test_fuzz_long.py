# tier: long
"""Readers of files and tables under clang's libFuzzer with the address and undefined-behaviour
sanitizers: a minute each (DUNLIN_FUZZ_SECONDS) without a crash, a leak, a hang or an allocation out
of proportion.  What is found stays in the build folder, as <reader>-crash-..."""
import glob
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import BUILD, ENVIRONMENT, SOURCE, Folder, main  # noqa: E402

SEEDS = os.path.join(SOURCE, "tests", "fuzz", "seeds")
PLACE = os.path.join(os.path.dirname(BUILD), "fuzz")
SECONDS = int(os.environ.get("DUNLIN_FUZZ_SECONDS", "60"))
LONGEST = 4096  # bytes of one case
MOST = 64  # MiB of one allocation: tables begin with room for a page of rows


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


def fuzz(reader):
    program = os.path.join(PLACE, "tests", "fuzz", f"fuzz_{reader}")
    seeds = [folder for folder in (os.path.join(SEEDS, reader),) if os.path.isdir(folder)]
    if reader == "input":
        seeds.append(os.path.join(SOURCE, "inputs"))
    with Folder() as corpus:
        words = [program, f"-max_total_time={SECONDS}", f"-max_len={LONGEST}", "-timeout=10",
                 f"-malloc_limit_mb={MOST}", f"-artifact_prefix={PLACE}/{reader}-", corpus, *seeds]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", env=ENVIRONMENT, check=False)
    print(f"{reader}: {done.stdout.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stdout[-4000:]


def test_readers():
    sources = glob.glob(os.path.join(SOURCE, "tests", "fuzz", "fuzz_*.c"))
    readers = sorted(os.path.basename(source)[len("fuzz_"):-len(".c")] for source in sources)
    assert len(readers) >= 5, readers
    for reader in readers:
        fuzz(reader)


main()

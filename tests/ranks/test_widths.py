# tier: long
"""The same bits from builds for other vector widths and from another compiler, for targets that do
not pass through BLAS; those through FFTW use the same library."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cases import (ADAPTED, DRAWN, FEW, HEUN, LAYERS, LEAPS, LEVELS, MATRIX,  # noqa: E402
                   MODES, PIXELS, case, differences, fingerprint)
from support import PROGRAM, SOURCE, Folder, Missing, dunlin, main  # noqa: E402

RUNS = [dict(name="mixture", kernel="hmc", particles=400),
        dict(name="seeds", kernel="rwm", particles=200),
        dict(name="mixture", kernel="rwm", particles=400, resampling="multinomial"),
        dict(name="blurred", kernel="mala", particles=200, moves=1),
        dict(name="chains", kernel="hmc", particles=200),
        dict(name="tempering", kernel="hmc", particles=200),
        dict(name="ladders_finished", kernel="mala", particles=200),
        dict(name="march", path=HEUN, particles=200),
        dict(name="march", path=DRAWN, particles=200),
        dict(name="march", path=MATRIX, particles=200),
        dict(name="trained", path=LAYERS, particles=100),
        dict(name="trained", path=LEVELS, particles=100),
        dict(name="trained", path=PIXELS, particles=100),
        dict(name="steered", kernel=LEAPS, path=FEW, particles=100),
        dict(name="seen", kernel=MODES, path=ADAPTED, particles=100),
        dict(name="field", kernel="hmc", particles=100)]


def build(folder, *settings):
    """Configures and builds the program alone; returns its path."""
    quiet = dict(check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "-S", SOURCE, "-B", folder, "-G", "Ninja", "-DDUNLIN_TESTS=OFF",
                    "-DCMAKE_BUILD_TYPE=Release", *settings], **quiet)
    subprocess.run(["cmake", "--build", folder, "--target", "dunlin"], **quiet)
    return os.path.join(folder, "dunlin")


def results(folder, program):
    found = []
    for number, options in enumerate(RUNS):
        result = os.path.join(folder, f"{number}.h5")
        dunlin("run", case(folder, **options), "--output", result, "--quiet", "--overwrite",
               program=program)
        found.append(fingerprint(result))
    return found


def same_as_default(*settings):
    with Folder() as folder:
        other = build(os.path.join(folder, "build"), *settings)
        for usual, found in zip(results(folder, PROGRAM), results(folder, other)):
            wrong = differences(usual, found)
            assert not wrong, f"built with {settings}:\n" + "\n".join(wrong)


def test_without_vectors():
    same_as_default("-DDUNLIN_SIMD=x86-64")


def test_avx2():
    same_as_default("-DDUNLIN_SIMD=x86-64-v3")


def test_avx512():
    with open("/proc/cpuinfo") as file:
        able = " avx512dq " in file.read()
    if not able:
        raise Missing("this processor has no AVX-512")
    same_as_default("-DDUNLIN_SIMD=x86-64-v4")


def test_other_compiler():
    compiler = shutil.which("clang") or shutil.which("clang-14")
    if not compiler:
        raise Missing("there is no clang here")
    same_as_default(f"-DCMAKE_C_COMPILER={compiler}")


main()

"""No function is silently slow, and no stored number comes from the system's libm.

An inline kernel of base/vmath.h in a function without DUN_CLONES is compiled for plain x86-64,
where each fused operation is a call of libm's fma: 10 to 25 times slower.  exp, log and the like of
libm differ in their last bits between machines.
"""
import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import BUILD, main  # noqa: E402

ROOMS = ("targets", "paths", "kernels", "methods", "population")
INEXACT = set("""exp exp2 exp10 expm1 log log2 log10 log1p pow sin cos tan sincos asin acos atan
    atan2 sinh cosh tanh asinh acosh atanh cbrt hypot erf erfc lgamma tgamma lgamma_r""".split())

# {"room/file.c": {"log": "the reason why"}}
ALLOWED = {}

MEMBER = re.compile(r"^(\S+)\.o: +file format")
HEADING = re.compile(r"^[0-9a-f]+ <(\S+)>:$")
FMA = re.compile(r"(R_X86_64_\w+\s+|<)fmaf?(@plt)?([-+>]|$)")


def listing(*command):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C"}).stdout


def is_clone_for_all(function):
    """foo.default and what GCC splits off from it: foo.default.cold, foo.default.part.0."""
    return "default" in function.split(".")[1:]


def callers_of_fma(disassembly):
    """(file, function) of all functions that call libm's fma."""
    found, file, function = set(), None, None
    for line in disassembly.split("\n"):
        member, heading = MEMBER.match(line), HEADING.match(line)
        if member:
            file = member.group(1)
        elif heading:
            function = heading.group(1)
        elif FMA.search(line):
            found.add((file, function))
    return found


def built_for_dispatch():
    with open(os.path.join(BUILD, "generated", "version.h")) as file:
        width = re.search(r'DUN_SIMD "(.*)"', file.read()).group(1)
    with open(os.path.join(BUILD, "CMakeCache.txt")) as file:
        debug = re.search(r"CMAKE_BUILD_TYPE:\w+=Debug", file.read())
    if width != "dispatch":
        print(f"this build is for {width} only: there are no clones to look at")
    elif debug:
        print("this build is not optimised: its speed does not matter")
    return width == "dispatch" and not debug


def test_only_default_clones_call_fma():
    if not built_for_dispatch():
        return
    found = callers_of_fma(listing("objdump", "-dr", "--no-show-raw-insn",
                                   os.path.join(BUILD, "libdunlin.a")))
    clones = {caller for caller in found if is_clone_for_all(caller[1])}
    assert ("random.c", "box_muller.default") in clones, f"no fma where one is: {found}"
    slow = [f"{function} ({file})" for file, function in sorted(found - clones)]
    assert not slow, f"without DUN_CLONES these call libm's fma: {', '.join(slow)}"


def objects():
    """(room/file.c, path) of every object file of the library."""
    for room in sorted(os.listdir(os.path.join(BUILD, "CMakeFiles", "dunlin_library.dir", "src"))):
        folder = os.path.join(BUILD, "CMakeFiles", "dunlin_library.dir", "src", room)
        for path in sorted(glob.glob(os.path.join(folder, "*.o"))):
            yield f"{room}/{os.path.basename(path)[:-2]}", path


def needed(path):
    """The symbols that an object takes from elsewhere, without versions."""
    names = re.findall(r"^\s+U (\S+)$", listing("nm", "--undefined-only", path), flags=re.MULTILINE)
    return {name.split("@")[0] for name in names}


def test_no_libm_in_stored_numbers():
    wrong, seen = [], 0
    for name, path in objects():
        if name.split("/")[0] not in ROOMS:
            continue
        seen += 1
        symbols = needed(path)
        inexact = {symbol for symbol in symbols
                   if symbol in INEXACT or (symbol[-1] in "fl" and symbol[:-1] in INEXACT)}
        wrong += [f"{name}: {symbol}" for symbol in sorted(inexact - set(ALLOWED.get(name, ())))]
    print(f"{seen} object files")
    assert seen > 0, f"no object files of {ROOMS} under {BUILD}"
    assert not wrong, "take these from base/vmath.h, not from libm:\n" + "\n".join(wrong)


def test_exceptions_are_needed():
    there = {name: needed(path) for name, path in objects() if name in ALLOWED}
    idle = [f"{name}: {symbol}" for name, reasons in ALLOWED.items() for symbol in reasons
            if symbol not in there.get(name, ())]
    assert not idle, f"allowed, but not used: {idle}"


main()

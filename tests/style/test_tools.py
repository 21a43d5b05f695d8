"""What other people's tools say: the formatter, and a static analyser."""
import os
import re
import shutil
import subprocess
import tempfile

from files import SOURCE, own_files
from support import Missing, main


def tool(name):
    path = shutil.which(name)
    if path is None:
        raise Missing(f"{name} is not installed (Debian: apt-get install {name})")
    return path


def test_format():
    program = tool("clang-format")
    files = own_files(".c", ".h")
    done = subprocess.run([program, "--dry-run", "-Werror", "--ferror-limit=1"] + files, cwd=SOURCE,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wrong = sorted(set(re.findall(r"^(\S+?):\d+:\d+: error", done.stdout, flags=re.MULTILINE)))
    assert done.returncode == 0, f"run clang-format -i on: {' '.join(wrong) or done.stdout}"


def test_static_analysis():
    program = tool("cppcheck")
    sources = [path for path in own_files(".c") if path.startswith("src/")]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as listing:
        listing.write("\n".join(sources))
        listing.flush()
        done = subprocess.run(
            [program, "--quiet", "--std=c11", "-j", str(os.cpu_count()),
             "--enable=warning,performance,portability", "--inline-suppr",
             "--suppress=missingIncludeSystem", "--error-exitcode=1", "-D__x86_64__",
             "-D__GNUC__=12", "-Isrc", "-Iinclude", f"--file-list={listing.name}"],
            cwd=SOURCE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout


main()

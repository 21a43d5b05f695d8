"""Cases that fuzzing has found, or might: read once more by every reader, without a fuzzer; and
checkpoints in which each row of states in turn holds what nobody writes there."""
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import BUILD, ENVIRONMENT, Folder, dunlin, main  # noqa: E402
from forgeries import all_forgeries, scenes  # noqa: E402
from seeds import kept, readers  # noqa: E402

ROWS = 150  # more than any run has; the program counts on from the first one
SAMPLE = 150


def replay(reader, files, timeout=120):
    program = os.path.join(BUILD, "tests", "fuzz", f"replay_{reader}")
    done = subprocess.run([program, *files], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, errors="replace", env=ENVIRONMENT, timeout=timeout,
                          check=False)
    assert done.returncode == 0, f"{reader}: {done.returncode}\n{done.stderr[-3000:]}"
    return done


def test_kept_cases():
    assert len(readers()) >= 7, readers()
    for reader in readers():
        with Folder() as folder:
            files = kept(reader, folder)
            assert files, f"there is no case of {reader}"
            replay(reader, files)


def test_every_method_has_a_scene():
    _, text = scenes()
    for line in dunlin("list", "methods").stdout.splitlines()[1:]:
        name = line.split()[0]
        assert f"method: {{type: {name}" in text, name


def test_forged_rows():
    """A sentence or an end, for each."""
    cases = random.Random(4).sample(all_forgeries(ROWS), SAMPLE)
    with Folder() as folder:
        files = []
        for name, bytes_ in cases:
            files.append(os.path.join(folder, name))
            with open(files[-1], "wb") as file:
                file.write(bytes_)
        refused = replay("checkpoint", files).stderr.count("can be used")
        print(f"{refused} of {len(files)} are refused")
        assert refused > len(files) / 4, "rows have no bounds"


main()

"""Files that are damaged, forged, links, pipes, or cannot be opened once."""
import os
import random
import shutil
import signal
import struct
import subprocess

from faults import INPUTS, LIBRARY, Scene, fault
from forge import HEADER, Checkpoint
from cases import differences, fingerprint
from support import Folder, attributes, dunlin, main, write


def files_of(folder):
    """But for half-written ones."""
    return {name: open(os.path.join(folder, name), "rb").read() for name in os.listdir(folder)
            if not name.endswith(".tmp")}


def test_what_cannot_be_opened_once_is_not_gone():
    """Whatever cannot be opened or looked at, nothing is removed, and the run goes on later."""
    with Folder() as folder:
        scene = Scene(folder, "langevin", "restart")
        for error, paths in (("EMFILE", (".part", ".0.checkpoint", ".1.checkpoint")),
                             ("EACCES", (".part",)), ("EIO", (".0.checkpoint",)),
                             ("ESTALE", (".part",))):
            for path in paths:
                result = scene.again()
                before = files_of(scene.now)
                done = scene.run(result, "--restart", code=1,
                                 environment=fault("open", 1, error, path=path))
                assert "cannot be opened" in done.stderr, (error, path, done.stderr)
                after = files_of(scene.now)
                assert {name: after[name] for name in before} == before, (error, path)
                scene.go_on(result, f"{error} of {path}")


def test_draws_that_cannot_be_opened_once_are_not_replaced():
    """Another run's whose checkpoints are gone, when a run begins in their place."""
    with Folder() as folder:
        scene = Scene(folder, "langevin", "restart")
        for word in ((), ("--restart",)):
            result = scene.again()
            for slot in (0, 1):
                os.remove(os.path.join(scene.now, f"r.{slot}.checkpoint"))
            before = files_of(scene.now)["r.h5.part"]
            for call in ("open", "look"):
                done = scene.run(result, *word, "--set", "run.seed=9", code=None,
                                 environment=fault(call, 1, "EMFILE", path=".part"))
                assert done.returncode in (1, 2) and "r.h5.part" in done.stderr, done.stderr
                assert files_of(scene.now)["r.h5.part"] == before, call


def test_a_checkpoint_that_fails_is_outlived():
    """At any of its steps: the run tells and comes to the same end."""
    with Folder() as folder:
        scene = Scene(folder, "smc", "fresh")
        for call, action in (("reserve", "ENOSPC"), ("write", "EIO"), ("write", "part"),
                             ("sync", "EIO"), ("rename", "EIO"), ("open", "EMFILE")):
            result = scene.again()
            path = "checkpoint" if call == "rename" else ".checkpoint.tmp"
            done = scene.run(result, environment=fault(call, 2, action, path=path))
            told = "no checkpoint" in done.stderr
            assert told == (action != "part"), (call, done.stderr)
            assert not differences(fingerprint(result), scene.expected)


def draws_of(result):
    import h5py
    with h5py.File(result, "r") as file:
        return {name: value[...] for name, value in file["posterior"].items() if value.ndim > 1}


def test_damaged_draws_are_told():
    """Between a stop and a restart bits of FILE.part turn: of its draws only those of the chunk are
    lost, and that is told; of all else nothing."""
    import numpy
    choose = random.Random(3)
    with Folder() as folder:
        scene = Scene(folder, "langevin", "restart")
        whole, lost = draws_of(scene.whole), 0
        first = struct.pack("<d", whole["x"][0, 0, 0])
        for number in range(9):
            result = scene.again()
            part = result + ".part"
            place = choose.randrange(os.path.getsize(part))
            if number % 3 == 0:
                place = open(part, "rb").read().index(first) + choose.randrange(8)
            with open(part, "r+b") as file:
                file.seek(place)
                byte = file.read(1)[0]
                file.seek(place)
                file.write(bytes([byte ^ 1 << choose.randrange(8)]))
            done = scene.run(result, "--restart")
            told = "do not have their checksums" in done.stderr
            lost += told
            for name, value in draws_of(result).items():
                same = (value == whole[name]) | numpy.isnan(value)
                assert same.all(), f"byte {place}: {name} has other draws"
                assert told or not numpy.isnan(value).any(), f"byte {place}: lost in silence"
            verdict = "lost draws: bad" in attributes(result)["diagnosis_details"]
            assert verdict == told, attributes(result)["diagnosis_details"]
            assert told or not differences(fingerprint(result), scene.expected)
        print(f"{lost} of 9 places among draws")
        assert lost >= 3


def names_of(result):
    stem = result[:-3]
    return [result + end for end in (".part", ".part.new", ".progress.jsonl")] + [
        f"{stem}.{slot}.checkpoint{end}" for slot in (0, 1) for end in ("", ".tmp")]


def test_no_regular_files():
    """A pipe or a folder in the place of any file of a run: a sentence, no waiting."""
    with Folder() as folder:
        file = write(folder, "input.yaml", INPUTS["langevin"])
        result = os.path.join(folder, "r.h5")
        for name in [result] + names_of(result):
            for make, remove in ((os.mkfifo, os.remove), (os.mkdir, os.rmdir)):
                make(name)
                word = "--restart" if make == os.mkfifo else "--overwrite"
                done = dunlin("run", file, "--output", result, word, code=2, timeout=20)
                assert name in done.stderr, done.stderr
                remove(name)


def test_links_are_not_followed():
    """What is linked to under the name of a file of the run stays as it is."""
    with Folder() as folder:
        file = write(folder, "input.yaml", INPUTS["langevin"])
        result, foreign = os.path.join(folder, "r.h5"), write(folder, "foreign", "not ours")
        for name in names_of(result):
            if not name.endswith("checkpoint"):
                os.symlink(foreign, name)
        os.umask(0o027)
        dunlin("run", file, "--output", result, "--no-check", "--overwrite")
        assert open(foreign).read() == "not ours"
        assert os.stat(result).st_mode & 0o777 == 0o640, "permissions are not as the umask says"
        assert not os.path.islink(result + ".progress.jsonl")


def test_checkpoints_behind_a_complete_result():
    """The run died between the last two steps: what is its own goes, what is another's stays."""
    with Folder() as folder:
        scene = Scene(folder, "langevin", "restart")
        result = scene.again()
        shutil.copy(scene.whole, result)
        other = os.path.join(scene.now, "r.1.checkpoint")
        scene.leave_half(os.path.join(folder, "o.h5"), "--set", "run.seed=9")
        shutil.copy(os.path.join(folder, "o.0.checkpoint"), other)
        done = scene.run(result, "--restart")
        assert "complete already" in done.stderr, done.stderr
        assert not os.path.exists(os.path.join(scene.now, "r.0.checkpoint"))
        assert os.path.exists(other), "another run's checkpoint is gone"


def test_draws_of_another_run_are_not_replaced():
    with Folder() as folder:
        scene = Scene(folder, "langevin", "restart")
        result = scene.again()
        for slot in (0, 1):
            os.remove(os.path.join(scene.now, f"r.{slot}.checkpoint"))
        before = files_of(scene.now)["r.h5.part"]
        done = scene.run(result, "--restart", "--set", "run.seed=9", code=2)
        assert "r.h5.part" in done.stderr and "--overwrite" in done.stderr, done.stderr
        assert files_of(scene.now)["r.h5.part"] == before
        scene.run(result, "--overwrite", "--set", "run.seed=9")


def forged(scene, change):
    """Every checkpoint of a stopped run changed so: refused, without a crash."""
    result = scene.again()
    for slot in (0, 1):
        change(Checkpoint(os.path.join(scene.now, f"r.{slot}.checkpoint")))
    done = scene.run(result, "--restart", code=2)
    assert "dunlin: " in done.stderr, done.stderr


def test_forged_sizes():
    with Folder() as folder:
        scene = Scene(folder, "tempering", "restart")
        for name in ("states", "draws", "size", "particles", "columns"):
            for value in (1, (1 << 63) - 8, (1 << 64) - 8):
                forged(scene, lambda checkpoint: checkpoint.write(**{name: value}))


def test_forged_counts():
    """Of the rows of states: each in turn says that it has more numbers than there are."""
    def claim(checkpoint, row, count):
        places = list(checkpoint.states())
        struct.pack_into("<q", checkpoint.bytes, places[row % len(places)], count)
        checkpoint.write()

    with Folder() as folder:
        scene = Scene(folder, "tempering", "restart")
        for row, count in enumerate((-1, 1 << 40, (1 << 61) + 1) * 3):
            forged(scene, lambda checkpoint: claim(checkpoint, 11 * row, count))


def test_forged_states():
    """Rows of states with values that nobody has, or with one value less: whatever comes of it is
    no crash."""
    choose = random.Random(5)
    with Folder() as folder:
        scene = Scene(folder, "tempering", "restart")
        rows = len(list(Checkpoint(os.path.join(scene.before, "r.0.checkpoint")).states()))
        codes = {}
        for word in (-1, -1 << 40, None) * 4:
            result, row = scene.again(), choose.randrange(rows)
            for slot in (0, 1):
                checkpoint = Checkpoint(os.path.join(scene.now, f"r.{slot}.checkpoint"))
                if word is None:
                    checkpoint.shorten(row)
                else:
                    checkpoint.fill(row, word)
                checkpoint.write()
            done = scene.run(result, "--restart", code=None)
            codes[done.returncode] = codes.get(done.returncode, 0) + 1
            assert done.returncode in (0, 1, 2), (row, word, done.returncode, done.stderr[-999:])
        print(codes)


def test_forged_draws():
    """What a checkpoint says of the draws' file, each word in turn: much more is not looked for."""
    with Folder() as folder:
        scene = Scene(folder, "langevin", "restart")
        codes = {}
        for word in range(14):
            for value in (-1, 1 << 47, (1 << 63) - 1):
                result = scene.again()
                for slot in (0, 1):
                    checkpoint = Checkpoint(os.path.join(scene.now, f"r.{slot}.checkpoint"))
                    at = HEADER + checkpoint.header["states"] + 8 * word
                    struct.pack_into("<q", checkpoint.bytes, at, value)
                    checkpoint.write()
                done = scene.run(result, "--restart", code=None)
                codes[done.returncode] = codes.get(done.returncode, 0) + 1
                assert done.returncode in (0, 1, 2), (word, value, done.stderr[-999:])
        print(codes)


def test_old_checkpoints_are_refused():
    with Folder() as folder:
        scene = Scene(folder, "langevin", "restart")
        result = scene.again()
        for slot in (0, 1):
            with open(os.path.join(scene.now, f"r.{slot}.checkpoint"), "r+b") as file:
                file.seek(16)
                file.write(struct.pack("<Q", 1))
        done = scene.run(result, "--restart", code=2)
        assert "format version 1, this program reads 2" in done.stderr, done.stderr


def test_space_is_compared_before_the_run():
    """Of the result on the disk; a product beyond whole numbers is no small one."""
    with Folder() as folder:
        file = write(folder, "input.yaml", INPUTS["langevin"])
        result = os.path.join(folder, "r.h5")
        for sets, words in (((), "GB are free there"),
                            (("run.replicates=65536",), "no file holds")):
            more = [word for value in ("method.draws=1000000", "target.dimension=1000000", *sets)
                    for word in ("--set", value)]
            for command in ("check", "run"):
                done = dunlin(command, file, "--output", result, "--no-check", *more, code=None)
                assert done.returncode in (1, 2) and words in done.stderr, done.stderr
            assert os.listdir(folder) == ["input.yaml"], os.listdir(folder)


def test_memory_of_the_end_is_compared_before_the_run():
    """What is worked out of all draws takes memory too, of a result that the disk could hold."""
    with Folder() as folder:
        file = write(folder, "input.yaml", INPUTS["langevin"])
        for words, code in ((["run"], 1), (["check"], 2), (["check", "--estimate"], 2)):
            done = dunlin(*words, file, "--output", os.path.join(folder, "r.h5"), "--set",
                          "method.draws=1e9", "--set", "run.particles=256", code=code)
            assert "fewer particles or draws" in done.stderr, done.stderr
            assert os.listdir(folder) == ["input.yaml"], os.listdir(folder)


def test_an_early_warning_at_any_time():
    """Before main has read its command line, while MPI starts, and behind the end of the work: no
    run ends by the signal itself."""
    with Folder() as folder:
        scene = Scene(folder, "langevin", "fresh")
        last = scene.count("memory", caller="mpi")[0]
        for caller, number in (("program", 1), ("program", 3), ("mpi", 1), ("mpi", last // 2)):
            result = scene.again()
            done = scene.run(result, code=85, environment=fault("memory", number, "USR1",
                                                                caller=caller))
            assert "a signal asked for it" in done.stderr, done.stderr
            scene.go_on(result, f"USR1 at {caller} {number}")
        scene.run(scene.again(), environment=fault("memory", last, "USR1", caller="mpi"))
        scene.run(scene.again(), environment=fault("remove", 2, "USR1", path="checkpoint"))
        done = dunlin("summary", scene.whole, code=None,
                      environment=fault("memory", 1, "USR1", caller="program"))
        assert done.returncode == -signal.SIGUSR1, "a command that does not stop goes on"


def test_the_library_counts():
    """The library in front of the program is there, or all these tests would see no fault."""
    assert os.path.exists(LIBRARY)
    with Folder() as folder:
        scene = Scene(folder, "langevin", "fresh")
        assert scene.count("write", path="/r.")[0] > 10
        assert subprocess.run(["true"], env=fault("open", 1)).returncode == 0


main()

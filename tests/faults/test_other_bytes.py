"""A write that tells of success leaves other bytes in the result's file, or another process writes
into it before it is complete: it is told while there are checkpoints, and never a result."""
import os

from faults import Scene, fault, newest, spread
from cases import case, differences, fingerprint
from support import Folder, attributes, dunlin, main

BEHIND = 3  # closes of the file behind that of its last part: it is looked at, read and flushed


def told(scene, result, environment):
    """Whether the run ends with a sentence about the file, with what it leaves as it should be."""
    done = scene.run(result, *scene.word, code=None, environment=environment)
    if done.returncode == 0:
        wrong = differences(fingerprint(result), scene.expected)
        assert not wrong, f"{environment}: a result with other numbers\n" + "\n".join(wrong)
        return False
    assert done.returncode == 1 and "r.h5.part" in done.stderr, done.stderr
    if scene.beginning == "overwrite":
        assert not differences(fingerprint(result), scene.old), "the old result is another one"
    else:
        assert not os.path.exists(result), f"{environment}: exit code 1, and a result"
    assert newest(os.path.dirname(result)) >= scene.generation, "the checkpoints are gone"
    return True


def go_on(scene, result):
    """To the same result, but for draws whose loss is told."""
    words = ("--restart",) if newest(os.path.dirname(result)) else scene.word
    done = scene.run(result, *words)
    if "do not have their checksums" in done.stderr:
        assert "lost draws: bad" in attributes(result)["diagnosis_details"]
    else:
        wrong = differences(fingerprint(result), scene.expected)
        assert not wrong, "behind the restart\n" + "\n".join(wrong)


def writes(name, beginning, some):
    with Folder() as folder:
        scene = Scene(folder, name, beginning)
        total, found = scene.count("write", path="r.h5.part")[0], 0
        numbers = spread(total, some)
        for number in numbers:
            result = scene.again()
            if told(scene, result, fault("write", number, "other", path="r.h5.part")):
                found += 1
                go_on(scene, result)
        print(f"{name}, {beginning}: {found} of {len(numbers)} told, of {total} writes")
        assert found > .9 * len(numbers)


def test_writes_that_store_other_bytes():
    writes("smc", "fresh", 7)
    writes("langevin", "restart", 7)
    writes("tempering", "overwrite", 5)


def places_of(result):
    """In the head; of a text, of numbers of a table, and of what only the next run reads."""
    import h5py
    with h5py.File(result, "r") as file:
        words = [file["provenance/input"][()], file["trace/steps/ess"][...].tobytes(),
                 next(iter(file["learned/kernel"].values())).attrs["long_name"]]
    with open(result, "rb") as file:
        bytes_ = file.read()
    return [0] + [bytes_.index(word if isinstance(word, bytes) else word.encode())
                  for word in words]


def test_a_result_is_read_before_checkpoints_are_removed():
    """Of its structure, texts and tables nothing may be other than it was written."""
    with Folder() as folder:
        scene = Scene(folder, "smc", "fresh")
        last = scene.count("close", path="r.h5.part")[0] - BEHIND
        certain, size = places_of(scene.whole), os.path.getsize(scene.whole)
        for place in certain + [size // 4 + i * size // 8 for i in range(6)]:
            result = scene.again()
            found = told(scene, result, fault("close", last, "other", path="r.h5.part", at=place))
            assert found or place not in certain, f"byte {place} of {size}"
            if found:
                assert newest(scene.now) > 0
                go_on(scene, result)


def test_draws_of_runs_that_a_budget_ends():
    """Of the first chains, and of whole replicates: they are what was written, too."""
    with Folder() as folder:
        file, result = case(folder, "chains", kernel="rwm", particles=20), folder + "/r.h5"
        dunlin("run", file, "--output", result, "--quiet")
        total = attributes(result)["evaluations"]
        for part in (.35, .8):
            words = ["run", file, "--output", result, "--quiet", "--overwrite", "--no-check",
                     "--set", f"run.evaluations={int(part * total)}"]
            dunlin(*words)
            done = dunlin(*words, code=1, environment=fault("write", 20, "other",
                                                            path="r.h5.part"))
            assert "other draws than were written" in done.stderr, done.stderr


main()

"""HDF5 files of strangers: nothing leads out of them, no library is loaded for them, and what is
damaged ends in a sentence."""
import os
import random
import sys

import h5py
import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(1, os.path.join(sys.path[0], "fuzz"))
from faults import SANITIZED  # noqa: E402
from seeds import kept  # noqa: E402
from support import Folder, compiled, dunlin, main, write  # noqa: E402


def compare(folder, name, code, environment=None):
    return dunlin("compare", f"{name}:/x", "plain.h5:/x", "--points", "20", folder=folder,
                  code=code, timeout=60, environment=environment)


def make_files(folder):
    def create(name):
        return h5py.File(os.path.join(folder, name), "w")

    numbers = numpy.random.default_rng(1).normal(size=(60, 3))
    with create("plain.h5") as file:
        file["x"] = numbers
    with create("packed.h5") as file:
        file.create_dataset("x", data=numbers, compression="gzip", chunks=(10, 3))
    with create("link.h5") as file:
        file["x"] = h5py.ExternalLink("plain.h5", "/x")
    with open(os.path.join(folder, "raw"), "wb") as file:
        file.write(numbers.tobytes())
    with create("stored.h5") as file:
        file.create_dataset("x", shape=(60, 3), dtype="f8",
                            external=[(os.path.join(folder, "raw"), 0, h5py.h5f.UNLIMITED)])
    with create("virtual.h5") as file:
        layout = h5py.VirtualLayout((60, 3), "f8")
        layout[:] = h5py.VirtualSource("plain.h5", "x", (60, 3))
        file.create_virtual_dataset("x", layout)
    with create("huge.h5") as file:
        file.create_dataset("x", shape=(1 << 40, 3), dtype="f8", chunks=(1000, 3))
    with create("cycle.h5") as file:
        file["x"], file["y"], file["g"] = h5py.SoftLink("/y"), h5py.SoftLink("/x"), file["/"]


def test_nothing_leads_out_of_a_file():
    with Folder() as folder:
        make_files(folder)
        compare(folder, "packed.h5", 0)
        for name, words in (("link.h5", "leads to another file"),
                            ("stored.h5", "has its numbers in another file"),
                            ("virtual.h5", "has its numbers in another file"),
                            ("huge.h5", "claims 3298534883328 numbers"), ("cycle.h5", "has no")):
            done = compare(folder, name, 2)
            assert words in done.stderr, done.stderr
        os.mkfifo(os.path.join(folder, "pipe.h5"))
        assert "no regular file" in compare(folder, "pipe.h5", 2).stderr


def test_no_library_is_loaded_for_a_filter():
    with Folder() as folder:
        make_files(folder)
        plugins, mark = os.path.join(folder, "plugins"), os.path.join(folder, "loaded")
        os.mkdir(plugins)
        source = write(folder, "plugin.c",
                       "#include <stdio.h>\n__attribute__((constructor)) static void begin(void)\n"
                       f'{{ FILE *f = fopen("{mark}", "w"); if (f) fclose(f); }}\n')
        compiled(folder, os.path.join(plugins, "libplugin.so"), source)
        with open(os.path.join(folder, "packed.h5"), "rb") as file:
            packed = file.read()
        known = b"\x01\x00\x08\x00\x01\x00\x01\x00deflate\x00"
        assert packed.count(known) == 1
        with open(os.path.join(folder, "foreign.h5"), "wb") as file:
            file.write(packed.replace(known, b"\x0f\x7d" + known[2:]))
        compare(folder, "foreign.h5", 2, environment={"HDF5_PLUGIN_PATH": plugins})
        assert not os.path.exists(mark), "a library was loaded for a filter"


def test_damage():
    """HDF5 itself dies of some of these."""
    choose = random.Random(2)
    with Folder() as folder:
        make_files(folder)
        with open(os.path.join(folder, "packed.h5"), "rb") as file:
            packed = file.read()
        codes = {}
        for _ in range(20):
            bytes_ = bytearray(packed)
            for _ in range(choose.randrange(1, 5)):
                bytes_[choose.randrange(len(bytes_))] = choose.randrange(256)
            with open(os.path.join(folder, "damaged.h5"), "wb") as file:
                file.write(bytes_[:choose.choice((len(bytes_), choose.randrange(len(bytes_))))])
            done = compare(folder, "damaged.h5", None)
            codes[done.returncode] = codes.get(done.returncode, 0) + 1
            assert done.returncode in (0, 2), (done.returncode, done.stderr[-1000:])
            assert done.returncode == 0 or "dunlin: " in done.stderr
        print(codes)


def test_claims_of_memory():
    """Each part of HDF5 has words of its own for memory that it did not get.  (The header of 4 GB
    is not met by readers that stop at what is damaged before it.)"""
    with Folder() as folder:
        files = kept("result", folder)
        small = ("heap_of_16_megabytes",) * (not SANITIZED)  # which want more for themselves
        claims = [name for name in files if name.endswith(
            ("heap_of_117_megabytes", "superblock_of_gigabytes", "attributes_of_2_gigabytes",
             *small))]
        assert len(claims) == 4 + len(small), files
        for name in claims:
            said = "".join(dunlin(*words, code=2, timeout=60).stderr for words in (
                ("compare", name + ":/x", name + ":/x"), ("summary", name),
                ("compare", name, name)))
            assert "more memory than its size explains" in said, (name, said)


def test_chunks_and_their_filters():
    """A chunk that unpacks to fewer bytes than it should have, which HDF5 reads on behind, and
    filters whose sizes are not known."""
    with Folder() as folder:
        torn, = [name for name in kept("result", folder) if name.endswith("chunk_of_37_bytes")]
        done = dunlin("compare", torn + ":/x", torn + ":/x", code=2, timeout=60)
        assert "a chunk of it is not of the size that it should be" in done.stderr, done.stderr
        name = os.path.join(folder, "packed.h5")
        numbers = numpy.arange(2300).reshape(23, 100)
        packed = {"plain": {}, "sum": {"fletcher32": True}, "scaled": {"scaleoffset": True},
                  "all": {"compression": "gzip", "shuffle": True, "fletcher32": True}}
        with h5py.File(name, "w") as file:
            for key, filters in packed.items():
                file.create_dataset(key, data=numbers, chunks=(5, 30), **filters)
            file.create_dataset("part", (23, 100), chunks=(5, 30), compression="gzip")[3, 4] = 1
        for key in (*packed, "part"):
            done = dunlin("compare", f"{name}:/{key}", f"{name}:/{key}", code=None, timeout=60)
            known = key != "scaled"
            assert done.returncode == (0 if known else 2), (key, done.stderr)
            assert known or "packed in a way that is not read" in done.stderr, done.stderr


def test_packed_a_thousandfold():
    """A chunk of 32 MB of zeros is 35 kB in the file, which is no claim."""
    with Folder() as folder:
        name, rows = os.path.join(folder, "zeros.h5"), 4000
        if SANITIZED:
            rows = 500  # sanitizers keep what is freed
        with h5py.File(name, "w") as file:
            file.create_dataset("x", data=numpy.zeros((rows, 1000)), chunks=(rows, 1000),
                                compression="gzip")
        assert os.path.getsize(name) < 50000
        done = dunlin("compare", name + ":/x", name + ":/x", code=None, timeout=60)
        assert done.returncode == 0, done.stderr


main()

"""What the fuzzers begin with: cases that are kept, inputs, and small HDF5 files of all sorts."""
import glob
import gzip
import os
import re
import shutil

from support import SOURCE

KEPT = os.path.join(SOURCE, "tests", "fuzz", "seeds")


def readers():
    sources = glob.glob(os.path.join(SOURCE, "tests", "fuzz", "fuzz_*.c"))
    return sorted(os.path.basename(source)[len("fuzz_"):-len(".c")] for source in sources)


def kept(reader, folder):
    """The cases that are kept, in a folder, unpacked where they are large."""
    os.makedirs(folder, exist_ok=True)
    for name in sorted(glob.glob(os.path.join(KEPT, reader, "*"))):
        to = os.path.join(folder, os.path.basename(name))
        if name.endswith(".gz"):
            with gzip.open(name) as packed, open(to[:-3], "wb") as file:
                shutil.copyfileobj(packed, file)
        else:
            shutil.copy(name, to)
    if reader == "input":
        for name in glob.glob(os.path.join(SOURCE, "inputs", "*.yaml")):
            shutil.copy(name, folder)
    if reader == "result":
        make_results(folder)
    return sorted(os.path.join(folder, name) for name in os.listdir(folder))


def fill_result(file, numpy):
    with open(os.path.join(SOURCE, "src", "io", "result.h")) as header:
        version = int(re.search(r"DUN_RESULT_VERSION = (\d+)", header.read()).group(1))
    x = numpy.arange(20.).reshape(1, 10, 2)
    file.attrs["format_version"] = numpy.int64(version)
    file.attrs["identity"] = numpy.bytes_("0" * 16)
    for name, text in (("input", "run: {seed: 1}"), ("input_file", "a.yaml"), ("settings", ""),
                       ("labels", "x\ta\tb")):
        file["provenance/" + name] = numpy.bytes_(text)
    file["posterior/x"], file["sample_stats/lp"] = x, x[:, :, 0]
    for name in ("time", "ess"):
        file["trace/steps/" + name] = numpy.arange(3.)
        file["trace/steps/" + name].attrs["units"] = numpy.bytes_("s")


def fill_learned(file, numpy):
    group = file.create_group("learned/kernel")
    group.attrs["type"], group.attrs["dimension"] = numpy.bytes_("hmc"), numpy.int64(2)
    for name, values in (("log_step", [.1]), ("length", [3.]), ("scale", [1., 2.]), ("factor", []),
                         ("centre", [0., 0.])):
        group[name] = numpy.array(values)


def make_results(folder):
    """Old and new layouts: plain, packed, linked; a result; what a run has learned."""
    import h5py
    import numpy
    x = numpy.arange(20.).reshape(10, 2)
    for version in ("earliest", "latest"):
        def create(name):
            return h5py.File(os.path.join(folder, f"{name}_{version}"), "w", libver=version)
        with create("plain") as file:
            file["x"] = x
            file["x"].attrs["units"] = "m"
        with create("packed") as file:
            file.create_dataset("x", data=x, compression="gzip", chunks=(5, 2), shuffle=True,
                                fletcher32=True)
        with create("linked") as file:
            file["a/b/y"], file["x"] = x, h5py.SoftLink("/a/b/y")
            file["g"] = file["a"]
        with create("result") as file:
            fill_result(file, numpy)
        with create("learned") as file:
            fill_learned(file, numpy)

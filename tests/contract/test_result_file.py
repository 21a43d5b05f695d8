"""A result file opens in what people have: h5py, xarray with both engines, netCDF4, ncdump."""
import os
import subprocess
import tempfile

import h5py
import netCDF4
import numpy as np
import xarray

BUILD = os.environ["DUNLIN_BUILD"]
CHAINS, DRAWS, PARTICLES = 2, 300, 1000


def write_file(folder):
    """What tests/unit/test_result.c writes at two ranks."""
    path = os.path.join(folder, "result.h5")
    program = os.path.join(BUILD, "tests", "test_result")
    subprocess.run(
        ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", "2", "-x", "DUNLIN_KEEP", program,
         "round_trip"],
        env=dict(os.environ, DUNLIN_KEEP=path), check=True, timeout=120)
    return path


def expected(k):
    """Number k of theta: particle + chain / 4 + k / 16."""
    particle = np.arange(DRAWS) * PARTICLES // DRAWS
    return particle[None, :] + np.arange(CHAINS)[:, None] / 4 + k / 16


def check_xarray(path, engine):
    posterior = xarray.open_dataset(path, group="posterior", engine=engine)
    assert list(posterior.data_vars) == ["mu", "theta", "S"], list(posterior.data_vars)
    assert posterior.mu.dims == ("chain", "draw")
    assert posterior.S.dims == ("chain", "draw", "S_dim_0", "S_dim_1")
    assert posterior.S.shape == (CHAINS, DRAWS, 2, 3) and posterior.mu.dtype == np.float64
    assert np.array_equal(posterior.mu, expected(0))
    for k in range(3):
        assert np.array_equal(posterior.theta.sel(theta_dim_0=k), expected(1 + k))
    assert np.array_equal(posterior.S.sel(S_dim_0=1, S_dim_1=2), expected(9))
    assert np.array_equal(posterior.draw, np.arange(DRAWS)) and posterior.chain.dtype == np.int64
    assert posterior.attrs["inference_library"] == "dunlin" and posterior.attrs["created_at"]
    assert posterior.S.attrs["long_name"] == "a matrix"

    statistics = xarray.open_dataset(path, group="sample_stats", engine=engine)
    assert set(statistics.data_vars) == {"lp", "log_weight", "root", "speed", "mark"}
    assert np.array_equal(statistics.lp, -(expected(0) // 1) - np.arange(CHAINS)[:, None])
    assert statistics.root.dtype == np.int64 and statistics.mark.dtype == np.int8
    assert statistics.speed.dtype == np.float32

    steps = xarray.open_dataset(path, group="trace/steps", engine=engine)
    assert list(steps.coords) == ["step"] and list(steps.data_vars) == ["time", "ess"]
    assert steps.time.attrs == {"units": "s/s", "long_name": "The time t."}
    assert np.isnan(steps.ess[2]) and steps.ess[3] == 997
    assert xarray.open_dataset(path, group="trace/empty", engine=engine).sizes["look"] == 0

    provenance = xarray.open_dataset(path, group="provenance", engine=engine)
    text = provenance["input"].item()
    text = text.decode() if isinstance(text, bytes) else text
    assert text.startswith("run: {seed: 1}\n") and len(text) == 199999
    assert provenance.ranks.item() == 3 and provenance.seconds.item() == 1.5


def check_h5py(path):
    with h5py.File(path) as file:
        assert list(file) == ["posterior", "provenance", "sample_stats", "trace"]
        assert file.attrs["log_evidence"] == -2.5 and file.attrs["evaluations"] == 2**60
        assert file.attrs["identity"] == b"00000000000000ab" and file.attrs["format_version"] == 1
        assert "layout" not in file.attrs
        for group in "posterior", "sample_stats":
            for name, data in file[group].items():
                assert data.chunks is None and (data.ndim == 1 or all(len(d) for d in data.dims))


def check_netcdf(path):
    header = subprocess.run(["ncdump", "-h", path], check=True, stdout=subprocess.PIPE,
                            text=True).stdout
    assert "phony" not in header, header
    assert "double S(chain, draw, S_dim_0, S_dim_1) ;" in header, header
    with netCDF4.Dataset(path, "a") as file:  # others may add to it
        variable = file["posterior"].createVariable("twice", "f8", ("chain", "draw"))
        variable[:] = 2 * file["posterior"]["mu"][:]
    with netCDF4.Dataset(path) as file:
        assert np.array_equal(file["posterior"]["twice"][:], 2 * expected(0))


with tempfile.TemporaryDirectory() as temporary:
    result = write_file(temporary)
    check_h5py(result)
    for engine in "h5netcdf", "netcdf4":
        check_xarray(result, engine)
    check_netcdf(result)
print("ok")

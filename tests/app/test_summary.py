"""What the summary prints: names of features, digits that mean something, no word that says that
nothing is known as if it were a number."""
import os
import re
import sys

import xarray

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import Folder, compiled, dunlin, main, summary, write  # noqa: E402

INPUT = """\
run:    {seed: 3, particles: 200}
target: $target
path:   {type: geometric, base: {type: $base}}
kernel: {type: rwm}
method: {type: smc, moves_per_step: 2}
output: {file: out.h5}
"""

# Numbers that are hard to print: constant, all but constant, far from 0, huge.
SCALES = """\
#include <dunlin/target.h>
static double point(const void *self, const double *x, double *gradient)
{
  (void)self;
  if (gradient)
    gradient[0] = -x[0];
  return -.5 * x[0] * x[0];
}
static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  static const struct dun_parameter all[] = {{.name = "one"}, {.name = "third"}, {.name = "near"},
                                             {.name = "far"}, {.name = "huge"}};
  (void)self;
  for (int i = 0; i < 5 && i < capacity; i++)
    parameter[i] = all[i];
  return 5;
}
static void constrain(const void *self, const double *x, double *theta)
{
  (void)self;
  theta[0] = -1;
  theta[1] = -1. / 3;
  theta[2] = -1 + 1e-7 * x[0];
  theta[3] = 123456789 + x[0];
  theta[4] = 1e20 * x[0];
}
const struct dun_target dun_target_scales = {
    .type = {DUN_TYPE(struct dun_target), .name = "scales", .doc = "Of many scales."},
    .dimension = 1,
    .point = point,
    .parameters = parameters,
    .constrain = constrain,
};
"""
CHAINS = "{type: constant}\nkernel: {type: rwm}\nmethod: {type: langevin, warmup: 20, draws: $}\n"


def rows(said):
    """The lines of the parameters: name to the words behind it."""
    table = said[said.index("\nparameter"):said.index("\ncost")]
    return {line.split()[0]: line.split()[1:] for line in table.strip().split("\n")[1:] if line}


def check(folder, particles=200):
    dunlin("run", "input.yaml", "--quiet", "--overwrite", folder=folder)
    said = dunlin("summary", "out.h5", folder=folder).stdout
    plain = re.sub(r"^  nan .*$", "", said, flags=re.M)  # the verdict of that name
    assert not re.search(r"\bnan\b", plain), said
    found = rows(said)
    assert found["one"][:3] == ["-1", "±", "-"] and found["third"][:3] == ["-0.333333", "±", "-"]
    assert found["near"][0].startswith(("-0.99999", "-1.00000")), found["near"]
    low, high = found["near"][-9], found["near"][-3]
    assert float(low) < float(found["near"][0]) and low != high, found["near"]
    assert re.fullmatch(r"1234567(8[5-9]|9[0-3])\.\d+", found["far"][0]), found["far"]
    assert "e+" in found["huge"][0], found["huge"]
    for line in summary(os.path.join(folder, "out.h5"))["parameters"]:
        spread = {"one": 0, "third": 0, "near": 1e-7, "far": 1, "huge": 1e20}[line["name"]]
        assert .4 * spread <= line["deviation"] <= 1.7 * spread, line


def test_scales():
    with Folder() as folder:
        write(folder, "scales.c", SCALES)
        compiled(folder, "scales.so", "scales.c")
        target = INPUT.replace("$target", "{type: library, file: scales.so}")
        write(folder, "input.yaml", target.replace("$base", "gaussian, scale: 2"))
        check(folder)
        for draws in (50, 3):
            write(folder, "input.yaml", target[:target.index("{type: geometric")] +
                  CHAINS.replace("$", str(draws)) + "output: {file: out.h5}\n")
            check(folder)


def test_sentences_of_little():
    """A single particle, whose weights have no error: how many errors is unknown, not nan."""
    with Folder() as folder:
        changes = {"particles: 200": "particles: 1", "$target": "{type: gaussian, dimension: 2}",
                   "{type: $base}": "{type: gaussian, scale: 2}, schedule: {type: fixed, steps: 3}",
                   "{type: rwm}": "{type: ula, step_size: 0.1}"}
        text = INPUT
        for old, new in changes.items():
            text = text.replace(old, new)
        write(folder, "input.yaml", text)
        dunlin("run", "input.yaml", "--quiet", folder=folder)
        said = dunlin("summary", "out.h5", folder=folder).stdout
        assert "weighed moves" in said and "not known" in said, said
        assert not re.search(r"\bnan\b", re.sub(r"^  nan .*$", "", said, flags=re.M)), said


def test_names_of_features():
    """A header's names are coordinates of the posterior and stand in the summary."""
    names = ["mean radius", "größe", "a/b", "x" * 200]
    table = ",".join(names + ["y"]) + "\n1.5,2,3,0,0\n-.25,3,4,1,1\n4,-1,3.3,2,1\n2.5,.5,1,7,0\n"
    with Folder() as folder:
        file = os.path.join(folder, "out.h5")
        write(folder, "data.csv", table)
        write(folder, "input.yaml", INPUT.replace("$base", "prior").replace(
            "$target", "{type: logistic_regression, data: data.csv}"))
        dunlin("run", "input.yaml", "--quiet", folder=folder, ranks=2)
        for engine in ("netcdf4", "h5netcdf"):
            posterior = xarray.open_dataset(file, group="posterior", engine=engine)
            found = posterior.coefficients.coefficients_dim_0
            assert list(found.values) == names, found
            part = posterior.coefficients.sel(coefficients_dim_0="größe")
            assert (part == posterior.coefficients[:, :, 1]).all()
            posterior.close()
        said = [line["name"] for line in summary(file)["parameters"]]
        assert said[:4] == ["intercept"] + [f"coefficients[{name}]" for name in names[:3]], said
        assert said[4].startswith("coefficients[xxx") and said[4].endswith("...]"), said
        dunlin("run", "input.yaml", "--quiet", "--overwrite", "--set", "target.omit='größe, a/b'",
               folder=folder)
        posterior = xarray.open_dataset(file, group="posterior")
        assert list(posterior.coefficients_dim_0.values) == [names[0], names[3]]
        posterior.close()


def test_names_of_coordinates():
    """Of Gaussians and mixtures from files; without a header coordinates have numbers."""
    with Folder() as folder:
        file = os.path.join(folder, "out.h5")
        for target in ("{type: gaussian_mixture, file: data.csv}",
                       "{type: gaussian, dimension: 2, covariance: {type: dense, file: data.csv}}"):
            write(folder, "input.yaml", INPUT.replace("$base", "gaussian, scale: 3").replace(
                "$target", target))
            for header, names in (("u,v\n", ["u", "v"]), ("", [0, 1])):
                write(folder, "data.csv", header + "2,1\n1,3\n")
                dunlin("run", "input.yaml", "--quiet", "--overwrite", folder=folder)
                posterior = xarray.open_dataset(file, group="posterior")
                assert list(posterior.x_dim_0.values) == names
                posterior.close()
                assert [line["name"] for line in summary(file)["parameters"]] == [
                    f"x[{name}]" for name in names]


main()

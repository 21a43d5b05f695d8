"""Verdicts where a run tells little or nothing: none of them is good."""
import math
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import Folder, attributes, compiled, dunlin, main, summary, write  # noqa: E402

POPULATION = """
run:    {seed: 7, particles: 4096}
target: {type: gaussian_mixture, dimension: 2, layout: two_modes, separation: 3}
path:   {type: geometric, base: {type: gaussian, mean: 0, scale: 3}, schedule: {type: adaptive}}
kernel: {type: hmc}
method: {type: smc}
output: {file: result.h5}
"""
CHAINS = """
run:    {seed: 7, particles: 8}
target: {type: gaussian, dimension: 2}
path:   {type: constant, start: {scale: 1}}
kernel: {type: hmc}
method: {type: langevin, warmup: 300, draws: 1500}
output: {file: result.h5}
"""
ONE_CONSTANT = """
#include <dunlin/target.h>
static double point(const void *self, const double *x, double *gradient)
{
  (void)self;
  if (gradient)
    gradient[0] = -1e4 * x[0];
  return -5e3 * x[0] * x[0];
}
static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  (void)self;
  if (capacity > 0)
    parameter[0] = (struct dun_parameter){.name = "free"};
  if (capacity > 1)
    parameter[1] = (struct dun_parameter){.name = "fixed"};
  return 2;
}
static void constrain(const void *self, const double *x, double *theta)
{
  (void)self;
  theta[0] = x[0];
  theta[1] = VALUE;
}
const struct dun_target dun_target_one_constant = {
    .type = {DUN_TYPE(struct dun_target), .name = "one_constant", .doc = "Normal."},
    .dimension = 1,
    .point = point,
    .parameters = parameters,
    .constrain = constrain,
};
"""


def run(folder, text, *settings, ranks=None):
    """Levels of the verdicts by name, with the word for all of them under "", and the summary."""
    file, result = write(folder, "input.yaml", text), os.path.join(folder, "result.h5")
    words = [word for setting in settings for word in ("--set", setting)]
    dunlin("run", file, "--output", result, "--quiet", "--overwrite", *words, ranks=ranks)
    said = summary(result)
    levels = {verdict["name"]: verdict["level"] for verdict in said["verdicts"]}
    return {**levels, "": said["diagnosis"]}, said, attributes(result)


def check(text, expected, *settings, ranks=None):
    with Folder() as folder:
        levels, said, root = run(folder, text, *settings, ranks=ranks)
    for name, level in expected.items():
        assert levels.get(name) == level, f"{name or 'diagnosis'}: {levels}"
    return said, root


def test_what_is_good_stays_good():
    check(POPULATION, {"": "good", "evidence": "good", "autocorrelation": "good"})
    said, root = check(CHAINS, {"": "good", "mixing": "good", "effective draws": "good"}, ranks=2)
    assert math.isnan(root["log_evidence"]) and said["log_evidence"] is None


def test_one_particle():
    """It has no error: 0 would be a lie."""
    said, root = check(POPULATION, {"": "bad", "evidence": "bad", "autocorrelation": "doubtful"},
                       "run.particles=1")
    assert math.isnan(root["log_evidence_error"]) and math.isfinite(root["log_evidence"])
    assert all(line["mean_error"] is None for line in said["parameters"])


def test_one_particle_with_a_finish():
    _, root = check(POPULATION, {"": "bad", "fit": "bad"}, "run.particles=1",
                    "finish=[{type: fit_and_reweight}]")
    assert math.isnan(root["log_evidence_error"])


def test_few_particles():
    """Fewer than fill a tile, with weights that happen to be alike."""
    check(POPULATION, {"": "bad", "evidence": "bad"}, "run.particles=5", ranks=2)


def test_replicates_without_errors():
    said, _ = check(POPULATION, {"": "bad", "spread": "doubtful"}, "run.particles=1",
                    "run.replicates=3")
    assert all(line["mean_error"] is None for line in said["parameters"])


def test_one_chain():
    """Its halves agree, but there is nothing that it could have met."""
    check(CHAINS, {"": "doubtful", "mixing": "doubtful", "effective draws": "good"},
          "run.particles=1", "method.draws=8000")


def test_chains_that_stand_still():
    check(CHAINS, {"": "bad", "mixing": "bad", "acceptance": "bad"}, "run.particles=1",
          "kernel={type: rwm, step_size: 1e6}")


def test_too_few_draws():
    check(CHAINS, {"": "doubtful", "mixing": "doubtful"}, "method.draws=3")


def test_no_draws():
    check(CHAINS, {"": "doubtful", "start": "doubtful", "acceptance": "good"}, "method.draws=0")
    check(CHAINS, {"": "bad", "acceptance": "bad"}, "method.draws=0",
          "kernel={type: rwm, step_size: 1e6}")


def test_no_moves():
    check(CHAINS, {"": "bad", "start": "bad"}, "method.draws=0", "method.warmup=0")


def test_a_scalar_that_never_changes():
    """One number at all points is the target's; one that the chains' points alone have is not."""
    for value, level in (("1", "good"), ("x[0] > .5", "doubtful"), ("0. / 0.", "doubtful")):
        with Folder() as folder:
            compiled(folder, "one_constant.so",
                     write(folder, "mine.c", ONE_CONSTANT.replace("VALUE", value)))
            levels, said, _ = run(folder, CHAINS.replace("{type: gaussian, dimension: 2}",
                                                         "{type: library, file: one_constant.so}"))
        assert levels["constants"] == level and levels["mixing"] == "good", (value, levels)
        text = {verdict["name"]: verdict["text"] for verdict in said["verdicts"]}["constants"]
        assert "1 of 2" in text and "fixed" in text, text


RING = """
run:    {seed: 1, particles: 1000}
target: {type: ising_chain, dimension: 6, coupling: 1, field: 0.2}
method: {type: localization, observation: {type: erasure, order: sequential}, by: means}
output: {file: result.h5}
"""


def test_last_letters_for_themselves():
    """Drawn so they are not the target's, however right the steps before were."""
    for settings in (("method.observation={type: symmetric}", "method.last=.3"),
                     ("method.observation={type: erasure}", "method.last=.3"),
                     ("method.observation={type: half_space, planes: 3}",
                      "method.field={type: atoms}")):
        check(RING, {"": "doubtful", "steps": "good", "end": "doubtful"}, "method.by=draws",
              "method.final=mean", *settings)
        check(RING, {"": "good", "steps": "good"}, "method.by=draws", *settings)
    check(RING, {"": "good", "steps": "good"}, "method.final=mean")


def test_laws_of_letters_that_are_near():
    """One letter after the other makes no error by their laws, and some by message passing."""
    check(RING, {"": "good", "steps": "good"})
    check(RING, {"": "good", "steps": "good"}, "method.field={type: atoms}")
    check(RING, {"": "doubtful", "steps": "doubtful"}, "method.field={type: amp}")


main()

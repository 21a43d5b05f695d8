"""Samplers of diffusions that cannot be: programs, grids, processes and observations are refused
with a sentence that names the line and says what is wrong, and nothing is written; some of them on
three ranks."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import Folder, dunlin, main, write  # noqa: E402

INPUT = """run:    {seed: 3, particles: 256}
target: {TARGET}
method: {METHOD}
output: {file: out.h5}
"""
GAUSSIAN = "type: gaussian, dimension: 2"
FLOW = "type: flow, grid: {type: tuned}"

# Options of method psld, and words that the complaint must hold.
PSLD = {
    "program: O S B": ["program", "no reverse dynamics"],
    "program: O B S A": ["program", "B, operator 2, has no score yet"],
    "program: O S B Q": ["program", "column 7", 'no operator "Q"', "known are S O A B"],
    "program: S B/2 A S' B/3": ["program", "shares of B", "0.8333"],
    "program: S T S' D": ["program", "T stands at the end"],
    "grid: {type: given, times: [1, .5, .6]}": ["grid", "time 2 is 0.6"],
    "grid: {type: given, times: [1, .5, 0]}": ["grid", "last time is 0"],
    "process: {type: vp}": ["psld", "vp", "method flow"],
    "process: {type: psld, gamma: 1, nu: 1}": ["gamma", "nu", "differ"],
    "process: {type: psld, beta: [1, 2, 3]}": ["beta", "3"],
    "eta: [1, 2, 3]": ["eta", "3"],
    "program: rse, lambda_s: 2": ["lambda_s", "O or E"],
    "program: sscs, eta: 2": ["H is the exact flow"],
    "grid: {type: tuned, evaluations: 50}, lambda_s: 2": ["leave it out"],
    "grid: {type: tuned, evaluations: 50}, spectrum: 0": ["spectrum"],
    "grid: {type: tuned, evaluations: 50}, field: {type: monte_carlo}": ["monte_carlo", "spectrum"],
}

RING = "type: ising_chain, dimension: 6, closed: true"
GLASS = "type: sherrington_kirkpatrick, dimension: 6, beta: 1"
POTTS = "type: potts, graph: box, side: 2, coupling: 1"

TEXTURE = "type: coloured_texture, side: 4, colours: [[1], [-1]]"
ODD = "type: coloured_texture, side: 5, colours: [[1], [-1]]"
WINDOW = "field: {type: window}, final: mean"

# Targets and options of method localization, and words that the complaint must hold.
OBSERVED = {
    (RING, "{type: poisson}"): ["poisson", "reals from 0 on"],
    (GAUSSIAN, "{type: symmetric}, field: {type: atoms}"): ["symmetric", "not of reals"],
    (GAUSSIAN, "{type: erasure}"): ["erasure", "not of reals"],
    (POTTS, "{type: gaussian}, field: {type: atoms}"): ["gaussian", "symmetric or erasure"],
    (POTTS, "{type: symmetric}"): ["field exact", "potts", "no closed form"],
    (GLASS, "{type: symmetric}"): ["field exact", "no closed form"],
    (RING, "{type: gaussian, rate: [1, 2]}"): ["rate", "found 2", "1 or 6"],
    (RING, "{type: linear, matrix: [[1, 2]]}"): ["matrix", "rows of 2", "6"],
    (RING, "{type: half_space}"): ["half_space", "field exact", "take field atoms"],
    (RING, "{type: half_space, given: [[1, 2]]}, field: {type: atoms}"): ["given", "expected 7"],
    (RING, "{type: half_space}, by: means, field: {type: atoms}"): ["by: means", "half_space"],
    (RING, "{type: symmetric}, by: covariance"): ["by: covariance", "symmetric", "by: means"],
    (RING, "{type: half_space}, by: covariance, field: {type: atoms}"):
        ["by: covariance", "half_space"],
    (GAUSSIAN, "{type: gaussian}, by: covariance, schedule: {type: geom}, first: .1"):
        ["by: covariance", "standard"],
    (GAUSSIAN, "{type: gaussian}, by: covariance, field: {type: mcmc}, first: .1, final: mean"):
        ["by: covariance", "mcmc"],
    ("type: gaussian, dimension: 129", "{type: gaussian}, by: covariance"): ["129", "at most 128"],
    (RING, "{type: adapted}"): ["adapted", "of reals", "symmetric or erasure"],
    (TEXTURE, "{type: adapted}"):
        ["adapted", "field exact", "coloured_texture", "observation gaussian"],
    (GAUSSIAN, "{type: adapted}, field: {type: monte_carlo}, by: means, final: mean"):
        ["adapted", "field monte_carlo", "covariance"],
    ("type: gaussian, dimension: 129", "{type: adapted}"): ["adapted", "129", "at most 128"],
    (GAUSSIAN, "{type: adapted}, first: .1"): ["first", "gaussian alone"],
    (GAUSSIAN, "{type: adapted}, last: 8"): ["last", "adapted", "at most 7"],
    (GAUSSIAN, "{type: product, parts: [{type: gaussian}, {type: adapted}]}"):
        ["part 2", "adapted", "alone"],
    (RING, "{type: percolation, graph: given, edges: [[0, 1], [2, 3]]}, field: {type: atoms}"):
        ["no edges lead", "site 2"],
    (RING, "{type: percolation, graph: given, edges: [[0, 6]]}"): ["edges", "site 6", "0 to 5"],
    (RING, "{type: percolation, graph: given, edges: [[0, 1, 2]]}"): ["edges", "found 3"],
    (RING, "{type: product, parts: []}"): ["parts"],
    (RING, "{type: symmetric}, last: .999"): ["last", "0.999", "0.995"],
    (GAUSSIAN, "{type: gaussian}, field: {type: grid, half_width: 5}"): ["field grid", "flow"],
    ("type: ising_chain, dimension: 30", "{type: symmetric}, field: {type: atoms}"):
        ["field atoms", "1048576", "30 sites"],
    (GAUSSIAN, "{type: gaussian}, field: {type: atoms}"): ["field.points"],
    (GAUSSIAN, "{type: gaussian}, field: {type: mcmc}"): ["field mcmc", "give first"],
    (RING, "{type: gaussian}, field: {type: mcmc}, first: .1"): ["field mcmc", "of reals"],
    (RING, "{type: gaussian}, first: .1"): ["first", "spins and letters"],
    (GAUSSIAN, "{type: linear, matrix: [[1, 2], [2, 1]]}, field: {type: mcmc}, first: .1"):
        ["observation linear", "field atoms"],
    (GAUSSIAN, "{type: gaussian}, schedule: {type: geom}"): ["schedule", "geom", "give first"],
    (GAUSSIAN, "{type: gaussian}, schedule: {type: geom}, first: .1, by: draws"):
        ["by: draws", "standard"],
    (GAUSSIAN, "{type: gaussian}, schedule: {type: geom}, first: 1.5"): ["first", "1.5"],
    (GAUSSIAN, "{type: gaussian}, schedule: {type: geom}, first: .5, last: .3"):
        ["last", "0.3", "by the schedule"],
    (GAUSSIAN, "{type: gaussian}, first: 2, last: 1"): ["last", "above 2"],
    (GAUSSIAN, "{type: gaussian}, first: 200"): ["first", "200", "below 100"],
    (GAUSSIAN, "{type: gaussian}, first: .1, schedule: {sigma: 2, radius: 3}"): ["sigma", "radius"],
    (GAUSSIAN, "{type: gaussian}, first: .1, schedule: {radius: 0}"): ["radius", "both 0"],
    (GAUSSIAN, "{type: gaussian}, by: means, final: mean, first: .1, begin: {by: draws}, "
     "field: {type: monte_carlo}"): ["begin.by", "monte_carlo", "langevin"],
    (GAUSSIAN, "{type: gaussian}, field: {type: atoms, points: none.csv}"): ["none.csv"],
    (TEXTURE, f"{{type: gaussian}}, {WINDOW}"): ["field window", "observation linear"],
    (TEXTURE, f"{{type: linear, fourier: 1}}, {WINDOW}"): ["field window", "waves"],
    (TEXTURE, f"{{type: product, parts: [{{type: linear}}]}}, {WINDOW}"): ["field window"],
    (TEXTURE, "{type: linear}, field: {type: window}"): ["final: draw", "take final: mean"],
    (TEXTURE, "{type: linear}, field: {type: window}, by: draws"): ["cannot draw"],
    (TEXTURE, f"{{type: linear, channels: 3}}, {WINDOW}"): ["channels", "3", "divide", "16"],
    (TEXTURE, f"{{type: linear, channels: 2}}, {WINDOW}"): ["coloured_texture", "`channels`"],
    ("type: gaussian_mixture, means: [[1, 2]]", f"{{type: linear}}, {WINDOW}"):
        ["gaussian_mixture", "stationary"],
    ("type: phi4, side: 4, mass2: 1, coupling: 1", f"{{type: linear}}, {WINDOW}"):
        ["phi4", "no closed form"],
    (RING, f"{{type: linear}}, {WINDOW}"): ["ising_chain", "letters"],
    (TEXTURE, "{type: linear}, field: {type: window, radius: -1}"): ["radius"],
    ("type: gaussian_field, side: 80", "{type: linear}, field: {type: window, radius: 40}"):
        ["radius", "6400", "4000"],
    (ODD, f"{{type: linear, pyramid: 1}}, {WINDOW}"): ["pyramid", "2 x 2", "5 x 5"],
    (GAUSSIAN, "{type: linear, pyramid: 1}"): ["lattices of two axes"],
    (RING, "{type: linear, matrix: [[1, 0, 0, 0, 0, 0]], fourier: 1}"): ["lattices of two axes"],
    (RING, "{type: linear, matrix: [[1, 0, 0, 0, 0, 0]], file: none.csv}"): ["none.csv"],
    (RING, "{type: linear, pixels: no}"): ["found 0 functions"],
    (GAUSSIAN, "{type: gaussian}, first_step: 200"): ["first_step", "found 200", "100"],
    (GAUSSIAN, "{type: gaussian}, first_step: .1, steps: 1"): ["first_step", "1 steps"],
    (GAUSSIAN, "{type: gaussian}, keep: 300"): ["keep", "found 300", "256 particles"],
    ("type: gaussian, dimension: 400000", "{type: gaussian}, keep: 3, stride: 10, steps: 100"):
        ["keep", "found 3", "at most 0", "stride"],
    (RING, "{type: erasure}, first_step: .1"): ["first_step", "question by question"],
    (RING, "{type: gaussian}, field: {type: amp, distributed: yes}"):
        ["field amp", "ising_chain", "row by row"],
    (GLASS, "{type: gaussian}, field: {type: amp, distributed: yes}, keep: 2"):
        ["keep", "distributed", "all ranks together"],
    (GLASS, "{type: gaussian}, field: {type: amp, distributed: yes}, by: draws"): ["cannot draw"],
}


def refused(words, ranks=None, target=GAUSSIAN, method="type: psld"):
    text = INPUT.replace("TARGET", target).replace("METHOD", method)
    with Folder() as folder:
        write(folder, "input.yaml", text)
        done = dunlin("run", "input.yaml", code=2, ranks=ranks, timeout=60, folder=folder)
        for word in ["input.yaml:3", *words]:
            assert word in done.stderr, f"'{word}' is missing in:\n{done.stderr}"
        assert os.listdir(folder) == ["input.yaml"], os.listdir(folder)


def test_psld():
    for options, words in PSLD.items():
        refused(words, method=f"type: psld, {options}")


def test_rates_below_0():
    """Such a row of a file would be lost in silence, and so would it among others at once."""
    for seen in ("{type: poisson}", "{type: product, parts: [{type: gaussian}, {type: poisson}]}"):
        with Folder() as folder:
            write(folder, "rows.csv", "1,2\n0,3\n2,-1e-9\n")
            write(folder, "input.yaml", INPUT.replace("TARGET", GAUSSIAN).replace(
                "METHOD", f"type: localization, observation: {seen}, "
                "field: {type: atoms, points: rows.csv}"))
            done = dunlin("run", "input.yaml", code=2, timeout=60, folder=folder)
            assert "row 3" in done.stderr and "from 0 on" in done.stderr, done.stderr


def test_points_of_a_file_need_a_floor():
    """Else what is open of a particle comes to nothing, and its precision to no number."""
    with Folder() as folder:
        write(folder, "rows.csv", "1,2\n0,3\n")
        write(folder, "input.yaml", INPUT.replace("TARGET", GAUSSIAN).replace(
            "METHOD", "type: localization, observation: {type: adapted}, "
            "field: {type: atoms, points: rows.csv}"))
        done = dunlin("run", "input.yaml", code=2, timeout=60, folder=folder)
        assert "observation.floor" in done.stderr and "above 0" in done.stderr, done.stderr


def test_rows_of_a_file():
    """Their numbers and places, and that of two givers one is one too many."""
    wrong = {"1,2,3\n": ["rows.csv", "rows of 3", "2"], "1,2\n0,x\n": ["rows.csv:2", "x"],
             "1,2\n3\n": ["rows.csv:2"]}
    for text, words in wrong.items():
        for more in ("", ", matrix: [[1, 2]]"):
            with Folder() as folder:
                write(folder, "rows.csv", text)
                write(folder, "input.yaml", INPUT.replace("TARGET", GAUSSIAN).replace(
                    "METHOD", "type: localization, observation: {type: linear, file: rows.csv"
                    f"{more}}}, field: {{type: atoms}}"))
                done = dunlin("run", "input.yaml", code=2, timeout=60, folder=folder)
                for word in ["give one of them"] if more else words:
                    assert word in done.stderr, f"'{word}' is missing in:\n{done.stderr}"


def test_flow():
    refused(["tuned", "psld"], method=FLOW)
    refused(["field window", "method localization"], target=TEXTURE,
            method="type: flow, process: {type: isotropic}, field: {type: window}")


def test_memories_that_nobody_keeps():
    refused(["field mcmc", "method flow", "localization"],
            method="type: flow, field: {type: mcmc}")
    refused(["field mcmc", "method psld"], 3,
            method="type: psld, field: {type: mcmc}, grid: {type: quadratic, evaluations: 20}")


def test_observations():
    for (target, options), words in OBSERVED.items():
        refused(words, target=target, method=f"type: localization, observation: {options}")


def test_on_three_ranks():
    refused(["poisson"], 3, target=RING, method="type: localization, observation: {type: poisson}")
    refused(["grid.evaluations"], 3, method="type: psld, grid: {type: tuned}")
    refused(["field window"], 3, target=TEXTURE,
            method=f"type: localization, observation: {{type: gaussian}}, {WINDOW}")
    refused(["field exact", "funnel", "no closed form"], 3, target="type: funnel, dimension: 3")


if __name__ == "__main__":
    main()

"""Bases with a stated covariance, or with the moments of an earlier result: log Z of smc and of
tempering with them, the same bits at any number of ranks, and what is refused."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import SOURCE, Folder, compiled, dunlin, main, summary, write  # noqa: E402

NARROW = "{type: gaussian, dimension: 5, mean: 3, covariance: {type: toeplitz, correlation: 0.99}}"
INPUT = """
run:    {{seed: 4, particles: {particles}}}
target: {target}
path:   {{type: {path}}}
kernel: {{type: hmc}}
method: {{type: {method}}}
output: {{file: result.h5}}
"""
SMC = "smc"
LADDERS = "tempering, temperatures: 4, warmup: 100, draws: 200"
CHAINS = "langevin, warmup: 200, draws: 100"


def run(folder, base, target=NARROW, method=SMC, particles=1000, name="result.h5", **options):
    path = f"geometric, base: {base}" if base else "constant"
    file = write(folder, "input.yaml", INPUT.format(
        particles=particles, target=target, path=path, method=method))
    result = os.path.join(folder, name)
    done = dunlin("run", file, "--output", result, "--quiet", "--overwrite", **options)
    return done.stderr if options.get("code") else summary(result)


def check(said, most):
    """log Z is 0 (limit 5 errors), known to so much."""
    assert abs(said["log_evidence"]) < 5 * said["log_evidence_error"] < 5 * most, said
    assert said["diagnosis"] != "bad"


def test_earlier_result():
    with Folder() as folder:
        run(folder, None, method=CHAINS, particles=64, name="chains.h5")
        chains = os.path.join(folder, "chains.h5")
        hashes = set()
        for ranks in (None, 3):
            said = run(folder, f"{{type: points, file: {chains}}}", ranks=ranks)
            check(said, .1)
            hashes.add(said["population_hash"])
        assert len(hashes) == 1
        check(run(folder, f"{{type: points, file: {chains}, covariance: diagonal}}"), .3)
        check(run(folder, f"{{type: points, file: {chains}}}", method=LADDERS, particles=80), .3)
        wide = run(folder, "{type: gaussian, scale: 4}")
        assert said["steps"] < .5 * wide["steps"]
        assert said["log_evidence_error"] < .7 * wide["log_evidence_error"]


def test_earlier_result_of_constrained_parameters():
    with Folder() as folder:
        library = compiled(folder, "constrained.so", os.path.join(
            SOURCE, "tests", "user_target", "constrained.c"))
        target = f"{{type: library, file: {library}}}"
        run(folder, None, target, CHAINS, 64, "chains.h5")
        check(run(folder, f"{{type: points, file: {folder}/chains.h5}}", target), .2)


def test_stated_covariance():
    with Folder() as folder:
        matrix = [[.99 ** abs(i - j) for j in range(5)] for i in range(5)]
        said = run(folder, f"{{type: dense, mean: 3, matrix: {matrix}}}")
        check(said, .1)
        file = write(folder, "matrix.csv", "\n".join(",".join(map(repr, row)) for row in matrix))
        again = run(folder, f"{{type: dense, mean: 3, matrix_file: {file}}}")
        assert again["population_hash"] == said["population_hash"]
        exact = run(folder, f"{{type: dense, mean: 3, inflate: 1, matrix: {matrix}}}")
        assert abs(exact["log_evidence"]) < 1e-9, "the base is the target"


def test_wrong_ones():
    with Folder() as folder:
        good = [[1 if i == j else .1 for j in range(5)] for i in range(5)]
        skewed, negative, bare = ([list(row) for row in good] for _ in range(3))
        skewed[1][3], negative[2][2] = .2, -1
        bare = [[1] * 5 for _ in range(5)]
        few = write(folder, "few.csv", "1,2,3,4,5\n2,3,4,5,6\n")
        for base, words in (
                ("{type: dense}", "one was expected"),
                (f"{{type: dense, matrix: {good}, matrix_file: {few}}}", "one alone was expected"),
                (f"{{type: dense, matrix: {good[:4]}}}", "found 4 rows of 5 numbers"),
                (f"{{type: dense, matrix_file: {few}}}", "few.csv: found 2 rows"),
                (f"{{type: dense, matrix: {skewed}}}", "a covariance is symmetric"),
                (f"{{type: dense, matrix: {negative}}}", "entry [2][2] is -1"),
                (f"{{type: dense, matrix: {bare}}}", "not positive definite"),
                (f"{{type: points, file: {few}}}", "found 2 points"),
                ("{type: points}", "path.base.file"),
                (f"{{type: gaussian, scale: 1, matrix: {good}}}", "matrix")):
            said = run(folder, base, code=2)
            assert words in said, f"{words}\n{said}"


main()

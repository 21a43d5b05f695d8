"""A budget of evaluations: the run ends with a result that says what it is, and the same one at any
number of ranks and after any interruption."""
import math
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cases import ANNEALED, ON_GRID, case, differences, fingerprint  # noqa: E402
from support import Folder, attributes, column, dunlin, main, summary  # noqa: E402

CASES = {"mixture": "rwm", "chains": "rwm", "tempering": "rwm", "guided": "ula", "finished": "rwm",
         "carried": "rwm"}


def run(file, result, *more, **options):
    return dunlin("run", file, "--output", result, "--quiet", *more, **options)


def budget(count):
    return "--set", f"run.evaluations={int(count)}"


def verdict(said, name):
    return {one["name"]: one for one in said["verdicts"]}.get(name)


def shape(result):
    import h5py
    with h5py.File(result, "r") as file:
        return file["sample_stats"]["lp"].shape


def check(result, count, whole, name):
    kept, said = attributes(result), summary(result)
    told = verdict(said, "budget")
    assert kept["cut_short"] == 1 and said["cut_short"] is True and "cut short" in \
        dunlin("summary", result).stdout
    assert count <= kept["evaluations"] <= count + .3 * whole, (name, count, kept["evaluations"])
    assert told["level"] != "good" and kept["diagnosis"] != "good", told
    if "of the path" in told["text"]:
        assert told["level"] == "bad" and math.isnan(kept["log_evidence"]), told
    elif name == "mixture":
        assert kept["log_evidence"] < 10, told
    assert shape(result)[1] >= 1


def test_every_method_ends_with_a_result():
    for name, kernel in CASES.items():
        with Folder() as folder:
            path = ANNEALED if name == "carried" else ON_GRID
            file = case(folder, name, kernel=kernel, particles=200, path=path)
            whole, cut = os.path.join(folder, "whole.h5"), os.path.join(folder, "cut.h5")
            run(file, whole)
            total = attributes(whole)["evaluations"]
            assert attributes(whole)["cut_short"] == 0
            for part in (.02, .7):
                run(file, cut, "--overwrite", *budget(part * total))
                check(cut, int(part * total), total, name)
                assert not [name for name in os.listdir(folder)
                            if "checkpoint" in name or "part" in name]


def test_a_finish_that_has_begun_is_made_to_its_end():
    with Folder() as folder:
        file = case(folder, "finished", kernel="rwm", particles=200)
        whole, over = os.path.join(folder, "whole.h5"), os.path.join(folder, "over.h5")
        run(file, whole)
        total = attributes(whole)["evaluations"]
        run(file, over, *budget(total - 1))
        kept, told = attributes(over), verdict(summary(over), "budget")
        assert kept["cut_short"] == 0 and kept["evaluations"] == total
        assert kept["population_hash"] == attributes(whole)["population_hash"]
        assert told["level"] == "good" and "beyond run.evaluations" in told["text"], told


def test_the_same_result_at_other_ranks_and_after_a_stop():
    for name, kernel, part in (("chains", "hmc", .3), ("mixture", "hmc", .5)):
        with Folder() as folder:
            file = case(folder, name, kernel=kernel, particles=300)
            whole, one = os.path.join(folder, "whole.h5"), os.path.join(folder, "one.h5")
            two = os.path.join(folder, "two.h5")
            run(file, whole)
            total = attributes(whole)["evaluations"]
            run(file, one, *budget(part * total))
            run(file, two, *budget(part * total), "--stop-after", int(.4 * part * total), ranks=2,
                code=85)
            run(file, two, *budget(part * total), "--restart", ranks=3)
            wrong = differences(fingerprint(one), fingerprint(two))
            assert not wrong, "\n".join(wrong)
            run(file, two, *budget(part * total), "--restart")
            said = run(file, two, *budget(.9 * total), "--restart", code=2).stderr
            assert "no result of this input" in said, said


def test_chains_end_with_the_draws_that_they_have():
    """They are the first ones of a run without budget."""
    import h5py
    with Folder() as folder:
        file = case(folder, "chains", kernel="rwm", particles=20)
        whole, cut = os.path.join(folder, "whole.h5"), os.path.join(folder, "cut.h5")
        run(file, whole)
        total = attributes(whole)["evaluations"]
        run(file, cut, *budget(.35 * total), ranks=2)
        chains, draws = shape(cut)
        assert chains == 20 and 4 < draws < 50, (chains, draws)
        assert f"after {draws} of 50 draws" in verdict(summary(cut), "budget")["text"]
        with h5py.File(whole, "r") as one, h5py.File(cut, "r") as other:
            for group in ("posterior", "sample_stats"):
                for name in other[group]:
                    if other[group][name].shape[:2] == (chains, draws):
                        assert (one[group][name][:chains, :draws] == other[group][name][...]).all()
        run(file, cut, "--overwrite", *budget(.8 * total))
        assert shape(cut) == (20, 50)
        assert "after 1 of 2 replicates" in verdict(summary(cut), "budget")["text"]
        assert set(column(cut, "replicates", "replicate")) == {0}


if __name__ == "__main__":
    main()

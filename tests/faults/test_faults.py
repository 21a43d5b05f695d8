"""One call fails, or the run is killed there: a sample of all calls, with checkpoints after every
tick.  Every run ends, and what it leaves is the whole result or leads to it."""
from faults import Scene, all_of
from support import Folder, main


def sample(name, beginning, call, action, some, ranks=None, **words):
    calls, runs, outcomes = all_of(name, beginning, call, action, ranks, some,
                                   **(dict(path="/r.") if call != "memory" else {}), **words)
    print(f"{name} {beginning}: {call} {action}, {runs} of {calls} calls, exit codes {outcomes}")


def test_kills_of_a_new_run():
    sample("langevin", "fresh", "change", "kill", 5)


def test_kills_of_a_restart():
    sample("tempering", "restart", "change", "kill", 3)
    sample("smc", "restart", "change", "kill", 3)


def test_kills_at_renames():
    """The last of them gives the result its name."""
    sample("langevin", "restart", "rename", "kill", 8)


def test_kills_of_a_run_that_overwrites():
    sample("smc", "overwrite", "change", "kill", 4)


def test_kills_of_one_rank():
    sample("langevin", "restart", "change", "kill", 2, ranks=2)


def test_failures():
    sample("langevin", "fresh", "file", "EIO", 4)
    sample("smc", "restart", "file", "EMFILE", 4)
    sample("tempering", "overwrite", "file", "ENOSPC", 3)


def test_failures_of_one_rank():
    sample("langevin", "restart", "file", "EIO", 2, ranks=2)


def test_no_memory():
    sample("langevin", "restart", "memory", "ENOMEM", 4, caller="program")
    sample("langevin", "restart", "memory", "ENOMEM", 4, caller="hdf5")


def test_no_memory_on_one_rank_at_the_start():
    """Before the ranks have agreed on anything: the others do not wait for it."""
    with Folder() as folder:
        scene = Scene(folder, "langevin", "fresh")
        for number in (1, 2, 3):
            for rank in (0, 1):
                scene.disturb("memory", number, "ENOMEM", 2, rank=rank, caller="program")


main()

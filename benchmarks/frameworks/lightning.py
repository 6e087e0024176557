"""Lightning's Trainer with a RegularizationCallback, beside the same without."""

import logging
import warnings
from typing import Any

import lightning
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import LambdaCallback
from torch import nn
from torch.utils.data import DataLoader, RandomSampler, TensorDataset

from benchmarks.frameworks.overhead import Row
from benchmarks.frameworks.trainers import STEPS, Turns, batch, rows
from shrinkage.interop.lightning import RegularizationCallback


class Images(LightningModule):
    """A classifier and its optimiser."""

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        super().__init__()
        self.model, self._made = model, optimizer

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        return nn.functional.cross_entropy(self.model(batch[0]), batch[1])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return self._made


def train(turns: Turns, model: nn.Module, optimizer: torch.optim.Optimizer, penalty: Any) -> None:
    """Lightning's loop."""
    callbacks = [LambdaCallback(on_train_batch_start=turns.before_step, on_train_batch_end=turns.after_step)]
    if penalty is not None:
        callbacks.insert(0, RegularizationCallback(penalty))
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer = Trainer(
        accelerator="cpu", max_steps=STEPS, max_epochs=-1, enable_checkpointing=False, callbacks=callbacks, **quiet
    )
    data = TensorDataset(*batch())
    sampler = RandomSampler(data, replacement=True, num_samples=len(data) * STEPS)
    trainer.fit(Images(model, optimizer), DataLoader(data, batch_size=len(data), sampler=sampler))


def steps(repeats: int) -> tuple[str, list[Row]]:
    """What was measured, and a row an optimiser."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    return f"Lightning {lightning.__version__}, torch {torch.__version__}", rows(train, repeats)

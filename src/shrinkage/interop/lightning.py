"""Lightning: a callback that attaches rules to the trainer's optimiser, logs what they do, and resumes with it."""

from __future__ import annotations

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_info

from shrinkage.interop.attachment import Attachment, numbers
from shrinkage.nn import Regularizer
from shrinkage.nn.metrics import MetricFunction
from shrinkage.rules import Rules

__all__ = ["RegularizationCallback"]


class RegularizationCallback(Callback):
    """Minimise mean loss + Σ_rules Σ_w Ω(w) in ``Trainer.fit``, inside the steps of the trainer's optimiser.

    It attaches when training starts, and tells the table of the rules (``rank_zero_info``). At the trainer's
    ``log_every_n_steps`` it logs Σ Ω and the exact zeros as ``shrinkage/value`` and ``shrinkage/zeros``, which any
    logger and ``ModelCheckpoint(monitor=…)`` see. Its state is part of the trainer's checkpoints;
    ``fit(ckpt_path=…)`` goes on bit for bit, and the rules given now win over the file's. A fit without a
    checkpoint begins anew, as its optimiser does.

    Accumulated gradients, mixed precision, clipping and skipped steps are as in :func:`shrinkage.nn.regularize`:
    the penalty acts once a step, after clipping, at the right scale. For ``how="loss"`` add
    ``callback.regularizer.loss()`` to the loss in ``training_step``; with accumulation to each micro-batch's,
    because the trainer divides by their number.

    Args:
        rules: As in :func:`shrinkage.nn.regularize`; paths are those of the LightningModule. Or what ``regularize``
            returned, for an optimiser that ``configure_optimizers`` hands over: the way for ``how="gates"``.
        optimizer: Which of the module's optimisers, by its number; needed where there are several, with a callback
            for each.
        metric: As in ``regularize``.
        details: Whether to log each parameter's value, zeros, zero groups, violation and multiplier, too.

    Attributes:
        regularizer: The :class:`~shrinkage.nn.Regularizer`, from the start of training on; None before.

    Raises:
        TypeError: rules of another kind.
        ValueError: rules with ``how="gates"``; when training starts, what ``regularize`` raises, and several
            optimisers of which none is named.

    Example:
        >>> from shrinkage import L1, L2
        >>> callback = RegularizationCallback({"encoder": L1(1e-4), "head": L2(1e-3)})
        >>> trainer = Trainer(callbacks=[callback], logger=False, accelerator="cpu")
    """

    def __init__(
        self,
        rules: Rules | Regularizer,
        *,
        optimizer: int | None = None,
        metric: MetricFunction | None = None,
        details: bool = False,
    ) -> None:
        if optimizer is not None and (isinstance(optimizer, bool) or not isinstance(optimizer, int)):
            raise TypeError(f"optimizer must be the number of one of the module's optimisers; got {optimizer!r}.")
        self._attachment = Attachment(rules, metric)
        self._number = optimizer
        self._details = details
        self._saved: dict[str, Any] | None = None

    @property
    def regularizer(self) -> Regularizer | None:
        """What ``regularize`` returned."""
        return self._attachment.regularizer

    @property
    def state_key(self) -> str:
        """One for each optimiser."""
        key: str = self._generate_state_key(optimizer=self._number)
        return key

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Forget a state that was read for something else than this fit."""
        self._saved = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Attach: by now the checkpoint is loaded, and the optimisers are those that will step."""
        reg = self._attachment.to(trainer.model, self._chosen(trainer.optimizers), self._saved)
        rank_zero_info(str(reg))

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Log where the trainer is about to."""
        if self.regularizer is not None and trainer._logger_connector.should_update_logs:
            pl_module.log_dict(numbers(self.regularizer, self._details))

    def state_dict(self) -> dict[str, Any]:
        """The Regularizer's; nothing before training."""
        return {} if self.regularizer is None else self.regularizer.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep the state until the optimiser is there."""
        self._saved = state_dict

    def _chosen(self, optimizers: list[Any]) -> Any:
        if self._number is None and len(optimizers) != 1:
            raise ValueError(
                f"the module has {len(optimizers)} optimisers: say which by optimizer=0, 1, …, with a "
                "RegularizationCallback for each that is to be regularised."
            )
        number = self._number or 0
        if not 0 <= number < len(optimizers):
            raise ValueError(f"optimizer={number}: the module has {len(optimizers)} optimiser(s), counted from 0.")
        return optimizers[number]

"""Hugging Face's Trainer: a callback that attaches rules to its optimiser, logs what they do, resumes with it."""

from __future__ import annotations

import base64
import io
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_callback import ExportableState
from transformers.utils import logging

from shrinkage.interop.attachment import Attachment, numbers
from shrinkage.nn import Regularizer
from shrinkage.nn.metrics import MetricFunction
from shrinkage.rules import Rules

__all__ = ["RegularizationCallback"]

_LOGGER = logging.get_logger(__name__)


class RegularizationCallback(TrainerCallback, ExportableState):
    """Minimise mean loss + Σ_rules Σ_w Ω(w) in ``Trainer.train``, inside the steps of the trainer's optimiser.

    It attaches when training begins, and tells the table of the rules by transformers' logger, at level INFO. To
    each of the trainer's log entries with a loss it adds Σ Ω and the exact zeros as ``shrinkage/value`` and
    ``shrinkage/zeros``: in ``state.log_history``, and for the callbacks after this one. What ``report_to`` makes
    comes before it; hand such a callback over yourself, after this one, to have them there.

    Its state is part of the trainer's checkpoints (in ``trainer_state.json``);
    ``train(resume_from_checkpoint=…)`` goes on bit for bit, and the rules given now win over the file's.

    Accumulated gradients, mixed precision, clipping and skipped steps are as in :func:`shrinkage.nn.regularize`:
    the penalty acts once a step, after clipping, at the right scale.

    Args:
        rules: As in :func:`shrinkage.nn.regularize`; paths are those of the trainer's model, so that those of a
            peft model begin with ``base_model.model``. Or what ``regularize`` returned, for an optimiser that
            ``Trainer(optimizers=…)`` hands over: the way for ``how="gates"``.
        metric: As in ``regularize``.
        details: Whether to log each parameter's value, zeros, zero groups, violation and multiplier, too.

    Attributes:
        regularizer: The :class:`~shrinkage.nn.Regularizer`, from the start of training on; None before.

    Raises:
        TypeError: rules of another kind.
        ValueError: rules with ``how="gates"``; ``restore_callback_states_from_checkpoint=True``, under which the
            trainer would make this callback anew, without its rules; when training begins, what ``regularize``
            raises.

    Example:
        >>> from shrinkage import L1, L2
        >>> callback = RegularizationCallback({"encoder": L1(1e-4), "head": L2(1e-3)})
        >>> callback.regularizer is None  # until Trainer(…, callbacks=[callback]).train() begins
        True
    """

    def __init__(
        self, rules: Rules | Regularizer, *, metric: MetricFunction | None = None, details: bool = False
    ) -> None:
        self._attachment = Attachment(rules, metric)
        self._details = details

    @property
    def regularizer(self) -> Regularizer | None:
        """What ``regularize`` returned."""
        return self._attachment.regularizer

    def on_init_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Refuse the way of resuming that cannot carry rules."""
        if args.restore_callback_states_from_checkpoint:
            raise ValueError(
                "restore_callback_states_from_checkpoint=True makes callbacks anew from the file, which holds no "
                "rules: leave it False; this callback finds its state in the checkpoint by itself."
            )

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Attach: by now the checkpoint is loaded, and the optimiser is the one that will step."""
        resumed = state.stateful_callbacks.get(type(self).__name__) if state.global_step else None
        text = resumed["attributes"].get("regularizer") if resumed else None
        saved = None if text is None else _decoded(text)
        _LOGGER.info(str(self._attachment.to(kwargs["model"], kwargs["optimizer"], saved)))

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Add to the entries of training."""
        if self.regularizer is None or not logs or "loss" not in logs:
            return
        found = numbers(self.regularizer, self._details)
        logs.update(found)
        state.log_history[-1].update(found)

    def state(self) -> dict[str, Any]:
        """The Regularizer's, as JSON; nothing before training."""
        saved = {} if self.regularizer is None else {"regularizer": _encoded(self.regularizer.state_dict())}
        return {"args": {}, "attributes": saved}


def _encoded(state: dict[str, Any]) -> str:
    """The state as text: a JSON object of its own would lose the order of the rules, and has no tensors."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return base64.b64encode(buffer.getvalue()).decode()


def _decoded(text: str) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(io.BytesIO(base64.b64decode(text)), weights_only=True, map_location="cpu")
    return state

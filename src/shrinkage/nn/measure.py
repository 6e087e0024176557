"""An optimiser's metric during one step: what it needs of the state before the step is kept until after it."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch.optim import Optimizer

from shrinkage.nn.metrics import Metric, State

__all__ = ["Measure"]


class Measure:
    """The metric of each weight of an optimiser, for the proximal maps after its step."""

    def __init__(self, metric: Metric, optimizer: Optimizer) -> None:
        self.metric = metric
        self._optimizer = optimizer
        self._kept: dict[torch.Tensor, State] = {}

    @torch.no_grad()
    def keep(self, parameters: Iterable[torch.Tensor]) -> None:
        """Before the step: keep what the metric needs of these parameters' states as they are now."""
        if self.metric.before is None:
            return
        groups = {p: group for group in self._optimizer.param_groups for p in group["params"]}
        state = self._optimizer.state
        self._kept = {
            p: self.metric.before(p, groups[p], state.get(p, {}))
            for p in parameters
            if p.requires_grad and p in groups
        }

    def state_of(self, w: torch.Tensor) -> State:
        """After the step: the state of w, with what was kept in its place."""
        return {**self._optimizer.state[w], **self._kept.get(w, {})}

"""The Regularizer: rules enforced inside an optimiser's own step, through its hooks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.optim import Optimizer

from shrinkage.nn.checkpoint import check_state, rules_of
from shrinkage.nn.closures import once_gradients_are_there
from shrinkage.nn.critical import critical_cells
from shrinkage.nn.decay import decays
from shrinkage.nn.decoupled import decay_weights
from shrinkage.nn.dual_averaging import Average, average_gradients, averages, states
from shrinkage.nn.enforcement import Term, add_gradients, add_losses, apply_maps, skips
from shrinkage.nn.first_step import FirstStep
from shrinkage.nn.gates.gate import Gate
from shrinkage.nn.gates.gating import Gating
from shrinkage.nn.joint import project_jointly
from shrinkage.nn.lagrangian import Bound, ascend, bounds, multipliers_by_path
from shrinkage.nn.measure import Measure
from shrinkage.nn.metrics import Metric
from shrinkage.nn.padding import Row, keep_rows, restore_rows
from shrinkage.nn.parameters import padding_row
from shrinkage.nn.sharded import whole
from shrinkage.nn.summary import finite, summarize
from shrinkage.nn.support import freeze, hold_zeros, masks, with_masks
from shrinkage.rules import Choice, Folded, Summary, selection_table

__all__ = ["Regularizer"]


class Regularizer:
    """Penalties and constraints on a model's parameters, enforced inside ``optimizer.step()``.

    Made by :func:`~shrinkage.nn.regularize`. The optimiser's hooks keep it alive. ``print(reg)`` shows every
    parameter, what governs it and why.

    A step of the optimiser counts once, however many micro-batches' gradients it uses. A step that a GradScaler
    skips changes nothing; with a fused optimiser it still counts in ``steps``, because asking would wait for the
    device. A penalty's gradient is added after any clipping, and stays in ``p.grad`` until that is zeroed.

    Attributes:
        choices: For each parameter of the model the rule that governs it, and why.
        optimizer: The optimiser whose steps enforce the rules.
        steps: The number of steps made, which schedules are asked with.

    Example:
        >>> from shrinkage.nn import regularize
        >>> from shrinkage.penalties import L1
        >>> layer = torch.nn.Linear(2, 1, bias=False)
        >>> _ = torch.nn.init.constant_(layer.weight, 0.3)
        >>> optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
        >>> reg = regularize(layer, L1(0.5), optimizer)
        >>> layer(torch.tensor([[1.0, 0.0]])).backward()  # the gradient is (1, 0), the threshold 0.1·0.5
        >>> optimizer.step()
        >>> layer.weight.detach()
        tensor([[0.1500, 0.2500]])
        >>> print(reg.summary())
        after 1 steps
        parameter  penalty           form  value  gradient ratio  zeros
        ---------  ----------------  ----  -----  --------------  -----
        weight     L1(strength=0.5)  prox    0.2           0.707    0/2
        total                                0.2                    0/2
    """

    def __init__(
        self, choices: Sequence[Choice], optimizer: Optimizer, metric: Metric | None, gates: Mapping[str, Gate]
    ) -> None:
        self.choices = tuple(choices)
        self.optimizer = optimizer
        self.steps = 0
        self._measure = Measure(metric, optimizer) if metric else None
        self._gating = Gating(list(gates.values()))
        terms = [_term(c, gates) for c in choices if c.rule is not None]
        self._asks_for_loss = any(t.rule.form == "loss" for t in terms)
        self._given = tuple(terms)
        self._watched = False
        self._padding: list[Row] = []
        self._bounds: tuple[Bound, ...] = ()
        self._averages: tuple[Average, ...] = ()
        self._arrange(terms)
        self._hooks = (
            optimizer.register_step_pre_hook(self._before_step),
            optimizer.register_step_post_hook(self._after_step),
        )

    def _arrange(self, terms: Sequence[Term]) -> None:
        """Sort the terms by what enforces them."""
        self._terms = tuple(terms)
        acting = [t for t in terms if t.acts]
        self._in_loss = tuple(t for t in acting if t.rule.form == "loss")
        self._in_gradient = tuple(t for t in acting if t.rule.form == "gradient")
        self._decoupled = tuple(t for t in acting if t.rule.form == "decoupled")
        self._mapped = tuple(t for t in acting if t.rule.form in ("prox", "project") and not t.rule.joint)
        self._joint = tuple(t for t in acting if t.rule.joint and t.rule.form == "project")
        priced = [t for t in acting if t.rule.form == "lagrangian"]
        self._measured = (*self._mapped, *self._joint, *priced)
        self._bounds = bounds(priced, {b.path: b.multiplier for b in self._bounds})
        averaged = [t for t in acting if t.rule.form == "dual_averaging"]
        self._averages = averages(averaged, states(self._averages))
        self._frozen = tuple(t for t in terms if t.frozen is not None)
        rules = {id(t.rule): t.rule for t in acting if t.parameter.requires_grad}
        self._watch: FirstStep | None = None if self._watched else FirstStep(list(rules.values()))

    def loss(self) -> torch.Tensor:
        """Σ Ω(w) over the parameters of rules with ``how="loss"``, a 0-d tensor with its autograd graph.

        Add it to the loss of each step; with gradient accumulation, to one micro-batch of the step alone.

        Raises:
            ValueError: no rule has ``how="loss"``: the others act inside ``optimizer.step()`` by themselves.
        """
        if not self._asks_for_loss:
            raise ValueError(
                'no rule has how="loss", and the other forms act inside optimizer.step(): leave reg.loss() '
                'out, or give a rule how="loss".'
            )
        if self._watch:
            self._watch.loss_asked = True
        return add_losses(self._in_loss, self.steps)

    def summary(self, loss: float | torch.Tensor | None = None) -> Summary:
        """What each penalty is doing now: value, share of the loss, gradient ratio, zeros, violation, price.

        The gradient ratio sets the penalty's pull against ``parameter.grad`` as it is now: between ``backward()``
        and ``step()`` that is the loss's.

        Args:
            loss: The loss without penalties, for the share Ω/(loss + Σ Ω); without it the shares are NaN.

        Raises:
            ValueError: a loss that is not one finite number.
        """
        prices = multipliers_by_path(self._bounds) | self._gating.prices
        return summarize(self._terms, self.steps, math.nan if loss is None else finite(loss), prices)

    def freeze_zeros(self) -> int:
        """Hold every weight that a sparse penalty has set to 0 there, and lift that penalty: the relaxed fit.

        Rules with L0, L1, ElasticNet, groups, MCP, SCAD or a ball of these act no more, but for their bounds; the
        others go on. After each step a frozen zero is 0 again, whatever the gradient or old momentum made of it.
        The frozen zeros are part of ``state_dict()``. An average of weights (EMA, SWA) taken over steps before
        this one does not have them.

        Returns:
            The number of weights that are frozen.

        Raises:
            ValueError: no rule makes zeros, or none has made one yet.

        Example:
            >>> from shrinkage.nn import regularize
            >>> from shrinkage.penalties import L1
            >>> layer = torch.nn.Linear(2, 1, bias=False)
            >>> layer.weight.data = torch.tensor([[0.04, 0.3]])
            >>> optimizer = torch.optim.SGD(layer.parameters(), lr=0.1, momentum=0.5)
            >>> reg = regularize(layer, L1(0.5), optimizer)
            >>> def step():
            ...     optimizer.zero_grad()
            ...     layer(torch.tensor([[0.1, 1.0]])).square().sum().backward()
            ...     optimizer.step()
            >>> step()
            >>> reg.freeze_zeros()
            1
            >>> step()
            >>> layer.weight.detach()
            tensor([[0.0000, 0.0810]])
        """
        self._arrange(freeze(self._terms))
        return sum(int(whole(t.frozen).sum()) for t in self._frozen if t.frozen is not None)

    def fold(self) -> Folded:
        """Make plain weights of gated ones: w·z, exactly 0 where the gate is shut without noise.

        Under a target the open gates of the largest a are kept, at most as many as it says, and the others shut.
        The layers have the same parameters as before ``regularize``; the optimiser forgets the gates and keeps what
        it knows of the weights. The shut ones are frozen (:meth:`freeze_zeros`), in ``state_dict()`` too: of a
        folded model, load it here before the model's own and the optimiser's.

        Warns:
            UserWarning: a target that training has not met; a weight whose gates are all shut.

        Raises:
            ValueError: no gates, or another parametrisation over them.

        Example:
            >>> from shrinkage.nn import Rule, regularize
            >>> from shrinkage.penalties import L0
            >>> layer = torch.nn.Linear(4, 1)
            >>> rule = Rule("weight", L0(0.1), how="gates")
            >>> reg = regularize(layer, [rule], torch.optim.Adam(layer.parameters()))
            >>> reg.fold().kept  # of 4: nothing was trained
            4
        """
        shut, account = self._gating.fold(self.optimizer)
        self._arrange(with_masks(self._gating.live(self._terms), shut))
        return account

    def detach(self) -> None:
        """Remove the hooks: from now on the optimiser's steps are its own. The weights stay as they are."""
        for hook in self._hooks:
            hook.remove()

    def state_dict(self) -> dict[str, Any]:
        """The steps made, the rules (to know the model again), frozen zeros, multipliers and averages."""
        return {
            "steps": self.steps,
            "rules": rules_of(self._given),
            "frozen": masks(self._terms),
            "multipliers": {b.path: b.multiplier.clone() for b in self._bounds} | self._gating.multipliers(),
            "folded": self._gating.folded,
            "averages": states(self._averages),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from :meth:`state_dict`, bit for bit. The rules given to ``regularize`` win over the file's.

        Warns:
            UserWarning: the file was made under rules that differ.

        Raises:
            ValueError: the state of a model with other governed parameters, or of another kind.
        """
        check_state(state, self._given, stacklevel=2)
        self._gating.load(state, self.optimizer)
        self._arrange(with_masks(self._gating.live(self._given), state.get("frozen", {})))
        priced = [term for bound in self._bounds for term in bound.members]
        self._bounds = bounds(priced, state.get("multipliers", {}))
        self._averages = averages([a.term for a in self._averages], state.get("averages", {}))
        self.steps = state["steps"]

    def __str__(self) -> str:
        return self.table()

    def table(self, *, gradients: bool = False) -> str:
        """Every parameter of the model, what governs it, in which form and why; what was left out, and why.

        Args:
            gradients: Whether to add a column "critical": by the gradients that the parameters have now (run
                ``loss.backward()`` on a batch first, on the loss alone, unscaled), the least strength at which a
                parameter of zeros would be a solution. Useful strengths are mostly 0.001 to 0.1 of it. "×2"
                stands for twice the strengths given, where they are several.

        Raises:
            ValueError: gradients are asked for, and no governed parameter has one.
        """
        metric = self._measure.metric.name if self._measure and self._measured else ""
        kind = type(self.optimizer).__name__
        notes = decays(self.choices, self.optimizer) | self._gating.notes(self.optimizer)
        critical = critical_cells(self._terms) if gradients else None
        lines = [
            selection_table(self.choices, notes, critical),
            f"enforced inside {kind}.step()",
        ]
        return "\n".join([*lines, *([f"metric of prox and project: {metric}"] if metric else [])])

    def __repr__(self) -> str:
        return f"<Regularizer of {len(self._terms)} parameters in {type(self.optimizer).__name__}>"

    def _before_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> tuple[Any, Any] | None:
        """Add gradients and decay; with a closure, after it has run. ``args`` starts with the optimiser."""
        self._padding = keep_rows(self._terms)
        if self._measure is not None:
            self._measure.keep(term.parameter for term in self._measured)
        needed = self._in_gradient or self._decoupled or self._gating.gates
        return once_gradients_are_there(self._prepare, args, kwargs) if needed else None

    def _prepare(self) -> None:
        add_gradients(self._in_gradient, self.optimizer, self.steps, self._watch)
        decay_weights(self._decoupled, self.optimizer, self.steps, self._watch)
        self._gating.add_gradients(self.optimizer, self.steps, self._watch)

    def _after_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        """Map the weights, count the step; after the first that was made, say which rules did nothing."""
        if self._measure is not None:
            apply_maps(self._mapped, optimizer, self._measure, self.steps, self._watch)
            project_jointly(self._joint, optimizer, self._measure, self._watch)
            ascend(self._bounds, optimizer, self._measure, self._watch)
        average_gradients(self._averages, optimizer, self.steps, self._watch)
        self._gating.after_step(optimizer, self.steps)
        restore_rows(self._padding)
        hold_zeros(self._frozen)
        self.steps += 1
        if self._watch is None:
            return
        if skips(optimizer):
            self._watch.forget()
            return
        watch, self._watch, self._watched = self._watch, None, True
        watch.report()


def _term(choice: Choice, gates: Mapping[str, Gate]) -> Term:
    c, rule = choice.candidate, choice.rule
    assert rule is not None
    return Term(c.path, c.parameter, rule, padding=padding_row(c.module, c.paths), gate=gates.get(c.path))

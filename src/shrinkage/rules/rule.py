"""A rule: where, what, how and when."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from shrinkage.arrays import is_array
from shrinkage.penalties import (
    L0,
    L2,
    Box,
    Constraint,
    CountBall,
    ElasticNetBall,
    GroupL0,
    GroupL2Ball,
    L0Ball,
    L1Ball,
    L2Ball,
    Penalty,
)
from shrinkage.penalties.composite import terms_of
from shrinkage.rules.gates import Gates, objection_to_gates
from shrinkage.rules.scaled import Scaled
from shrinkage.rules.share import Share

__all__ = ["FORMS", "Rule", "Rules", "as_rules", "describe"]

FORMS = ("loss", "gradient", "decoupled", "prox", "project", "lagrangian", "dual_averaging", "gates")


_DUAL_STEPS = {"lagrangian": 0.01, "gates": 0.002}
_JOINT = (L0Ball, L1Ball, L2Ball, ElasticNetBall, Share)  # what reads no shape, or makes such a ball


@dataclass(frozen=True)
class Rule:
    """One penalty or constraint on the parameters that ``where`` picks: min mean loss + Σ_rules Σ_w Ω(w).

    Each parameter that the rule governs has its own term Ω(w), or its own constraint unless ``joint``.

    Args:
        where: A string is looked up as a module's path (its weights; neither its biases nor its norm layers),
            then as a parameter's path, then as a glob on parameters' paths, where ``*`` crosses dots; ``/``
            reads as ``.``. Or a module class, a module, a parameter, or a predicate (path, module, parameter)
            -> bool. Biases, norm layers and other vectors are left out unless named literally: ``"fc.bias"``,
            ``"*.bias"``, ``"bn1"``. The padding row of an embedding stays as it is.
        penalty: What: a :class:`~shrinkage.penalties.Penalty`, or a constraint such as ``L2.ball(3.0)`` or
            ``Share(0.1)``, at most a tenth of the weights.
        how: The form that enforces it; gradient for smooth penalties, prox for others and project for constraints
            where it is left out.
            ``"loss"``: the value is added to the loss, by the caller.
            ``"gradient"``: the same objective, added to the gradients before the optimiser's step; smooth
            penalties only.
            ``"decoupled"``: w ← (1 − lr·s)·w beside the step, as AdamW does; L2 only, and an objective of its
            own. Under plain SGD it is that of the gradient form; with momentum μ and dampening τ, that of the
            strength s·(1 − μ)/(1 − τ); under Adam no sum of loss and penalty (with exact gradients it tends to
            min loss subject to max|w| ≤ 1/s; Xie & Li, arXiv:2404.04454).
            ``"prox"``: the proximal map after the step, in the optimiser's metric; exact zeros.
            ``"project"``: a constraint's projection after the step, in the same metric.
            ``"lagrangian"``: the penalty of a ball's norm by a multiplier that finds its own size, so that the
            bound holds in the end, not at every step; the summary shows it. For balls of L1, L2 (of radius > 0),
            ElasticNet and GroupL2.
            ``"dual_averaging"``: instead of plain SGD's step, the proximal map of all gradients' weighted sum;
            convex penalties without a schedule. Its zeros stay at small batches, where those of ``"prox"`` flicker.
            ``"gates"``: each weight, or each group, is multiplied by a gate that is open or shut at random, with
            a probability that is learned (see :class:`Gates`). Ω is the expected L0 or GroupL0, plus the L2 of open
            gates' weights where there is one; a ball of a count bounds it by a multiplier, and
            ``Regularizer.fold`` makes plain weights of it that keep the bound.
        schedule: The strength's multiplier, a callable of the number of steps made so far (0, 1, …), such as
            :class:`~shrinkage.rules.WarmUp`, ``Cubic`` or ``Cosine``; default 1. For a ball by ``how="gates"``, of
            ``dual_step``: a network can learn what it needs before it pays for it.
        joint: Whether a ball of L0, L1, L2 or ElasticNet bounds all the parameters together that the rule governs
            and that take gradients, as if they were one vector; default: each for itself. With gates a ball of
            GroupL0, too.
        dual_step: By how much a multiplier rises in one step, > 0. For ``how="lagrangian"``, default 0.01, for a
            unit of norm above the radius; for a ball of k by ``how="gates"``, default 0.002, for √(k·n) of n gates
            above k.
        gates: Options of ``how="gates"``, which it goes with alone.

    Raises:
        TypeError: ``where``, ``penalty``, ``schedule``, ``joint``, ``dual_step`` or ``gates`` is of another kind.
        ValueError: ``how`` is unknown or cannot enforce this penalty; a schedule on a constraint; ``joint`` on
            anything but such a ball; a dual_step elsewhere or out of range; gates elsewhere.

    Example:
        >>> from shrinkage.penalties import L1, L2
        >>> Rule("fc1", L2(1e-3)).form, Rule("*.mlp.*.weight", L1(1e-5)).form, Rule("head", L2.ball(3.0)).form
        ('gradient', 'prox', 'project')
    """

    where: Any
    penalty: Penalty | Constraint
    how: str | None = field(default=None, kw_only=True)
    schedule: Callable[[int], float] | None = field(default=None, kw_only=True)
    joint: bool = field(default=False, kw_only=True)
    dual_step: float | None = field(default=None, kw_only=True)
    gates: Gates | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        _check_kinds(self)
        _check_options(self)
        objection = _objection(self.penalty, self.form)
        if objection:
            raise ValueError(f"how={self.form!r} cannot enforce {self.penalty}: {objection}.")

    @property
    def form(self) -> str:
        """``how``, or the default for the penalty."""
        if self.how is not None:
            return self.how
        if isinstance(self.penalty, Constraint):
            return "project"
        return "gradient" if self.penalty.traits.smooth else "prox"

    def dual_rate(self, step: int) -> float:
        """``dual_step``, or the default for the form, at one step of the schedule."""
        given = _DUAL_STEPS.get(self.form, 0.0) if self.dual_step is None else float(self.dual_step)
        return given if self.schedule is None else given * self._factor(step)

    @cached_property
    def terms(self) -> tuple[Any, ...]:
        """The penalty's summands; the penalty itself where it is no sum."""
        return terms_of(self.penalty)

    @cached_property
    def bounded(self) -> bool:
        """Whether Ω is infinite somewhere: a constraint, bounds, or a coefficient excluded by strength ∞."""
        return any(
            isinstance(term, Constraint | Box) or np.isinf(getattr(term, "strength", 0.0)).any()
            for term in self.terms
        )

    def at(self, step: Any) -> Any:
        """The penalty of one step, the schedule's multiplier included.

        ``step`` may be an array that a compiler traces; so is the multiplier then, and stays unchecked.

        Raises:
            ValueError: the schedule gave a negative or non-finite multiplier.
        """
        if self.schedule is None or isinstance(self.penalty, Constraint):
            return self.penalty
        factor = self._factor(step)
        return Scaled(self.penalty, factor) if is_array(factor) else self.penalty.at(factor)

    def _factor(self, step: Any) -> Any:
        """The schedule's multiplier, checked where it is a number."""
        assert self.schedule is not None
        factor: Any = self.schedule(step)
        if is_array(factor):
            if is_array(step):
                return factor
            factor = float(factor)
        if not isinstance(factor, int | float) or not 0 <= factor < math.inf:
            raise ValueError(
                f"the schedule of the rule on {describe(self.where)} must give a finite number ≥ 0; "
                f"at step {step} it gave {factor!r}."
            )
        return float(factor)


Rules = Penalty | Constraint | Mapping[Any, Penalty | Constraint] | Sequence[Rule]


def as_rules(rules: Any) -> list[Rule]:
    """The rules as a list, whichever way they were given: one penalty for all weights, a dict, a list.

    Raises:
        TypeError: none of these.
        ValueError: no rule at all.

    Example:
        >>> from shrinkage.penalties import L2
        >>> as_rules({"fc1": L2(0.5)}) == [Rule("fc1", L2(0.5))]
        True
    """
    if isinstance(rules, Penalty | Constraint):
        return [Rule("*", rules)]
    if isinstance(rules, Mapping):
        rules = [Rule(where, penalty) for where, penalty in rules.items()]
    if isinstance(rules, Rule) or not isinstance(rules, Sequence) or not all(isinstance(r, Rule) for r in rules):
        raise TypeError(
            f"rules must be a penalty, a dict {{where: penalty}} or a list of Rule; got "
            f"{type(rules).__name__} {rules!r}."
        )
    if not rules:
        raise ValueError("rules is empty: give a penalty, a dict {where: penalty} or a list of Rule.")
    return list(rules)


def describe(where: Any) -> str:
    """``where`` as a person wrote it, in one line."""
    if isinstance(where, str):
        return repr(where)
    if isinstance(where, type):
        return where.__name__
    name = getattr(where, "__name__", None)
    return f"predicate {name}" if name else f"a {type(where).__name__} object"


def _check_kinds(rule: Rule) -> None:
    """The fields' types, and ``how`` among the forms."""
    if not isinstance(rule.penalty, Penalty | Constraint):
        raise TypeError(
            f"penalty must be a penalty or a constraint such as L2(1e-3) or L2.ball(3.0); got {rule.penalty!r}."
        )
    if isinstance(rule.where, str) and not rule.where.strip("./ "):
        raise ValueError(f'where must name something; got {rule.where!r}: "*" means every weight.')
    if rule.where is None or isinstance(rule.where, int | float | list | tuple | dict | set):
        raise TypeError(
            "where must be a path or glob, a module class, a module, a parameter or a predicate; got "
            f"{rule.where!r}: write one Rule for each place."
        )
    if rule.how is not None and rule.how not in FORMS:
        raise ValueError(f"how must be one of {', '.join(map(repr, FORMS))}, or None; got {rule.how!r}.")
    if rule.schedule is None:
        return
    if not callable(rule.schedule):
        raise TypeError(f"schedule must be a callable of the step; got {rule.schedule!r}.")
    if isinstance(rule.penalty, Constraint) and rule.how != "gates":
        raise ValueError(f"schedule multiplies a strength, and {rule.penalty} has a radius: leave schedule out.")


def _check_options(rule: Rule) -> None:
    """``joint`` and ``dual_step``: their types, and that they fit the penalty and the form."""
    if not isinstance(rule.joint, bool):
        raise TypeError(f"joint must be True or False; got {rule.joint!r}.")
    joint = (*_JOINT, CountBall) if rule.how == "gates" else _JOINT
    if rule.joint and not isinstance(rule.penalty, joint):
        raise ValueError(
            f"joint=True is for balls of L0, L1, L2 and ElasticNet; got {rule.penalty}: a penalty is a sum over "
            "parameters already, and groups or rows belong to one parameter."
        )
    if rule.how == "dual_averaging" and rule.schedule is not None:
        raise ValueError('schedule does not go with how="dual_averaging", whose threshold is a sum over all steps.')
    _check_dual_step(rule)
    if rule.gates is not None and not isinstance(rule.gates, Gates):
        raise TypeError(f'gates must be Gates(…), the options of how="gates"; got {rule.gates!r}.')
    if rule.gates is not None and rule.how != "gates":
        raise ValueError(f'gates goes with how="gates" alone; got how={rule.how!r}.')


def _check_dual_step(rule: Rule) -> None:
    """Its type, its range, and that there is a multiplier for it."""
    if rule.dual_step is None:
        return
    if isinstance(rule.dual_step, bool) or not isinstance(rule.dual_step, int | float):
        raise TypeError(f"dual_step must be a number; got {rule.dual_step!r}.")
    priced = rule.how in _DUAL_STEPS and isinstance(rule.penalty, Constraint)
    if not 0 < rule.dual_step < math.inf or not priced:
        raise ValueError(
            'dual_step must be a finite number > 0, and goes with a ball by how="lagrangian" or "gates" alone; got '
            f"{rule.dual_step} with how={rule.how!r}."
        )


def _objection(penalty: Penalty | Constraint, form: str) -> str:
    """Why ``form`` cannot enforce ``penalty``; empty if it can."""
    if form == "gates":
        return objection_to_gates(penalty)
    if isinstance(penalty, Constraint):
        return _objection_to_constraint(penalty, form)
    if form in ("project", "lagrangian"):
        return 'it is a penalty, not a constraint: use how="prox", or a ball such as L1.ball(radius)'
    wrong, why = {
        "decoupled": (
            not (isinstance(penalty, L2) and np.isfinite(penalty.strength).all()),
            'decoupled decay is w ← (1 − lr·s)·w, so it is for L2 of finite strength alone: use how="prox"',
        ),
        "gradient": (not penalty.traits.smooth, 'it is not smooth; how="prox" handles its kinks exactly'),
        "loss": (
            any(isinstance(term, L0 | GroupL0 | Box | Constraint) for term in terms_of(penalty)),
            'its derivative is zero wherever it exists, so the loss would not feel it: use how="prox"',
        ),
        "dual_averaging": (
            not penalty.traits.convex,
            'it is not convex, and a step that grows with time would kill every weight: use how="prox"',
        ),
    }.get(form, (False, ""))
    return why if wrong else ""


def _objection_to_constraint(ball: Constraint, form: str) -> str:
    if form not in ("project", "lagrangian"):
        return 'a constraint is enforced by how="project"'
    if form == "lagrangian" and not isinstance(ball, L1Ball | L2Ball | ElasticNetBall | GroupL2Ball):
        return 'how="lagrangian" is for balls of L1, L2, ElasticNet and GroupL2: use how="project"'
    if form == "lagrangian" and ball.radius == 0:
        return 'a radius of 0 has no finite multiplier: use how="project"'
    return ""

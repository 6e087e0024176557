"""What a regulariser's checkpoint says of its rules: enough to know the model again and to tell what changed."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from shrinkage.nn.enforcement import Term

__all__ = ["check_state", "rules_of"]


def rules_of(terms: Sequence[Term]) -> dict[str, str]:
    """Path -> the rule, in words."""
    return {term.path: f"{term.rule.penalty} by {term.rule.form}" for term in terms}


def check_state(state: Mapping[str, Any], terms: Sequence[Term], stacklevel: int) -> None:
    """Refuse a state that belongs elsewhere; say where its rules are not the ones given now, which win.

    Raises:
        ValueError: the state of a model with other governed parameters, or of another kind.
    """
    steps, saved, here = state.get("steps"), state.get("rules"), rules_of(terms)
    if not isinstance(steps, int) or steps < 0 or not isinstance(saved, dict):
        raise ValueError(f"state must come from Regularizer.state_dict(); got the keys {sorted(state)}.")
    if list(saved) != list(here):
        odd = sorted(set(saved) ^ set(here)) or list(here)
        raise ValueError(f"state belongs to other rules or another model: they differ in {', '.join(odd[:4])}.")
    changed = [path for path in here if saved[path] != here[path]]
    if changed:
        path = changed[0]
        warnings.warn(
            f"the rules given to regularize() win over the checkpoint's, which differ on {len(changed)} "
            f"parameter(s): {path} had {saved[path]} and has {here[path]} now.",
            UserWarning,
            stacklevel=stacklevel + 1,
        )

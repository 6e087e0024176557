"""Rules with how="loss": regularizers of Keras's own kind, on the weights and in the layers' configurations.

On the weight a regularizer acts at once, and a shared layer counts once. In the layer's configuration it survives a
file and a clone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras.src.models import Functional

from shrinkage.interop.keras.penalties import as_regularizer
from shrinkage.rules import Candidate, Choice

__all__ = ["enter", "keeps", "leave"]

_CONTAINERS = (keras.Sequential, Functional, keras.layers.RNN)


def enter(choices: Sequence[Choice]) -> None:
    """Put each rule's penalty into the model's losses."""
    for choice in choices:
        assert choice.rule is not None
        _set(choice.candidate, as_regularizer(choice.rule.penalty))  # type: ignore[arg-type]


def leave(choices: Sequence[Choice]) -> None:
    """Take them out again."""
    for choice in choices:
        _set(choice.candidate, None)


def keeps(c: Candidate, model: keras.Model) -> bool:
    """Whether the files of a model hold the layer's configuration, and that its regularizer."""
    above = [owner for _, owner in c.owners if owner is not c.module]
    held = all(isinstance(owner, _CONTAINERS) for owner in (model, *above) if owner is not c.module)
    return held and bool(c.module.get_config().get(_attribute(c)))


def _set(c: Candidate, regularizer: Any) -> None:
    c.parameter.regularizer = regularizer
    if hasattr(c.module, _attribute(c)):
        setattr(c.module, _attribute(c), regularizer)


def _attribute(c: Candidate) -> str:
    """What the layer calls the regularizer of its kernel, its recurrent kernel, its embeddings …"""
    name = str(c.parameter.name)
    return f"{name if name == 'kernel' else name.removesuffix('_kernel')}_regularizer"

"""Regularisation of Keras models, on TensorFlow, torch and JAX.

``regularize`` governs a whole model by rules, ``as_regularizer`` and ``as_constraint`` make a layer's
``kernel_regularizer`` or ``kernel_constraint`` of one penalty or ball.
"""

from shrinkage.interop.keras.attach import attached, regularize
from shrinkage.interop.keras.constraints import Projection, as_constraint
from shrinkage.interop.keras.penalties import PenaltyRegularizer, as_penalty, as_regularizer
from shrinkage.interop.keras.regularizer import Regularizer
from shrinkage.rules import Rule

__all__ = [
    "PenaltyRegularizer",
    "Projection",
    "Regularizer",
    "Rule",
    "as_constraint",
    "as_penalty",
    "as_regularizer",
    "attached",
    "regularize",
]

"""The metrics of optimisers that divide by what a coordinate's gradients were, and how far each moves at most.

A *step* d is what one unit of gradient moves a weight at rest; where the gradients were zero it is lr/ε. A *reach*
bounds the optimiser's own move of a coordinate. At rest the proximal map undoes that move and no more, so a map
limited to the reach ends at the same solution, and a weight that has had no gradient yet is not wiped by lr/ε.
"""

from __future__ import annotations

from typing import Any

from shrinkage.arrays import Array, largest, namespace

__all__ = [
    "adadelta_reach",
    "adadelta_step",
    "adagrad_reach",
    "adagrad_step",
    "adam_reach",
    "adam_step",
    "adamax_reach",
    "adamax_step",
    "nadam_reach",
    "nadam_step",
    "radam_reach",
    "radam_step",
    "rmsprop_reach",
    "rmsprop_step",
]

_SLACK = 1.01  # over a bound that is reached, for rounding


def adam_step(lr: Any, second_moment: Array, count: Any, beta2: Any, eps: float) -> Array:
    """d = lr/(√(v/(1 − β₂ᵗ)) + ε), of v's shape, for Adam, AdamW and (with its running maximum as v) AMSGrad.

    Kingma & Ba, "Adam" (2015); ``count`` is t, the number of steps made, this one included.

    Example:
        >>> import numpy as np
        >>> adam_step(0.1, np.array([0.25]), 1, 0.75, 0.0)
        array([0.1])
    """
    return lr / ((second_moment / (1 - beta2**count)) ** 0.5 + eps)


def adam_reach(lr: Any, beta1: Any, beta2: Any) -> Any:
    """c·lr, c = 1.01·max(1, (1 − β₁)/√(1 − β₂)): a steady gradient moves a weight by lr, a lone one by the other.

    Example:
        >>> round(adam_reach(1.0, 0.9, 0.999), 3)
        3.194
    """
    return _SLACK * lr * largest(1.0, (1 - beta1) / (1 - beta2) ** 0.5)


def adamax_step(lr: Any, norm: Array) -> Array:
    """d = lr/u, of u's shape: u is the decaying maximum of |g| + ε. Kingma & Ba, "Adam" (2015), section 7.1.

    Example:
        >>> import numpy as np
        >>> adamax_step(0.1, np.array([0.5]))
        array([0.2])
    """
    return lr / norm


def adamax_reach(lr: Any, beta1: Any, beta2: Any) -> Any:
    """c·lr, c = 1.01·(1 − β₁)/(1 − β₁/β₂), from u ≥ β₂ᵏ·|g| for a gradient k steps ago; None unless β₁ < β₂.

    Example:
        >>> round(adamax_reach(1.0, 0.9, 0.999), 3)
        1.019
    """
    return _SLACK * lr * (1 - beta1) / (1 - beta1 / beta2) if beta1 < beta2 else None


def nadam_momentum(count: Any, beta1: Any, decay: float) -> Any:
    """μ_t = β₁·(1 − 0.96^(t·ψ)/2), NAdam's share of the past in step t. Dozat, "Nesterov into Adam" (2016)."""
    return beta1 * (1 - 0.5 * 0.96 ** (count * decay))


def nadam_step(
    lr: Any, second_moment: Array, count: Any, product: Any, *, betas: tuple[Any, Any], eps: float, decay: float
) -> Array:
    """d = lr·[(1 − μ_t)/(1 − Π) + μ_{t+1}·(1 − β₁ᵗ)/(1 − Π·μ_{t+1})]/(√(v/(1 − β₂ᵗ)) + ε), Π = μ₁⋯μ_t.

    Example:
        >>> import numpy as np
        >>> d = nadam_step(0.1, np.array([0.25]), 1, 0.5, betas=(1.0, 0.75), eps=0.0, decay=0.0)
        >>> d.round(9)  # μ = 1/2, and nothing has entered the past
        array([0.1])
    """
    return adam_step(nadam_rate(lr, count, product, betas[0], decay), second_moment, count, betas[1], eps)


def nadam_rate(lr: Any, count: Any, product: Any, beta1: Any, decay: float) -> Any:
    """lr·[(1 − μ_t)/(1 − Π) + μ_{t+1}·(1 − β₁ᵗ)/(1 − Π·μ_{t+1})], NAdam's learning rate at rest."""
    now, following = (nadam_momentum(t, beta1, decay) for t in (count, count + 1))
    return lr * ((1 - now) / (1 - product) + following * (1 - beta1**count) / (1 - product * following))


def nadam_reach(lr: Any, beta1: Any, beta2: Any) -> Any:
    """c·lr, c = 1.01·max(1, (1 − β₁²/2)/√(1 − β₂)): a lone gradient enters twice, (1 − μ) + μ·(1 − β₁), μ ≥ β₁/2.

    Example:
        >>> round(nadam_reach(1.0, 0.9, 0.999), 2)
        19.0
    """
    return _SLACK * lr * largest(1.0, (1 - beta1 * beta1 / 2) / (1 - beta2) ** 0.5)


def radam_step(lr: Any, second_moment: Array, count: Any, beta2: Any, eps: float) -> Array:
    """d = lr·r·√(1 − β₂ᵗ)/(√v + ε) with RAdam's rectification r, and lr while its ρ_t ≤ 5.

    Liu et al., "On the variance of the adaptive learning rate and beyond" (2020).

    Example:
        >>> import numpy as np
        >>> radam_step(0.1, np.array([4.0]), 5, 0.999, 0.0), radam_step(0.1, np.array([4.0]), 10**6, 0.999, 0.0)
        (array([0.1]), array([0.05]))
    """
    longest = 2 / (1 - beta2) - 1
    if longest <= 5:
        return lr + 0 * second_moment
    length = longest - 2 * count * beta2**count / (1 - beta2**count)
    adaptive = (length > 5) * 1.0  # a product instead of a branch: a count on a GPU is not read
    square = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
    factor = (adaptive * square * (1 - beta2**count)) ** 0.5
    return lr * ((1 - adaptive) + factor / (second_moment**0.5 + eps))


def radam_reach(lr: Any, beta1: Any, beta2: Any) -> Any:
    """Adam's, because r ≤ 1; None where ρ never exceeds 5 (β₂ ≤ 2/3) and lr itself stays the metric.

    Example:
        >>> radam_reach(1.0, 0.9, 0.999) == adam_reach(1.0, 0.9, 0.999), radam_reach(1.0, 0.9, 0.5)
        (True, None)
    """
    return adam_reach(lr, beta1, beta2) if 2 / (1 - beta2) - 1 > 5 else None


def rmsprop_step(lr: Any, second_moment: Array, eps: float, momentum: float = 0.0, mean: Any = None) -> Array:
    """d = lr/((1 − μ)·(√v + ε)); centred, with ``mean`` as ḡ, v − ḡ² in v's place.

    At rest v − ḡ² itself falls from step to step, and d grows. With momentum, which mixes the d of several steps,
    a lasso's objective was then met to 4e-6 and no better.

    Tieleman & Hinton, "RMSProp" (2012).

    Example:
        >>> import numpy as np
        >>> rmsprop_step(0.1, np.array([0.25]), 0.0, momentum=0.5)
        array([0.4])
    """
    if mean is not None:
        spread = second_moment - mean * mean
        second_moment = namespace(spread).where(spread > 0, spread, 0 * spread)
    return lr / (1 - momentum) / (second_moment**0.5 + eps)


def rmsprop_reach(lr: Any, alpha: float, momentum: float = 0.0, step: Any = 0.0, mean: Any = 0.0) -> Any:
    """c·lr, c = 1.01·max(1/(1 − μ), 1/√(1 − α)): what a steady gradient, or a lone one, moves.

    Centred, a steady gradient has no variance and moves a weight by d·|ḡ|, which is added, twice.

    Example:
        >>> round(rmsprop_reach(1.0, 0.99), 9), round(rmsprop_reach(1.0, 0.99, step=8.0, mean=-0.5), 9)
        (10.1, 18.1)
    """
    return _SLACK * lr * largest(1 / (1 - momentum), 1 / (1 - alpha) ** 0.5) + 2 * step * abs(mean)


def adagrad_step(lr: Any, total: Array, count: Any, lr_decay: float, eps: float) -> Array:
    """d = lr/(1 + (t − 1)·decay)/(√Σg² + ε), of the total's shape. Duchi, Hazan & Singer (2011).

    Example:
        >>> import numpy as np
        >>> adagrad_step(0.1, np.array([4.0]), 11, 0.1, 0.0)
        array([0.025])
    """
    return adagrad_rate(lr, count, lr_decay) / (total**0.5 + eps)


def adagrad_rate(lr: Any, count: Any, lr_decay: float) -> Any:
    """lr/(1 + (t − 1)·decay), Adagrad's learning rate in step t."""
    return lr / (1 + (count - 1) * lr_decay)


def adagrad_reach(lr: Any, count: Any, lr_decay: float) -> Any:
    """1.01·lr/(1 + (t − 1)·decay): a gradient is part of the total that it is divided by.

    Example:
        >>> adagrad_reach(1.0, 1, 0.5)
        1.01
    """
    return _SLACK * adagrad_rate(lr, count, lr_decay)


def adadelta_step(lr: Any, moves: Array, second_moment: Array, eps: float) -> Array:
    """d = lr·√(a + ε)/√(v + ε), a the mean square of the moves *before* the step. Zeiler, "Adadelta" (2012).

    Example:
        >>> import numpy as np
        >>> adadelta_step(1.0, np.array([0.25]), np.array([4.0]), 0.0)
        array([0.25])
    """
    return lr * (moves + eps) ** 0.5 / (second_moment + eps) ** 0.5


def adadelta_reach(lr: Any, moves: Array, rho: float, eps: float) -> Array:
    """1.01·lr·√(a + ε)/√(1 − ρ), a as above, because v ≥ (1 − ρ)·g².

    Example:
        >>> import numpy as np
        >>> adadelta_reach(1.0, np.array([0.25]), 0.75, 0.0)
        array([1.01])
    """
    return _SLACK * lr * (moves + eps) ** 0.5 / (1 - rho) ** 0.5

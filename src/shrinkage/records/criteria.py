"""Information criteria: how well a solution fits, less what its degrees of freedom cost.

    AIC = −2 log L + 2·df                                     Akaike (1974)
    BIC = −2 log L + df·log n                                 Schwarz (1978)
    EBIC = BIC + 2γ·log C(p, df)                              Chen & Chen (2008)

with the lasso's and ridge's effective degrees of freedom for df (Zou, Hastie & Tibshirani 2007). −2 log L is left
without the terms that the data alone fix, which are the same for every solution of a path. With ℓ the mean loss
(half the mean unit deviance):

    squared error    n·log(2ℓ), the noise variance at its most likely value; 2nℓ/σ² where σ² is given
    log loss, multinomial, Poisson    2nℓ
    gamma    2n·(αℓ + α + log Γ(α) − α·log α), the shape α at its most likely value: log α − ψ(α) = ℓ
"""

from __future__ import annotations

import math

import numpy as np

from shrinkage.records.record import Floats

__all__ = ["log_choose", "minus_two_log_likelihood"]

_NEWTON_STEPS = 60


def minus_two_log_likelihood(loss: str, n_samples: float, losses: Floats, noise_variance: float | None) -> Floats:
    """−2 log L of solutions with these mean losses, up to what the data alone fix; −∞ for a perfect fit.

    Raises:
        ValueError: a loss that no likelihood belongs to; a noise variance that is not positive, or given for
            another loss than the squared one.
    """
    if noise_variance is not None:
        if loss != "squared_error":
            raise ValueError(
                f"noise_variance belongs to the squared loss; this path's loss is {loss!r}: leave it out."
            )
        if not 0 < noise_variance < math.inf:
            raise ValueError(f"noise_variance must be a positive number; got {noise_variance!r}.")
        return np.asarray(2.0 * n_samples * losses / noise_variance)
    if loss == "squared_error":
        with np.errstate(divide="ignore"):
            return np.asarray(n_samples * np.log(2.0 * losses))
    if loss in ("log_loss", "multinomial", "poisson"):
        return np.asarray(2.0 * n_samples * losses)
    if loss == "gamma":
        return n_samples * _gamma(losses)
    raise ValueError(
        f"the loss {loss!r} has no likelihood whose scale could be estimated, so no information criterion: choose "
        "the strength by cross-validation."
    )


def _gamma(losses: Floats) -> Floats:
    """2·(αℓ + α + log Γ(α) − α log α) at its minimum over α."""
    from scipy.special import digamma, gammaln, polygamma  # a twentieth of a second: for this loss alone

    loss = np.maximum(losses, 1e-12)  # below it log α − ψ(α) is rounding; a perfect fit is told apart
    shape = 0.5 / loss + 1.0 / 6.0  # the root for small losses, below it for large ones
    for _ in range(_NEWTON_STEPS):  # in 1/α, in which the equation is nearly a line (Minka 2002)
        excess = np.log(shape) - digamma(shape) - loss
        step = excess / (shape**2 * (1.0 / shape - polygamma(1, shape)))
        shape = 1.0 / np.maximum(1.0 / shape + step, 0.5 / shape)
    value = shape * (loss + 1.0 - np.log(shape)) + gammaln(shape)
    return np.asarray(np.where(losses > 0, 2.0 * value, -np.inf))


def log_choose(size: int, chosen: Floats) -> Floats:
    """log C(size, chosen), also for effective degrees of freedom that are not whole numbers."""
    kept = np.clip(chosen, 0.0, size)
    whole = math.lgamma(size + 1.0)
    return np.array([whole - math.lgamma(k + 1.0) - math.lgamma(size - k + 1.0) for k in kept])

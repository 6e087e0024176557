"""Losses of a linear predictor: what a linear model is fitted to."""

from shrinkage.losses.base import Loss
from shrinkage.losses.gamma import Gamma
from shrinkage.losses.huber import Huber
from shrinkage.losses.log import LogLoss
from shrinkage.losses.multinomial import Multinomial
from shrinkage.losses.poisson import Poisson
from shrinkage.losses.squared import SquaredError

__all__ = ["LOSSES", "Gamma", "Huber", "LogLoss", "Loss", "Multinomial", "Poisson", "SquaredError"]

LOSSES: dict[str, type[Loss]] = {
    SquaredError.name: SquaredError,
    LogLoss.name: LogLoss,
    Poisson.name: Poisson,
    Gamma.name: Gamma,
    Huber.name: Huber,
}

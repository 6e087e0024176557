"""What it costs to penalise the biases: the same network, trained to the end with and without."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.optim import Adam

from shrinkage.cli.demo.arithmetic import conv_net
from shrinkage.cli.demo.screen import Screen
from shrinkage.cli.demo.training import Pictures, digits, half_squares, train

__all__ = ["Fit", "dimmed", "fit", "show"]

STRENGTHS = (0.01, 0.05, 0.15)


@dataclass(frozen=True)
class Fit:
    """A trained network on its own training data.

    Attributes:
        strength: s of the penalty.
        biases: Whether they were penalised too.
        loss: Mean cross-entropy, the penalty not counted.
        accuracy: Share of right answers.
        largest_bias: max |b|.
    """

    strength: float
    biases: bool
    loss: float
    accuracy: float
    largest_bias: float


def dimmed(count: int, seed: int) -> Pictures:
    """Digits of which one in five, at random, is shown at half its brightness: class 1."""
    data = digits()
    dim = torch.rand(count, generator=torch.Generator().manual_seed(seed)) < 0.2
    return Pictures(data.images[:count] * torch.where(dim, 0.5, 1.0).reshape(-1, 1, 1, 1), dim.long())


def fit(data: Pictures, strength: float, *, biases: bool, seed: int, epochs: int = 400) -> Fit:
    """Train with the loop over the weights, or over all trainable variables."""
    net = conv_net(2, seed)
    penalised = [p for p in net.parameters() if biases or p.ndim > 1]
    optimizer = Adam(net.parameters(), lr=0.01)
    train(
        net, data, optimizer,
        epochs=epochs, batch=len(data), seed=seed, added=lambda: half_squares(penalised, strength),
    )  # fmt: skip
    largest = max(float(p.detach().abs().max()) for p in net.parameters() if p.ndim == 1)
    return Fit(strength, biases, float(data.loss(net).detach()), data.accuracy(net), largest)


def show(screen: Screen, seed: int) -> None:
    """Both loops at three strengths."""
    data = dimmed(400, seed)
    share = 1.0 - float(data.labels.double().mean())
    screen.say(
        "Does s·b matter? A bias sets a threshold, and takes part in no overfitting. Task: one digit in five is "
        "shown at half its brightness; say which. Without biases this network could not (a dimmer picture would "
        f"only scale its answers); answering 'bright' always is right in {share:.1%}. Same first weights, same 400 "
        "pictures, trained to the end; figures on these training pictures."
    )
    fits = [fit(data, s, biases=biases, seed=seed) for s in STRENGTHS for biases in (False, True)]
    screen.table(
        ["strength s", "loop over", "training loss", "training accuracy", "largest |b|"],
        [
            [
                f"{f.strength:g}" if not f.biases else "",
                "all variables" if f.biases else "weights",
                f"{f.loss:.4f}",
                f"{f.accuracy:.1%}",
                f"{f.largest_bias:.2f}",
            ]
            for f in fits
        ],
        right=(2, 3, 4),
    )
    weights, everything = fits[-2:]
    screen.notice(
        f"The stronger s, the more it costs to hold the biases down: at {weights.strength:g} the training loss is "
        f"{everything.loss:.3f} instead of {weights.loss:.3f}, the accuracy {everything.accuracy:.1%} instead of "
        f"{weights.accuracy:.1%}. That is underfitting, and why a rule on a layer leaves its biases out unless "
        "you name them."
    )

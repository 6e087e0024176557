"""The demonstration from beginning to end."""

from __future__ import annotations

import time
from pathlib import Path

import shrinkage
from shrinkage.cli.demo import arithmetic, biases, digits, pictures, polynomial
from shrinkage.cli.demo.screen import Screen
from shrinkage.cli.demo.training import one_thread

__all__ = ["run"]


def run(out: Path, seed: int) -> None:
    """Show all three parts, and write the pictures into ``out``."""
    start = time.perf_counter()
    screen = Screen()
    screen.say(f"shrinkage {shrinkage.__version__}: mean loss + penalties, one meaning of strength. Seed {seed}.")
    with one_thread():
        screen.heading("a  One penalty, one meaning of strength")
        arithmetic.show(screen, seed)
        biases.show(screen, seed)

        screen.heading("b  Polynomial regression: what, and how strongly")
        data = polynomial.split(seed)
        results = polynomial.compare(data)
        polynomial.show(screen, data, results)

        screen.heading("c  A convolutional network: another rule for each layer")
        halves = digits.split(seed)
        free, prox, in_loss = (
            digits.learn(halves, given, seed=seed) for given in (None, digits.rules("prox"), digits.rules("loss"))
        )
        digits.show(screen, free, prox, in_loss)

        screen.heading("Pictures")
        files = pictures.draw(next(r for r in results if r.name == "L1"), out)
    screen.say("\n".join(map(str, files)))
    screen.notice(
        "The first shows the lasso's coefficients as its strength falls, and the strengths chosen. The second "
        "shows why L1 rests at exactly 0 and L2 only comes near: at 0 the slope of |w| is every number between "
        "−1 and 1, enough to hold against a weak pull of the loss; the slope of w² fades to nothing there."
    )
    screen.say(f"Done in {time.perf_counter() - start:.0f} seconds.")

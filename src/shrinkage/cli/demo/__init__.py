"""The demonstration: each file computes one part's plain data through the library, then shows it."""

from shrinkage.cli.demo.tour import run

__all__ = ["run"]

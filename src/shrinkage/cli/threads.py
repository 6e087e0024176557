"""How many threads a command works with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["one_thread"]


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for linear algebra: sums in one order give the same figures on every run."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        yield

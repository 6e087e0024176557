"""Tasks one after another or side by side, with a progress bar for who watches."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

__all__ = ["in_turns", "threads"]

_T = TypeVar("_T")


def in_turns(tasks: Sequence[Callable[[], _T]], n_jobs: int | None = None, verbose: int = 0) -> list[_T]:
    """The tasks' results in order.

    Args:
        tasks: Functions of nothing. They run in threads: what takes their time leaves the interpreter free.
        n_jobs: How many at once, as joblib understands it; None is 1.
        verbose: Above 0, a progress bar on standard error where that is a terminal and rich is installed.
    """
    count = threads(n_jobs)
    if count == 1:
        return [task() for task in _watched(tasks, len(tasks), verbose)]
    from joblib import Parallel, delayed

    run = Parallel(n_jobs=count, prefer="threads", return_as="generator")
    return list(_watched(run(delayed(task)() for task in tasks), len(tasks), verbose))


def _watched(things: Any, total: int, verbose: int) -> Any:
    """``things`` as they are, counted on a terminal."""
    if not verbose or not sys.stderr.isatty() or importlib.util.find_spec("rich") is None:
        return things
    from rich.console import Console
    from rich.progress import track

    return track(things, "folds", total=total, console=Console(stderr=True), transient=True)


def threads(n_jobs: int | None) -> int:
    """How many threads ``n_jobs`` asks for, as joblib understands it; None is 1.

    Raises:
        TypeError: not an integer.
    """
    if n_jobs is None:
        return 1
    if isinstance(n_jobs, bool) or not isinstance(n_jobs, int | np.integer):
        raise TypeError(f"n_jobs must be an integer, the number of threads, or None; got {n_jobs!r}.")
    from joblib import effective_n_jobs

    return int(effective_n_jobs(n_jobs))

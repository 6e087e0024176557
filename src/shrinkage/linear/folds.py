"""Which rows each fold holds out: a number of folds, fold ids, (train, test) pairs, a splitter, or each row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Splits", "splits_of"]

Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Splits:
    """Rows held out and rows to train on, fold by fold.

    Attributes:
        held: The rows that each fold holds out.
        others: The rows that each fold trains on; None where each row is held out once and trains in all other
            folds, so that training rows are what is left.
        count: Number of rows.
        one_by_one: Whether each row that counts is a fold because ``cv="loo"`` says so.
    """

    held: list[Rows]
    others: list[Rows] | None
    count: int
    one_by_one: bool = False

    @property
    def is_partition(self) -> bool:
        """Whether each row is held out by one fold and trains in all the others."""
        return self.others is None

    def training(self, fold: int) -> Rows:
        """The rows that ``fold`` trains on."""
        if self.others is not None:
            return self.others[fold]
        trains = np.ones(self.count, dtype=bool)
        trains[self.held[fold]] = False
        return np.flatnonzero(trains)


def splits_of(
    cv: Any, X: Any, y: NDArray[Any], groups: Any = None, stratify: bool = False, *, weights: Any = None
) -> Splits:
    """The folds that ``cv`` asks for.

    Args:
        cv: A number of folds (of consecutive rows), fold ids (an integer a row; −1 for rows that are never held
            out), a splitter, (train, test) pairs, or "loo" for each row by itself; None is 5. Or
            the folds themselves.
        X: The rows, for splitters that look at them.
        y: Shape (n,) or (n, K).
        groups: Shape (n,), for splitters that keep groups of rows together.
        stratify: Whether a number of folds keeps the classes' shares.
        weights: Sample weights, shape (n,), or None; "loo" holds out the rows that have some.

    Raises:
        ValueError: another name than "loo", or fewer than two rows for it; fold ids of another length, or fewer
            than two folds in them; no folds, a fold without rows to train on or to hold out, rows that do not
            exist; what a splitter refuses.
    """
    count = len(y)
    if isinstance(cv, Splits):
        return cv
    if isinstance(cv, str):
        return _one_by_one(cv, count, weights)
    from sklearn.model_selection import KFold, PredefinedSplit, check_cv

    splitter = PredefinedSplit(_checked_ids(cv, count)) if _are_ids(cv) else check_cv(cv, y, classifier=stratify)
    if type(splitter) is KFold and not splitter.shuffle and splitter.n_splits <= count:
        # Consecutive rows; its split() would make an index of the training rows for every fold.
        return Splits(np.array_split(np.arange(count), splitter.n_splits), None, count)
    pairs = splitter.split(X, y, groups)
    splits = [(np.asarray(train, dtype=np.intp), np.asarray(test, dtype=np.intp)) for train, test in pairs]
    _check_pairs(splits, count)
    held, others = [test for _, test in splits], [train for train, _ in splits]
    return Splits(held, None if _is_partition(splits, count) else others, count)


def _one_by_one(cv: str, count: int, weights: Any) -> Splits:
    if cv != "loo":
        raise ValueError(
            f"cv must be a number of folds, fold ids, a splitter, (train, test) pairs or 'loo'; got {cv!r}."
        )
    rows = np.arange(count) if weights is None else np.flatnonzero(weights)
    if len(rows) < 2:
        raise ValueError(f"cv='loo' leaves out each row that counts, and needs at least 2 such; got {len(rows)}.")
    return Splits(list(rows[:, None]), None, count, True)


def _are_ids(cv: Any) -> bool:
    """Whether ``cv`` is one integer a row rather than an iterable of pairs of index arrays."""
    if isinstance(cv, list | tuple):
        return len(cv) > 0 and all(isinstance(item, int | np.integer) for item in cv)
    return getattr(cv, "ndim", 0) == 1 and getattr(getattr(cv, "dtype", None), "kind", "O") in "iu"


def _checked_ids(cv: Any, count: int) -> NDArray[np.intp]:
    ids = np.asarray(cv, dtype=np.intp)
    if len(ids) != count:
        raise ValueError(f"cv holds {len(ids)} fold ids but there are {count} rows: give one a row.")
    if len(np.unique(ids[ids != -1])) < 2:
        raise ValueError("cv holds the ids of fewer than two folds: cross-validation needs at least two.")
    return ids


def _check_pairs(splits: list[tuple[Rows, Rows]], count: int) -> None:
    if not splits:
        raise ValueError("cv gives no folds: give at least one (train, test) pair, or a number of folds.")
    for i, pair in enumerate(splits):
        for rows, what in zip(pair, ("to train on", "held out"), strict=True):
            if not len(rows):
                raise ValueError(f"fold {i} of cv has no rows {what}: leave it out, or ask for fewer folds.")
            if rows.min() < 0 or rows.max() >= count:
                bad = rows.min() if rows.min() < 0 else rows.max()
                raise ValueError(f"fold {i} of cv has row {bad} among those {what}, but rows are 0 to {count - 1}.")


def _is_partition(splits: list[tuple[Rows, Rows]], count: int) -> bool:
    """Whether each row is held out by one fold and trains in all the others."""
    if len(splits) < 2 or any(len(train) + len(test) != count for train, test in splits):
        return False
    held = np.zeros(count, dtype=bool)
    for train, test in splits:
        trains = np.zeros(count, dtype=bool)
        trains[train] = True
        if held[test].any() or trains[test].any() or np.count_nonzero(trains) != len(train):
            return False
        held[test] = True
    return bool(held.all())

"""The rows of the regression benchmark: data, work, gap to reach, target."""

from dataclasses import dataclass, field
from typing import Any

__all__ = ["ROWS", "Row"]


@dataclass(frozen=True)
class Row:
    """One line.

    Attributes:
        title: What it says in the table; ``--rows`` looks here.
        data: A function of ``benchmarks.problems`` and
        size: its arguments.
        job: A function of ``benchmarks.ours`` and of the peers' files.
        count: How many strengths, from
        first: this multiple of the critical strength, to
        last: this one.
        gap: The relative gap to reach.
        target: A ratio to the fastest peer, or seconds.
        loss: The loss.
        options: More of the job.
        certified: Whether a gap can be recomputed from the coefficients.
    """

    title: str
    data: str
    size: tuple[Any, ...]
    job: str
    target: str
    count: int = 100
    first: float = 1.0
    last: float = 1e-3
    gap: float = 1e-6
    loss: str = "squared_error"
    options: dict[str, Any] = field(default_factory=dict)
    certified: bool = True


_TALL, _TALLER = (10_000, 200, 20), (100_000, 100, 10)
_WIDE, _WIDER = (500, 10_000, 100), (200, 50_000, 40)
_SPARSE = (20_000, 100_000, 1e-3, 200)
_SINGLE = {"count": 1, "first": 1e-2, "last": 1e-2}
_RATIO = {"options": {"l1_ratio": 0.5}}
_FOLDS = {"folds": 10, "min_ratio": 1e-3}
_LOGISTIC = {"loss": "log_loss", "last": 1e-2}

ROWS = (
    Row("lasso path 10,000 x 200", "gaussian", _TALL, "lasso_path", "0.65"),
    Row("lasso path 100,000 x 100", "gaussian", _TALLER, "lasso_path", "0.8"),
    Row("lasso path 500 x 10,000 to 1e-2", "gaussian", _WIDE, "lasso_path", "0.12 (0.3 s)", last=1e-2),
    Row("lasso path 500 x 10,000 to 1e-3", "gaussian", _WIDE, "lasso_path", "0.5 s"),
    Row("lasso path 200 x 50,000 to 1e-2", "gaussian", _WIDER, "lasso_path", "0.3 s", last=1e-2),
    Row("lasso path 500 x 10,000 to 1e-2, 1e-10", "gaussian", _WIDE, "lasso_path", "1.2 x", last=1e-2, gap=1e-10),
    Row("lasso path 500 x 10,000 to 1e-3, 1e-10", "gaussian", _WIDE, "lasso_path", "1.2 x", gap=1e-10),
    Row("lasso path 200 x 50,000 to 1e-2, 1e-10", "gaussian", _WIDER, "lasso_path", "1.2 x", last=1e-2, gap=1e-10),
    Row(
        "lasso path sparse 20,000 x 100,000", "sparse_gaussian", _SPARSE, "lasso_path", "0.45", count=20, last=1e-2
    ),
    Row("single lasso 10,000 x 200", "gaussian", _TALL, "lasso", "0.9", **_SINGLE),
    Row("single lasso 100,000 x 100", "gaussian", _TALLER, "lasso", "0.9", **_SINGLE),
    Row("single lasso 500 x 10,000", "gaussian", _WIDE, "lasso", "0.9", **_SINGLE),
    Row("single lasso 200 x 50,000", "gaussian", _WIDER, "lasso", "0.6", **_SINGLE),
    Row("elastic net path 10,000 x 200", "gaussian", _TALL, "elastic_net_path", "0.7", **_RATIO),
    Row("elastic net path 500 x 10,000", "gaussian", _WIDE, "elastic_net_path", "0.6 s", last=1e-2, **_RATIO),
    Row("logistic L1 path 10,000 x 200", "binary", _TALL, "logistic_path", "0.08", **_LOGISTIC),
    Row("logistic L1 path 500 x 10,000", "binary", _WIDE, "logistic_path", "0.5 s", **_LOGISTIC),
    Row(
        "logistic L1 path sparse 20,000 x 100,000",
        "sparse_binary",
        _SPARSE,
        "logistic_path",
        "0.45",
        count=20,
        **_LOGISTIC,
    ),
    Row("ridge, leave-one-out 10,000 x 200", "gaussian", _TALL, "ridge_loo", "0.05", certified=False),
    Row("ridge, leave-one-out 500 x 10,000", "gaussian", _WIDE, "ridge_loo", "0.4", certified=False),
    Row("10-fold CV 10,000 x 200", "gaussian", _TALL, "lasso_cv", "0.13", options=_FOLDS, certified=False),
    Row(
        "10-fold CV 100,000 x 100", "gaussian", _TALLER, "lasso_cv", "0.04", options={"folds": 10}, certified=False
    ),
    Row(
        "10-fold CV 500 x 2,000",
        "gaussian",
        (500, 2_000, 50),
        "lasso_cv",
        "0.25",
        options=_FOLDS,
        certified=False,
    ),
    Row("Poisson path 10,000 x 200", "counts", _TALL, "poisson_path", "0.8", loss="poisson", last=1e-2),
    Row("gamma path 10,000 x 200", "durations", _TALL, "gamma_path", "0.8", loss="gamma", last=1e-2),
    Row(
        "group lasso path 5,000 x 200 groups of 5",
        "gaussian",
        (5_000, 1_000, 100),
        "group_path",
        "0.8",
        last=1e-2,
        options={"group_size": 5},
    ),
    Row(
        "group lasso path 300 x 2,000 groups of 5",
        "gaussian",
        (300, 10_000, 60),
        "group_path",
        "0.8",
        last=1e-2,
        options={"group_size": 5},
    ),
    Row("small fit: diabetes", "diabetes", (), "small_lasso", "1.0", certified=False, **_SINGLE),
)

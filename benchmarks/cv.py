"""Cross-validated lasso paths against scikit-learn's LassoCV, and the distance to the bound: one syrk of X.

10 folds, 100 strengths down to 1e-3 of the critical one, relative gap 1e-6 at every strength of every fold.
LassoCV's tol is relative to ‖y‖² where ours is to ½‖y‖², so that it gets half. The gaps shown are recomputed from
the data: ours the largest of the path, LassoCV's that of its choice.
"""

import numpy as np
from scipy.linalg.blas import dsyrk
from sklearn.linear_model import LassoCV

from benchmarks.timing import medians, table
from shrinkage.linear import PenalizedRegressorCV

GAP = 1e-6
SIZES = ((10_000, 200, 1 / 7), (100_000, 100, 1 / 25))


def neighbours(n: int, p: int, correlation: float = 0.5, snr: float = 5.0) -> tuple[np.ndarray, np.ndarray]:
    """Standardised columns correlated with their neighbours, and a response of p/10 of them."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p))
    for j in range(1, p):
        X[:, j] = correlation * X[:, j - 1] + np.sqrt(1 - correlation**2) * X[:, j]
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    w = np.zeros(p)
    w[rng.choice(p, p // 10, replace=False)] = rng.standard_normal(p // 10)
    signal = X @ w
    return X, signal + rng.standard_normal(n) * signal.std() / np.sqrt(snr)


def relative_gaps(X: np.ndarray, y: np.ndarray, strengths: np.ndarray, coefs: np.ndarray) -> np.ndarray:
    """The lasso's duality gap at the scaled residual over the null model's loss, from the data."""
    X, y = X - X.mean(axis=0), y - y.mean()
    R = y[:, None] - X @ coefs.T
    scale = np.minimum(1.0, strengths / np.maximum(np.abs(X.T @ R / len(y)).max(axis=0), 1e-300))
    primal = 0.5 * (R**2).mean(axis=0) + strengths * np.abs(coefs).sum(axis=1)
    dual = (scale * (y @ R) - 0.5 * scale**2 * (R**2).sum(axis=0)) / len(y)
    return np.asarray((primal - dual) / (0.5 * (y**2).mean()))


def main() -> None:
    rows = []
    for n, p, target in SIZES:
        X, y = neighbours(n, p)
        ours = PenalizedRegressorCV(strengths=100, min_ratio=1e-3, cv=10, tol=GAP)
        peer = LassoCV(alphas=100, eps=1e-3, cv=10, tol=GAP / 2, max_iter=100_000)
        joint = np.column_stack([X, y])
        times = medians(
            [lambda: ours.fit(X, y), lambda: peer.fit(X, y), lambda: dsyrk(1.0, joint.T)],  # noqa: B023
            repeats=7,
        )
        gaps = relative_gaps(X, y, ours.path_.strengths, ours.path_.coefs)
        theirs = relative_gaps(X, y, np.array([peer.alpha_]), peer.coef_[None])
        rows.append(
            [
                f"{n:,} x {p}",
                *(f"{1e3 * seconds:.1f} ms" for seconds in times),
                f"1/{times[1] / times[0]:.1f}",
                f"1/{1 / target:.0f}",
                f"{times[0] / times[2]:.1f} syrk",
                f"{gaps.max():.0e}, {theirs[0]:.0e}",
            ]
        )
    header = ["n x p", "shrinkage", "LassoCV", "one syrk", "ratio", "target", "to the bound", "gaps recomputed"]
    print(table("10-fold cross-validation of a 100-strength lasso path", header, rows))

"""Several responses and classes: groups across the rows, bounds on one side, MCP and SCAD, against slow oracles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize

from shrinkage.linear import PenalizedClassifier, PenalizedRegressor, regularization_path
from shrinkage.losses import Multinomial
from shrinkage.losses.multinomial import indicators
from shrinkage.penalties import L0, L1, L2, MCP, SCAD, Box, GroupL2, NonNegative, SparseGroup
from shrinkage.solvers import Rows, critical_strength, losses, solve

RNG = np.random.default_rng(3)
N, P, K = 60, 5, 3
X = RNG.standard_normal((N, P)) * np.linspace(0.5, 2.0, P)
SCORES = X[:, :3] @ RNG.standard_normal((3, K))
Y = SCORES + RNG.standard_normal((N, K))
LABELS = np.argmax(SCORES + RNG.gumbel(size=(N, K)), axis=1)
LISTS = [[0, 1, 2, 3, 4, 5], [6, 9, 12], [7, 10], [8, 11, 13, 14]]  # j·3 + k

GROUPED = {
    "outputs": GroupL2(0.1, axis=1),
    "lists": GroupL2([0.1, 0.05, 0.2, 0.0], groups=LISTS),
    "sparse": SparseGroup(0.1, 0.5, axis=1),
    "with L2": GroupL2(0.05, axis=1) + L2(np.repeat(np.arange(P) / 10, K).reshape(P, K)) + L1(0.02),
}


def squared(W: Any) -> tuple[float, Any]:
    left = (X - X.mean(axis=0)) @ W - (Y - Y.mean(axis=0))
    return 0.5 * float((left**2).sum()) / N, (X - X.mean(axis=0)).T @ left / N


def multinomial(W: Any) -> tuple[float, Any]:
    """With the best intercepts."""
    loss, y, pi = Multinomial(), indicators(LABELS, K), np.full(N, 1 / N)
    eta = X @ W
    eta = eta + loss.intercept(y, pi, eta)
    return float(loss.value(y, eta).mean()), X.T @ (loss.mean(eta) - y) / N


def oracle(function: Any, penalty: Any) -> float:
    """The least of f + Ω, by many accelerated proximal steps."""
    step = 1.0 / np.linalg.eigvalsh(X.T @ X / N)[-1]
    W = before = np.zeros((P, K))
    for i in range(400):
        ahead = W + i / (i + 3) * (W - before)
        before, W = W, np.asarray(penalty.prox(ahead - step * function(ahead)[1], step))
    return function(W)[0] + float(penalty.value(W))


def fitted(penalty: Any, classes: bool, **how: Any) -> Any:
    model = PenalizedClassifier(penalty, **how) if classes else PenalizedRegressor(penalty, **how)
    return model.fit(X, LABELS if classes else Y)


@pytest.mark.parametrize("classes", [False, True], ids=["responses", "classes"])
@pytest.mark.parametrize("name", GROUPED)
def test_groups_of_any_kind(name: str, classes: bool) -> None:
    penalty, function = GROUPED[name], multinomial if classes else squared
    model = fitted(penalty, classes, tol=1e-9)
    assert model.certificate_.kind == "duality_gap" and model.certificate_.reached
    value = function(model.coef_.T)[0] + float(penalty.value(model.coef_.T))
    assert value == pytest.approx(oracle(function, penalty), rel=1e-6)
    assert np.isfinite(model.path_.degrees_of_freedom).all()


@pytest.mark.parametrize("classes", [False, True], ids=["responses", "classes"])
def test_the_path_of_groups_begins_where_they_all_rest(classes: bool) -> None:
    y = indicators(LABELS, K) if classes else Y
    rows = Rows.of(X, y, loss=Multinomial()) if classes else None
    path = None if classes else regularization_path(X, Y, GroupL2(axis=1), strengths=5, min_ratio=0.9)
    if path is not None:
        assert not path.coefs[0].any() and path.coefs[-1].any()
        return
    t = critical_strength(rows, GroupL2(axis=1))
    found = solve(rows, GroupL2(axis=1), np.array([t * (1 + 1e-9), 0.9 * t]), tol=1e-9, max_iter=100)
    assert not found.coefs[0].any() and found.coefs[1].any()
    assert losses(rows, found)[1] < losses(rows, found)[0]


@pytest.mark.parametrize("classes", [False, True], ids=["responses", "classes"])
def test_a_ball_of_groups_across(classes: bool) -> None:
    model = fitted(GroupL2(0.1, axis=1), classes, tol=1e-11)
    bounded = fitted(GroupL2.ball(model.radius_, axis=1), classes, tol=1e-11)
    assert bounded.strength_ == pytest.approx(0.1, rel=1e-4)
    np.testing.assert_allclose(bounded.coef_, model.coef_, atol=1e-5)


def test_more_columns_than_rows_by_groups_across() -> None:
    wide = np.hstack([X, np.random.default_rng(0).standard_normal((N, 150))])
    for model, y in ((PenalizedRegressor, Y), (PenalizedClassifier, LABELS)):
        found = model(SparseGroup(0.1, 0.7, axis=1)).fit(wide, y)
        assert found.certificate_.reached and 0 < np.count_nonzero(found.coef_) < found.coef_.size


@pytest.mark.parametrize(
    "bounds",
    [NonNegative(), Box(np.array([0.0, -0.5, -np.inf, 0.0, -0.1]), np.inf), Box(-np.inf, np.full((P, K), 0.2))],
    ids=["non-negative", "by feature", "from above"],
)
def test_bounds_on_one_side_alone(bounds: Any) -> None:
    model = fitted(bounds, True, tol=1e-9)
    c = model.certificate_
    assert c.kind == "duality_gap" and c.reached
    part = bounds if isinstance(bounds, Box) else Box(0.0, np.inf)
    lower, upper = (np.asarray(v)[:, None] if np.ndim(v) == 1 else v for v in (part.lower, part.upper))
    lower, upper = np.broadcast_to(lower, (P, K)), np.broadcast_to(upper, (P, K))
    W = model.coef_.T
    assert (lower <= W).all() and (upper >= W).all()

    def flat(w: Any) -> tuple[float, Any]:
        value, slopes = multinomial(w.reshape(P, K))
        return value, slopes.ravel()

    best = minimize(
        flat,
        np.clip(np.zeros(P * K), lower.ravel(), upper.ravel()),
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip(lower.ravel(), upper.ravel(), strict=True)),
        options={"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-9},
    )
    assert multinomial(W)[0] <= best.fun + 1e-8
    assert c.bound <= best.fun + 1e-12  # a bound from below on what anyone can reach


@pytest.mark.parametrize("penalty", [MCP(0.05), SCAD(0.05), MCP(np.full((P, K), 0.03), 2.0)], ids=repr)
def test_concave_penalties_of_classes_are_stationary_and_better_than_their_start(penalty: Any) -> None:
    model = fitted(penalty, True, tol=1e-8)
    assert model.certificate_.kind == "optimality" and model.certificate_.reached
    W = model.coef_.T
    value, slopes = multinomial(W)
    assert penalty.optimality(W, slopes) < 1e-6
    start = fitted(L1(penalty.strength), True, tol=1e-8).coef_.T
    assert value + penalty.value(W) <= multinomial(start)[0] + penalty.value(start) + 1e-12
    assert "from the lasso" in model.certificate_.solver


def test_a_path_of_a_concave_penalty_of_classes() -> None:
    wide = np.hstack([X, np.random.default_rng(0).standard_normal((N, 150))])
    rows = Rows.of(wide, indicators(LABELS, K), loss=Multinomial())
    t = critical_strength(rows, MCP())
    found = solve(rows, MCP(), t * np.geomspace(1.0, 0.3, 6), tol=1e-6, max_iter=200)
    residuals = found.gaps / np.sqrt(2 * rows.null_loss)
    assert found.kind == "optimality" and (residuals <= 1e-6).all()
    assert not found.coefs[0].any() and 0 < np.count_nonzero(found.coefs[-1]) < 60


def test_what_is_refused_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"\[j \* 3 \+ k for j in group for k in range\(3\)\]"):
        fitted(GroupL2(0.1, groups=[[0, 1], [2, 3, 4]]), False)
    with pytest.raises(ValueError, match="more than the 6,000 that are held"):
        PenalizedRegressor(GroupL2(0.1, axis=1)).fit(np.ones((4, 3000)) * np.arange(4)[:, None], Y[:4])
    with pytest.raises(TypeError, match="L0 part, which is fitted with the squared loss alone"):
        fitted(L0(0.1), True)

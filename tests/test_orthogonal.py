"""Orthogonal polynomials of columns: against QR, in any blocks, exact at prediction, the span of the monomials."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from shrinkage import L1, L2
from shrinkage.designs import Polynomial
from shrinkage.designs.monomial_features import MonomialFeatures
from shrinkage.designs.orthogonal_features import OrthogonalFeatures
from shrinkage.designs.recurrence import Recurrence
from shrinkage.linear import PenalizedRegressor, PenalizedRegressorCV, load
from shrinkage.moments import accumulate


@parametrize_with_checks([Polynomial(basis="orthogonal"), Polynomial(3, interaction_only=True, basis="orthogonal")])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_is_a_scikit_learn_transformer(estimator, check):
    check(estimator)


def blocks_of(X, height):
    return [X[start : start + height] for start in range(0, len(X), height)]


@pytest.mark.parametrize("height", [1, 7, 100, 500])
@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_equals_qr_of_the_powers_whatever_the_blocks(height, shift):
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.standard_normal(500), rng.exponential(size=500), rng.uniform(-1, 1, 500)])
    X += shift
    found = Recurrence.of(blocks_of(X, height), 3, 6).values(X.T)
    for j, x in enumerate((X - shift).T):
        q, r = np.linalg.qr(np.vander(x, 7, increasing=True))
        expected = q * np.sign(np.diagonal(r)) * np.sqrt(len(x))
        np.testing.assert_allclose(
            found[:, j].T, expected, rtol=0, atol=1e-8 if shift else 1e-9
        )  # the shift takes 6 digits


def test_high_degrees_stay_orthogonal():
    x = np.random.default_rng(1).uniform(1990, 2030, 20_000)
    p = Recurrence.of(blocks_of(x[:, None], 1000), 1, 20).values(x[None])[:, 0]
    np.testing.assert_allclose(p @ p.T / len(x), np.eye(21), atol=1e-9)


@pytest.mark.parametrize("height", [5, 60, 600])
def test_a_column_has_one_degree_less_than_values(height):
    rng = np.random.default_rng(2)
    X = np.column_stack([rng.choice([0.1, 0.2, 0.7], 600), np.full(600, 3.3), rng.choice([7.0, -1e9], 600)])
    found = Recurrence.of(blocks_of(X, height), 3, 4)
    assert found.highest.tolist() == [2, 0, 1]
    values = found.values(X.T)
    np.testing.assert_allclose((values**2).mean(axis=2)[:3, 0], 1.0, rtol=1e-12)
    np.testing.assert_allclose(values[1, 1], 0.0, atol=1e-14)
    assert not values[3:].any()


def test_features_are_the_products_in_the_monomials_order():
    rng = np.random.default_rng(3)
    X = rng.standard_normal((80, 4))
    X[:, 1], X[:, 2] = rng.integers(0, 2, 80), rng.integers(0, 3, 80)
    names = ("a", "b", "c", "d")
    features = OrthogonalFeatures.of(names, 4, [X])
    p = features.recurrence.values(X.T)
    products = [np.prod([p[e, j] for j, e in enumerate(row)], axis=0) for row in features.powers]
    np.testing.assert_allclose(features.expand(X), np.array(products).T, rtol=1e-12, atol=1e-12)
    assert features.size == len(features.names) == len(set(features.names))
    assert features.powers.max(axis=0).tolist() == [4, 1, 2, 4]
    order = MonomialFeatures.of(names, 4, np.array([False, True, False, False])).monomials
    assert features.monomials == [m for m in order if m.count(2) < 3]
    assert {"P2(b)", "P3(c)", "P1(a) P3(c)"} < set(features.redundant)
    assert len(features.redundant) + features.size == len(MonomialFeatures(names, np.arange(4), 4).monomials)


def test_levels_of_a_category_are_not_multiplied_with_each_other():
    kind = np.random.default_rng(0).integers(0, 3, 50)
    X = np.column_stack([np.arange(50.0), *(kind == k for k in range(3))]).astype(float)
    features = OrthogonalFeatures.of(("a", "k0", "k1", "k2"), 2, [X], [[1, 2, 3]])
    assert features.names == (
        "P1(a)", "P1(k0)", "P1(k1)", "P1(k2)", "P2(a)", "P1(a) P1(k0)", "P1(a) P1(k1)", "P1(a) P1(k2)",
    )  # fmt: skip
    assert features.expand(X).shape == (50, 8)


def test_unpenalised_it_is_the_fit_of_the_monomials():
    rng = np.random.default_rng(4)
    X = rng.uniform(2, 5, (150, 2))
    y = np.sin(X[:, 0]) * X[:, 1] + 0.1 * rng.standard_normal(150)
    new = rng.uniform(1, 6, (20, 2))
    found = [
        PenalizedRegressor(L2(0.0), design=Polynomial(3, basis=basis)).fit(X, y).predict(new)
        for basis in ("monomial", "orthogonal")
    ]
    np.testing.assert_allclose(*found, rtol=1e-6)


def test_a_penalty_on_one_degree_leaves_the_others():
    """Of one column the features are uncorrelated: the lasso is soft thresholding, degree by degree."""
    rng = np.random.default_rng(5)
    x = rng.exponential(size=300)
    y = x**2 + rng.standard_normal(300)
    model = PenalizedRegressor(L1(0.3), design=Polynomial(6, basis="orthogonal"), tol=1e-12).fit(x[:, None], y)
    alone = model.design_.transform(x[:, None]).T @ y / 300
    np.testing.assert_allclose(model.coef_, np.sign(alone) * np.maximum(np.abs(alone) - 0.3, 0), atol=1e-9)
    assert model.path_.feature_names[1] == "P2(x0)"


def test_folds_files_and_dtypes(tmp_path):
    rng = np.random.default_rng(6)
    X = rng.standard_normal((120, 3))
    y = X[:, 0] ** 2 + rng.standard_normal(120)
    design = Polynomial(2, basis="orthogonal")
    model = PenalizedRegressorCV(L1(), cv=4, strengths=10, design=design, tol=1e-10).fit(X, y)
    by_hand = PenalizedRegressorCV(L1(), cv=4, strengths=10, tol=1e-10).fit(design.fit_transform(X), y)
    np.testing.assert_allclose(model.coef_, by_hand.coef_, atol=1e-7)
    model.save(tmp_path / "model.json")
    assert (load(tmp_path / "model.json").predict(X) == model.predict(X)).all()
    assert design.fit(X).transform(X.astype(np.float32)).dtype == np.float32


def test_a_table_in_blocks_has_the_polynomials_and_moments_of_its_rows(tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    from shrinkage.tables import Table, TableDesign
    from shrinkage.tables.statistics import Stream

    rng = np.random.default_rng(7)
    X = rng.standard_normal((70_000, 2))  # more than a batch
    y = X[:, 0] ** 2 + rng.standard_normal(len(X))
    parquet.write_table(pa.table({"a": X[:, 0], "b": X[:, 1], "y": y}), tmp_path / "rows.parquet")
    table = Table.open(tmp_path / "rows.parquet")
    design = TableDesign.learn(table, "y")
    rows = (block.X for block in design.blocks(table, target=False))
    features = OrthogonalFeatures.of(design.features, 3, rows)
    whole = Polynomial(3, basis="orthogonal").fit(X)
    np.testing.assert_allclose(features.expand(X), whole.transform(X), atol=1e-9)
    stream = Stream(table, design, features)
    first, second = (part.moments() for part in stream.fold_statistics(2))
    expected = accumulate(whole.transform(X), y)
    assert stream.names[3] == "P1(a) P1(b)"
    np.testing.assert_allclose(first.merge(second).scatter, expected.scatter, atol=1e-9 * len(X))


def test_a_second_fit_forgets_the_first():
    design = Polynomial(2, basis="orthogonal").fit(np.arange(6.0).reshape(3, 2))
    assert not hasattr(design.set_params(basis="monomial").fit(np.eye(3)), "recurrence_")


def test_another_basis_is_refused():
    with pytest.raises(ValueError, match='basis must be "monomial" or "orthogonal"; got \'legendre\''):
        Polynomial(basis="legendre").fit(np.eye(3))

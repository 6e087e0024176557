"""The polynomial design: scikit-learn's monomials, less those that a two-valued column makes redundant."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import PolynomialFeatures
from sklearn.utils.estimator_checks import parametrize_with_checks

from shrinkage.designs import Design, Polynomial
from shrinkage.designs.monomial_features import MonomialFeatures
from shrinkage.moments import accumulate


@parametrize_with_checks([Polynomial(), Polynomial(3, interaction_only=True)])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_is_a_scikit_learn_transformer(estimator, check):
    check(estimator)


def test_diabetes_has_64_features_of_degree_2():
    X, _ = load_diabetes(return_X_y=True, as_frame=True)
    design = Polynomial(degree=2).fit(X)
    assert design.n_output_features_ == 64
    assert design.redundant_ == ("sex^2",)


@pytest.mark.parametrize("degree", [1, 2, 3, 4])
@pytest.mark.parametrize("interaction_only", [False, True])
def test_equals_scikit_learns_features_but_for_the_redundant(degree, interaction_only):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 4))
    X[:, 1], X[:, 3] = rng.integers(0, 2, 30), 2.0
    ours = Polynomial(degree, interaction_only=interaction_only).fit(X)
    theirs = PolynomialFeatures(degree, interaction_only=interaction_only, include_bias=False).fit(X)
    names = theirs.get_feature_names_out().tolist()
    places = [names.index(name) for name in ours.get_feature_names_out()]
    assert places == sorted(places)
    assert set(names) - set(ours.get_feature_names_out()) == set(ours.redundant_)
    assert (ours.powers_ == theirs.powers_[places]).all()
    np.testing.assert_allclose(ours.transform(X), theirs.transform(X)[:, places], rtol=1e-12)


def test_what_is_left_out_is_spanned_by_what_is_kept():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3))
    X[:, 1] = rng.choice([-0.7, 2.4], 60)
    kept = np.column_stack([np.ones(60), Polynomial(3).fit_transform(X)])
    everything = PolynomialFeatures(3).fit_transform(X)
    assert np.linalg.matrix_rank(kept) == np.linalg.matrix_rank(everything) == kept.shape[1]


def test_blocks_and_the_whole_matrix_have_the_same_moments():
    X, y = load_diabetes(return_X_y=True)
    X, y = np.tile(X, (20, 1)) + 1.0, np.tile(y, 20)
    design = Polynomial(2).fit(X)
    assert isinstance(design, Design)
    streamed, whole = accumulate(X, y, expand=design.expand), accumulate(design.transform(X), y)
    np.testing.assert_allclose(streamed.mean, whole.mean, rtol=1e-12)
    np.testing.assert_allclose(streamed.scatter, whole.scatter, rtol=1e-9, atol=1e-9)


def test_dtype_is_kept_and_integers_are_expanded_as_floats():
    X = np.arange(12).reshape(6, 2)
    assert Polynomial().fit_transform(X.astype(np.float32)).dtype == np.float32
    assert Polynomial().fit(X).expand(X.astype(np.int8)).dtype == np.float64


@pytest.mark.parametrize(
    ("degree", "error"), [(0, ValueError), (-1, ValueError), (2.0, TypeError), (True, TypeError)]
)
def test_bad_degrees(degree, error):
    with pytest.raises(error, match="degree"):
        Polynomial(degree).fit(np.eye(3))


def test_levels_of_a_category_are_not_multiplied_with_each_other():
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 3, 50)
    X = np.column_stack([rng.normal(size=50), *(kind == k for k in range(3)), rng.normal(size=50)]).astype(float)
    names = ("a", "k=0", "k=1", "k=2", "b")
    two = np.array([False, True, True, True, False])
    features = MonomialFeatures.of(names, 3, two, [[1, 2, 3]])
    every = MonomialFeatures.of(names, 3, two)
    left = [i for i, name in enumerate(every.names) if sum(part in name.split() for part in names[1:4]) < 2]
    assert features.names == tuple(every.names[i] for i in left)
    assert features.size == len(features.names)
    np.testing.assert_array_equal(features.expand(X), every.expand(X)[:, left])
    assert not np.delete(every.expand(X), left, axis=1).any()
    assert {"k=0^2", "k=0 k=1", "a k=1 k=2"} < set(features.redundant)

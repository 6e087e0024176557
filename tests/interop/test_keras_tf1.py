"""TensorFlow 1's regularizers: the numbers of its formulas, and what it took and refused."""

import numpy as np
import pytest

from tests.interop.backend import keras, numbers, pytestmark, small_threads  # noqa: F401

from shrinkage.interop.keras import tf1  # isort: skip

W = np.array([[1.0, -2.0, 3.0], [4.0, -5.0, 6.0]], dtype="float32")
L1_NORM, SQUARES = np.abs(W).sum(), (W**2).sum()


@pytest.fixture(autouse=True)
def one_thread():
    small_threads()


@pytest.mark.parametrize(
    ("regularizer", "expected"),
    [
        (tf1.l1_regularizer(0.1), 0.1 * L1_NORM),
        (tf1.l2_regularizer(0.1), 0.05 * SQUARES),
        (tf1.l1_l2_regularizer(0.1, 0.2), 0.1 * L1_NORM + 0.1 * SQUARES),
        (tf1.l1_l2_regularizer(), L1_NORM + SQUARES / 2),
        (tf1.l1_l2_regularizer(0.0, 0.2), 0.1 * SQUARES),
        (tf1.l1_l2_regularizer(0.1, 0.0), 0.1 * L1_NORM),
        (tf1.sum_regularizer([None, tf1.l1_regularizer(0.1)]), 0.1 * L1_NORM),
        (tf1.sum_regularizer([tf1.l2_regularizer(0.1), tf1.l2_regularizer(0.3)]), 0.2 * SQUARES),
    ],
    ids=["l1", "l2", "l1_l2", "defaults", "no l1", "no l2", "one", "two alike"],
)
def test_a_regularizer_has_the_formula_s_value(regularizer, expected):
    w = keras.ops.convert_to_tensor(W)
    assert numbers(regularizer(w)) == pytest.approx(expected, rel=1e-6)
    assert numbers(tf1.apply_regularization(regularizer, [w, 2 * w, w])) > 2 * expected
    back = keras.regularizers.deserialize(keras.regularizers.serialize(regularizer))
    assert numbers(back(w)) == pytest.approx(expected, rel=1e-6)


def test_l2_loss_and_sums_over_weights():
    w = keras.Variable(W)
    assert numbers(tf1.l2_loss(w)) == pytest.approx(SQUARES / 2)
    assert numbers(tf1.apply_regularization(tf1.l1_regularizer(0.5), [w, w])) == pytest.approx(L1_NORM)
    assert numbers(tf1.apply_regularization(None, [w])) == 0
    assert numbers(tf1.apply_regularization(lambda _: None, iter([w, w]))) == 0


def test_a_scale_of_zero_is_no_regularizer():
    assert tf1.l1_regularizer(0.0) is None
    assert tf1.l2_regularizer(0.0) is None
    assert tf1.l1_l2_regularizer(0.0, 0.0) is None
    assert tf1.sum_regularizer([]) is None
    assert tf1.sum_regularizer([None]) is None


@pytest.mark.parametrize("make", [tf1.l1_regularizer, tf1.l2_regularizer, tf1.l1_l2_regularizer])
def test_an_integer_and_a_negative_scale_are_refused(make):
    for scale in (1, 0, True, np.int64(2)):
        with pytest.raises(ValueError, match="cannot be an integer"):
            make(scale)
    for scale in (-0.1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="strength must be finite and at least 0"):
            make(scale)


def test_refusals():
    for none in ([], None, iter(())):
        with pytest.raises(ValueError, match="weights_list has no weights to regularize"):
            tf1.apply_regularization(tf1.l1_regularizer(0.1), none)
    with pytest.raises(ValueError, match="regularizer must return a scalar"):
        tf1.apply_regularization(lambda w: w, [keras.ops.convert_to_tensor(W)])
    with pytest.raises(TypeError, match="regularizer_list must hold regularizers such as"):
        tf1.sum_regularizer([keras.regularizers.L2(0.1)])


def test_the_collection_is_what_the_layers_have():
    dense = keras.layers.Dense(2, kernel_regularizer=tf1.l2_regularizer(0.5))
    model = keras.Sequential([keras.Input((3,)), dense, keras.layers.Dense(1)])
    expected = 0.25 * (numbers(dense.kernel) ** 2).sum()
    assert [numbers(x) for x in tf1.get_regularization_losses(model)] == [pytest.approx(expected, rel=1e-6)]
    assert numbers(tf1.get_regularization_loss(model)) == pytest.approx(expected, rel=1e-6)
    bare = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    assert numbers(tf1.get_regularization_loss(bare)) == 0

"""Keras's files and copies: regularizers, constraints and whole regularised models come back as they were."""

import numpy as np
import pytest

from tests.interop.backend import keras, numbers, pytestmark, small_threads  # noqa: F401

from shrinkage.interop.keras import (  # isort: skip
    Rule,
    as_constraint,
    as_penalty,
    as_regularizer,
    attached,
    regularize,
)
from shrinkage.interop.keras.constraints import PROJECTIONS  # isort: skip
from shrinkage.interop.keras.penalties import REGULARIZERS  # isort: skip
from shrinkage.penalties import L0, L1, L2, Box, ElasticNet, NonNegative  # isort: skip
from shrinkage.rules import WarmUp  # isort: skip

layers, optimizers = keras.layers, keras.optimizers
W = np.random.default_rng(0).standard_normal((4, 3)).astype("float32")

CARRIED = [
    pytest.param(example, id=f"{kind.__name__}-{i}")
    for kind in REGULARIZERS
    if kind.__name__ not in ("L0", "GroupL0", "Sum", "GroupL0Sum", "BallSum")
    for i, example in enumerate(kind.examples())
    if not np.isinf(getattr(example, "strength", 0.0)).any()
]
BALLS = [
    pytest.param(example, id=f"{kind.__name__}-{i}")
    for kind in PROJECTIONS
    for i, example in enumerate(kind.examples())
]


@pytest.fixture(autouse=True)
def one_thread():
    small_threads()


@pytest.mark.parametrize("penalty", CARRIED)
def test_a_regularizer_has_the_penalty_s_value_and_comes_back(penalty):
    made = as_regularizer(penalty)
    assert numbers(made(keras.ops.convert_to_tensor(W))) == pytest.approx(
        penalty.value(W.astype("float64")), rel=1e-5
    )
    for back in (
        keras.regularizers.deserialize(keras.regularizers.serialize(made)),
        keras.regularizers.get(keras.regularizers.serialize(made)),
        type(made).from_config(made.get_config()),
        keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(made)),
    ):
        assert type(back) is type(made)
        assert back.penalty == penalty
    assert as_penalty(made) == penalty


@pytest.mark.parametrize("ball", BALLS)
def test_a_constraint_projects_and_comes_back(ball):
    made = as_constraint(ball)
    expected = ball.prox(W.astype("float64"), 1.0)
    once = made(keras.ops.convert_to_tensor(W))
    np.testing.assert_allclose(numbers(once), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(numbers(made(once)), numbers(once))  # Keras's own MaxNorm shrinks on and on
    back = keras.constraints.deserialize(keras.constraints.serialize(made))
    assert (type(back), back.constraint) == (type(made), ball)


def test_strings_stand_for_the_defaults():
    assert keras.regularizers.get("shrinkage>L2").penalty == L2(1.0)
    assert keras.constraints.get("shrinkage>NonNegative").constraint == NonNegative()
    dense = layers.Dense(2, kernel_regularizer="shrinkage>L1", bias_constraint="shrinkage>NonNegative")
    assert dense.kernel_regularizer.penalty == L1()
    assert REGULARIZERS[ElasticNet](0.5, l1_ratio=0.25).penalty == ElasticNet(0.5, 0.25)
    assert REGULARIZERS[L2](strength=0.5).get_config() == {"strength": 0.5}


def test_keras_s_own_in_our_terms():
    pairs = {
        keras.regularizers.L1(0.25): L1(0.25),
        keras.regularizers.L2(0.25): L2(0.5),
        keras.regularizers.L1L2(0.25, 0.125): L1(0.25) + L2(0.25),
    }
    for theirs, ours in pairs.items():
        assert as_penalty(theirs) == ours
        assert numbers(theirs(keras.ops.convert_to_tensor(W))) == pytest.approx(ours.value(W), rel=1e-6)
        assert theirs.__class__.__name__ in ours.equivalents()["keras"] or isinstance(
            theirs, keras.regularizers.L1L2
        )
    assert as_penalty(keras.regularizers.OrthogonalRegularizer(0.1)) is None


def test_refusals():
    for penalty in (L0(0.1), Box(-1.0, 1.0), NonNegative()):
        with pytest.raises(ValueError, match="the loss would not feel it"):
            as_regularizer(penalty)
    with pytest.raises(TypeError, match="penalty must be a penalty"):
        as_regularizer(L2.ball(1.0))
    with pytest.raises(TypeError, match="constraint must be a ball"):
        as_constraint(L2(1.0))
    with pytest.raises(ValueError, match="strength must be finite and at least 0"):
        REGULARIZERS[L2](-1.0)


def build(*rules_of_layers):
    keras.utils.set_random_seed(0)
    regularizer, constraint = rules_of_layers or (None, None)
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(3, name="fc1", kernel_regularizer=regularizer, kernel_constraint=constraint),
            layers.Dense(1, name="head"),
        ]
    )


def train(model, steps=3):
    rng = np.random.default_rng(1)
    for _ in range(steps):
        model.train_on_batch(*(rng.standard_normal(s).astype("float32") for s in ((8, 4), (8, 1))))


def weights(model):
    return [numbers(v) for v in model.trainable_variables]


def test_layers_keep_them_through_files_and_clones(tmp_path):
    model = build(as_regularizer(ElasticNet(0.5, 0.25)), as_constraint(L2.ball(0.75)))
    model.save(tmp_path / "m.keras")
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    for other in (
        keras.models.load_model(tmp_path / "m.keras"),
        clone,
        keras.models.model_from_json(model.to_json()),
    ):
        layer = other.get_layer("fc1")
        assert layer.kernel_regularizer.penalty == ElasticNet(0.5, 0.25)
        assert layer.kernel_constraint.constraint == L2.ball(0.75)
        assert len(other.losses) == 1
        other.compile(optimizers.SGD(0.5), "mse")
        train(other, 1)
        assert np.linalg.norm(numbers(layer.kernel)) <= 0.75 * (1 + 1e-6)


RULES = [
    Rule("fc1", L1(0.05), schedule=WarmUp(4)),
    Rule("*.bias", L2(0.5), how="loss"),
    Rule("head", L2.ball(0.5), joint=True),
]


@pytest.mark.parametrize(
    "optimizer",
    [lambda: optimizers.SGD(0.1, momentum=0.9), lambda: optimizers.Adam(0.01)],
    ids=["momentum", "adam"],
)
@pytest.mark.parametrize("trained", [0, 3])
@pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer")  # Keras's, of one never used
def test_a_regularised_model_goes_on_from_its_file(tmp_path, optimizer, trained):
    model = build()
    model.compile(optimizer(), "mse")
    reg = regularize(model, RULES)
    train(model, trained)
    model.save(tmp_path / "m.keras")
    other = keras.models.load_model(tmp_path / "m.keras")
    again = attached(other)
    assert len(model.losses) == len(other.losses) == 2
    assert [r.parameter for r in again.summary().rows] == [r.parameter for r in reg.summary().rows]
    assert again.steps == trained
    train(model)
    train(other)
    for one, two in zip(weights(model), weights(other), strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-6, atol=1e-7)
    assert again.summary().zeros == reg.summary().zeros
    again.detach()
    assert other.losses == []


class Scores(keras.layers.Layer):
    """A layer of the user's own, whose configuration holds no regularizer."""

    def build(self, shape):
        self.table = self.add_weight(shape=(shape[-1], 2), name="table")

    def call(self, x):
        return x @ self.table


def test_what_keras_s_files_would_lose_is_told_or_kept(tmp_path):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="fc1"), Scores(name="own")])
    with pytest.warns(UserWarning, match=r"1 weight\(s\), own.table the first, act, but Keras does not save"):
        regularize(model, [Rule("*", L1(0.5), how="loss")])
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="fc1"), Scores(name="own")])
    model.compile(optimizers.SGD(0.1), "mse")
    regularize(model, [Rule("*", L1(0.5), how="loss")])
    model.save(tmp_path / "m.keras")
    other = keras.models.load_model(tmp_path / "m.keras", custom_objects={"Scores": Scores})
    assert [numbers(x) for x in other.losses] == [pytest.approx(numbers(x), rel=1e-6) for x in model.losses]
    assert len(other.losses) == 2


def test_an_optimiser_s_file_under_another_model_is_refused():
    model = build()
    model.compile(optimizers.SGD(0.1), "mse")
    regularize(model, {"fc1": L1(0.5)})
    config = optimizers.serialize(model.optimizer)
    wide = keras.Sequential([keras.Input((5,)), layers.Dense(3, name="fc1")])
    with pytest.raises(ValueError, match=r"has a rule for fc1.kernel of shape \(4, 3\) in place 0"):
        optimizers.deserialize(config).build(wide.trainable_variables)
    with pytest.raises(ValueError, match="model is not regularised"):
        attached(wide)


def test_a_schedule_of_one_s_own_is_refused_by_name_when_saved(tmp_path):
    model = build()
    model.compile(optimizers.SGD(0.1), "mse")
    regularize(model, [Rule("fc1", L1(0.5), schedule=lambda _: 1.0)])
    with pytest.raises(TypeError, match=r"the schedule of the rule on 'fc1.kernel' cannot be written down"):
        model.save(tmp_path / "m.keras")

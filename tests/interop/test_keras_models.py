"""regularize() on Keras models of every kind: built, fitted before, shared, nested, frozen; and what it refuses."""

import numpy as np
import pytest

from tests.interop.backend import keras, numbers, pytestmark, small_threads  # noqa: F401

from shrinkage.interop.keras import Rule, as_regularizer, regularize  # isort: skip
from shrinkage.penalties import L0, L1, L2, Box, GroupL2, MaxNorm  # isort: skip

layers, optimizers = keras.layers, keras.optimizers


@pytest.fixture(autouse=True)
def one_thread():
    small_threads()


def two_layers(optimizer=None):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="fc1"), layers.Dense(1, name="head")])
    model.compile(optimizer or optimizers.SGD(0.1), "mse")
    return model


def batch():
    rng = np.random.default_rng(0)
    return rng.standard_normal((8, 4)).astype("float32"), rng.standard_normal((8, 1)).astype("float32")


def one_step(model):
    """Every weight by its path, before and after."""

    def now():
        return {f"{layer.name}.{v.name}": numbers(v) for layer in model.layers for v in layer.variables}

    before = now()
    model.train_on_batch(*batch())
    return before, now()


def soft(u, t):
    return np.sign(u) * np.maximum(np.abs(u) - t, 0)


@pytest.mark.parametrize("fitted", [False, True])
def test_a_rule_acts_whether_the_model_was_fitted_before_or_not(fitted):
    """A step that was compiled before would go on without it."""
    plain, model = two_layers(), two_layers()
    if fitted:
        for each in (plain, model):
            each.fit(*batch(), epochs=1, verbose=0)
    regularize(model, [Rule("fc1", L1(0.5)), Rule("head", L2(0.25))])
    (before, free), (_, found) = one_step(plain), one_step(model)
    expected = free | {
        "fc1.kernel": soft(free["fc1.kernel"], 0.05),
        "head.kernel": free["head.kernel"] - 0.025 * before["head.kernel"],
    }
    for path, w in found.items():
        np.testing.assert_allclose(w, expected[path], rtol=2e-5, atol=1e-7, err_msg=path)


@pytest.mark.parametrize("fitted", [False, True])
def test_a_rule_in_the_loss_acts_and_is_reported(fitted):
    plain, model = two_layers(), two_layers()
    if fitted:
        for each in (plain, model):
            each.fit(*batch(), epochs=1, verbose=0)
            each.evaluate(*batch(), verbose=0)
    reg = regularize(model, [Rule("fc1", L2(0.5), how="loss")])
    value = 0.25 * (numbers(model.get_layer("fc1").kernel) ** 2).sum()
    assert [numbers(loss) for loss in model.losses] == [pytest.approx(value, rel=1e-5)]
    assert model.evaluate(*batch(), verbose=0) - plain.evaluate(*batch(), verbose=0) == pytest.approx(
        value, rel=1e-4
    )
    (before, free), (_, found) = one_step(plain), one_step(model)
    path = "fc1.kernel"
    np.testing.assert_allclose(found[path], free[path] - 0.05 * before[path], rtol=2e-5, atol=1e-7)
    reg.detach()
    assert model.losses == []
    before, after = one_step(model)
    one_step(plain)
    assert not np.allclose(after[path], before[path])


def test_detach_leaves_the_model_as_it_was():
    plain, model = two_layers(optimizers.SGD(0.1, momentum=0.5)), two_layers(optimizers.SGD(0.1, momentum=0.5))
    optimizer = model.optimizer
    kind = type(optimizer)
    one_step(plain)
    one_step(model)
    own = len(optimizer.variables)
    for _ in range(2):
        reg = regularize(model, L1(1000.0))
        assert len(optimizer.variables) == own + 1  # what momentum's metric remembers
        reg.detach()
        reg.detach()
    assert len(optimizer.variables) == own
    assert model.optimizer is optimizer
    assert type(optimizer) is kind
    for (_, free), (_, found) in [(one_step(plain), one_step(model)) for _ in range(2)]:
        assert all(np.allclose(found[b], free[a], atol=1e-7) for a, b in zip(free, found, strict=True))


def test_shared_and_nested_layers_count_once():
    shared = layers.Dense(4, name="shared")
    inner = keras.Sequential([keras.Input((4,)), shared, layers.Dense(4, name="own")], name="inner")
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.Dense(1, name="head")(inner(shared(inputs))))
    reg = regularize(model, [Rule("*", L2(2.0), how="loss")])
    kernels = [v for v in model.trainable_variables if v.name == "kernel"]
    assert len(kernels) == 3
    whole = sum((numbers(kernel) ** 2).sum() for kernel in kernels)
    assert sum(numbers(loss) for loss in model.losses) == pytest.approx(whole, rel=1e-5)
    summary = reg.summary()
    assert summary.value == pytest.approx(whole, rel=1e-5)
    assert len(summary.rows) == 3
    assert "also " in str(reg)


def test_paths_classes_layers_and_predicates():
    model = two_layers()
    for where in ("fc1", "fc1/kernel", "fc*kernel", model.get_layer("fc1"), model.get_layer("fc1").kernel):
        reg = regularize(model, [Rule(where, L1(0.1))])
        assert [row.parameter for row in reg.summary().rows] == ["fc1.kernel"]
        reg.detach()
    reg = regularize(model, [Rule(layers.Dense, L1(0.1))])
    assert [row.parameter for row in reg.summary().rows] == ["fc1.kernel", "head.kernel"]
    reg.detach()
    reg = regularize(model, [Rule("*.bias", L2(0.1))])
    assert [row.parameter for row in reg.summary().rows] == ["fc1.bias", "head.bias"]
    with pytest.raises(ValueError, match="Near matches: fc1"):
        regularize(two_layers(), {"fcl": L1(0.1)})


def test_the_table_says_what_is_left_out_and_what_keras_calls_it():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, use_bias=False, name="conv"),
            layers.BatchNormalization(name="bn"),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(2, name="head"),
        ]
    )
    model.get_layer("head").trainable = False
    model.compile(optimizers.Adam(1e-3), "mse")
    table = str(regularize(model, [Rule("conv", L1(0.5)), Rule("*", L2(0.5))]))
    line = {row.split()[0]: row for row in table.splitlines() if row}
    assert "scale-invariant (bn follows)" in line["conv.kernel"]
    assert "keras.regularizers.L1(0.5)" in line["conv.kernel"]
    assert "left out: norm layer" in line["bn.gamma"]
    assert "keras.regularizers.L2(0.25)" in line["head.kernel"]
    assert "frozen" in line["head.kernel"]
    assert "lr·√(1 − β₂ᵗ)/(√v + ε)" in table
    before = numbers(model.get_layer("head").kernel)
    model.train_on_batch(np.ones((2, 8, 8, 3), "float32"), np.ones((2, 2), "float32"))
    np.testing.assert_array_equal(numbers(model.get_layer("head").kernel), before)


@pytest.mark.parametrize("steps", [None, 3])
def test_gradient_accumulation_clipping_and_loss_scales(steps):
    """Once a step that is made, on unscaled gradients: the penalty alone moves a weight that the loss leaves be."""
    options = {"gradient_accumulation_steps": steps} if steps else {"loss_scale_factor": 64.0, "clipvalue": 1e-3}
    model = two_layers(optimizers.SGD(0.1, **options))
    regularize(model, {"fc1": L2(0.5)})
    x, y = np.zeros((8, 4), "float32"), np.zeros((8, 1), "float32")  # no gradient reaches fc1's kernel
    before = numbers(model.get_layer("fc1").kernel)
    for _ in range(steps or 1):
        model.train_on_batch(x, y)
    np.testing.assert_allclose(numbers(model.get_layer("fc1").kernel), before * 0.95, rtol=1e-6)


def test_under_keras_loss_scaling_a_step_that_overflows_is_skipped():
    model = two_layers(optimizers.LossScaleOptimizer(optimizers.SGD(0.1), initial_scale=4.0))
    regularize(model, {"fc1": L1(0.5)})
    kernel = model.get_layer("fc1").kernel
    before = numbers(kernel)
    model.train_on_batch(np.zeros((8, 4), "float32"), np.zeros((8, 1), "float32"))
    np.testing.assert_allclose(numbers(kernel), soft(before, 0.05), atol=1e-7)
    before = numbers(kernel)
    model.train_on_batch(np.full((8, 4), np.inf, "float32"), np.zeros((8, 1), "float32"))
    np.testing.assert_array_equal(numbers(kernel), before)


def test_weights_without_gradients_are_not_wiped_under_adam():
    """Where v is 0 the metric is lr/ε: the reach keeps an embedding's unseen rows from one step of 10."""
    words = layers.Embedding(50, 3, name="words", embeddings_initializer="ones")
    model = keras.Sequential([keras.Input((2,), dtype="int32"), words, layers.Flatten()])
    model.compile(optimizers.Adam(1e-3), "mse")
    regularize(model, {"words": L1(1e-3)})
    for _ in range(20):
        model.train_on_batch(np.array([[1, 2]], "int32"), np.zeros((1, 6), "float32"))
    unseen = numbers(words.embeddings)[3:]
    assert (unseen > 1 - 20 * 3.2 * 1e-3).all()
    assert (unseen < 1).all()


def test_groups_and_max_norm_by_output_unit():
    model = two_layers()
    reg = regularize(model, [Rule("fc1", GroupL2(10.0, axis=-1)), Rule("head", MaxNorm(0.01, axis=-1))])
    model.train_on_batch(*batch())
    rows = {row.parameter: row for row in reg.summary(0.5).rows}
    assert (rows["fc1.kernel"].groups, rows["fc1.kernel"].zero_groups) == (3, 3)
    assert np.linalg.norm(numbers(model.get_layer("head").kernel)) <= 0.01 * (1 + 1e-6)


class Custom(keras.Model):
    """A subclassed model, with an attention layer inside."""

    def __init__(self):
        super().__init__()
        self.attention = layers.MultiHeadAttention(2, 2, name="attention")
        self.head = layers.Dense(1, name="head")

    def call(self, x):
        return self.head(self.attention(x, x))


def test_a_subclassed_model_and_its_attention():
    model = Custom()
    model(np.ones((2, 3, 4), "float32"))
    model.compile(optimizers.SGD(0.1), "mse")
    reg = regularize(model, {"attention": L1(100.0)})
    assert [row.parameter for row in reg.summary().rows] == [
        f"attention.{name}.kernel" for name in ("query", "key", "value", "attention_output")
    ]
    model.train_on_batch(np.ones((2, 3, 4), "float32"), np.ones((2, 3, 1), "float32"))
    assert reg.summary().zeros == reg.summary().size > 0


def test_a_loop_of_one_s_own():
    """TensorFlow's own variables stand for Keras's."""
    model = two_layers()
    regularize(model, {"fc1": L1(0.5)})
    variables = model.trainable_variables
    before = numbers(variables[0])
    grads = [keras.ops.zeros(v.shape) for v in variables]
    native = [v.value for v in variables] if keras.backend.backend() == "tensorflow" else variables
    model.optimizer.apply_gradients(zip(grads, native, strict=True))
    np.testing.assert_allclose(numbers(variables[0]), soft(before, 0.05), atol=1e-7)


def test_another_optimiser_is_noticed_before_it_trains():
    model = two_layers()
    regularize(model, L1(0.1))
    model.compile(optimizers.SGD(0.1), "mse")
    with pytest.raises(ValueError, match="compiled with another optimiser"):
        model.fit(*batch(), verbose=0)


def test_what_acts_beside_a_rule_is_told():
    model = two_layers(optimizers.AdamW(1e-3, weight_decay=0.01))
    with pytest.warns(UserWarning, match=r"AdamW weight_decay=0.01 acts on 2 governed"):
        assert "weight_decay=0.01" in str(regularize(model, L1(0.1)))
    model = two_layers()
    model.get_layer("fc1").kernel.regularizer = keras.regularizers.L2(0.01)
    with pytest.warns(UserWarning, match=r"fc1.kernel has a regularizer of its own, L2\(l2=0.01\)"):
        assert "own regularizer L2(strength=0.02)" in str(regularize(model, {"fc1": L1(0.1)}))
    model = two_layers()
    model.get_layer("fc1").kernel.regularizer = as_regularizer(L1(0.1))
    with pytest.raises(ValueError, match="remove it first"):
        regularize(model, [Rule("fc1", L2(0.1), how="loss")])


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (Rule("fc1", L2(0.1), how="decoupled"), "'decoupled' .* is not there for Keras"),
        (Rule("fc1", L2(0.1), how="loss", schedule=lambda _: 1.0), "a Keras regularizer knows no steps"),
        (Rule("fc1", L1(np.ones(5))), "does not fit fc1.kernel"),
        (Rule("fc1", L0(0.1)), "refused for L0 under Adam"),
    ],
    ids=["form", "schedule", "shape", "count"],
)
def test_refusals(rule, message):
    with pytest.raises(ValueError, match=message):
        regularize(two_layers(optimizers.Adam(0.1)), [rule])


def test_refusals_of_models_and_optimisers():
    with pytest.raises(TypeError, match=r"model must be a keras.Model; got Dense"):
        regularize(layers.Dense(1), L1())
    with pytest.raises(ValueError, match="model is not built"):
        regularize(keras.Sequential([layers.Dense(1)]), L1())
    with pytest.raises(ValueError, match="metric, and that of Lion is not known"):
        regularize(two_layers(optimizers.Lion(1e-3)), L1())
    model = two_layers(optimizers.Lion(1e-3))
    regularize(model, L2(0.1))
    with pytest.raises(ValueError, match="already regularised"):
        regularize(model, L2(0.1))
    with pytest.raises(TypeError, match=r"optimizer must be a keras.optimizers.Optimizer; got str"):
        regularize(two_layers(), L1(), "sgd")
    bare = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    with pytest.raises(ValueError, match="needs an optimiser: compile the model first"):
        regularize(bare, L1())
    with pytest.raises(ValueError, match=r"loss must be one finite number; got nan"):
        regularize(two_layers(), Box(-1.0, 1.0)).summary(float("nan"))


def test_a_group_at_zero_has_a_slope_in_the_loss():
    """√Σw² has none there by itself, and one step would be NaN."""
    model = two_layers()
    model.get_layer("fc1").kernel.assign(np.zeros((4, 3), "float32"))
    regularize(model, [Rule("fc1", GroupL2(0.5, axis=-1), how="loss")])
    model.train_on_batch(*batch())
    assert np.isfinite(numbers(model.get_layer("fc1").kernel)).all()
    assert (numbers(model.get_layer("fc1").kernel) != 0).any()

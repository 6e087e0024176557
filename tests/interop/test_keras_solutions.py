"""Prox and projection on Keras end at the solution that the objective has, with exactly its zeros."""

import numpy as np
import pytest

from tests.interop.backend import as_float64, keras, numbers, pytestmark, small_threads  # noqa: F401
from tests.interop.known import COLUMNS, PROBLEMS, SETTINGS, check, data

from shrinkage.interop.keras import Rule, regularize  # isort: skip
from shrinkage.rules import WarmUp  # isort: skip

OPTIMIZERS = {
    "sgd": keras.optimizers.SGD,
    "momentum": lambda lr: keras.optimizers.SGD(lr, momentum=0.9),
    "nesterov": lambda lr: keras.optimizers.SGD(lr, momentum=0.9, nesterov=True),
    "adam": lambda lr: keras.optimizers.Adam(lr, epsilon=1e-8),
    "amsgrad": lambda lr: keras.optimizers.Adam(lr, epsilon=1e-8, amsgrad=True),
}

# One step of plain SGD is cheap, but it needs many; a map in Adam's metric takes the longest.
NAMES = {"sgd": ["lasso"], "momentum": ["lasso", "ridge", "l1_ball", "l2_ball"], "adam": ["lasso", "l2_ball"]}


@pytest.fixture(autouse=True)
def double():
    small_threads()
    as_float64()
    yield
    keras.config.set_floatx("float32")


def network(names):
    """One linear layer a problem, all on the same data: the mean over outputs of twice the problems' loss."""
    inputs = keras.Input((COLUMNS,))
    start = keras.initializers.Constant(0.1)
    outputs = [keras.layers.Dense(1, use_bias=False, kernel_initializer=start, name=name)(inputs) for name in names]
    return keras.Model(inputs, keras.layers.Concatenate()(outputs) if len(names) > 1 else outputs[0])


def train(model, optimizer, rules, setting, fall=None):
    count = len(rules)
    model.compile(optimizer, lambda a, b: count * keras.ops.mean(keras.ops.square(a - b), axis=-1) / 2)
    reg = regularize(model, rules)
    x, y = (a.astype(keras.config.floatx()) for a in data())
    y = np.repeat(y[:, None], count, axis=1)
    steps, lr = SETTINGS[setting]
    for step in range(steps):
        optimizer.learning_rate = (fall or lr)(step / steps)
        model.train_on_batch(x, y)
    return reg


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_form_ends_at_the_solution(setting):
    names = NAMES[setting]
    model = network(names)
    lr = SETTINGS[setting][1](0.0)
    reg = train(model, OPTIMIZERS[setting](lr), [Rule(name, PROBLEMS[name][0]) for name in names], setting)
    for name in names:
        check(numbers(model.get_layer(name).kernel), name)
    rows = {row.parameter: row for row in reg.summary().rows}
    assert rows["lasso.kernel"].zeros == 3
    assert all(row.violation == 0 for row in rows.values())


@pytest.mark.slow
@pytest.mark.parametrize("setting", ["nesterov", "amsgrad"])
def test_variants_of_the_optimisers(setting):
    model = network(["lasso"])
    like = {"nesterov": "momentum", "amsgrad": "adam"}[setting]
    start = SETTINGS[like][1]
    half = (lambda share: start(share) / 2) if setting == "nesterov" else start
    train(model, OPTIMIZERS[setting](half(0.0)), [Rule("lasso", PROBLEMS["lasso"][0])], like, half)
    check(numbers(model.get_layer("lasso").kernel))


def test_momentum_under_a_falling_learning_rate():
    """The buffer holds past learning rates: lr/(1 − μ) would be wrong by half here."""
    model = network(["lasso"])
    first = SETTINGS["momentum"][1](0.0)
    train(
        model,
        OPTIMIZERS["momentum"](first),
        [Rule("lasso", PROBLEMS["lasso"][0])],
        "momentum",
        lambda share: first * 10 ** (-2 * share),
    )
    check(numbers(model.get_layer("lasso").kernel))


@pytest.mark.slow
@pytest.mark.parametrize("setting", ["momentum", "adam"])
def test_float32(setting):
    keras.config.set_floatx("float32")
    names = ["lasso", "l1_ball"]
    model = network(names)
    lr = SETTINGS[setting][1](0.0)
    train(model, OPTIMIZERS[setting](lr), [Rule(name, PROBLEMS[name][0]) for name in names], setting)
    for name in names:
        check(numbers(model.get_layer(name).kernel), name, tol=1e-4)


def test_a_strength_that_grows_ends_at_the_same_solution():
    rules = [Rule("lasso", PROBLEMS["lasso"][0], schedule=WarmUp(100))]
    model = network(["lasso"])
    train(model, OPTIMIZERS["momentum"](SETTINGS["momentum"][1](0.0)), rules, "momentum")
    check(numbers(model.get_layer("lasso").kernel))


@pytest.mark.slow
def test_two_layers_under_one_ball_are_one_vector():
    ball = PROBLEMS["l2_ball"][0]
    inputs = keras.Input((COLUMNS,))
    start = keras.initializers.Constant(0.1)
    halves = [
        keras.layers.Dense(1, use_bias=False, kernel_initializer=start, name=name)(part)
        for name, part in (("a", inputs[:, :3]), ("b", inputs[:, 3:]))
    ]
    model = keras.Model(inputs, keras.layers.Add()(halves))
    reg = train(model, OPTIMIZERS["adam"](0.3), [Rule("*", ball, joint=True)], "adam")
    w = np.concatenate([numbers(model.get_layer(name).kernel) for name in "ab"])
    check(w, "l2_ball")
    assert all(row.violation < 1e-12 for row in reg.summary().rows)

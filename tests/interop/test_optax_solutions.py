"""Every optimiser of optax whose metric is read ends at the known solutions, with exactly their zeros."""

import numpy as np
import pytest

optax = pytest.importorskip("optax", reason="optax is not installed")
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402

from shrinkage.interop.optax import Rule, penalize, project, proximal  # noqa: E402
from shrinkage.rules import WarmUp  # noqa: E402
from tests.interop.known import COLUMNS, PROBLEMS, ROWS, SETTINGS, check, data  # noqa: E402
from tests.known_solutions import STEEPEST, S, constant, falling  # noqa: E402

EVERYTHING = [name for name in PROBLEMS if name != "second_ridge"]
QUICK = ("lasso", "elastic_net", "l1_ball", "l2_ball")
EDGE = 1 / STEEPEST
# The optimiser by its learning rate, a number of steps that is enough, and lr by the share of them that is done.
OPTIMIZERS = {
    "sgd": (optax.sgd, *SETTINGS["sgd"]),
    "momentum": (lambda lr: optax.sgd(lr, momentum=0.9), *SETTINGS["momentum"]),
    "adam": (optax.adam, *SETTINGS["adam"]),
    "nesterov": (lambda lr: optax.sgd(lr, momentum=0.9, nesterov=True), 500, constant(1.0 * EDGE)),
    "ema": (lambda lr: optax.chain(optax.ema(0.9), optax.sgd(lr)), 2500, constant(1.9 * EDGE)),
    "adam, ε under the root": (lambda lr: optax.adam(lr, b2=0.99, eps=1e-3, eps_root=1e-4), 700, falling(0.3)),
    "nadam": (optax.nadam, 700, falling(0.3)),
    "adamw": (lambda lr: optax.adamw(lr, weight_decay=0.0), 700, falling(0.3)),
    "amsgrad": (optax.amsgrad, 700, falling(0.3)),
    "adamax": (optax.adamax, 700, falling(0.3)),
    "radam": (optax.radam, 700, lambda share: 1e-3 if share < 0.01 else falling(3.0, 6)(share)),
    "radam, never rectified": (lambda lr: optax.radam(lr, b2=0.5), 2500, constant(1.9 * EDGE)),
    "rmsprop": (optax.rmsprop, 700, falling(0.3)),
    "rmsprop, like Adam": (
        lambda lr: optax.chain(
            optax.scale_by_rms(0.999, eps_in_sqrt=False, bias_correction=True), optax.scale_by_learning_rate(lr)
        ),
        700,
        falling(0.3),
    ),
    "adagrad": (optax.adagrad, 300, constant(1.0)),
    "adadelta": (lambda lr: optax.adadelta(lr, eps=1e-6), 1000, falling(30.0, 4)),
}


@pytest.fixture(autouse=True)
def double():
    """float64 unless a test asks for another dtype."""
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


def schedule(lr, steps):
    """lr as a table, which a compiled step can look up."""
    table = np.array([lr(k / steps) for k in range(steps)])
    return lambda count: jnp.asarray(table)[count]


def train(tx, names, steps, dtype=jnp.float64, loss_too=None):
    """Full batch, all problems in one pytree, one compiled loop."""
    x, y = (jnp.asarray(a, dtype) for a in data())
    params = {name: {"kernel": jnp.full((COLUMNS, 1), 0.1, dtype)} for name in names}

    def loss(params):
        total = sum(((y[:, None] - x @ layer["kernel"]) ** 2).sum() for layer in params.values()) / (2 * ROWS)
        return total if loss_too is None else total + loss_too(params)

    @jax.jit
    def run(params):
        def step(carry, _):
            params, state = carry
            updates, state = tx.update(jax.grad(loss)(params), state, params)
            return (optax.apply_updates(params, updates), state), None

        return jax.lax.scan(step, (params, tx.init(params)), None, length=steps)[0][0]

    found = run(params)
    assert all(layer["kernel"].dtype == dtype for layer in found.values())
    return {name: layer["kernel"] for name, layer in found.items()}


def rules(names):
    return [Rule(name, PROBLEMS[name][0]) for name in names]


def ends_there(optimizer, names, dtype=jnp.float64, tol=1e-6):
    make, steps, lr = OPTIMIZERS[optimizer]
    for name, w in train(proximal(make(schedule(lr, steps)), rules(names)), names, steps, dtype).items():
        check(w, name, tol)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_prox_and_project(optimizer):
    ends_there(optimizer, EVERYTHING if optimizer in SETTINGS else QUICK)


@pytest.mark.parametrize("optimizer", SETTINGS)
def test_float32(optimizer):
    ends_there(optimizer, EVERYTHING, jnp.float32, tol=1e-4)


@pytest.mark.parametrize("optimizer", SETTINGS)
def test_smooth_penalties_by_their_gradients(optimizer):
    make, steps, lr = OPTIMIZERS[optimizer]
    tx = optax.chain(penalize(rules(["ridge"])), make(schedule(lr, steps)))
    check(train(tx, ["ridge"], steps)["ridge"], "ridge")


def test_smooth_penalties_in_the_loss():
    make, steps, lr = OPTIMIZERS["momentum"]
    added = penalize([Rule("ridge", PROBLEMS["ridge"][0], how="loss")])
    tx = optax.chain(added, make(schedule(lr, steps)))
    check(train(tx, ["ridge"], steps, loss_too=added.loss)["ridge"], "ridge")


# The same optimiser in other words: (lr as a schedule) -> the inner transformation.
WRAPPED = {
    "injected adam": lambda lr: optax.inject_hyperparams(optax.adam)(learning_rate=lr, b2=0.999),
    "injected, static": optax.inject_hyperparams(optax.adam, static_args=("b1", "b2", "eps")),
    "masked": lambda lr: optax.masked(optax.adam(lr), lambda p: jax.tree.map(lambda w: w.ndim > 1, p)),
    "a mask over nothing": lambda lr: optax.chain(
        optax.masked(optax.scale_by_adam(b1=0.5), {"lasso": False, "l2_ball": False}), optax.adam(lr)
    ),
    "named": lambda lr: optax.named_chain(
        ("first", optax.scale_by_adam()), ("last", optax.scale_by_learning_rate(lr))
    ),
    "clipped, never": lambda lr: optax.chain(optax.clip_by_global_norm(1e6), optax.zero_nans(), optax.adam(lr)),
    "two scales": lambda lr: optax.chain(
        optax.scale_by_adam(), optax.scale(-0.5), optax.scale_by_schedule(lr), optax.scale(2.0)
    ),
    "prefix of labels": lambda lr: optax.partition(
        {"a": optax.adam(lr), "b": optax.nadam(lr)}, {"lasso": "a", "l2_ball": "b"}
    ),
}


@pytest.mark.parametrize("way", WRAPPED)
def test_the_metric_is_read_through(way):
    _, steps, lr = OPTIMIZERS["adam"]
    names = ["lasso", "l2_ball"]
    for name, w in train(proximal(WRAPPED[way](schedule(lr, steps)), rules(names)), names, steps).items():
        check(w, name)


def test_each_label_has_its_own_metric():
    (_, steps, lr), (_, _, low) = OPTIMIZERS["adam"], OPTIMIZERS["momentum"]
    parts = {"fast": optax.adam(schedule(lr, steps)), "slow": optax.sgd(low(0.0), momentum=0.9)}
    inner = optax.partition(parts, lambda p: {name: "slow" if name == "lasso" else "fast" for name in p})
    names = ["lasso", "l1_ball", "elastic_net"]
    for name, w in train(proximal(inner, rules(names)), names, steps).items():
        check(w, name)


def test_without_the_metric_it_ends_elsewhere():
    """What people write: the threshold lr·s after Adam's step."""
    _, steps, lr = OPTIMIZERS["adam"]
    rate = schedule(lr, steps)

    def threshold(updates, state, params):
        t = S * rate(state)
        ends = jax.tree.map(lambda p, u: jnp.sign(p + u) * jnp.maximum(jnp.abs(p + u) - t, 0), params, updates)
        return jax.tree.map(jnp.subtract, ends, params), state + 1

    naive = optax.chain(
        optax.adam(rate), optax.GradientTransformation(lambda _: jnp.zeros([], jnp.int32), threshold)
    )
    with pytest.raises(AssertionError):
        check(train(naive, ["lasso"], steps)["lasso"], "lasso")


def test_project_is_proximal_for_constraints():
    make, steps, lr = OPTIMIZERS["adam"]
    names = ["l1_ball", "l2_ball"]
    for name, w in train(project(make(schedule(lr, steps)), rules(names)), names, steps).items():
        check(w, name)


def test_a_schedule_of_the_strength_ends_at_its_last_value():
    make, steps, lr = OPTIMIZERS["momentum"]
    found = [Rule("lasso", PROBLEMS["lasso"][0], schedule=WarmUp(100)), Rule("ridge", PROBLEMS["ridge"][0])]
    tx = proximal(make(schedule(lr, 2 * steps)), found)
    for name, w in train(tx, ["lasso", "ridge"], 2 * steps).items():
        check(w, name)

"""Training with optax as people do it: compiled, wrapped, sharded, resumed, in Equinox and in Flax NNX."""

import os
import subprocess
import sys
from functools import partial

import numpy as np
import pytest

optax = pytest.importorskip("optax", reason="optax is not installed")
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402

from shrinkage.interop.optax import Rule, penalize, project, proximal  # noqa: E402
from shrinkage.penalties import L0, L1, L2, MCP, Box, GroupL2  # noqa: E402
from shrinkage.rules import Cosine  # noqa: E402

RULES = [
    Rule("a", L1(0.2), schedule=Cosine(20, last=0.5)),
    Rule("b", GroupL2(0.01, axis=1)),
    Rule("c", L2.ball(0.8)),
    Rule("d", L2(0.1)),
]


def params():
    keys = jax.random.split(jax.random.key(0), 4)
    return {name: {"kernel": 0.3 * jax.random.normal(key, (5, 4))} for name, key in zip("abcd", keys, strict=True)}


def loss(weights, x):
    return sum(jnp.mean((x @ layer["kernel"] - 0.1) ** 2) for layer in weights.values())


def batch(k):
    return jax.random.normal(jax.random.key(100 + k), (8, 5))


def step(tx, weights, state, x):
    updates, state = tx.update(jax.grad(loss)(weights, x), state, weights)
    return optax.apply_updates(weights, updates), state


def run(tx, weights, state, first, last, one=None):
    one = one or jax.jit(partial(step, tx))
    for k in range(first, last):
        weights, state = one(weights, state, batch(k))
    return weights, state


def same(a, b, **tolerance):
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(x, y, **tolerance)
        np.testing.assert_array_equal(np.asarray(x) == 0, np.asarray(y) == 0)


def test_compiled_and_not():
    tx = proximal(optax.adam(0.05), [RULES[0], RULES[3]])
    start = params(), tx.init(params())
    compiled, _ = run(tx, *start, 0, 4)
    eager, _ = run(tx, *start, 0, 4, one=partial(step, tx))
    same(compiled, eager, rtol=1e-4, atol=1e-6)
    assert (np.asarray(compiled["a"]["kernel"]) == 0).any()


def test_a_step_is_traced_once():
    tx, traces = proximal(optax.adam(0.05), RULES), []

    def one(weights, state, x):
        traces.append(0)
        return step(tx, weights, state, x)

    run(tx, params(), tx.init(params()), 0, 4, one=jax.jit(one))
    assert len(traces) == 1


def test_resume_from_a_checkpoint_bit_for_bit(tmp_path):
    tx = proximal(optax.inject_hyperparams(optax.adam)(optax.cosine_decay_schedule(0.05, 20)), RULES)
    whole, _ = run(tx, params(), tx.init(params()), 0, 12)
    weights, state = run(tx, params(), tx.init(params()), 0, 6)
    np.savez(tmp_path / "half.npz", *jax.tree.leaves((weights, state)))
    held = np.load(tmp_path / "half.npz")
    again = proximal(optax.inject_hyperparams(optax.adam)(optax.cosine_decay_schedule(0.05, 20)), RULES)
    structure = jax.tree.structure((params(), again.init(params())))
    resumed, state = run(again, *structure.unflatten([jnp.asarray(held[name]) for name in held.files]), 6, 12)
    assert int(state.steps) == 12
    for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(resumed), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("optimizer", [optax.sgd, optax.adam], ids=["sgd", "adam"])
def test_accumulated_gradients_count_once(optimizer):
    """MultiSteps around it: the penalty acts in the steps that move the weights, once."""
    plain = proximal(optimizer(0.05), RULES)
    many = optax.MultiSteps(proximal(optimizer(0.05), RULES), every_k_schedule=2)
    one, _ = run(
        plain, params(), plain.init(params()), 0, 3, one=jax.jit(lambda w, s, x: step(plain, w, s, batch(0)))
    )
    accumulated, _ = run(
        many, params(), many.init(params()), 0, 6, one=jax.jit(lambda w, s, x: step(many, w, s, batch(0)))
    )
    same(one, accumulated, rtol=1e-5, atol=1e-6)


def test_a_step_that_is_not_finite_changes_nothing():
    tx = optax.apply_if_finite(proximal(optax.adam(0.05), RULES), 5)
    weights, state = run(tx, params(), tx.init(params()), 0, 3)
    bad, after = step(tx, weights, state, batch(0) * jnp.nan)
    for a, b in zip(jax.tree.leaves(weights), jax.tree.leaves(bad), strict=True):
        np.testing.assert_array_equal(a, b)
    assert int(after.inner_state.steps) == 3


def test_an_array_as_a_strength_and_groups_by_lists():
    weights = {"kernel": jnp.array([[1.0, 1.0], [1.0, 1.0]])}
    zero = jax.tree.map(jnp.zeros_like, weights)
    for penalty, expected in (
        (L1(np.array([[0.0, 1.0], [np.inf, 4.0]])), [[1.0, 0.5], [0.0, 0.0]]),
        (GroupL2(2.0, groups=[[0, 3], [1], [2]]), None),
    ):
        tx = proximal(optax.sgd(0.5), penalty)
        updates, _ = jax.jit(tx.update)(zero, tx.init(weights), weights)
        found = optax.apply_updates(weights, updates)["kernel"]
        np.testing.assert_allclose(
            found, penalty.prox(np.ones((2, 2)), 0.5) if expected is None else expected, atol=1e-7
        )


def test_one_ball_around_several_leaves():
    """The projection of the long vector, in a metric that differs from leaf to leaf."""
    weights = {"a": jnp.array([[3.0, -1.0]]), "b": jnp.array([[2.0], [0.5]])}
    inner = optax.partition({"x": optax.sgd(0.1), "y": optax.sgd(0.4)}, {"a": "x", "b": "y"})
    zero = jax.tree.map(jnp.zeros_like, weights)
    for ball in (L1.ball(2.0), L2.ball(2.0), L0.ball(2)):
        tx = project(inner, [Rule("*", ball, joint=True)])
        updates, _ = tx.update(zero, tx.init(weights), weights)
        found = jnp.concatenate([leaf.ravel() for leaf in optax.apply_updates(weights, updates).values()])
        expected = ball.project(np.array([3.0, -1.0, 2.0, 0.5]), np.array([0.1, 0.1, 0.4, 0.4]))
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        np.testing.assert_array_equal(np.asarray(found) == 0, expected == 0)
        assert tx.summary(optax.apply_updates(weights, updates)).rows[0].violation <= 1e-6


def test_the_other_penalties_act_as_in_numpy():
    weights = {"kernel": jnp.array([[1.5, -0.2], [0.6, 0.0]])}
    zero = jax.tree.map(jnp.zeros_like, weights)
    for penalty in (MCP(0.5, 3.0), L0(0.1), Box(-0.1, 1.0) + L1(0.1), L0.ball(1), GroupL2.ball(1.0, axis=0)):
        tx = proximal(optax.sgd(0.25), penalty)
        updates, _ = jax.jit(tx.update)(zero, tx.init(weights), weights)
        expected = penalty.prox(np.array([[1.5, -0.2], [0.6, 0.0]]), 0.25)
        np.testing.assert_allclose(optax.apply_updates(weights, updates)["kernel"], expected, rtol=1e-5, atol=1e-7)


def test_bfloat16_weights_reach_exact_zeros():
    weights = {"kernel": jnp.linspace(-1, 1, 16, dtype=jnp.bfloat16).reshape(4, 4)}
    tx = proximal(optax.adam(0.05), L1(0.5))
    zero, state = jax.tree.map(jnp.zeros_like, weights), tx.init(weights)
    for _ in range(30):
        updates, state = jax.jit(tx.update)(zero, state, weights)
        weights = optax.apply_updates(weights, updates)
    assert weights["kernel"].dtype == jnp.bfloat16
    assert (weights["kernel"] == 0).all()


def test_unseen_rows_of_an_embedding_are_not_wiped():
    """Without gradients Adam's lr/ε would be the threshold."""
    weights = {"table": jax.random.normal(jax.random.key(0), (6, 3))}
    tx = proximal(optax.adam(1e-3), L1(1e-6))
    grads, state = {"table": jnp.zeros((6, 3)).at[:2].set(1.0)}, tx.init(weights)
    start = weights["table"]
    for _ in range(20):
        updates, state = jax.jit(tx.update)(grads, state, weights)
        weights = optax.apply_updates(weights, updates)
    assert not (weights["table"][2:] == 0).any()
    assert float(jnp.abs(weights["table"][2:] - start[2:]).max()) <= 20 * 3.2e-3


def test_the_whole_may_be_injected():
    """A learning rate that the caller sets between steps."""
    tx = optax.inject_hyperparams(lambda lr: proximal(optax.adam(lr), RULES[:1]))(lr=0.05)
    plain = proximal(optax.adam(0.05), RULES[:1])
    found, state = run(tx, params(), tx.init(params()), 0, 4)
    expected, _ = run(plain, params(), plain.init(params()), 0, 4)
    same(found, expected, rtol=1e-5, atol=1e-7)
    state.hyperparams["lr"] = jnp.zeros(())
    stays, _ = run(tx, found, state, 4, 6)
    same(stays, found, rtol=0, atol=0)


def test_extra_arguments_reach_the_inner():
    seen = []

    def update(updates, state, params=None, *, value, **extra):
        seen.append(value)
        return updates, state

    inner = optax.GradientTransformationExtraArgs(lambda p: (), update)
    tx = proximal(optax.chain(inner, optax.sgd(0.1)), L2(0.1))
    tx.update(params(), tx.init(params()), params(), value=3.0)
    assert seen == [3.0]


def test_equinox():
    eqx = pytest.importorskip("equinox", reason="equinox is not installed")
    model = eqx.nn.MLP(5, 1, 16, 1, key=jax.random.key(1))
    tx = proximal(optax.adam(0.02), [Rule("layers.0", GroupL2(0.02, axis=1)), Rule(eqx.nn.Linear, L1(0.01))])
    state = tx.init(eqx.filter(model, eqx.is_inexact_array))
    x, y = batch(0), batch(0)[:, 0]

    @eqx.filter_jit
    def one(model, state):
        grads = eqx.filter_grad(lambda m: jnp.mean((jax.vmap(m)(x)[:, 0] - y) ** 2))(model)
        updates, state = tx.update(grads, state, eqx.filter(model, eqx.is_inexact_array))
        return eqx.apply_updates(model, updates), state

    for _ in range(200):
        model, state = one(model, state)
    first, last = model.layers[0].weight, model.layers[1].weight
    assert 0 < int((first == 0).all(axis=0).sum()) < 5  # whole inputs are off, not all
    assert (last == 0).any()
    assert "layers.0.weight" in tx.table(eqx.filter(model, eqx.is_inexact_array))


def test_flax_nnx():
    nnx = pytest.importorskip("flax.nnx", reason="flax is not installed")

    class Net(nnx.Module):
        def __init__(self, rngs):
            self.fc = nnx.Linear(5, 16, rngs=rngs)
            self.norm = nnx.LayerNorm(16, rngs=rngs)
            self.head = nnx.Linear(16, 1, rngs=rngs)

        def __call__(self, x):
            return self.head(nnx.relu(self.norm(self.fc(x))))

    model = Net(nnx.Rngs(0))
    tx = proximal(optax.adam(0.02), {"fc": GroupL2(0.02, axis=0), "head": L1.ball(0.5)})
    optimizer = nnx.Optimizer(model, tx, wrt=nnx.Param)
    x, y = batch(0), batch(0)[:, :1]

    @nnx.jit
    def one(model, optimizer):
        optimizer.update(model, nnx.grad(lambda m: jnp.mean((m(x) - y) ** 2))(model))

    for _ in range(200):
        one(model, optimizer)
    assert (model.fc.kernel[...] == 0).all(axis=1).any()
    assert (model.head.kernel[...] == 0).any()
    assert float(jnp.abs(model.head.kernel[...]).sum()) <= 0.5 * (1 + 1e-5)
    assert tx.summary(nnx.state(model, nnx.Param)).rows[0].parameter == "fc.kernel"


SHARDED = """
import jax, numpy as np, optax
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
from shrinkage.interop.optax import proximal
from tests.interop.test_optax_training import RULES, params, same
tx = proximal(optax.adam(0.05), RULES)
mesh = Mesh(np.array(jax.devices()), ("x",))
for spec in (P("x"), P(None, "x")):
    place = NamedSharding(mesh, spec)
    start = params()
    start = {k: {"kernel": jax.device_put(np.asarray(v["kernel"])[:4], place)} for k, v in start.items()}
    alone = {k: {"kernel": jax.device_put(np.asarray(v["kernel"]), jax.devices()[0])} for k, v in start.items()}
    loss = lambda w: sum(((v["kernel"] - 0.1) ** 2).mean() for v in w.values())
    @jax.jit
    def go(w, s):
        u, s = tx.update(jax.grad(loss)(w), s, w)
        return optax.apply_updates(w, u), s
    a, b = (start, tx.init(start)), (alone, tx.init(alone))
    for _ in range(6):
        a, b = go(*a), go(*b)
    same(a[0], b[0], rtol=1e-5, atol=1e-7)
    assert all(leaf.sharding.is_equivalent_to(place, 2) for leaf in jax.tree.leaves(a[0])), a
print(len(jax.devices()), "devices")
"""


def test_sharded_weights_stay_sharded_and_are_the_same():
    env = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run([sys.executable, "-c", SHARDED], env=env, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "2 devices", done.stderr


def test_penalize_in_front_is_a_penalty_in_the_loss():
    rules = {"a": L2(0.3)}
    ours = optax.chain(penalize(rules), optax.adam(0.05))
    theirs = optax.adam(0.05)
    found, _ = run(ours, params(), ours.init(params()), 0, 5)
    value = penalize(rules).value

    def one(weights, state, x):
        grads = jax.grad(lambda w: loss(w, x) + value(w))(weights)
        updates, state = theirs.update(grads, state, weights)
        return optax.apply_updates(weights, updates), state

    expected, _ = run(theirs, params(), theirs.init(params()), 0, 5, one=jax.jit(one))
    same(found, expected, rtol=1e-4, atol=1e-6)

"""What the rules pick in pytrees, what the table shows, and what is refused, by name."""

import re

import numpy as np
import pytest

optax = pytest.importorskip("optax", reason="optax is not installed")
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402

from shrinkage.interop.optax import Regularizer, Rule, penalize, project, proximal  # noqa: E402
from shrinkage.penalties import L0, L1, L2, GroupL2, NonNegative  # noqa: E402


def tree():
    """As Flax's Linen and Haiku hold their parameters."""
    layer = {"kernel": jnp.ones((3, 4)), "bias": jnp.ones(4)}
    return {
        "conv": {"kernel": jnp.ones((1, 1, 1, 4)), "bias": jnp.ones((4, 1, 1))},
        "blocks": [dict(layer), dict(layer)],
        "norm": {"scale": jnp.ones(4), "bias": jnp.ones(4)},
        "steps": jnp.array(3),
    }


def governed(rules, params=None):
    params = tree() if params is None else params
    plan = proximal(optax.sgd(0.1), rules).engine.plan(params)
    return {choice.candidate.path for choice in plan.choices if choice.rule is not None}


BLOCKS = {"blocks.0.kernel", "blocks.1.kernel"}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("*", BLOCKS | {"conv.kernel"}),
        ("blocks/0", {"blocks.0.kernel"}),
        ("blocks.*.kernel", BLOCKS),
        ("*.bias", {"conv.bias", "blocks.0.bias", "blocks.1.bias", "norm.bias"}),
        ("norm", {"norm.scale"}),
        (lambda path, node, leaf: leaf.shape == (3, 4), BLOCKS),
    ],
    ids=["all", "node", "glob", "literal", "vectors", "predicate"],
)
def test_where(where, expected):
    assert governed({where: L2(1e-3)}) == expected


def test_a_lone_array_and_one_in_a_tuple():
    for rules in (L2(1.0), {"params": L2(1.0)}):
        for lone in (jnp.ones((2, 2)), jnp.ones(5)):  # a vector, too: there is nothing else that could be meant
            assert governed(rules, lone) == {"params"}
    with pytest.raises(ValueError, match=r"it matches only params \(vector\)"):
        governed(L2(1.0), {"params": jnp.ones(5)})
    assert governed({"1": L2(1.0)}, (jnp.ones((2, 2)), jnp.ones((2, 2)))) == {"1"}


def test_equinox_modules():
    eqx = pytest.importorskip("equinox", reason="equinox is not installed")

    class Net(eqx.Module):
        conv: eqx.nn.Conv2d
        norm: eqx.nn.LayerNorm
        mlp: eqx.nn.MLP
        value: jax.Array

    key = jax.random.key(0)
    net = Net(
        eqx.nn.Conv2d(1, 2, 3, key=key), eqx.nn.LayerNorm((2, 2)), eqx.nn.MLP(2, 1, 4, 1, key=key), jnp.ones((2, 2))
    )
    params = eqx.filter(net, eqx.is_inexact_array)
    assert governed(L1(0.1), params) == {"conv.weight", "mlp.layers.0.weight", "mlp.layers.1.weight", "value"}
    assert governed({eqx.nn.Linear: L1(0.1)}, params) == {"mlp.layers.0.weight", "mlp.layers.1.weight"}
    assert governed({eqx.nn.LayerNorm: L1(0.1)}, params) == {"norm.weight"}
    assert governed({"mlp.layers.1": L1(0.1)}, params) == {"mlp.layers.1.weight"}
    with pytest.raises(
        TypeError, match=r"mlp\.activation is a .*, not an array: give the arrays alone, such as eqx"
    ):
        governed(L1(0.1), net)
    with pytest.raises(TypeError, match="where cannot be a MLP object"):
        proximal(optax.sgd(0.1), [Rule(net.mlp, L1(0.1))])


def test_flax_nnx_modules():
    nnx = pytest.importorskip("flax.nnx", reason="flax is not installed")

    class Net(nnx.Module):
        def __init__(self, rngs):
            self.fc = nnx.Linear(2, 4, rngs=rngs)
            self.norm = nnx.BatchNorm(4, rngs=rngs)
            self.value = nnx.Linear(4, 1, rngs=rngs)

    params = nnx.state(Net(nnx.Rngs(0)), nnx.Param)
    assert governed(L1(0.1), params) == {"fc.kernel", "value.kernel"}
    assert governed({"value": L1(0.1), "norm": L2(0.1)}, params) == {"value.kernel", "norm.scale"}
    assert governed({"fc": L1(0.1)}, nnx.to_pure_dict(params)) == {"fc.kernel"}


def test_the_table():
    tx = proximal(optax.adam(1e-3), [Rule("blocks.0", L1(0.1), schedule=lambda k: 1.0), Rule("conv", L2(1e-3))])
    lines = tx.table(tree()).splitlines()
    row = next(line for line in lines if line.startswith("blocks.0.kernel"))
    assert row.split()[:5] == ["blocks.0.kernel", "3×4", "12", "L1(strength=0.1)", "prox"]
    assert row.split()[5:] == ["'blocks.0'", "module", "blocks.0", "scheduled"]
    assert lines[-2:] == ["enforced inside update()", "metric of prox and project: 1/(√v̂ + ε) · lr"]
    assert re.search(r"^steps +scalar +1 .* frozen$", tx.table(tree()), re.MULTILINE)
    assert "2 rule(s), around an inner" in repr(tx)


def test_frozen_leaves_are_shown_and_stay():
    inner = optax.partition({"on": optax.sgd(0.5), "off": optax.set_to_zero()}, {"a": "on", "b": "off"})
    params = {"a": jnp.ones((2, 2)), "b": jnp.full((2, 2), -3.0)}
    tx = proximal(inner, NonNegative() + L1(0.5))
    assert re.search(r"^b .* frozen$", tx.table(params), re.MULTILINE)
    updates, _ = tx.update(jax.tree.map(jnp.zeros_like, params), tx.init(params), params)
    after = optax.apply_updates(params, updates)
    np.testing.assert_array_equal(after["b"], params["b"])
    np.testing.assert_array_equal(after["a"], np.full((2, 2), 0.75))
    with pytest.raises(ValueError, match=r"picks nothing trainable: no gradient reaches b \(frozen\)"):
        proximal(inner, {"b": L1(0.1)}).init(params)


def test_the_summary():
    params = {"a": {"kernel": jnp.array([[0.0, 0.0], [3.0, 4.0]])}, "b": {"kernel": jnp.array([[0.0, 2.0]])}}
    rules = [Rule("a", GroupL2(0.5, axis=0)), Rule("b", L2.ball(1.5))]
    summary = proximal(optax.sgd(0.1), rules).summary(
        params, step=7, loss=jnp.asarray(1.0), gradients=jax.tree.map(jnp.ones_like, params)
    )
    a, b = summary.rows
    assert (summary.step, a.zeros, a.groups, a.zero_groups) == (7, 2, 2, 1)
    assert a.value == pytest.approx(0.5 * 2**0.5 * 5)
    assert a.share == pytest.approx(a.value / (1 + a.value))
    assert a.gradient_ratio == pytest.approx(0.5 * 2**0.5 / 2)
    assert b.violation == pytest.approx(0.5)
    with pytest.raises(ValueError, match="loss must be one finite number"):
        proximal(optax.sgd(0.1), rules).summary(params, loss=jnp.ones(2))


def test_the_value_is_the_objectives_and_differentiable():
    params = {"a": {"kernel": jnp.array([[1.0, -2.0]])}, "b": {"kernel": jnp.array([[3.0, 0.0]])}}
    tx = proximal(optax.sgd(0.1), [Rule("a", L1(0.5), schedule=lambda k: k / 4), Rule("b", L2.ball(1.0))])
    assert float(tx.value(params, 2)) == 0.75
    slope = jax.jit(jax.grad(tx.value))(params, jnp.array(4))
    np.testing.assert_array_equal(slope["a"]["kernel"], [[0.5, -0.5]])
    np.testing.assert_array_equal(slope["b"]["kernel"], [[0.0, 0.0]])
    with pytest.raises(ValueError, match='no rule has how="loss"'):
        tx.loss(params)


ADAM, SGD = optax.adam(1e-3), optax.sgd(0.1)
KERNEL = {"kernel": jnp.ones((2, 3))}


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: proximal(optax.MultiSteps(SGD, 2), L1(1.0)), TypeError, r"put it outside, MultiSteps\(proximal"),
        (lambda: proximal("adam", L1(1.0)), TypeError, "inner must be an optax.GradientTransformation"),
        (lambda: penalize(L1(1.0)), ValueError, r"form 'prox', which penalize\(rules\) has not: use proximal"),
        (lambda: project(SGD, L1(1.0)), ValueError, r"form 'prox', which project\(inner, rules\) has not"),
        (lambda: proximal(SGD, [Rule("*", L2(1.0), how="decoupled")]), ValueError, "optax.add_decayed_weights"),
        (lambda: proximal(SGD, [Rule("*", L2.ball(1.0), how="lagrangian")]), ValueError, "it is for PyTorch"),
        (lambda: proximal(SGD, {jnp.ones(3).shape: L1(1.0)}), TypeError, "where"),
        (lambda: proximal(SGD, 3.0), TypeError, "rules must be a penalty, a dict"),
        (
            lambda: proximal(SGD, [Rule("*", L1(1.0), schedule=lambda k: 1.0 if k > 3 else 0.0)]),
            ValueError,
            "the schedule of the rule on '\\*' asks a traced step for its value",
        ),
    ],
)
def test_refused_when_made(make, error, message):
    with pytest.raises(error, match=message):
        make()


FLAT = optax.flatten(SGD)


@pytest.mark.parametrize(
    ("inner", "rules", "message"),
    [
        (optax.lion(1e-3), L1(1.0), "inner holds scale_by_lion, and how it moves a weight at rest is not known"),
        (optax.lamb(1e-3), L1(1.0), "inner holds scale_by_trust_ratio"),
        (optax.adafactor(1e-3), L1(1.0), "inner holds scale_by_factored_rms"),
        (FLAT, L1(1.0), "inner holds flatten"),
        (optax.apply_if_finite(SGD, 3), L1(1.0), r"put it outside, apply_if_finite\(proximal"),
        (proximal(SGD, L1(1.0)), L1(1.0), "put all rules into one"),
        (optax.chain(SGD, optax.clip(1.0)), L1(1.0), "inner holds clip behind a part that scales"),
        (optax.chain(SGD, penalize(L2(1.0))), L1(1.0), "inner holds penalize behind a part that scales"),
        (optax.scale_by_adam(), L1(1.0), r"kernel is moved along its gradient: end the chain by"),
        (optax.sgd(-0.1), L1(1.0), "needs an inner transformation that descends"),
        (optax.masked(SGD, {"kernel": False}), L1(1.0), "kernel is moved along its gradient"),
        (ADAM, L0(0.1), "is refused for L0 under .*: in an adaptive metric"),
        (SGD, L1(np.ones(4)), "the rule on '\\*' does not fit kernel: strength has shape"),
        (SGD, GroupL2(1.0, axis=2), "does not fit kernel: axis=2 does not exist"),
        (SGD, {"kernle": L1(1.0)}, "picks nothing trainable: .* Near matches: kernel"),
        (
            optax.inject_hyperparams(optax.adamax)(1e-3),
            L1(1.0),
            "inner injects b1 of scale_by_adamax, whose metric needs a number",
        ),
        (optax.radam(1e-3, threshold=4.0), L1(1.0), "scale_by_radam with a threshold other than 5"),
    ],
)
def test_refused_by_init(inner, rules, message):
    with pytest.raises(ValueError, match=message):
        proximal(inner, rules).init(KERNEL)


def test_smooth_penalties_need_no_metric():
    tx = proximal(optax.lion(1e-3, weight_decay=0.0), L2(0.1))
    updates, _ = tx.update(jax.tree.map(jnp.zeros_like, KERNEL), tx.init(KERNEL), KERNEL)
    np.testing.assert_allclose(updates["kernel"], -1e-3, rtol=1e-6)


def test_foreign_parts_are_refused_by_their_full_name():
    def halve(updates, state, params=None):
        return jax.tree.map(lambda u: u / 2, updates), state

    foreign = optax.chain(optax.GradientTransformation(lambda p: (), halve), SGD)
    with pytest.raises(ValueError, match=r"inner holds .*test_optax_rules.*halve, and how it moves"):
        proximal(foreign, L1(1.0)).init(KERNEL)


@pytest.mark.parametrize(
    ("inner", "rate", "message"),
    [
        (SGD, 0.2, "learning_rate is 0.2 at count 0, and inner moves kernel at 0.1"),
        (
            optax.sgd(lambda k: 0.1 / (1 + k)),
            0.1,
            "learning_rate is 0.1 at count 1, and inner moves kernel at 0.05",
        ),
        (optax.inject_hyperparams(optax.sgd)(0.1), 0.1, "inner's is injected and may change: leave"),
    ],
)
def test_a_stated_learning_rate_must_be_the_inners(inner, rate, message):
    with pytest.raises(ValueError, match=message):
        proximal(inner, L1(1.0), learning_rate=rate).init(KERNEL)


def test_the_right_learning_rate_may_be_stated():
    schedule = optax.cosine_decay_schedule(0.1, 100)
    for inner, rate in ((SGD, 0.1), (optax.adam(schedule), schedule)):
        tx = proximal(inner, L1(1.0), learning_rate=rate)
        assert isinstance(tx, Regularizer)
        tx.init(KERNEL)
        jax.jit(tx.init)(KERNEL)


def test_update_needs_the_parameters():
    tx = proximal(SGD, L1(1.0))
    with pytest.raises(ValueError, match="update needs the parameters"):
        tx.update(KERNEL, tx.init(KERNEL))


@pytest.mark.parametrize(
    ("inner", "effect"),
    [
        (optax.adamw(1e-3), "add_decayed_weights 0.0001 of inner acts on 1 .* shrinks them outside any objective"),
        (optax.chain(optax.add_decayed_weights(0.01), SGD), "add_decayed_weights 0.01 .* is an L2 of its own"),
    ],
)
def test_the_inners_own_decay_is_told(inner, effect):
    tx = proximal(inner, L1(1.0))
    with pytest.warns(UserWarning, match=effect):
        tx.init(KERNEL)
    assert "add_decayed_weights" in tx.table(KERNEL)


def test_joint_rules_need_one_dtype():
    params = {"a": jnp.ones((2, 2)), "b": jnp.ones((2, 2), jnp.bfloat16)}
    with pytest.raises(ValueError, match="bounds a of dtype float32 and b of dtype bfloat16 together"):
        project(SGD, [Rule("*", L2.ball(1.0), joint=True)]).init(params)

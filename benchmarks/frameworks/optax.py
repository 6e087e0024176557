"""optax: a compiled step with the rules in its update, beside the same step without."""

from collections.abc import Callable
from importlib.metadata import version
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import optax

from benchmarks.frameworks.overhead import BATCH, BLOCKS, SIDE, Row, measured
from shrinkage.interop.optax import proximal
from shrinkage.penalties import L1, L2, GroupL2

__all__ = ["steps"]

RULES = {"L2 gradient": L2(1e-4), "L1 prox": L1(1e-6), "group prox": GroupL2(1e-6, axis=-1)}
OPTIMIZERS = {"SGD momentum": lambda: optax.sgd(1e-4, momentum=0.9), "Adam": lambda: optax.adam(1e-5)}
PLACES = ("NHWC", "HWIO", "NHWC")


def resnet18(key: jax.Array) -> dict[str, Any]:
    """The weights; He's initialisation."""
    keys = iter(jax.random.split(key, 64))

    def conv(size: int, inputs: int, outputs: int) -> dict[str, jax.Array]:
        spread = (2 / (size * size * inputs)) ** 0.5
        kernel = spread * jax.random.normal(next(keys), (size, size, inputs, outputs))
        return {"kernel": kernel, "scale": jnp.ones(outputs), "bias": jnp.zeros(outputs)}

    widths = [(BLOCKS[0][0], 1), *BLOCKS]
    blocks = []
    for (inputs, _), (outputs, stride) in pairwise(widths):
        block = {"first": conv(3, inputs, outputs), "second": conv(3, outputs, outputs)}
        blocks.append(block | ({"around": conv(1, inputs, outputs)} if inputs != outputs or stride > 1 else {}))
    head = {"kernel": 0.01 * jax.random.normal(next(keys), (widths[-1][0], 10)), "bias": jnp.zeros(10)}
    return {"stem": conv(3, 3, widths[0][0]), "blocks": blocks, "head": head}


def normed(layer: dict[str, jax.Array], x: jax.Array, stride: int = 1) -> jax.Array:
    """A convolution, and a batch norm after it."""
    x = jax.lax.conv_general_dilated(x, layer["kernel"], (stride, stride), "SAME", dimension_numbers=PLACES)
    x = (x - x.mean((0, 1, 2))) * jax.lax.rsqrt(x.var((0, 1, 2)) + 1e-5)
    return layer["scale"] * x + layer["bias"]


def loss(params: dict[str, Any], x: jax.Array, y: jax.Array) -> jax.Array:
    """The mean cross-entropy."""
    x = jax.nn.relu(normed(params["stem"], x))
    for block, (_, stride) in zip(params["blocks"], BLOCKS, strict=True):
        inside = normed(block["second"], jax.nn.relu(normed(block["first"], x, stride)))
        x = jax.nn.relu(inside + (normed(block["around"], x, stride) if "around" in block else x))
    logits = x.mean((1, 2)) @ params["head"]["kernel"] + params["head"]["bias"]
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()


def training(tx: optax.GradientTransformation) -> Callable[[], object]:
    """One compiled step a call, on one batch for ever."""
    params = resnet18(jax.random.key(0))
    x = jax.random.normal(jax.random.key(1), (BATCH, SIDE, SIDE, 3))
    y = jax.random.randint(jax.random.key(2), (BATCH,), 0, 10)

    def step(held: Any) -> Any:
        params, state = held
        updates, state = tx.update(jax.grad(loss)(params, x, y), state, params)
        return optax.apply_updates(params, updates), state

    compiled = jax.jit(step, donate_argnums=0)
    held = [(params, tx.init(params))]

    def call() -> None:
        held[0] = jax.block_until_ready(compiled(held[0]))

    return call


def steps(repeats: int) -> tuple[str, list[Row]]:
    """The versions, and a row an optimiser."""
    rows = []
    for name, make in OPTIMIZERS.items():
        ways = {what: training(proximal(make(), penalty)) for what, penalty in RULES.items()}
        rows.append(measured(name, training(make()), ways, repeats))
    return f"optax {version('optax')}, jax {version('jax')}, {jax.default_backend()}", rows

"""Keras on the backend that KERAS_BACKEND names: ``train_on_batch`` with and without rules."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import keras
import numpy as np

from benchmarks.frameworks.overhead import BATCH, BLOCKS, SIDE, Row, measured
from shrinkage.interop.keras import regularize
from shrinkage.penalties import L1, L2, GroupL2

__all__ = ["steps"]

RULES = {"L2 gradient": L2(1e-4), "L1 prox": L1(1e-6), "group prox": GroupL2(1e-6, axis=-1)}
OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "SGD momentum": lambda: keras.optimizers.SGD(1e-4, momentum=0.9),
    "Adam": lambda: keras.optimizers.Adam(1e-5),
}
_PACKAGES = {"tensorflow": "tensorflow-cpu"}


def _convolution(x: Any, filters: int, size: int, stride: int) -> Any:
    """A convolution and its batch norm."""
    x = keras.layers.Conv2D(filters, size, stride, padding="same", use_bias=False)(x)
    return keras.layers.BatchNormalization()(x)


def resnet18() -> keras.Model:
    """Four stages of two blocks (He et al. 2015), for small images."""
    inputs = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.ReLU()(_convolution(inputs, 64, 3, 1))
    for filters, stride in BLOCKS:
        around = x if x.shape[-1] == filters else _convolution(x, filters, 1, stride)
        x = keras.layers.ReLU()(_convolution(x, filters, 3, stride))
        x = keras.layers.ReLU()(keras.layers.Add()([_convolution(x, filters, 3, 1), around]))
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(10)(x))


def training(optimizer: Any, penalty: Any = None) -> Callable[[], object]:
    """One step of a network of its own; its loss is read, so that the step is done."""
    keras.utils.set_random_seed(0)
    model = resnet18()
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    if penalty is not None:
        regularize(model, penalty)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((BATCH, SIDE, SIDE, 3)).astype("float32")
    y = rng.integers(10, size=BATCH)
    return lambda: float(model.train_on_batch(x, y))


def steps(repeats: int) -> tuple[str, list[Row]]:
    """A row an optimiser."""
    backend = keras.backend.backend()
    rows = []
    for name, make in OPTIMIZERS.items():
        ways = {what: training(make(), penalty) for what, penalty in RULES.items()}
        rows.append(measured(name, training(make()), ways, repeats))
    return f"Keras {keras.__version__} on {backend} {version(_PACKAGES.get(backend, backend))}", rows

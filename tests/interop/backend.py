"""Keras on the backend that KERAS_BACKEND names, set up for tests; a skip with its reason where it is missing."""

import os

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword"),  # saving, on torch
]
keras = pytest.importorskip("keras", reason="Keras is not installed", exc_type=ImportError)
BACKEND = keras.backend.backend()


def small_threads():
    """The tensors are tiny: a second thread costs more than it brings."""
    if BACKEND == "torch":
        import torch

        torch.set_num_threads(1)


def as_float64():
    """Double precision for one test: JAX must be told, too."""
    keras.config.set_floatx("float64")
    if BACKEND == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)


def numbers(value):
    """A variable's or a tensor's numbers, by NumPy alone: not by the library's own way."""
    tensor = keras.ops.convert_to_tensor(value)
    return np.array(tensor.detach().numpy() if BACKEND == "torch" else tensor)

"""Keras's tensors as arrays of the array API standard, so that penalties and metrics work on every backend.

Tensors of torch and JAX are such arrays by themselves. Those of TensorFlow are not: a :class:`Tensor` wraps one,
and its namespace is ``keras.ops``, in eager and in compiled code.
"""

from __future__ import annotations

import operator
from typing import Any

import keras
import ml_dtypes
import numpy as np
from keras import ops

from shrinkage.arrays import Array

__all__ = ["Tensor", "as_array", "as_tensor", "numbers"]


def as_array(value: Any) -> Array:
    """A Keras variable or a tensor as an array; its current value inside Keras's stateless scopes."""
    tensor = ops.convert_to_tensor(value)
    return Tensor(tensor) if keras.backend.backend() == "tensorflow" else tensor


def as_tensor(array: Any) -> Any:
    """The backend's tensor of an array, or the number as it is."""
    return array.value if isinstance(array, Tensor) else array


def numbers(variable: Any) -> np.ndarray:
    """A variable's value as a NumPy array; bfloat16, which NumPy lacks, as float32."""
    tensor = ops.convert_to_tensor(variable)
    if keras.backend.standardize_dtype(tensor.dtype) == "bfloat16":
        tensor = ops.cast(tensor, "float32")
    if keras.backend.backend() == "torch":
        tensor = tensor.detach().cpu()
    # Keras's own way makes NumPy 2 warn of the tensors of torch and TensorFlow.
    return tensor.numpy() if hasattr(tensor, "numpy") else np.asarray(tensor)


class Tensor:
    """A TensorFlow tensor with the operators and the namespace of the array API standard."""

    __slots__ = ("value",)
    __array_ufunc__ = None  # NumPy's arrays leave the operators to this class
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, value: Any) -> None:
        self.value = value

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        return Namespace

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape, known before it runs."""
        return tuple(self.value.shape)

    @property
    def ndim(self) -> int:
        """The number of its axes."""
        return len(self.shape)

    @property
    def dtype(self) -> str:
        """Its type by Keras's name."""
        return str(keras.backend.standardize_dtype(self.value.dtype))

    @property
    def device(self) -> None:
        """Where it lives is TensorFlow's own business."""
        return None

    def __bool__(self) -> bool:
        return bool(self.value)

    def __float__(self) -> float:
        return float(self.value)

    def __getitem__(self, key: Any) -> Tensor:
        return Tensor(self.value[as_tensor(key)])

    def __neg__(self) -> Tensor:
        return Tensor(-self.value)

    def __invert__(self) -> Tensor:
        return Tensor(~self.value)


def _operator(name: str, reflected: bool) -> Any:
    """One of Python's binary operators on what is wrapped."""
    function = getattr(operator, name)

    def method(self: Tensor, other: Any) -> Tensor:
        there = as_tensor(other)
        return Tensor(function(there, self.value) if reflected else function(self.value, there))

    return method


for _name in ("add", "sub", "mul", "truediv", "pow"):
    setattr(Tensor, f"__{_name}__", _operator(_name, reflected=False))
    setattr(Tensor, f"__r{_name}__", _operator(_name, reflected=True))
for _name in ("eq", "ne", "lt", "le", "gt", "ge", "and_", "or_"):
    setattr(Tensor, f"__{_name.strip('_')}__", _operator(_name, reflected=False))


class _Info:
    """What the namespace says of itself."""

    def default_dtypes(self) -> dict[str, str]:
        """The type that integers are promoted to."""
        return {"real floating": keras.config.floatx()}


class Namespace:
    """The functions of the array API standard that penalties use, by ``keras.ops``."""

    @staticmethod
    def __array_namespace_info__() -> _Info:
        return _Info()

    @staticmethod
    def asarray(x: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Tensor:
        """x as a tensor."""
        return Tensor(ops.convert_to_tensor(as_tensor(x), dtype=dtype))

    @staticmethod
    def astype(x: Tensor, dtype: Any, *, copy: bool = True) -> Tensor:
        """x in another type."""
        return Tensor(ops.cast(x.value, dtype))

    @staticmethod
    def isdtype(dtype: str, kind: str | tuple[str, ...]) -> bool:
        """Whether the type is of one of the kinds."""
        found = "bool" if dtype == "bool" else "real floating" if "float" in dtype else "integral"
        return found in ((kind,) if isinstance(kind, str) else kind)

    @staticmethod
    def finfo(dtype: str) -> Any:
        """The limits of a floating-point type."""
        return ml_dtypes.finfo(dtype)

    @staticmethod
    def full(shape: Any, value: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
        """A constant."""
        return Tensor(ops.full(shape, value, dtype=dtype))

    @staticmethod
    def zeros(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
        """Zeros."""
        return Tensor(ops.zeros(shape, dtype=dtype))

    @staticmethod
    def concat(arrays: Any, *, axis: int = 0) -> Tensor:
        """Arrays end to end."""
        return Tensor(ops.concatenate([as_tensor(a) for a in arrays], axis=axis))

    @staticmethod
    def stack(arrays: Any, *, axis: int = 0) -> Tensor:
        """Arrays along a new axis."""
        return Tensor(ops.stack([as_tensor(a) for a in arrays], axis=axis))

    @staticmethod
    def argsort(x: Tensor, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
        """The order; ties as they came, which is how TensorFlow sorts."""
        return Tensor(ops.argsort(-x.value if descending else x.value, axis=axis))

    @staticmethod
    def cumulative_sum(x: Tensor, *, axis: int = 0) -> Tensor:
        """Running sums."""
        return Tensor(ops.cumsum(x.value, axis=axis))


def _function(name: str) -> Any:
    """The function of ``keras.ops`` with the same arguments, on what is wrapped."""
    function = getattr(ops, name)

    def wrapped(*arguments: Any, **options: Any) -> Tensor:
        return Tensor(function(*map(as_tensor, arguments), **options))

    return staticmethod(wrapped)


_SAME = (
    "abs all any broadcast_to cos full_like max maximum min minimum moveaxis ones_like reshape sign sqrt sum take "
    "where zeros_like"
)
for _name in _SAME.split():
    setattr(Namespace, _name, _function(_name))

"""Which library an array belongs to, and the few operations that the array standard leaves awkward.

Nothing here imports an array library of its own accord: the library is read off the array that the caller
holds (NumPy, PyTorch, JAX, or any other that follows the array API standard). Lists become NumPy arrays.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from array_api_compat import array_namespace, is_numpy_array
from array_api_compat import device as device_of
from array_api_compat import is_array_api_obj as is_array

__all__ = [
    "Array",
    "as_float_array",
    "as_step",
    "beside",
    "clip",
    "constant_like",
    "device_of",
    "eps",
    "is_array",
    "largest",
    "namespace",
    "scalar",
]

Array = Any  # an array of any library that follows the array API standard


def namespace(*arrays: Array) -> Any:
    """The array API namespace that the arrays share (TypeError if they belong to different libraries)."""
    return array_namespace(*arrays)


def as_float_array(value: Any, name: str = "w") -> Array:
    """``value`` as a real floating-point array of its own library.

    Floating-point arrays are returned as they are. Lists, tuples and numbers become NumPy arrays; integers and
    booleans are promoted to the library's default real type (NumPy: float64).

    Raises:
        TypeError: complex, text or object entries.
        ValueError: a ragged list.
    """
    if not is_array(value):
        try:
            value = np.asarray(value)
        except ValueError as error:
            raise ValueError(
                f"{name} must be a rectangular array; got a ragged list: pad it or pass its rows one by one."
            ) from error
    if is_numpy_array(value) and value.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers; got dtype {value.dtype}: convert it to float first.")
    xp = namespace(value)
    if xp.isdtype(value.dtype, "real floating"):
        return value
    if xp.isdtype(value.dtype, ("integral", "bool")):
        return xp.astype(value, xp.__array_namespace_info__().default_dtypes()["real floating"])
    raise TypeError(f"{name} must hold real numbers; got dtype {value.dtype}: convert it to float first.")


def constant_like(value: float | np.ndarray, w: Array, name: str) -> Any:
    """A parameter beside the coefficients: a number stays one, an array joins w's library, dtype and device.

    Raises:
        ValueError: an array whose shape is not that of ``w``.
    """
    if isinstance(value, float):
        return value
    if value.shape != tuple(w.shape):
        raise ValueError(
            f"{name} has shape {value.shape} but the coefficients have shape {tuple(w.shape)}: "
            "give one number, or one a coefficient."
        )
    # a copy: torch warns of read-only memory
    return namespace(w).asarray(value.copy(), dtype=w.dtype, device=device_of(w))


def as_step(step: Any, w: Array) -> Any:
    """A proximal step as a number or as an array beside ``w`` (0-d, or of w's shape).

    Raises:
        ValueError: a negative or non-finite number, or an array of another shape. The entries of an array are
            not looked at: that would cost a pass, and on a GPU a synchronisation.
    """
    if isinstance(step, int | float | np.generic):
        step = float(step)
        if not 0 <= step < math.inf:
            raise ValueError(f"step must be a finite number ≥ 0; got {step}.")
        return step
    xp = namespace(w)
    if not is_array(step) or (is_numpy_array(step) and not is_numpy_array(w)):
        step = xp.asarray(step, device=device_of(w))
    if tuple(step.shape) not in ((), tuple(w.shape)):
        raise ValueError(
            f"step has shape {tuple(step.shape)} but the coefficients have shape {tuple(w.shape)}: "
            "give one number, or one a coefficient."
        )
    return xp.astype(step, w.dtype, copy=False)


def clip(xp: Any, x: Array, lower: Any, upper: Any) -> Array:
    """min(max(x, lower), upper), elementwise; NaN stays NaN."""
    return xp.minimum(xp.maximum(x, beside(xp, lower, x)), beside(xp, upper, x))


def beside(xp: Any, value: Any, x: Array) -> Array:
    """A number as a 0-d array that is filled where x lives: copied there, it would make the host wait for a GPU."""
    return xp.full((), value, dtype=x.dtype, device=device_of(x)) if isinstance(value, int | float) else value


def largest(x: Any, y: Any) -> Any:
    """max(x, y) of numbers, or of numbers and arrays: one that a compiler traces has no order yet."""
    arrays = [v for v in (x, y) if is_array(v)]
    if not arrays:
        return max(x, y)
    xp = namespace(*arrays)
    return xp.maximum(*(beside(xp, v, arrays[0]) for v in (x, y)))


def eps(xp: Any, w: Array) -> float:
    """The spacing of w's floating-point numbers at 1."""
    return float(xp.finfo(w.dtype).eps)


def scalar(x: Array) -> Any:
    """A Python number for a 0-d NumPy array; anything else as it is (reading it would synchronise a GPU)."""
    return x.item() if isinstance(x, np.ndarray | np.generic) and x.ndim == 0 else x

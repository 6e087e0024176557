"""The n-th largest of some numbers, without sorting them: NumPy's sort takes a second to compile."""

from __future__ import annotations

from typing import Any

from shrinkage.penalties.kernels import kernel

__all__ = ["nth_largest"]

Array = Any


@kernel
def nth_largest(values: Array, count: int, nth: int) -> float:
    """The ``nth`` largest, from 1, of the first ``count`` of ``values``, which change places. Hoare (1961)."""
    low, high, wanted = 0, count - 1, nth - 1
    while low < high:
        pivot, i, j = values[(low + high) // 2], low, high
        while i <= j:
            while values[i] > pivot:
                i += 1
            while values[j] < pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if wanted <= j:
            high = j
        elif wanted >= i:
            low = i
        else:
            break
    return float(values[wanted])

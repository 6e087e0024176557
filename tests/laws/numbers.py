"""The numbers that the laws draw: ordinary ones, zeros, ties, and steps spread over many orders of magnitude."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from shrinkage.penalties import EXAMPLE_SHAPE

SIZE = int(np.prod(EXAMPLE_SHAPE))
_ordinary = st.floats(-4, 4, width=32).filter(lambda x: x == 0 or abs(x) > 1e-4)
_special = st.sampled_from([0.0, 0.0, 0.25, -0.25, 1.0, -1.0, 100.0])


def _shaped(values: list[float]) -> np.ndarray:
    return np.array(values, dtype=np.float64).reshape(EXAMPLE_SHAPE)


coefficients = st.lists(st.one_of(_ordinary, _special), min_size=SIZE, max_size=SIZE).map(_shaped)
positive_steps = st.one_of(
    st.sampled_from([0.125, 0.5, 1.0, 3.0]),
    st.lists(st.sampled_from([2.0**-10, 0.125, 0.5, 1.0, 2.5, 16.0]), min_size=SIZE, max_size=SIZE).map(_shaped),
)
steps = st.one_of(
    positive_steps,
    st.just(0.0),
    st.lists(st.sampled_from([0.0, 0.125, 1.0, 2.5]), min_size=SIZE, max_size=SIZE).map(_shaped),
)

"""The n-th largest against a sort."""

from __future__ import annotations

import numpy as np
import pytest

from shrinkage.solvers.subset.ranking import nth_largest


@pytest.mark.parametrize("distinct", [1, 3, 1000], ids=["all the same", "many ties", "hardly a tie"])
def test_the_same_as_by_sorting(distinct: int) -> None:
    rng = np.random.default_rng(distinct)
    for _ in range(200):
        size = int(rng.integers(1, 40))
        values = rng.integers(0, distinct, size + 3).astype(float)
        values[rng.random(size + 3) < 0.1] = np.inf
        count, nth = size, int(rng.integers(1, size + 1))
        expected = np.sort(values[:count])[count - nth]
        assert nth_largest(values.copy(), count, nth) == expected

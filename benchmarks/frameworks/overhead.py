"""A regularised step beside the plain one: medians in turns, in one run."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from benchmarks.timing import medians, table

__all__ = ["BATCH", "BLOCKS", "BOUND", "SIDE", "Row", "measured", "report"]

BOUND = 1.05
BATCH, SIDE = 16, 32  # images of 32 × 32, as a ResNet-18 for CIFAR has them
# The filters and the stride of each of ResNet-18's blocks (He et al. 2015), after a stem of 64 filters.
BLOCKS = ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1))


class Row(NamedTuple):
    """One optimiser: seconds of the plain step, and the ratio of each regularised way to it."""

    optimizer: str
    plain: float
    ratios: Mapping[str, float]


def measured(
    optimizer: str, plain: Callable[[], object], ways: Mapping[str, Callable[[], object]], repeats: int
) -> Row:
    """Time the plain step and each way in turns; every callable makes one whole step and waits for it."""
    base, *others = medians([plain, *ways.values()], repeats)
    return Row(optimizer, base, {name: taken / base for name, taken in zip(ways, others, strict=True)})


def report(what: str, rows: Sequence[Row]) -> str:
    """The table of one framework."""
    header = ["optimiser", "ms without", *rows[0].ratios, "bound"]
    cells = [
        [r.optimizer, f"{1e3 * r.plain:.1f}", *(f"{ratio:.3f}" for ratio in r.ratios.values()), f"{BOUND}"]
        for r in rows
    ]
    return table(f"{what}: a ResNet-18's step at batch {BATCH}, ratio to none", header, cells)

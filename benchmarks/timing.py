"""Medians, tables, and what a figure was measured on."""

import importlib.util
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version


def medians(functions: Sequence[Callable[[], object]], repeats: int) -> list[float]:
    """Median seconds of each function, in turns, so that a slow spell of the machine falls on all of them."""
    for function in functions:
        function()
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(repeats):
        for function, taken in zip(functions, times, strict=True):
            start = time.perf_counter()
            function()
            taken.append(time.perf_counter() - start)
    return [statistics.median(taken) for taken in times]


def environment() -> str:
    """Versions, processor and BLAS kernels."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "numba", "scikit-learn"))
    lines = [f"Python {platform.python_version()}, {packages}", f"{_processor()}, one thread"]
    if importlib.util.find_spec("threadpoolctl"):
        import scipy.linalg  # noqa: F401  (its BLAS is another one than NumPy's)
        from threadpoolctl import threadpool_info

        blas = (i for i in threadpool_info() if i["user_api"] == "blas")
        lines += [f"{i['internal_api']} {i['version']}, {i.get('architecture', '')} kernels" for i in blas]
    return "\n".join(lines)


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table under its title."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    return "\n".join([title, "", line(header), line(["-" * width for width in widths]), *map(line, rows)])

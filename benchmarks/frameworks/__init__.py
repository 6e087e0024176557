"""What a regularised training step costs in each framework: ``python -m benchmarks frameworks NAME …``.

A module a framework, with ``steps(repeats)``: the framework's versions in words, and an
:class:`~benchmarks.frameworks.overhead.Row` a way of training. ``make test-NAME`` makes its environment, in
``.frameworks/NAME``.
"""

import importlib.util
import sys
from importlib import import_module

from benchmarks.frameworks.overhead import report
from benchmarks.timing import environment

# The name -> the package that it needs.
FRAMEWORKS = {"keras": "keras", "optax": "optax", "lightning": "lightning", "transformers": "transformers"}


def main(names: list[str], repeats: int = 15) -> None:
    """Print a table a framework; without names, of those that are installed."""
    unknown = sorted(set(names) - set(FRAMEWORKS))
    if unknown:
        sys.exit(f"no such framework: {', '.join(unknown)}; there are {', '.join(FRAMEWORKS)}")
    print(environment())
    for name in names or [n for n, package in FRAMEWORKS.items() if importlib.util.find_spec(package)]:
        print()
        print(report(*import_module(f"benchmarks.frameworks.{name}").steps(repeats)))

"""Run every benchmark and print its table: ``python -m benchmarks [name …]``."""

import sys
from importlib import import_module

from benchmarks.timing import environment

BENCHMARKS = ("start", "cv", "regression", "subset", "tables", "minibatch", "nn", "gates")


def main(names: list[str]) -> None:
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        sys.exit(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    print(environment())
    for name in names or BENCHMARKS:
        print()
        import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])

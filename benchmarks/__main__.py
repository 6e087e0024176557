"""Run every benchmark and print its table: ``python -m benchmarks [name …]``.

Those of other frameworks run apart, in an environment that has them: ``python -m benchmarks frameworks name …``.
"""

import sys
from importlib import import_module

from benchmarks.timing import environment

BENCHMARKS = ("start", "cv", "regression", "subset", "tables", "minibatch", "nn", "gates")


def main(names: list[str]) -> None:
    if names[:1] == ["frameworks"]:
        import_module("benchmarks.frameworks").main(names[1:])
        return
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        sys.exit(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    print(environment())
    for name in names or BENCHMARKS:
        print()
        import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])

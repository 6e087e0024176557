"""scikit-learn's installed test modules, with the drop-ins under the names of its classes.

A module's source is read, its imports from ``sklearn.linear_model`` are pointed at ``shrinkage.sklearn`` wherever
that has the name, and the result is executed as a module of another name. Tests that name none of the drop-ins,
directly or through a helper, are not taken.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import shrinkage.sklearn as dropins

__all__ = ["substituted", "tests_of"]

NAMES = frozenset(dropins.__all__)


class _Substitution(ast.NodeTransformer):
    def visit_ImportFrom(self, node: ast.ImportFrom) -> Any:
        if not (node.module or "").startswith("sklearn.linear_model"):
            return node
        ours = [alias for alias in node.names if alias.name in NAMES]
        theirs = [alias for alias in node.names if alias.name not in NAMES]
        found = []
        if ours:
            found.append(ast.ImportFrom("shrinkage.sklearn", ours, 0))
        if theirs:
            found.append(ast.ImportFrom(node.module, theirs, 0))
        return [ast.copy_location(item, node) for item in found]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        """Without marks that this project's configuration does not know."""
        node.decorator_list = [item for item in node.decorator_list if "thread_unsafe" not in ast.unparse(item)]
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> Any:
        """Parameters from a generator as a list: pytest deprecates generators."""
        if isinstance(node.func, ast.Attribute) and node.func.attr == "parametrize" and len(node.args) > 1:
            node.args[1] = ast.Call(ast.Name("list", ast.Load()), [node.args[1]], [])
        return self.generic_visit(node)


def _source(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.origin is not None, f"{name} is not installed"
    return Path(spec.origin)


def substituted(name: str) -> ModuleType:
    """The module ``name`` of scikit-learn's tests, with our classes in it."""
    path = _source(name)
    tree = ast.fix_missing_locations(_Substitution().visit(ast.parse(path.read_text(encoding="utf-8"))))
    module = ModuleType("own_" + name.rpartition(".")[2])
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # joblib's workers and pickle look there
    exec(compile(tree, str(path), "exec"), module.__dict__)
    return module


def _names_in(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _is_fixture(node: ast.FunctionDef) -> bool:
    return any("pytest.fixture" in ast.unparse(item) for item in node.decorator_list)


def tests_of(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The test functions of the module ``name`` that use a drop-in, and its fixtures, by name."""
    tree = ast.parse(_source(name).read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    used = {node.name: _names_in(node) for node in functions}
    while True:  # a helper's names are its caller's
        wider = {key: names.union(*(used[n] for n in names & used.keys())) for key, names in used.items()}
        if wider == used:
            break
        used = wider
    module = substituted(name)
    tests = {key: getattr(module, key) for key in used if key.startswith("test_") and used[key] & NAMES}
    return tests, {node.name: getattr(module, node.name) for node in functions if _is_fixture(node)}

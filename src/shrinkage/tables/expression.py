"""Arithmetic on columns, from text: a syntax tree of which all but what is listed here is refused."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from shrinkage.tables.source import TableError, shown

__all__ = ["FUNCTIONS", "computed", "tree_of"]

FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {
    "log": np.log, "log2": np.log2, "log10": np.log10, "log1p": np.log1p, "exp": np.exp, "expm1": np.expm1,
    "sqrt": np.sqrt, "abs": np.abs, "sin": np.sin, "cos": np.cos, "tan": np.tan, "tanh": np.tanh, "I": lambda x: x,
}  # fmt: skip
_ARITHMETIC: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: np.true_divide,
    ast.Pow: np.power,
}
_SIGNS: Mapping[type, Callable[[Any], Any]] = {ast.USub: operator.neg, ast.UAdd: operator.pos}


def tree_of(text: str) -> ast.expr:
    """The syntax tree of an expression.

    Raises:
        TableError: it is none.
    """
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise TableError(
            f"the formula's {shown(text)} cannot be read: it is no column and no expression."
        ) from error


def computed(node: ast.expr, values: Mapping[str, Any]) -> Any:
    """The value of a syntax tree of numbers, names of ``values``, arithmetic and known functions.

    Raises:
        TableError: there is anything else in it.
    """
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return np.float64(number)
        case ast.Name(id=name) if name in values:
            return values[name]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            return _ARITHMETIC[type(op)](computed(left, values), computed(right, values))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _SIGNS:
            return _SIGNS[type(op)](computed(operand, values))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
            return FUNCTIONS[name](computed(argument, values))
    raise TableError(
        f"the formula's {shown(ast.unparse(node))} is not allowed: columns that are numbers, + - * / **, and the "
        f"functions {', '.join(FUNCTIONS)} are; C(name) makes a column a category."
    )

"""enet_path and lasso_path: scikit-learn's functions, without an intercept as theirs are.

min over w of  1/(2n)·‖y − Xw‖² + α·ρ·‖w‖₁ + α·(1 − ρ)/2·‖w‖²  for every α of a falling grid
"""

from __future__ import annotations

import sys
import warnings
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import check_consistent_length

from shrinkage.sklearn.gram import given_gram
from shrinkage.sklearn.objective import alpha_grid, elastic_net, elastic_net_of_rows, pull_of, warn_if_short
from shrinkage.sklearn.samples import canonical
from shrinkage.sklearn.squares import options_of, problem_of, problem_of_gram

__all__ = ["enet_path", "grid_of", "lasso_path"]

_DEPRECATED = "deprecated"  # scikit-learn's own default


def enet_path(
    X: Any,
    y: Any,
    *,
    l1_ratio: float = 0.5,
    eps: float = 1e-3,
    n_alphas: Any = _DEPRECATED,
    alphas: Any = "warn",
    precompute: Any = "auto",
    Xy: Any = None,
    copy_X: bool = True,
    coef_init: Any = None,
    verbose: Any = False,
    return_n_iter: bool = False,
    positive: bool = False,
    check_input: bool = True,
    **params: Any,
) -> Any:
    """Elastic net solutions over a grid of α, as scikit-learn's ``enet_path`` returns them.

    Args:
        X: Shape (n, p), dense or sparse; not centred here.
        y: Shape (n,), or (n, K) for K tasks that share their features (see MultiTaskElasticNet).
        l1_ratio: ρ in [0, 1].
        eps: Last α over first, where ``alphas`` is a number.
        n_alphas: Deprecated by scikit-learn 1.9 for ``alphas``.
        alphas: How many, or the values in any order; 100 unless given.
        precompute: A Gram matrix X'X, which is then used; flags change nothing.
        Xy: Not needed; taken and left.
        copy_X: Changes nothing: X is never written.
        coef_init: Shape (p,), where the first α begins; not used for several tasks.
        verbose: Whether to write a dot an α to stderr.
        return_n_iter: Whether to return the numbers of sweeps too.
        positive: Whether w ≥ 0.
        check_input: Whether X and y are checked.
        params: ``tol`` (1e-4) and ``max_iter`` (1000); ``selection`` and ``random_state`` change nothing.

    Returns:
        α falling, shape (k,); coefficients, shape (p, k) or (K, p, k); gaps, shape (k,); and sweeps, a list, if
        asked for.

    Raises:
        ValueError: unknown ``params``, bad data, ``l1_ratio=0`` with a number of alphas.

    Example:
        >>> alphas, coefs, gaps = enet_path([[-1.0], [0.0], [1.0]], [-1.0, 0.0, 1.0], alphas=[0.1, 0.5])
        >>> alphas.tolist(), coefs.round(6).tolist()
        ([0.5, 0.1], [[0.454545, 0.860465]])
    """
    tol, max_iter = params.pop("tol", 1e-4), params.pop("max_iter", 1000)
    weights = params.pop("sample_weight", None)
    for unused in ("selection", "random_state", "do_screening", "X_offset", "X_scale"):
        params.pop(unused, None)
    if params:
        raise ValueError("Unexpected parameters in params", params.keys())
    if check_input:
        X = check_array(X, accept_sparse="csc", dtype=(np.float64, np.float32))
        y = check_array(y, dtype=X.dtype, ensure_2d=False)
        check_consistent_length(X, y)
    X = canonical(X)
    tasks = 0 if y.ndim == 1 else y.shape[1]
    if tasks and positive:
        raise ValueError("positive=True is not allowed for multi-output (y.ndim != 1)")
    gram = None if tasks else given_gram(precompute, X, False, weights)
    of = (X, y, weights, options_of(False, tol, max_iter))
    problem = problem_of(*of) if gram is None else problem_of_gram(gram, *of)
    grid = grid_of(alphas, n_alphas)
    if isinstance(grid, int):
        grid = alpha_grid(pull_of(problem, positive), l1_ratio, eps, grid)
    if tasks:
        solution = problem.solve(elastic_net_of_rows(l1_ratio, tasks), grid)
    else:
        start = None if coef_init is None else np.asarray(coef_init, dtype=np.float64)
        solution = problem.solve(elastic_net(l1_ratio, positive), grid, start=start)
    warn_if_short(solution, problem.goal)
    if verbose:
        sys.stderr.write("." * len(grid))
    found = (grid, np.asfortranarray(solution.coefs.T, dtype=X.dtype), solution.gaps)
    return (*found, [int(count) for count in solution.sweeps]) if return_n_iter else found


def lasso_path(X: Any, y: Any, *, alphas: Any = "warn", n_alphas: Any = _DEPRECATED, **others: Any) -> Any:
    """:func:`enet_path` at ``l1_ratio=1``.

    Args:
        X: Shape (n, p), dense or sparse; not centred here.
        y: Shape (n,).
        alphas: How many, or the values in any order; 100 unless given.
        n_alphas: Deprecated by scikit-learn 1.9 for ``alphas``.
        others: The other arguments of :func:`enet_path`.

    Returns:
        As :func:`enet_path`.

    Example:
        >>> lasso_path([[-1.0], [0.0], [1.0]], [-1.0, 0.0, 1.0], alphas=[0.1])[1].round(6).tolist()
        [[0.85]]
    """
    if "l1_ratio" in others:
        raise TypeError("lasso_path takes no l1_ratio: use enet_path.")
    return enet_path(X, y, l1_ratio=1.0, alphas=grid_of(alphas, n_alphas), **others)


def grid_of(alphas: Any, n_alphas: Any) -> Any:
    """How many alphas, or the alphas themselves, falling; with scikit-learn's warnings of what it deprecates."""
    count = 100
    if not (isinstance(n_alphas, str) and n_alphas == _DEPRECATED):
        count = n_alphas
        warnings.warn(
            "'n_alphas' was deprecated in 1.9 and will be removed in 1.11. 'alphas' now accepts an integer value "
            "which removes the need to pass 'n_alphas'.",
            FutureWarning,
            stacklevel=3,
        )
    if isinstance(alphas, str) and alphas == "warn":
        return count
    if alphas is None:
        warnings.warn(
            "'alphas=None' is deprecated and will be removed in 1.11, at which point the default value will be set "
            "to 100. Set 'alphas=100' to silence this warning.",
            FutureWarning,
            stacklevel=3,
        )
        return count
    if isinstance(alphas, Integral):
        return int(alphas)
    return np.sort(np.asarray(alphas, dtype=np.float64))[::-1].copy()

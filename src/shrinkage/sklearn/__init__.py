"""scikit-learn's linear models under their own names and parameters: change one import, keep the rest.

Constructors, parameter checks, tags and predictions are scikit-learn's own classes', of the version installed; the
fits are this library's.
"""

from shrinkage.sklearn.elastic_net import ElasticNet, Lasso
from shrinkage.sklearn.elastic_net_cv import ElasticNetCV, LassoCV
from shrinkage.sklearn.logistic import LogisticRegression
from shrinkage.sklearn.multi_task import MultiTaskElasticNet, MultiTaskLasso
from shrinkage.sklearn.paths import enet_path, lasso_path
from shrinkage.sklearn.poisson import PoissonRegressor
from shrinkage.sklearn.ridge import Ridge
from shrinkage.sklearn.ridge_cv import RidgeCV

__all__ = [
    "ElasticNet",
    "ElasticNetCV",
    "Lasso",
    "LassoCV",
    "LogisticRegression",
    "MultiTaskElasticNet",
    "MultiTaskLasso",
    "PoissonRegressor",
    "Ridge",
    "RidgeCV",
    "enet_path",
    "lasso_path",
]

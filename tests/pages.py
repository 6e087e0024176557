"""What the tests of the report share: a browser to open it in, and a fit whose columns have any names."""

import shutil
from dataclasses import fields

import numpy as np

from shrinkage import L1
from shrinkage.linear import PenalizedRegressorCV

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def fit_of(columns):
    """A cross-validated lasso of so many columns, the later the larger their coefficients."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, columns))
    y = X @ np.arange(1.0, columns + 1) + rng.normal(size=80)
    return PenalizedRegressorCV(L1(), cv=4, strengths=12).fit(X, y)


def named(path, names):
    """The path with other names."""
    kept = {field.name: getattr(path, field.name) for field in fields(path)}
    return type(path)(**kept | {"feature_names": tuple(names)})

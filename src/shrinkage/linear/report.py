"""What a fitted estimator says of itself: a summary, its coefficients as a dataframe, its page in a notebook."""

from __future__ import annotations

import html
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from shrinkage.linear.subsets import Sized
from shrinkage.linear.summary import FitSummary, equivalents
from shrinkage.records import Path
from shrinkage.records.record import frame_of

__all__ = ["Reported"]


class Reported:
    """What estimators with ``coef_``, ``path_`` and ``certificate_`` say of themselves."""

    def summary(self) -> FitSummary:
        """The fit in figures: print it, or take its ``to_dict()`` or ``to_frame()``.

        Raises:
            sklearn.exceptions.NotFittedError: fit has not been called.
        """
        check_is_fitted(self)
        fit: Any = self
        path: Path = fit.path_
        index = 0
        if path.sizes:
            index = path.sizes.index(int(Sized(fit.penalty_).k))
        elif len(path) > 1:
            index = int(np.flatnonzero(path.strengths == fit.strength_)[0])
        return FitSummary(
            estimator=type(self).__name__,
            penalty=" ".join(str(fit.penalty_).split()),
            strength=fit.strength_,
            radius=float(fit.radius_),
            coefs=_by_output(fit),
            intercepts=np.atleast_1d(fit.intercept_),
            certificate=fit.certificate_,
            equivalents=equivalents(fit.penalty_, fit.strength_, path),
            standardize=bool(fit.standardize),
            index=index,
            path=path,
            cross_validation=getattr(self, "cv_", None),
        )

    def coef_to_frame(self) -> Any:
        """A row a feature: "feature", and "coef" (or a column an output or class), in the features' order.

        A dataframe of the library already imported, else of the first installed of pandas, polars, pyarrow.

        Raises:
            sklearn.exceptions.NotFittedError: fit has not been called.
            ImportError: no dataframe library is installed.
        """
        return frame_of(self.summary().columns())

    def _html_repr(self) -> str:
        """scikit-learn's diagram, and under it, once fitted, what the summary says in a line each."""
        from sklearn.utils import estimator_html_repr

        diagram = str(estimator_html_repr(self))
        try:
            facts = self.summary().facts()
        except NotFittedError:
            return diagram
        rows = "".join(
            f'<tr><th style="text-align:left">{html.escape(name)}</th>'
            f'<td style="text-align:left">{html.escape(said)}</td></tr>'
            for name, said in facts.items()
        )
        return f'{diagram}<table class="shrinkage-fit">{rows}</table>'


def _by_output(fit: Any) -> dict[str, NDArray[np.float64]]:
    """The columns of coefficients by name: one, or one an output or class."""
    if fit.coef_.ndim == 1:
        return {"coef": fit.coef_}
    names = getattr(fit, "classes_", fit.path_.outputs)
    if len(names) != len(fit.coef_):  # two classes share one row
        return {"coef": fit.coef_[0]}
    return {f"coef, {name}": row for name, row in zip(names, fit.coef_, strict=True)}

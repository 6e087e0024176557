"""Path: the solutions over a falling sequence of strengths, and what they say at a strength and of each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from shrinkage.records.certificate import Certificate
from shrinkage.records.criteria import log_choose, minus_two_log_likelihood
from shrinkage.records.late import late
from shrinkage.records.record import Floats, Record, frozen
from shrinkage.records.subset import Subset
from shrinkage.records.text import text_table

__all__ = ["Path", "Point"]


@dataclass(frozen=True, eq=False)
class Point(Record):
    """One strength of a path.

    Attributes:
        strength: t.
        coef: Shape (p,).
        intercept: b.
        interpolated: False where the path was solved at this very strength.
    """

    strength: float
    coef: Floats
    intercept: Any
    interpolated: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "coef", frozen(self.coef))


@late("degrees_of_freedom")
@dataclass(frozen=True, eq=False)
class Path(Record):
    """The solutions of min mean loss + t·Ω over a falling sequence of strengths t.

    Attributes:
        strengths: Shape (k,), falling; each multiplies the penalty that was given.
        coefs: Shape (k, p), on the scale of the columns as given.
        intercepts: Shape (k,).
        norms: Shape (k,): the norm that the twin constraint bounds, on the scale on which the penalty acts; NaN
            for a penalty without a twin.
        degrees_of_freedom: Shape (k,), the intercept not counted. Computed when first asked for, as criteria, the
            table and every copy do; until then the path may hold 16 MB of products or columns that this needs.
        deviance_explained: Shape (k,): 1 − loss / null model's loss, on the training data.
        certificates: One a strength.
        feature_names: One a column.
        n_samples: n, the number of rows, or the total of the sample weights where there are some: for the
            information criteria, weights count repeated rows.
        loss: The loss's name, such as "squared_error".
        null_loss: The null model's loss, of which deviance_explained is a share.
        sizes: For a path over the sizes of best subsets the bound on their number, rising, one in place of each
            strength; empty otherwise. ``strengths`` then hold the price at which a subset of that size is best of
            all sizes that the path has, and NaN for a size of which that is never so.
        subsets: A :class:`Subset` a point where a search proved the subset; empty otherwise.
        outputs: A name for each of K responses or classes, whose coefs are then (k, K, p) and intercepts (k, K);
            empty for one response.
    """

    strengths: Floats
    coefs: Floats
    intercepts: Floats
    norms: Floats
    degrees_of_freedom: Floats
    deviance_explained: Floats
    certificates: tuple[Certificate, ...]
    feature_names: tuple[str, ...]
    n_samples: float
    loss: str
    null_loss: float
    outputs: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    subsets: tuple[Subset, ...] = ()

    def __post_init__(self) -> None:
        for name in ("strengths", "coefs", "intercepts", "norms", "deviance_explained"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def __len__(self) -> int:
        """The number of strengths."""
        return len(self.strengths)

    @property
    def losses(self) -> Floats:
        """The mean loss on the training data, shape (k,)."""
        return np.asarray(self.null_loss * (1.0 - self.deviance_explained))

    def at(self, strength: float) -> Point:
        """The solution at any strength within the path.

        w(t) = w_a + (t_a − t)/(t_a − t_b)·(w_b − w_a) between the neighbours t_a > t > t_b; at a strength of the
        path, its solution bit for bit. With L1 alone a path is linear in t as long as no coefficient enters or
        leaves, so that the line is then the solution; otherwise it is near it, the nearer the finer the path. It
        is only as good as both neighbours where solutions jump (L0, MCP, SCAD): fit those at the strength itself.

        Raises:
            TypeError: a strength that is not a number.
            ValueError: a strength outside the path.

        Example:
            >>> from shrinkage.linear import regularization_path
            >>> path = regularization_path([[0.0], [1.0], [2.0]], [0.0, 2.0, 4.0], strengths=[1.0, 0.0])
            >>> path.at(0.5).coef.round(6).tolist(), path.at(0.5).interpolated
            ([1.25], True)
        """
        if isinstance(strength, bool) or not isinstance(strength, int | float | np.number):
            raise TypeError(f"strength must be a number; got {type(strength).__name__} {strength!r}.")
        if self.sizes:
            raise ValueError(
                "a path over the sizes of subsets has none in between: coefs[sizes.index(k)] are those of size k."
            )
        high, low = float(self.strengths[0]), float(self.strengths[-1])
        if not low <= strength <= high:
            raise ValueError(
                f"strength must be within the path, {low:.6g} to {high:.6g}; got {strength:.6g}: compute a path "
                "whose strengths reach that far."
            )
        right = int(np.searchsorted(-self.strengths, -strength))  # the first that is not larger
        if self.strengths[right] == strength:
            return Point(float(strength), self.coefs[right], self.intercepts[right], False)
        before, after = self.strengths[right - 1], self.strengths[right]
        part = (before - strength) / (before - after)
        coef = self.coefs[right - 1] + part * (self.coefs[right] - self.coefs[right - 1])
        intercept = self.intercepts[right - 1] + part * (self.intercepts[right] - self.intercepts[right - 1])
        return Point(float(strength), coef, intercept, True)

    def aic(self, noise_variance: float | None = None) -> Floats:
        """−2 log L + 2·df for every strength, shape (k,), up to what is the same for all of them.

        Args:
            noise_variance: σ² of the squared loss; None for its most likely value at each strength, n·log(2ℓ).
                Where a path comes near a perfect fit (p > n) that goes to −∞, and an estimate of σ² is needed.

        Raises:
            ValueError: a loss without a likelihood; a noise variance that is not positive.

        References:
            Akaike (1974); Zou, Hastie & Tibshirani, "On the degrees of freedom of the lasso" (2007).
        """
        return self._criterion(2.0, noise_variance)

    def bic(self, noise_variance: float | None = None) -> Floats:
        """−2 log L + df·log n (Schwarz 1978); arguments and errors as for :meth:`aic`."""
        return self._criterion(float(np.log(self.n_samples)), noise_variance)

    def ebic(self, gamma: float = 0.5, noise_variance: float | None = None) -> Floats:
        """BIC + 2γ·log C(p, df): for many features, of which there are C(p, df) supports of each size.

        Args:
            gamma: γ in [0, 1]; 0 is BIC, 1 the most cautious.
            noise_variance: As for :meth:`aic`.

        Raises:
            ValueError: a γ outside [0, 1], or as for :meth:`aic`.

        References:
            Chen & Chen, "Extended Bayesian information criteria for model selection" (2008).
        """
        if not 0 <= gamma <= 1:
            raise ValueError(f"gamma must be a number in [0, 1]; got {gamma!r}.")
        return self.bic(noise_variance) + 2.0 * gamma * log_choose(self.coefs[0].size, self.degrees_of_freedom)

    @property
    def index_aic(self) -> int:
        """The largest strength of the least AIC."""
        return int(np.argmin(self.aic()))

    @property
    def index_bic(self) -> int:
        """The largest strength of the least BIC."""
        return int(np.argmin(self.bic()))

    @property
    def index_ebic(self) -> int:
        """The largest strength of the least EBIC, γ = ½."""
        return int(np.argmin(self.ebic()))

    def __str__(self) -> str:
        """A line a strength, in glmnet's manner: degrees of freedom, % of the deviance explained, strength, gap."""
        return self.table()

    def table(self, marks: Mapping[str, int] | None = None, most: int | None = None) -> str:
        """The same, with names beside the strengths at some indices, and at most so many other lines."""
        marked = {i: ", ".join(n for n, at in (marks or {}).items() if at == i) for i in (marks or {}).values()}
        count = len(self)
        shown = range(count) if most is None or count <= most else np.linspace(0, count - 1, most).astype(int)
        rows = [
            [
                f"{self.degrees_of_freedom[i]:.4g}",
                f"{100 * self.deviance_explained[i]:.2f}",
                f"{self.sizes[i]}" if self.sizes else f"{self.strengths[i]:.4g}",
                f"{self.certificates[i].relative_gap:.1e}",
                marked.get(i, ""),
            ]
            for i in sorted({*map(int, shown), *marked})
        ]
        header = ["df", "%dev", "size" if self.sizes else "strength", "gap", ""]
        return text_table(
            header[: 4 + bool(marked)], [row[: 4 + bool(marked)] for row in rows], frozenset(range(4))
        )

    def _criterion(self, price: float, noise_variance: float | None) -> Floats:
        # Several responses are as many samples each, of one noise variance.
        count = self.n_samples * (len(self.outputs) if self.loss == "squared_error" and self.outputs else 1)
        fit = minus_two_log_likelihood(self.loss, count, self.losses * (self.n_samples / count), noise_variance)
        return np.asarray(fit + price * self.degrees_of_freedom)

    def columns(self) -> dict[str, Any]:
        """A row a strength: the summaries first, then a column a coefficient under its feature's name."""
        summary: dict[str, Any] = {
            **({"size": self.sizes} if self.sizes else {}),
            "strength": self.strengths,
            **self._named("intercept", self.intercepts),
            "norm": self.norms,
            "degrees_of_freedom": self.degrees_of_freedom,
            "deviance_explained": self.deviance_explained,
            "relative_gap": [c.relative_gap for c in self.certificates],
        }
        # A feature may bear a summary's name; the prefix is kept for that case alone.
        names = [f"coef {name}" if name in summary else name for name in self.feature_names]
        found = {name: list(values) for name, values in summary.items()}
        for j, name in enumerate(names):
            found |= {key: list(values) for key, values in self._named(name, self.coefs[..., j]).items()}
        return found

    def _named(self, name: str, values: Floats) -> dict[str, Floats]:
        """A column (k,) under its name, or those of (k, K) with the outputs' names behind it."""
        if not self.outputs:
            return {name: values}
        return {f"{name} ({output})": values[:, k] for k, output in enumerate(self.outputs)}

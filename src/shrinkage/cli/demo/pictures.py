"""The two pictures, as files."""

from __future__ import annotations

from pathlib import Path

from matplotlib import pyplot as plt

from shrinkage import L1, L2, plots
from shrinkage.cli.demo.polynomial import Result
from shrinkage.linear import PenalizedRegressorCV

__all__ = ["draw"]

_DPI = 120


def draw(lasso: Result, out: Path) -> list[Path]:
    """Write the lasso's path and the one-dimensional view into ``out``; returns the files."""
    out.mkdir(parents=True, exist_ok=True)
    files = [out / "lasso-path.png", out / "penalties.png"]
    model = lasso.model
    assert isinstance(model, PenalizedRegressorCV)
    figure, ax = plt.subplots(figsize=(10, 6), layout="constrained")
    marks = {
        "least cross-validated error": model.strength_,
        "within one standard error of it": float(model.path_.strengths[model.cv_.index_1se]),
    }
    plots.path(model.path_, ax, scales=lasso.deviations, marks=marks)
    ax.set_ylabel("coefficient × standard deviation of its feature\n(points of the progression score)")
    one_dimension = plots.penalties((L1(1.0), L2(2.0)), names=("|w|, L1(1.0)", "w², L2(2.0)"))
    for drawn, file in zip((figure, one_dimension), files, strict=True):
        drawn.savefig(file, dpi=_DPI)
        plt.close(drawn)
    return files

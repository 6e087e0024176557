"""HTML pages, each one file that needs no network: the explainer."""

from shrinkage.report.explainer import explain

__all__ = ["explain"]

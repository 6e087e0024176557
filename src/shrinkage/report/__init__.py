"""HTML pages, each one file that needs no network: the explainer and the report of a fit."""

from shrinkage.records import Curve
from shrinkage.report.explainer import explain
from shrinkage.report.fit_report import report

__all__ = ["Curve", "explain", "report"]

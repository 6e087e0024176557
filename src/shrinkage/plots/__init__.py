"""Records and penalties in, matplotlib figures out. Nothing is shown or saved here: that is the caller's."""

from shrinkage.plots.calibration import calibration
from shrinkage.plots.certificate import certificate
from shrinkage.plots.cv import cv
from shrinkage.plots.path import path
from shrinkage.plots.penalties import penalties
from shrinkage.plots.residuals import residuals
from shrinkage.plots.sparsity import sparsity
from shrinkage.plots.subset import subset

__all__ = ["calibration", "certificate", "cv", "path", "penalties", "residuals", "sparsity", "subset"]

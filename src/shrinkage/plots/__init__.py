"""Records and penalties in, matplotlib figures out. Nothing is shown or saved here: that is the caller's."""

from shrinkage.plots.path import path
from shrinkage.plots.penalties import penalties
from shrinkage.plots.subset import subset

__all__ = ["path", "penalties", "subset"]

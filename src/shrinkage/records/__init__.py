"""Result records: frozen, plain, and ready for JSON (``to_dict``) or a dataframe (``to_frame``)."""

from shrinkage.records.certificate import Certificate
from shrinkage.records.convergence import Convergence
from shrinkage.records.cross_validation import CrossValidation
from shrinkage.records.curve import Curve
from shrinkage.records.path import Path, Point
from shrinkage.records.record import Record
from shrinkage.records.subset import Subset

__all__ = ["Certificate", "Convergence", "CrossValidation", "Curve", "Path", "Point", "Record", "Subset"]

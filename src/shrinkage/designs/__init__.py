"""Designs: features made from columns, as an ordinary transformer or block by block into the moments."""

from shrinkage.designs.base import Design
from shrinkage.designs.polynomial import Polynomial

__all__ = ["Design", "Polynomial"]

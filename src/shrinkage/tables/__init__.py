"""Tables: CSV, Parquet, Arrow and data frames, read in blocks of rows, and the numbers that models get of them."""

from shrinkage.tables.design import TableDesign
from shrinkage.tables.source import Table, TableError

__all__ = ["Table", "TableDesign", "TableError"]

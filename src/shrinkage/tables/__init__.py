"""Tables: CSV, Parquet, Arrow and data frames, read in blocks of rows, and the models that are fitted to them."""

try:
    from shrinkage.tables.design import TableDesign
    from shrinkage.tables.fit import fit_table, path_of_table
    from shrinkage.tables.model import TableModel
    from shrinkage.tables.settings import Settings
    from shrinkage.tables.source import Table, TableError
except ModuleNotFoundError as error:
    if error.name != "pyarrow":
        raise
    raise ImportError('tables need pyarrow, which is not installed: pip install "shrinkage[tables]"') from None

__all__ = ["Settings", "Table", "TableDesign", "TableError", "TableModel", "fit_table", "path_of_table"]

"""The command line: ``shrinkage`` and ``python -m shrinkage``. Each command is thin; the library does the work."""

try:
    from shrinkage.cli.commands import app
except ModuleNotFoundError as error:
    if error.name not in ("typer", "rich"):
        raise
    raise ImportError(
        f'the command line needs {error.name}, which is not installed: pip install "shrinkage[cli]"'
    ) from None

__all__ = ["app"]

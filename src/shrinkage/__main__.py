"""``python -m shrinkage``: the command line."""

from shrinkage.cli import app

if __name__ == "__main__":
    app(prog_name="shrinkage")

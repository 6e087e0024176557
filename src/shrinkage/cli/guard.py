"""How a command ends: its exit code, and for what went wrong one clear line instead of a traceback.

0    done
1    done, but a certificate was not reached: what was found is shown and written
2    not done: bad input, a missing file, a full disk; nothing was written
130  Ctrl-C; 141: whoever read the output went away
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperGroup

from shrinkage.cli.output import literal, note
from shrinkage.records.text import printable

__all__ = ["INTERRUPTED", "NOT_DONE", "NOT_REACHED", "Commands"]

NOT_REACHED, NOT_DONE, INTERRUPTED, GONE = 1, 2, 130, 141

_LONGEST = 1900  # characters of a message
_TRACEBACK = "SHRINKAGE_TRACEBACK"
_OPTION = re.compile(
    r"""
    \b(?P<name>decimal|encoding|loss|missing|penalty|rule|unseen)='(?P<value>[\w.,-]+)'
    | (?<!\w)(?P<data>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")  # names and values of the data stay as they are
    | \bstandardize=True\b(?P<switch>)
    | `(?P<quoted>categories|text)`
    | \b(?P<plain>max_iter|max_seconds|min_ratio|l1_ratio|n_jobs|tol(?!=))\b
    | ^(?P<first>cv|degree|radius|seed|size|strengths?)\b(?=[ ]must\b)
    """,
    re.VERBOSE,
)


class Commands(TyperGroup):
    """The commands, all of which end in the same ways."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # a character that the terminal does not have is shown as an escape
                stream.reconfigure(errors="backslashreplace")
        with warnings.catch_warnings(), _one_line():
            warnings.simplefilter("default")
            warnings.showwarning = _show_warning
            found = super().invoke(ctx)
            sys.stdout.flush()
            return found


@contextlib.contextmanager
def _one_line() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        # Nobody reads: what is still buffered must not be written, and fail, when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(GONE) from None
    except KeyboardInterrupt:
        note("Stopped.")
        raise typer.Exit(INTERRUPTED) from None
    except (ValueError, TypeError, OSError, ImportError, MemoryError) as error:
        if os.environ.get(_TRACEBACK):
            raise
        note(f"Error: {printable(_said(error), _LONGEST)}")
        raise typer.Exit(NOT_DONE) from None
    except Exception as error:
        if hasattr(error, "format_message") and hasattr(error, "message"):  # of the command line itself
            error.message = literal(error.message)
        raise


def _said(error: BaseException) -> str:
    """What an error says, in the command line's terms."""
    if isinstance(error, MemoryError):
        return "there is not enough memory for this: use fewer features, or a lower degree."
    if isinstance(error, OSError) and error.strerror:
        where = "" if error.filename is None else f"{error.filename}: "
        return f"{where}{error.strerror}."
    return _in_options(str(error))


def _in_options(text: str) -> str:
    """What the library says of its parameters, in terms of the command line's options."""
    return _OPTION.sub(_option, text)


def _option(found: re.Match[str]) -> str:
    match found.lastgroup:
        case "data":
            return found[0]
        case "value":
            return f"--{found['name']} {found['value']}"
        case "switch":
            return "--standardize"
    name = "jobs" if found[0] == "n_jobs" else str(found[str(found.lastgroup)])
    return f"--{name.replace('_', '-')}"


def _show_warning(message: Warning | str, *where: Any, **more: Any) -> None:
    note(f"Warning: {printable(_in_options(str(message)), _LONGEST)}")

"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

__all__ = ["whole", "write_whole"]

_LONGEST = 40  # characters of the name that the new file's begins with: some systems hold 255 bytes


def write_whole(file: Path, content: str | bytes) -> None:
    """The content in the file, whole or not at all, also if the machine stops on the way."""
    with whole(file) as stream:
        stream.write(content.encode("utf-8") if isinstance(content, str) else content)


@contextlib.contextmanager
def whole(file: Path) -> Iterator[BinaryIO]:
    """A stream whose bytes become the file once the block ends without an error; until then it stays as it was.

    They go to a new file in the same folder, which then takes the name in one step. A link is followed; what is no
    file but a device or a pipe is written to as it is, for nothing could take its place.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with whole(Path(folder, "three.txt")) as stream:
        ...         found = stream.write(b"123")
        ...     Path(folder, "three.txt").read_text()
        '123'
    """
    file = Path(os.path.realpath(file))
    mode = _mode(file)
    beside = file.with_name(f".{file.name[:_LONGEST]}.{secrets.token_hex(8)}.tmp")
    try:
        if mode is not None and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            with open(file, "wb") as stream:
                yield stream
            return
        with open(beside, "xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if mode is not None:
            os.chmod(beside, stat.S_IMODE(mode))
        os.replace(beside, file)
    except BaseException as error:
        with contextlib.suppress(FileNotFoundError):
            beside.unlink()
        if isinstance(error, OSError) and error.errno is not None and error.filename in (None, str(beside)):
            raise OSError(error.errno, error.strerror, str(file)) from error
        raise
    with contextlib.suppress(OSError):  # not every system lets a folder be opened; the rename itself is done
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _mode(file: Path) -> int | None:
    """What the file is and who may use it; None where there is none."""
    try:
        return file.stat().st_mode
    except FileNotFoundError:
        return None

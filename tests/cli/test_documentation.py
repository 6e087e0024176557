"""Every command of the page on the command line runs, and shows what the page says.

Figures hold to a hundredth, however they are aligned; … stands for anything.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pyarrow")

from tests.cli.runs import run

DOCS = Path(__file__).parents[2] / "docs"
BLOCKS = re.findall(
    r"^```console\n(.*?)^```", (DOCS / "command-line.md").read_text("utf-8"), re.DOTALL | re.MULTILINE
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder as the page assumes it, with ``shrinkage`` on the path."""
    folder = tmp_path_factory.mktemp("page")
    shutil.copy(DOCS / "houses.csv", folder)
    (folder / "bin").mkdir()
    command = folder / "bin" / "shrinkage"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m shrinkage "$@"\n')
    command.chmod(0o755)
    return folder


@pytest.mark.parametrize("command", ["fit", "path", "compare", "predict", "show", "demo", "explain"])
def test_every_command_has_an_example_and_a_line_in_the_list_that_is_whole(command):
    assert f"\n  shrinkage {command}" in run(command, "--help").stdout
    listed = run("--help").stdout.partition("Commands:")[2]
    assert f"  {command} " in listed
    assert "..." not in listed


FIGURE = r"-?\d+(?:\.\d+)?(?:e[-+]\d+)?"


def pattern(shown):
    """A regular expression of what is shown: … within a line is anything, a line of it any lines."""
    lines = [".*" if line == "…" else line_pattern(line) for line in shown]
    return "\n".join(lines).replace("\n.*", "(?:\n.*)?")


def line_pattern(line):
    found = re.escape(line).replace("…", "[^\n]*").replace("\\-", "-").replace("\\.", ".")
    found = re.sub(FIGURE, f"({FIGURE})".replace("\\", "\\\\"), found)
    return re.sub(r"(?:\\ )+", " *", re.sub("-{2,}", "-+", found))


def figures(shown):
    return [float(found) for line in shown for found in re.findall(FIGURE, line)]


def test_the_page_shows_what_its_commands_show(folder):
    environment = {**os.environ, "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    for part in re.split(r"^\$ ", "".join(BLOCKS), flags=re.MULTILINE)[1:]:
        command, *shown = part.rstrip("\n").split("\n")
        done = subprocess.run(
            ["sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        code = int(shown.pop()[1:-1]) if re.fullmatch(r"\[\d+\]", shown[-1]) else 0
        assert done.returncode == code, (command, done.stdout, done.stderr)
        said = (done.stdout + done.stderr).rstrip("\n")
        found = re.fullmatch(pattern(shown), said, re.DOTALL)
        assert found, f"{command}\n{said}"
        assert [float(figure) for figure in found.groups()] == pytest.approx(figures(shown), rel=0.01), said

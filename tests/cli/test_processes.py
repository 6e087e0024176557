"""The command line in processes of its own: what it imports, what ends it, and that old files stay."""

import fcntl
import os
import signal
import subprocess
import sys
import termios
import time

import pytest

pa = pytest.importorskip("pyarrow")
from pyarrow import parquet  # noqa: E402

from tests.cli.runs import columns, process, run, write  # noqa: E402

HEAVY = ("sklearn", "matplotlib", "torch", "pandas", "polars", "jinja2", "formulaic", "rich")


@pytest.fixture
def file(tmp_path):
    return write(tmp_path / "houses.csv", columns())


@pytest.fixture
def model(file, tmp_path):
    run("fit", file, "-t", "price", "--features", "size,kind", "-o", tmp_path / "m.json")
    return str(tmp_path / "m.json")


def test_nothing_heavy_is_imported(file, model):
    code = (
        "import sys; from shrinkage.cli import app\n"
        "try: app(sys.argv[1:], standalone_mode=True)\n"
        f"except SystemExit as end: print(end.code, sorted(set({HEAVY}) & set(sys.modules)), file=sys.stderr)"
    )
    for words in (("fit", file, "-t", "price"), ("predict", model, file), ("show", model), ("fit", "--help")):
        done = process(*words, python=("-c", code))
        assert done.stderr.decode().splitlines()[-1] == "0 []", words


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full device here")
def test_a_full_disk_is_exit_code_2(file, model, tmp_path):
    with open("/dev/full", "wb") as full:
        for words in (("show", model), ("predict", model, file)):
            command = [sys.executable, "-m", "shrinkage", *words]
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
            assert (done.returncode, done.stderr) == (2, b"Error: No space left on device.\n")
    (tmp_path / "full.csv").symlink_to("/dev/full")
    once = ("-t", "price", "--strength", "0.1")
    for words in (
        ("fit", file, *once, "--out", "/dev/full"),
        ("fit", file, *once, "--report", "/dev/full"),
        ("predict", model, file, "--out", tmp_path / "full.csv"),
    ):
        assert run(*words, code=2).stderr == "Error: /dev/full: No space left on device.\n"


def test_who_stops_reading_gets_no_complaint(file, model):
    held = columns(20_000)
    many = write(os.path.join(os.path.dirname(file), "many.csv"), held)
    command = [sys.executable, "-m", "shrinkage", "predict", model, many]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout.readline() == b"prediction\n"
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait() == 141


def test_killed_while_it_writes_the_old_file_stays(file, model, tmp_path):
    out, many = tmp_path / "p.csv", tmp_path / "many.parquet"
    out.write_text("old")
    held = columns()
    parquet.write_table(pa.concat_tables([pa.table({"size": held["size"], "kind": held["kind"]})] * 30_000), many)
    command = [sys.executable, "-m", "shrinkage", "predict", model, str(many), "-o", str(out)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as running:
        while running.poll() is None and not list(tmp_path.glob(".p.csv.*.tmp")):
            time.sleep(0.01)
        running.kill()
        assert running.wait() == -signal.SIGKILL
    assert out.read_text() == "old"
    process("predict", model, file, "-o", str(out))
    assert out.read_text().startswith("prediction\n")


def test_killed_in_mid_fit_the_old_model_stays(model, tmp_path):
    with open(model, "rb") as stream:
        before = stream.read()
    command = [sys.executable, "-m", "shrinkage", "fit", "-", "-t", "price", "-o", model]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as running:
        running.stdin.write(b"size,price\n" + b"1,2\n" * 10_000)
        running.stdin.flush()
        running.kill()
    with open(model, "rb") as stream:
        assert stream.read() == before


def test_a_stop_by_the_user_is_exit_code_130_without_a_traceback(tmp_path):
    read, write_end = os.pipe()
    command = [sys.executable, "-m", "shrinkage", "fit", "-", "-t", "y", "-o", str(tmp_path / "m.json")]
    with subprocess.Popen(command, stdin=read, stderr=subprocess.PIPE) as running:
        os.write(write_end, b"x,y\n")
        while int.from_bytes(fcntl.ioctl(read, termios.FIONREAD, bytes(4)), sys.byteorder):
            time.sleep(0.01)
        time.sleep(0.2)  # it waits for more
        running.send_signal(signal.SIGINT)
        said = running.stderr.read()
        assert running.wait() == 130
    os.close(write_end)
    os.close(read)
    assert said == b"Stopped.\n"
    assert os.listdir(tmp_path) == []


def test_characters_that_a_terminal_lacks_are_escapes(tmp_path):
    held = columns()
    file = write(tmp_path / "t.csv", {"größe": held["size"], "y": held["price"]})
    done = process("fit", file, "-t", "y", "--strength", "0.1", env={"PYTHONIOENCODING": "ascii"})
    assert b"gr\\xf6\\xdfe" in done.stdout


def test_completion_is_offered_and_runs_nothing_of_the_words(tmp_path):
    env = {"_SHRINKAGE_COMPLETE": "complete_bash", "COMP_WORDS": "shrinkage fit --pen", "COMP_CWORD": "2"}
    done = process(env=env, python=("-c", "from shrinkage.cli import app; app(prog_name='shrinkage')"))
    assert done.stdout.split() == [b"--penalty"]
    words = f"shrinkage fit $(touch {tmp_path}/x) `touch {tmp_path}/x` --penalty el"
    env |= {"COMP_WORDS": words, "COMP_CWORD": "8"}
    done = process(env=env, python=("-c", "from shrinkage.cli import app; app(prog_name='shrinkage')"))
    assert os.listdir(tmp_path) == []


def test_a_missing_library_is_named_with_its_extra(file):
    code = "import sys; sys.modules['pyarrow'] = None; from shrinkage.cli import app; app(sys.argv[1:])"
    done = process("fit", file, "-t", "price", python=("-c", code), code=2)
    assert done.stderr == b'Error: tables need pyarrow, which is not installed: pip install "shrinkage[tables]"\n'

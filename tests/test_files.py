"""Files are there whole or not at all, and keep their place, their rights and what they link to."""

import os
import threading
from pathlib import Path

import pytest

from shrinkage.files import whole, write_whole


def test_what_fails_on_the_way_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    file = tmp_path / ("a" * 250)
    write_whole(file, "old")
    with pytest.raises(RuntimeError), whole(file) as stream:
        stream.write(b"new")
        stream.flush()
        raise RuntimeError
    assert (file.read_text(), os.listdir(tmp_path)) == ("old", [file.name])


def test_errors_name_the_file_and_not_the_one_beside_it(tmp_path):
    for file in (tmp_path / "none" / "a", tmp_path):
        with pytest.raises(OSError) as caught:
            write_whole(file, "new")
        assert (caught.value.filename, caught.value.filename2) == (str(file), None)


def test_links_are_followed_and_rights_kept(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_text()))
    reader.start()
    write_whole(pipe, "text")
    reader.join()
    assert found == ["text"]
    assert pipe.is_fifo()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full device here")
def test_a_full_disk_is_an_error_of_the_file():
    with pytest.raises(OSError) as caught:
        write_whole(Path("/dev/full"), "text")
    assert caught.value.filename == "/dev/full"
    assert os.path.exists("/dev/full") and not os.path.isfile("/dev/full")

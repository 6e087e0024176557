"""``predict``: the model's own predictions, in every format, whole or not at all."""

import csv
import gzip
import io
import os

import numpy as np
import pytest

pa = pytest.importorskip("pyarrow")
from pyarrow import parquet  # noqa: E402

from shrinkage.tables import Table, TableModel  # noqa: E402
from tests.cli.runs import N, columns, run, write  # noqa: E402

ONE = ("--features", "size,age,kind", "--strength", "0.05")


@pytest.fixture
def file(tmp_path):
    return write(tmp_path / "houses.csv", columns())


def learned(file, tmp_path, target, *words):
    out = tmp_path / f"{target}.json"
    run("fit", file, "-t", target, *ONE, *words, "-o", out)
    return out


def rows(text):
    return list(csv.reader(io.StringIO(text)))


def expected(model, file):
    return np.concatenate(list(TableModel.load(model).blocks(Table.open(file))))


def test_numbers_are_the_models_to_the_last_bit(file, tmp_path):
    model = learned(file, tmp_path, "price")
    head, *found = rows(run("predict", model, file).stdout)
    assert head == ["prediction"]
    assert [float(row[0]) for row in found] == expected(model, file).tolist()
    with open(file) as stream:
        assert run("predict", model, "-", input=stream.read()).stdout.splitlines()[1:] == [row[0] for row in found]


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".csv.gz", ".parquet", ".arrow"])
def test_the_name_says_the_format(file, tmp_path, ending):
    model, out = learned(file, tmp_path, "grade"), tmp_path / f"out{ending}"
    assert f"wrote {N} predictions to {out}" in run("predict", model, file, "-o", out).stderr
    if ending == ".parquet":
        found = parquet.read_table(out)
    elif ending == ".arrow":
        found = pa.ipc.open_file(out).read_all()
    else:
        content = out.read_bytes()
        text = (gzip.decompress(content) if ending.endswith("gz") else content).decode()
        head, *lines = csv.reader(io.StringIO(text), delimiter="\t" if ending == ".tsv" else ",")
        found = pa.table(dict(zip(head, map(list, zip(*lines, strict=True)), strict=True)))
    names = [f"probability of {level}" for level in "abc"]
    assert found.column_names == ["prediction", *names]
    probabilities = np.array([[float(value) for value in found[name].to_pylist()] for name in names]).T
    np.testing.assert_array_equal(probabilities, expected(model, file))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    assert found["prediction"].to_pylist() == ["abc"[k] for k in probabilities.argmax(axis=1)]


def test_a_row_that_cannot_be_predicted_leaves_the_old_file(file, tmp_path):
    model, out = learned(file, tmp_path, "price"), tmp_path / "out.csv"
    out.write_text("old")
    held = columns()
    held["kind"][70] = "castle"
    done = run("predict", model, write(tmp_path / "new.csv", held), "-o", out, code=2)
    assert "row 71" in done.stderr and "'castle'" in done.stderr
    assert done.stdout == ""
    assert out.read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["houses.csv", "new.csv", "out.csv", "price.json"]


def test_levels_of_numbers_are_levels_also_where_the_file_has_numbers_alone(tmp_path):
    held = columns() | {"code": (["007", "12", "B"] * N)[:N]}
    file, model = write(tmp_path / "t.csv", held), tmp_path / "m.json"
    run("fit", file, "-t", "price", "--features", "size,code", "--strength", "0", "-o", model)
    write(tmp_path / "new.csv", {name: values[:2] for name, values in held.items()})
    found = run("predict", model, tmp_path / "new.csv").stdout.splitlines()[1:]
    assert [float(value) for value in found] == pytest.approx(expected(model, file)[:2], rel=1e-12)


def test_unseen_levels_go_with_the_others_where_that_was_asked_for(file, tmp_path):
    model = learned(file, tmp_path, "price", "--unseen", "other")
    held = columns()
    held["kind"][70] = "castle"
    assert len(run("predict", model, write(tmp_path / "new.csv", held)).stdout.splitlines()) == N + 1


def test_a_class_that_a_spreadsheet_would_run_is_marked_in_csv_alone(tmp_path):
    held = columns()
    names = {"yes": '=HYPERLINK("http://x","y")', "no": "-1"}
    held["ill"] = [names[value] for value in held["ill"]]
    file = write(tmp_path / "t.csv", held)
    model = learned(file, tmp_path, "ill")
    done = run("predict", model, file)
    head, *found = rows(done.stdout)
    assert {row[0] for row in found} == {"'" + names["yes"], "-1"}
    assert head[1:] == [f"probability of {name}" for name in sorted(names.values())]
    assert "as a formula: a ' is written before it." in done.stderr
    run("predict", model, file, "-o", tmp_path / "p.parquet")
    assert set(parquet.read_table(tmp_path / "p.parquet")["prediction"].to_pylist()) == set(names.values())


def test_no_rows_are_no_predictions(file, tmp_path):
    model = learned(file, tmp_path, "price")
    empty = write(tmp_path / "none.csv", {name: [] for name in columns()})
    done = run("predict", model, empty)
    assert done.stdout == "prediction\n"

"""Bad input ends with exit code 2, one clear line and no file; names of any kind are shown literally."""

import os

import pytest

pa = pytest.importorskip("pyarrow")

from shrinkage.cli import output  # noqa: E402
from shrinkage.tables import TableModel  # noqa: E402
from tests.cli.runs import columns, run, write  # noqa: E402

ROWS = b"".join(b"%d,%d,%d\n" % (i, i * i % 7, i % 5) for i in range(30))

FILES = {
    "ragged row": (b"a,b,y\n" + ROWS + b"1,2\n", "line 32 has 2 values, and the first has 3 names"),
    "wrong encoding": (b"a,b,y\n" + ROWS + b"\xff\xfe,1,2\n", "encoding 'utf-8'"),
    "text among numbers": (b"a,b,y\n" + ROWS * 40000 + b"1,x,2\n", "line 1200002 of column 'b' holds 'x'"),
    "no name": (b"a,,y\n" + ROWS, "column 2 has no name"),
    "a name twice": (b"a,a,y\n" + ROWS, "columns 1 and 2 are both called 'a'"),
    "empty": (b"", "is empty"),
    "no rows": (b"a,b,y\n", "no rows"),
    "no target": (b"a,b,z\n" + ROWS, "no column 'y'; it has 'a', 'b', 'z'"),
    "target alone": (b"y\n1\n2\n", "no column beside the target 'y'"),
    "constant target": (b"a,b,y\n" + b"1,2,3\n2,2,3\n4,1,3\n" * 10, "'y'"),
    "constant class": (b"a,b,y\n" + b"1,2,x\n2,2,x\n4,1,x\n" * 10, "one level, 'x', in every row"),
    "missing target": (b"a,b,y\n" + ROWS + b"1,2,\n", "column 'y', row 31: the value is missing"),
    "missing value": (b"a,b,y\n" + ROWS + b",2,3\n", "column 'a', row 31: the value is missing"),
    "infinite": (b"a,b,y\n" + ROWS + b"inf,2,3\n", "column 'a', row 31: inf"),
    "too few rows": (b"a,b,y\n1,2,3\n2,3,5\n4,1,1\n", "3 rows, too few for 10 folds"),
    "every row its own text": (
        b"a,b,y\n" + b"".join(b"n%d,1,%d\n" % (i, i) for i in range(1100)),
        "more than 1000 different texts",
    ),
    "a class in one row": (
        b"a,b,y\n" + b"1,2,u\n2,1,v\n4,1,u\n3,3,v\n" * 9 + b"1,1,w\n",
        "the target 'y' is 'w' in 1 of 37 rows, all in one fold of 10",
    ),
    "a text among few numbers": (
        b"a,b,y\n" + ROWS + b"?,2,3\n",
        "column 'a' holds numbers, but in row 31 the text '?'",
    ),
    "not packed": (b"\x1f\x8b\x08junk", ""),
}


@pytest.mark.parametrize("name", FILES)
def test_what_is_wrong_with_a_file_is_one_line_and_leaves_nothing(name, tmp_path):
    content, complaint = FILES[name]
    file, out, page = tmp_path / "t.csv", tmp_path / "m.json", tmp_path / "r.html"
    file.write_bytes(content)
    done = run("fit", file, "--target", "y", "--out", out, "--report", page, code=2)
    assert done.stdout == ""
    assert complaint in done.stderr
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    assert os.listdir(tmp_path) == ["t.csv"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("none.csv", "-t", "y"), "none.csv': no such file"),
        (("t.csv",), "target"),
        (("t.csv", "-t", "y", "--features", "a,zz"), "'zz'"),
        (("t.csv", "-t", "y", "--formula", "y ~ a"), "exclude"),
        (("t.csv", "--formula", "y ~ a", "--drop", "b"), "drop=('b',) and a formula exclude"),
        (("t.csv", "--formula", "y ~ __import__('os').system('touch x')"), "formula"),
        (("t.csv", "-t", "y", "--strength", "1", "--radius", "1"), "strength and radius exclude each other"),
        (("t.csv", "-t", "y", "--strength", "-1"), "strength"),
        (("t.csv", "-t", "y", "--strength", "nan"), "strength"),
        (("t.csv", "-t", "y", "--penalty", "lass"), "'lasso'"),
        (("t.csv", "-t", "y", "-p", "mcp", "--radius", "1"), "radius"),
        (("t.csv", "-t", "y", "--size", "3"), "size"),
        (("t.csv", "-t", "y", "--cv", "1"), "--cv"),
        (("t.csv", "-t", "y", "--min-ratio", "2"), "--min-ratio must"),
        (("t.csv", "-t", "y", "--tol", "0"), "--tol must"),
        (("t.csv", "-t", "y", "--jobs", "0"), "--jobs must"),
        (
            ("t.csv", "-t", "y", "-p", "l0", "--radius", "inf"),
            "--radius must be a number of features for --penalty l0",
        ),
        (("t.csv", "-t", "y", "-p", "l0", "--radius", "1", "--size", "1"), "leave one out"),
        (("t.csv", "-t", "y", "-p", "l0", "--size", "3"), "--size must be at most 2, the number of features"),
        (
            ("t.csv", "-t", "y", "--strength", "1", "--cv", "5"),
            "--cv: is for choosing a strength, and --strength gives",
        ),
        (
            ("t.csv", "-t", "y", "-p", "none", "--rule", "min"),
            "--rule: is for choosing a strength, and --penalty none",
        ),
        (("t.csv", "-t", "y", "--l1-ratio", "1"), "--l1-ratio: is of --penalty elastic-net alone"),
        (("t.csv", "-t", "y", "--weights", "y"), "'y' has two roles"),
        (("t.csv", "-t", "y", "--text", "zz"), "no column 'zz'"),
        (("t.csv", "-t", "y", "--seed", "-1"), "--seed"),
        (("t.csv", "-t", "y", "--delimiter", "ab"), "delimiter"),
        (("t.csv", "-t", "y", "--encoding", "klingon"), "klingon"),
        (("t.csv", "-t", "y", "--out", "t.csv"), "what is read as well"),
        (("t.csv", "-t", "y", "--out", "x", "--report", "./x"), "--out writes"),
        (("t.csv", "-t", "y", "--out", "."), "folder"),
        (("t.csv", "-t", "y", "--out", "none/m.json"), "no folder"),
        (("t.csv", "-t", "y", "--report", "-"), "a page needs a file"),
        (("t.csv", "-t", "y", "--out", "-", "--json"), "standard output"),
        (("t.csv", "-t", "y", "--features", '"a'), "list of names"),
    ],
)
def test_what_cannot_be_asked_for_is_named(words, complaint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_bytes(b"a,b,y\n" + ROWS)
    done = run("fit", *words, code=2, env={"COLUMNS": "300"})
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr
    assert os.listdir(tmp_path) == ["t.csv"]


HOSTILE = {
    "html": "<script>alert(1)</script>",
    "escapes": "\x1b[2J\x1b]0;title\x07",
    "break": "a\nError: b",
    "markup": "[bold red]x[/]",
    "formula": "=cmd|' /C calc'!A0",
    "direction": "\u202eevil",
    "any": "größe 大小 \U0001f600 e\u0301",
    "long": "n" * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_names_levels_and_files_are_shown_literally(name, tmp_path):
    text, held = HOSTILE[name], columns()
    table = {text: held["size"], "kind": [kind.replace("boat", text) for kind in held["kind"]], "ill": held["ill"]}
    table["ill"] = [value.replace("yes", text) for value in table["ill"]]
    folder = tmp_path / text[:40].replace("/", "_")
    folder.mkdir()
    file = write(folder / "t.csv", table)
    out, page = folder / "m.json", folder / "r.html"
    for words in (
        ("fit", file, "-t", "ill", "--strength", "0.01", "--out", out, "--report", page),
        ("show", out),
        ("predict", out, file, "--out", folder / "p.csv"),
    ):
        done = run(*words)
        for said in (done.stdout, done.stderr):
            assert all(line.isprintable() or name == "any" for line in said.split("\n")), said
            assert max(map(len, said.split("\n"))) < 2100
    assert text in TableModel.load(out).path.feature_names
    shown = {"html": text, "escapes": "\\x1b[2J\\x1b]0;title\\x07", "break": "a\\nError: b", "markup": text}
    assert shown.get(name, text[:5].replace("\u202e", "\\u202e")) in run("show", out).stdout
    assert "<script>alert" not in page.read_text("utf-8")


def test_what_looks_like_a_parameter_in_a_name_stays(tmp_path):
    file = write(tmp_path / "t.csv", columns() | {"max_iter": [""] * 120})
    assert "column 'max_iter', row 1" in run("fit", file, "-t", "price", code=2).stderr
    file = write(tmp_path / "t.csv", columns() | {"loss='x'": [""] * 120})
    assert "column \"loss='x'\", row 1" in run("fit", file, "-t", "price", code=2).stderr


def test_an_error_about_a_hostile_level_is_one_line(tmp_path):
    held = columns()
    file, out = write(tmp_path / "t.csv", held), tmp_path / "m.json"
    run("fit", file, "-t", "price", "--features", "kind", "--strength", "0.01", "-o", out)
    held["kind"][5] = "\x1b[31m\nError: nothing " + "x" * 100_000
    done = run("predict", out, write(tmp_path / "new.csv", held), code=2)
    assert done.stderr.count("\n") == 1
    assert "\x1b" not in done.stderr
    assert len(done.stderr) < 1000


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "not a whole JSON file"),
        ("[1, 2]", "not a model"),
        ('{"shrinkage model": 99, "written by": "later", "model": {}}', "version 99"),
        ('{"shrinkage model": 1, "written by": "x", "model": {"estimator": "os.system"}}', "m.json"),
    ],
    ids=["empty", "other", "version", "class"],
)
def test_what_is_no_model_is_refused(content, complaint, tmp_path):
    (tmp_path / "m.json").write_text(content)
    file = write(tmp_path / "t.csv", columns())
    assert complaint in run("show", tmp_path / "m.json", code=2).stderr
    assert "m.json" in run("predict", tmp_path / "m.json", file, code=2).stderr
    assert "none.json" in run("show", tmp_path / "none.json", code=2).stderr


def test_numbers_that_json_does_not_have(capsys):
    output.as_json({"a": [float("nan"), float("inf"), (-float("inf"), 1.5)], "\x1b": "ü"})
    assert capsys.readouterr().out == '{"a": [null, "Infinity", ["-Infinity", 1.5]], "\\u001b": "\\u00fc"}\n'

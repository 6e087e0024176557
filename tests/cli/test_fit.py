"""``fit``, ``path`` and ``show``: what is computed is the library's, and all of it is said."""

import csv
import gzip
import json
import shlex

import numpy as np
import pytest

pa = pytest.importorskip("pyarrow")
from pyarrow import parquet  # noqa: E402

from shrinkage.cli.options import Losses, Penalties  # noqa: E402
from shrinkage.linear import PenalizedRegressor, PenalizedRegressorCV  # noqa: E402
from shrinkage.penalties import L1  # noqa: E402
from shrinkage.tables import Settings, Table, TableModel, fit_table, path_of_table  # noqa: E402
from tests.cli.runs import N, columns, run, write  # noqa: E402

FEATURES = ["size", "age", "kind=boat", "kind=flat", "kind=house"]
ONE = ("--features", "size,age,kind")


@pytest.fixture
def file(tmp_path):
    return write(tmp_path / "houses.csv", columns())


def fitted(file, **more):
    return fit_table(Table.open(file), Settings(**{"target": "price", "features": ("size", "age", "kind"), **more}))


def test_the_summary_says_what_was_chosen_and_how_sure_it_is(file):
    said = run("fit", file, "-t", "price", *ONE).stdout
    assert said == str(fitted(file).summary()) + "\n"
    for part in (
        "(never exactly 0; nn.MSELoss lacks the 1/2: double it there)",
        "1se",
        "duality gap",
        "reached",
        "glmnet",
        "size",
        "kind=boat",
        "exactly 0",
    ):
        assert part in said, part


def test_json_is_one_strict_object_with_everything(file):
    found = json.loads(run("fit", file, "-t", "price", *ONE, "--json").stdout, parse_constant=pytest.fail)
    model = fitted(file)
    assert found["strength"] == model.strength
    assert found["coefs"]["coef"] == model.path.coefs[model.index].tolist()
    assert found["path"]["feature_names"] == FEATURES
    assert found["certificate"]["reached"] is True
    assert found["cross_validation"]["index_1se"] == model.index


def test_the_strength_alone_is_that_of_the_estimator(file):
    found = json.loads(
        run("fit", file, "-t", "price", "--features", "size,age", "--strength", "0.1", "--json").stdout
    )
    held = columns()
    X = np.column_stack([held["size"], held["age"]])
    model = PenalizedRegressor(L1(0.1), standardize=True).fit(X, held["price"])
    np.testing.assert_allclose(found["coefs"]["coef"], model.coef_, atol=1e-6)
    assert found["cross_validation"] is None


@pytest.mark.parametrize("penalty", [each.value for each in Penalties])
def test_every_penalty_has_a_fit(file, penalty):
    folds = () if penalty == "none" else ("--cv", "4")
    found = json.loads(run("fit", file, "-t", "price", *ONE, "-p", penalty, *folds, "--json").stdout)
    coefs = dict(zip(found["path"]["feature_names"], found["coefs"]["coef"], strict=True))
    assert coefs["size"] == pytest.approx(3, abs=0.6)


@pytest.mark.parametrize(
    ("target", "loss", "names"),
    [
        ("visits", "poisson", ["coef"]),
        ("ill", None, ["coef"]),
        ("grade", None, ["coef, a", "coef, b", "coef, c"]),
        ("price", "huber", ["coef"]),
    ],
)
def test_losses_and_classes(file, target, loss, names):
    more = () if loss is None else ("--loss", loss)
    found = json.loads(run("fit", file, "-t", target, *ONE, *more, "--cv", "3", "--json").stdout)
    assert list(found["coefs"]) == names
    assert found["certificate"]["reached"]


def test_a_radius_and_its_strength_are_twins(file):
    within = json.loads(run("fit", file, "-t", "price", *ONE, "--radius", "1.5", "--json").stdout)
    again = ("--strength", repr(within["strength"]))
    penalised = json.loads(run("fit", file, "-t", "price", *ONE, *again, "--json").stdout)
    np.testing.assert_allclose(penalised["coefs"]["coef"], within["coefs"]["coef"], atol=1e-5)
    assert penalised["radius"] == pytest.approx(1.5, abs=1e-5)


def test_the_model_is_kept_and_shown_again(file, tmp_path):
    out = tmp_path / "model.json"
    done = run("fit", file, "-t", "price", *ONE, "--out", out)
    assert f"wrote {out}" in done.stderr
    assert run("show", out).stdout == done.stdout
    as_json = json.loads(run("show", out, "--json").stdout)
    assert as_json["coefs"]["coef"] == TableModel.load(out).summary().coefs["coef"].tolist()


def test_a_model_on_standard_output_goes_through_a_pipe(file):
    done = run("fit", file, "-t", "price", *ONE, "--out", "-")
    assert "duality gap" in done.stderr
    assert run("show", "-", input=done.stdout).stdout.strip() == done.stderr.strip()


def test_show_reads_an_estimators_model(tmp_path):
    held = columns()
    X = np.column_stack([held["size"], held["age"]])
    model = PenalizedRegressorCV(cv=3).fit(X, held["price"])
    model.save(tmp_path / "estimator.json")
    assert run("show", tmp_path / "estimator.json").stdout == str(model.summary()) + "\n"


def test_the_report_holds_the_command_that_makes_it_again(file, tmp_path):
    page = tmp_path / "the report.html"
    words = ("fit", file, "-t", "price", *ONE, "--no-standardize", "--report", page)
    run(*words)
    text = page.read_text("utf-8")
    command = shlex.join(
        ["shrinkage", "fit", "--target", "price", *ONE, "--no-standardize", "--report", str(page), file]
    )
    assert command.replace("'", "&#39;") in text
    before = text
    run(*shlex.split(command)[1:])
    strip = [line for line in page.read_text("utf-8").splitlines() if "seconds" not in line]
    assert [line for line in before.splitlines() if "seconds" not in line] == strip


def test_path_says_every_strength(file):
    said = run("path", file, "-t", "price", *ONE).stdout.splitlines()
    assert said[0].split() == ["df", "%dev", "strength", "gap"]
    assert said[102:104] == ["", "feature    enters at strength"]
    path = path_of_table(Table.open(file), Settings("price", features=("size", "age", "kind"))).path
    entering = {line.split()[0]: line.split()[1] for line in said[105:]}
    assert list(entering)[:2] == ["size", "kind=boat"]
    for name, strength in entering.items():
        inside = path.coefs[:, path.feature_names.index(name)] != 0
        assert strength == f"{path.strengths[inside][0]:.4g}"
    found = json.loads(run("path", file, "-t", "price", *ONE, "--strengths", "7", "--json").stdout)
    assert len(found["path"]["strengths"]) == 7
    assert found["cross_validation"] is None


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".json"])
def test_a_path_is_kept_as_a_table(file, tmp_path, ending):
    out = tmp_path / f"path{ending}"
    done = run("path", file, "-t", "price", *ONE, "--strengths", "9", "--out", out)
    assert f"wrote {out}" in done.stderr
    if ending == ".json":
        found = json.loads(out.read_text())
    elif ending == ".parquet":
        found = parquet.read_table(out).to_pydict()
    else:
        head, *rows = csv.reader(out.read_text().splitlines())
        found = dict(zip(head, [list(map(float, column)) for column in zip(*rows, strict=True)], strict=True))
    settings = Settings("price", features=("size", "age", "kind"), strengths=9)
    path = path_of_table(Table.open(file), settings).path
    assert found == {name: [float(value) for value in values] for name, values in path.columns().items()}


def test_a_path_goes_through_a_pipe_and_hostile_names_are_marked(file, tmp_path):
    done = run("path", file, "-t", "grade", *ONE, "--strengths", "4", "--out", "-")
    head, *rows = csv.reader(done.stdout.splitlines())
    assert len(rows) == 4
    assert head[1] == "intercept (a)"
    assert "enters at strength" in done.stderr
    held = columns()
    bad = write(tmp_path / "bad.csv", {"=1+1": held["size"], "age": held["age"], "price": held["price"]})
    done = run("path", bad, "-t", "price", "--strengths", "4", "--out", "-")
    assert next(csv.reader(done.stdout.splitlines()))[-2:] == ["'=1+1", "age"]
    assert "would run the column '=1+1' as a formula" in done.stderr
    run("path", file, "-t", "price", *ONE, "--out", tmp_path / "path.xlsx", code=2)
    run("path", file, "-t", "price", *ONE, "--out", "-", "--json", code=2)


def test_show_reads_a_model_once(file, tmp_path, monkeypatch):
    out = tmp_path / "model.json"
    run("fit", file, "-t", "price", *ONE, "--strength", "0.1", "--out", out)
    reads = []
    loads = json.loads
    monkeypatch.setattr(json, "loads", lambda *args, **more: reads.append(1) or loads(*args, **more))
    run("show", out)
    assert len(reads) == 1


@pytest.mark.parametrize("form", ["gz", "semicolons", "parquet", "stream", "latin-1"])
def test_every_source_gives_the_same_model(file, tmp_path, form):
    words, more, held = ("-t", "price", *ONE, "--json"), {}, columns()
    held["kind"] = [kind.replace("boat", "böt") for kind in held["kind"]]
    other = str(tmp_path / f"other.{'parquet' if form == 'parquet' else 'csv'}")
    write(file, held)
    if form == "gz":
        other += ".gz"
        with open(file, "rb") as plain, gzip.open(other, "wb") as packed:
            packed.write(plain.read())
    elif form == "parquet":
        parquet.write_table(pa.table(held), other)
    elif form == "stream":
        with open(file, "rb") as plain:
            other, more = "-", {"input": plain.read()}
    else:
        write(other, held, ";" if form == "semicolons" else ",", "latin-1" if form == "latin-1" else "utf-8")
        words += ("--encoding", "latin-1") if form == "latin-1" else ()
    expected = json.loads(run("fit", file, "-t", "price", *ONE, "--json").stdout)
    assert json.loads(run("fit", other, *words, **more).stdout)["coefs"] == expected["coefs"]


def test_degree_weights_categories_formula_missing(file, tmp_path):
    held = columns() | {"weight": [1.0, 2.0] * (N // 2), "zip": ["007", "7"] * (N // 2)}
    file = write(tmp_path / "more.csv", held)

    def names(*words):
        return json.loads(run("fit", file, "--cv", "3", "--json", *words).stdout)["path"]["feature_names"]

    assert len(names("-t", "price", "--features", "size,age", "--degree", "3")) == 9
    assert "weight" not in names("-t", "price", "--weights", "weight", "--drop", "ill,grade")
    assert names("-t", "price", "--features", "zip,size", "--categories", "zip") == ["zip=7", "size"]
    assert names("--formula", "price ~ size * age") == ["size", "age", "size:age"]
    held["age"][3] = ""
    file = write(tmp_path / "more.csv", held)
    assert "--missing impute" in run("fit", file, "-t", "price", code=2).stderr
    assert "age (missing)" in names("-t", "price", *ONE, "--missing", "impute")


def test_a_certificate_that_was_not_reached_is_exit_code_1_and_the_model_is_written(file, tmp_path):
    out = tmp_path / "model.json"
    words = ("--degree", "3", "--max-iter", "1", "--strength", "1e-4", "--tol", "1e-12", "-p", "elastic-net")
    done = run("fit", file, "-t", "price", "--features", "size,age", *words, "--out", out, code=1)
    assert "NOT reached" in done.stdout
    assert "Warning: " in done.stderr
    assert "raise --max-iter, or strengthen the penalty, or put the columns on one scale with --standardize" in (
        done.stderr
    )
    assert out.exists()


def test_a_proof_that_was_not_asked_for_is_not_missed(file):
    words = ("-t", "price", "--drop", "ill,grade,kind", "--degree", "3", "-p", "l0", "--radius", "4")
    said = run("fit", file, *words, "--max-seconds", "0").stdout
    assert "NOT reached (time_limit)" in said


def test_defaults_and_choices_are_the_librarys():
    from dataclasses import fields

    from typer.main import get_command

    from shrinkage.cli import app
    from shrinkage.cli.options import settings_of

    settings = {field.name: field.default for field in fields(Settings)}
    for name in ("fit", "path", "compare"):
        command = get_command(app).commands[name]
        with command.make_context(name, ["data.csv", "--target", "y"]) as context:
            made = settings_of(context)
        allowed = {"target", "max_seconds", "rule"} if name == "compare" else {"target"}
        assert {key for key, value in settings.items() if getattr(made, key) != value} <= allowed
    for loss in Losses:
        Settings(target="y", loss=loss.value)


def test_names_with_commas_are_quoted_as_in_csv(tmp_path):
    held = columns()
    file = write(tmp_path / "t.csv", {"a,b": held["size"], "c": held["age"], "y": held["price"]})
    found = json.loads(run("fit", file, "-t", "y", "--features", '"a,b",c', "--json").stdout)
    assert found["path"]["feature_names"] == ["a,b", "c"]

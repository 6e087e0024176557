"""Tables in blocks: the same numbers as in memory, and every trouble named with its line or column."""

import datetime
import gzip
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

pa = pytest.importorskip("pyarrow")
from pyarrow import dataset, parquet  # noqa: E402

from shrinkage import L1  # noqa: E402
from shrinkage.designs import Polynomial  # noqa: E402
from shrinkage.designs.monomial_features import MonomialFeatures  # noqa: E402
from shrinkage.designs.two_valued import two_valued  # noqa: E402
from shrinkage.linear.options import Options  # noqa: E402
from shrinkage.linear.recipe import Recipe  # noqa: E402
from shrinkage.moments import accumulate  # noqa: E402
from shrinkage.tables import Table, TableDesign, TableError  # noqa: E402
from shrinkage.tables.folds import fold_of_rows  # noqa: E402
from shrinkage.tables.formula import Formula  # noqa: E402
from shrinkage.tables.parquet import ParquetTable  # noqa: E402
from shrinkage.tables.samples import Streamed  # noqa: E402
from shrinkage.tables.statistics import Stream  # noqa: E402


def _frame(n=500):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"size": rng.normal(size=n), "rooms": rng.integers(1, 6, n)})
    frame["kind"] = rng.choice(["flat", "house", "boat"], n)
    frame["new"] = rng.choice(["yes", "no"], n)
    frame["price"] = 3 * frame["size"] + frame["rooms"] + (frame["kind"] == "boat") + rng.normal(size=n)
    return frame


def _direct(frame):
    columns = [frame["size"], frame["rooms"], *(frame["kind"] == k for k in ("boat", "flat", "house"))]
    return np.column_stack([*columns, frame["new"] == "yes"]).astype(float)


@pytest.fixture(params=["csv", "semicolons", "gz", "parquet", "folder", "arrow", "pandas", "pyarrow"])
def source(request, tmp_path):
    frame, kind = _frame(), request.param
    if kind == "pandas":
        return frame
    table = pa.Table.from_pandas(frame)
    if kind == "pyarrow":
        return table
    if kind == "folder":
        for i in range(3):
            parquet.write_table(table.slice(200 * i, 200), tmp_path / f"part{i}.parquet")
        return tmp_path
    path = tmp_path / {"semicolons": "t.csv", "gz": "t.csv.gz"}.get(kind, f"t.{kind}")
    if kind in ("csv", "gz"):
        frame.to_csv(path, index=False)
    elif kind == "semicolons":
        frame.to_csv(path, index=False, sep=";")
    elif kind == "parquet":
        parquet.write_table(table, path, row_group_size=120)
    else:
        dataset.write_dataset(table, tmp_path / "a", format="ipc")
        return str(tmp_path / "a")
    return str(path)


def test_every_source_gives_the_same_numbers(source):
    table = Table.open(source)
    design = TableDesign.learn(table, "price")
    assert design.features == ("size", "rooms", "kind=boat", "kind=flat", "kind=house", "new=yes")
    assert design.groups == ((2, 3, 4),)
    blocks = list(design.blocks(table, target=True))
    frame = _frame()
    np.testing.assert_allclose(np.concatenate([b.X for b in blocks]), _direct(frame), rtol=1e-15)
    np.testing.assert_allclose(np.concatenate([b.y for b in blocks]), frame["price"], rtol=1e-15)


@pytest.mark.parametrize("degree", [None, 2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_fold_statistics_are_those_of_the_rows_in_memory(degree, weighted, tmp_path):
    frame = _frame()
    frame["w"] = np.arange(500) % 4
    frame.to_parquet(tmp_path / "t.parquet", row_group_size=64)
    table = Table.open(tmp_path / "t.parquet")
    design = TableDesign.learn(table, "price", weights="w" if weighted else None, drop=() if weighted else ("w",))
    two = two_valued((block.X for block in design.blocks(table, target=False)), len(design.features))
    assert two.tolist() == [False, False, True, True, True, True]
    polynomial = None if degree is None else MonomialFeatures.of(design.features, degree, two)
    stream = Stream(table, design, polynomial)
    X, owner = _direct(frame), fold_of_rows(0, 500, 4)
    expand = None if polynomial is None else polynomial.expand
    if polynomial is not None:
        assert stream.names == tuple(Polynomial(degree).fit(X).get_feature_names_out(design.features))
    for k, found in enumerate(stream.fold_statistics(4)):
        weights = frame["w"].to_numpy() if weighted else None
        expected = accumulate(X, frame["price"].to_numpy(), weights, rows=np.flatnonzero(owner == k), expand=expand)
        moments = found.moments()
        assert found.weight == moments.weight == pytest.approx(expected.weight)
        np.testing.assert_allclose(moments.mean, expected.mean, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(moments.scatter, expected.scatter, rtol=1e-10, atol=1e-10)


def test_cross_validation_of_a_table_is_that_of_its_rows():
    frame = _frame()
    table = Table.open(frame)
    stream = Stream(table, TableDesign.learn(table, "price"))
    strengths = np.geomspace(0.5, 0.01, 5)
    options = Options(True, True, 1e-10, 10_000)
    checked = Streamed(stream, 5).validated(Recipe(L1()), lambda *_: strengths, options, None, 0)
    X, y, owner = _direct(frame), frame["price"].to_numpy(), fold_of_rows(0, 500, 5)
    for k in range(5):
        held = owner == k
        for i, strength in enumerate(strengths):
            path = stream.squared_errors(k, 5, np.zeros((1, 6)), np.array([0.0]))
            assert path[0] == pytest.approx(np.mean(y[held] ** 2))
            from shrinkage.linear import PenalizedRegressor

            model = PenalizedRegressor(L1(strength), standardize=True, tol=1e-10).fit(X[~held], y[~held])
            expected = np.mean((y[held] - model.predict(X[held])) ** 2)
            assert checked.errors[0].fold_errors[i, k] == pytest.approx(expected, rel=1e-6)


def test_numbers_of_any_width_keep_their_digits():
    wide = np.array([2**31 - 1, -(2**31), 16777217], dtype=np.int32)  # which float32 does not hold
    single = np.array([0.1, 1e30, -3.0], dtype=np.float32)
    table = Table.open(pa.table({"i": wide, "s": single, "d": wide / 3.0, "l": wide.astype(np.int64), "y": single}))
    block = next(TableDesign.learn(table, "y").blocks(table, target=True))
    np.testing.assert_array_equal(block.X, np.column_stack([wide, single.astype(np.float64), wide / 3.0, wide]))


def test_folds_are_even_and_shuffled_and_depend_on_the_row_alone():
    whole = fold_of_rows(0, 1000, 7, seed=3)
    assert set(np.bincount(whole)) <= {142, 143}
    assert not (whole == fold_of_rows(0, 1000, 7, seed=4)).all()
    pieces = [fold_of_rows(start, 50, 7, seed=3) for start in range(0, 1000, 50)]
    assert (np.concatenate(pieces) == whole).all()
    assert abs(np.corrcoef(whole[:-7], whole[7:])[0, 1]) < 0.1


def test_missing_values_are_filled_and_marked_where_that_is_asked_for():
    frame = pd.DataFrame({
        "a": [1.0, np.nan, 3.0], "b": ["x", None, "y"], "y": [1.0, 2.0, 3.0],
        "d": [datetime.datetime(2024, 1, 31, 12, 30), None, datetime.datetime(2026, 3, 1)],
    })  # fmt: skip
    table = Table.open(pa.Table.from_pandas(frame))
    with pytest.raises(TableError, match=r"column 'b', row 2: the value is missing.*impute"):
        TableDesign.learn(table, "y")
    with pytest.raises(TableError, match="column 'a', row 2: the value is missing"):
        list(TableDesign.learn(table, "y", features=["a"]).blocks(table, target=True))
    design = TableDesign.learn(table, "y", missing="impute")
    assert design.features == (
        "a", "a (missing)", "b=x", "b=y", "b=(missing)",
        "d year", "d month", "d day", "d weekday", "d hour", "d (missing)",
    )  # fmt: skip
    X = next(design.blocks(table, target=True)).X
    assert X[0].tolist() == [1, 0, 1, 0, 0, 2024, 1, 31, 2, 12.5, 0]
    assert X[1].tolist() == [2, 1, 0, 0, 1, 2025, 2, 16, 4, 6.25, 1]


def test_levels_that_were_not_learned_are_named_or_counted_as_others():
    learned = Table.open(pa.table({"k": ["a", "b", "c"], "y": [1.0, 2.0, 3.0]}))
    new = Table.open(pa.table({"k": ["b", "z"]}))
    with pytest.raises(TableError, match=r"row 2: the level 'z' was not among those learned \('a', 'b', 'c'\)"):
        list(TableDesign.learn(learned, "y").blocks(new, target=False))
    design = TableDesign.learn(learned, "y", unseen="other")
    assert next(design.blocks(new, target=False)).X.tolist() == [[0, 1, 0, 0], [0, 0, 0, 1]]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "t.csv is empty"),
        (b"a,a\n1,2\n", "columns 1 and 2 are both called 'a'"),
        (b"a,\n1,2\n", "column 2 has no name"),
        (b"a,y\n1,2\n3\n", "line 3 has 1 values, and the first has 2 names"),
        ("a,y\né,2\n".encode("latin-1"), "not text in the encoding 'utf-8'"),
        (b"a,y\n", "has no rows"),
        (b"a,y\n1,\n2,\n", "column 'y', row 1: the value is missing, and the target cannot be made up"),
        (b"a,y\n1,u\n2,\n", "column 'y', row 2: the value is missing, and the target cannot be made up"),
        ("é,y\n1,2\n".encode("latin-1"), "t.csv is not text in the encoding 'utf-8'"),
        ("a,y\n1,2\n".encode("utf-16"), "t.csv is written in utf-16: say so"),
        (b"\x00\x01,y\n1,2\n", "t.csv is no text"),
        (b'a,y\n"1,2\n3,4\n', "a quotation mark is opened there and not closed"),
        (b"a,y\ninf,1\n", "column 'a', row 1: inf is no number"),
        (b"a,y\n1,x\n2,x\n", "has one level, 'x'"),
        (b"y\n1\n", "no column beside the target"),
    ],
    ids=[
        "empty",
        "twice",
        "nameless",
        "ragged",
        "encoding",
        "no rows",
        "target",
        "text target",
        "encoded names",
        "utf-16",
        "bytes",
        "quote",
        "infinite",
        "level",
        "alone",
    ],
)
def test_what_is_wrong_with_a_file_is_named(tmp_path, content, complaint):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(TableError, match=complaint):
        table = Table.open(path)
        stream = Stream(table, TableDesign.learn(table, "y"))
        stream.fold_statistics(1)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("name,y\n" + "".join(f"n{i},{i}\n" for i in range(30)), "30 different texts in 30 rows, such as 'n0'"),
        ("x;y\n1,5;1\n1.020,25;2\n7;3\n", "column 'x' .* numbers with decimal commas, such as '1,5': say so"),
        ("x;y\n1,5;1\n" + "".join(f"{i},5;{i}\n" for i in range(1100)), "decimal commas"),
        ('x,y\n"1,500",1\n"12,000",2\n7,3\n', "numbers such as '1,500': if the comma .* parts thousands"),
        ("x,y\n1,1\n2,2\n?,3\n1,4\n", r"'x' holds numbers, but in row 3 the text '\?'"),
        (
            "x,y\n" + "".join(f"{i}.5,{i}\n" for i in range(30)) + "oops,1\n",
            "numbers, but in row 31 the text 'oops'",
        ),
        ("x,y\n31.01.2024,1\n28.02.2024,2\n", "dates such as '31.01.2024': write them as year-month-day"),
        ("x,y\n1/31/24 10:00,1\n2/28/24 11:00,2\n", "dates such as '1/31/24 10:00'"),
        ("y,x\n1,1\n2,2\nbad,3\n", "'y' holds numbers, but in row 3 the text 'bad'"),
    ],
    ids=["names", "commas", "many commas", "thousands", "mark", "oops", "dates", "times", "target"],
)
def test_texts_that_are_no_groups_are_refused_by_name(content, complaint, tmp_path):
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(TableError, match=complaint):
        TableDesign.learn(Table.open(tmp_path / "t.csv"), "y")
    if complaint.endswith("'n0'"):
        design = TableDesign.learn(Table.open(tmp_path / "t.csv"), "y", categories=("name",))
        assert len(design.features) == 30


def test_texts_among_numbers_are_levels_where_that_is_said(tmp_path):
    (tmp_path / "t.csv").write_text("x,y\n1,1\n2,2\n3+,3\n1,4\n")
    plain, told = Table.open(tmp_path / "t.csv"), Table.open(tmp_path / "t.csv", text=["x"])
    names = ("x=1", "x=2", "x=3+")
    assert TableDesign.learn(plain, "y", categories=("x",)).features == names
    assert TableDesign.learn(told, "y").features == names
    typed = Table.open(pa.table({"x": pa.array(["1", "2", "3+"]).dictionary_encode(), "y": [1.0, 2.0, 3.0]}))
    assert TableDesign.learn(typed, "y").features == names
    codes = Table.open(pa.table({"x": ["007", "12", "B"], "y": [1.0, 2.0, 3.0]}))  # 007 is a name
    assert TableDesign.learn(codes, "y").features == ("x=007", "x=12", "x=B")


def test_columns_to_be_read_as_text_that_are_not_there_are_named(tmp_path):
    (tmp_path / "t.csv").write_text("x,y\n1,1\n")
    with pytest.raises(TableError, match=r"t.csv has no column 'z'; it has 'x', 'y'\."):
        Table.open(tmp_path / "t.csv", text=["z"])


def test_numbers_with_decimal_commas(tmp_path):
    (tmp_path / "t.csv").write_text("x;y\n1,5;1\n1,25;2\n")
    table = Table.open(tmp_path / "t.csv", decimal=",")
    assert next(TableDesign.learn(table, "y").blocks(table, target=False)).X.tolist() == [[1.5], [1.25]]
    for decimal, delimiter in ((";", None), (",", ",")):
        with pytest.raises(ValueError, match="decimal must be"):
            Table.open(tmp_path / "t.csv", decimal=decimal, delimiter=delimiter)


def test_spreadsheets_are_to_be_saved_as_csv(tmp_path):
    (tmp_path / "t.xlsx").write_bytes(b"PK")
    with pytest.raises(TableError, match=r"'t.xlsx' is a spreadsheet: save the sheet as CSV"):
        Table.open(tmp_path / "t.xlsx")


def test_text_among_numbers_near_the_start_makes_a_column_text(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,y\n1,2\nx,3\n")
    assert TableDesign.learn(Table.open(path), "y").features == ("a=x",)


def test_text_far_down_a_column_of_numbers_is_named_with_its_line(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,y\n" + "1,2\n" * 1_200_000 + "oops,3\n", encoding="utf-8")
    table = Table.open(path)
    with pytest.raises(TableError, match=r"line 1200002 of column 'a' holds 'oops'.*read the column as text"):
        for _ in table.batches():
            pass
    assert Table.open(path, text=["a"]).schema.field("a").type == pa.string()


def test_a_byte_order_mark_blank_fields_and_other_encodings(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xef\xbb\xbfname,y\nA\xc3\xa4,1\nB,2\nC,3\n")
    assert TableDesign.learn(Table.open(path), "y").features == ("name=Aä", "name=B", "name=C")
    path.write_bytes("näme;y\nÄ;1\nB;2\nC;3\n".encode("latin-1"))
    assert TableDesign.learn(Table.open(path, encoding="latin-1"), "y").features == ("näme=B", "näme=C", "näme=Ä")
    path.write_bytes(b"a,b,y\n,,1\n,,2\n")
    table = Table.open(path)
    with pytest.raises(TableError, match=r"'a'.*missing"):
        Stream(table, TableDesign.learn(table, "y")).fold_statistics(1)


def test_compressed_and_cut_short(tmp_path):
    path = tmp_path / "t.csv.gz"
    whole = gzip.compress(b"a,y\n" + b"1.5,2\n" * 100_000)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises((TableError, OSError)):
        for _ in Table.open(path).batches():
            pass
    (tmp_path / "t.parquet").write_bytes(b"PAR1 this is none")
    with pytest.raises(TableError, match="not a whole parquet file"):
        Table.open(tmp_path / "t.parquet")


def test_names_and_values_of_any_kind_are_shown_literally(tmp_path):
    hostile = "<script>\x1b[31m" + "é" * 100_000
    table = Table.open(pa.table({hostile: [1.0, None], "y": [1.0, 2.0]}))
    with pytest.raises(TableError) as caught:
        Stream(table, TableDesign.learn(table, "y")).fold_statistics(1)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"target": "z"}, "no column 'z'; it has 'size'"),
        ({"target": "price", "features": ["price"]}, "'price' has two roles"),
        ({"target": "price", "drop": ["q"]}, "no column 'q'"),
        ({"target": "price", "weights": "size", "features": ["size"]}, "'size' has two roles"),
        ({"target": "price", "weights": "price"}, "'price' has two roles"),
        ({"target": "price", "drop": ["price"]}, "'price' has two roles"),
        ({"target": "price", "weights": "kind"}, "weights 'kind' are of the type .*string"),
    ],
    ids=["target", "feature", "drop", "weights", "weighed target", "dropped target", "text weights"],
)
def test_columns_that_do_not_fit_are_named(options, complaint):
    with pytest.raises(TableError, match=complaint):
        TableDesign.learn(Table.open(_frame()), **options)


def test_a_table_of_another_kind_is_refused_by_name():
    with pytest.raises(TypeError, match="must be a path, a pyarrow table or a data frame"):
        Table.open([1, 2])
    with pytest.raises(TableError, match="no such file"):
        Table.open("nowhere.csv")
    with pytest.raises(ValueError, match="missing must be one of 'refuse', 'impute'"):
        TableDesign.learn(Table.open(_frame()), "price", missing="guess")
    learned = TableDesign.learn(Table.open(_frame()), "price")
    with pytest.raises(TableError, match="lacks the column 'rooms'"):
        list(learned.blocks(Table.open(_frame().drop(columns="rooms")), target=False))
    with pytest.raises(TableError, match="'size' was learned as a number"):
        list(learned.blocks(Table.open(_frame().assign(size="big")), target=False))


def test_negative_weights_and_too_few_rows_are_named():
    frame = _frame(20).assign(w=-1.0)
    table = Table.open(frame)
    with pytest.raises(TableError, match=r"the weight of row 1 is -1\.0"):
        Stream(table, TableDesign.learn(table, "price", weights="w")).fold_statistics(4)
    table = Table.open(frame.assign(w=0.0))
    with pytest.raises(TableError, match="'w' are 0 in every row of a fold"):
        Stream(table, TableDesign.learn(table, "price", weights="w")).fold_statistics(2)
    with pytest.raises(TableError, match="20 rows, too few for 30 folds"):
        Stream(table, TableDesign.learn(table, "price")).fold_statistics(30)


def _learned(formula, frame):
    table = Table.open(frame)
    design, features = Formula.parse(formula, table.names).learn(table)
    X = np.concatenate([features.expand(block.X) for block in design.blocks(table, target=False)])
    return design, features, dict(zip(features.names, X.T, strict=True))


def test_a_formula_gives_the_products_of_its_factors():
    frame = _frame().rename(columns={"rooms": "number of rooms"})
    formula = "price ~ log1p(abs(size)) + `number of rooms`*kind + C(`number of rooms`):new + I(size**2 / 2 - 1)"
    with pytest.raises(TableError, match="cannot be read"):
        _learned(formula, frame)  # Python has no names with spaces
    frame = _frame()
    design, features, found = _learned("price ~ log1p(abs(size)) + rooms*kind + I(size**2 / 2 - 1) - 1", frame)
    assert design.target.name == "price"
    expected = {
        "log1p(abs(size))": np.log1p(abs(frame["size"])),
        "rooms": frame["rooms"],
        **{f"kind={k}": frame["kind"] == k for k in ("boat", "flat", "house")},
        "I(size ** 2 / 2 - 1)": frame["size"] ** 2 / 2 - 1,
        **{f"rooms:kind={k}": frame["rooms"] * (frame["kind"] == k) for k in ("boat", "flat", "house")},
    }
    assert set(found) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values.astype(float), rtol=1e-14, atol=1e-14)
    names = features.names
    assert [[names[i] for i in group] for group in features.groups] == [
        ["kind=boat", "kind=flat", "kind=house"],
        ["rooms:kind=boat", "rooms:kind=flat", "rooms:kind=house"],
    ]
    assert not Formula.parse("price ~ size - 1", frame.columns).intercept
    assert Formula.parse("price ~ size", frame.columns).intercept
    powers = Formula.parse("price ~ (size + rooms)**2 + I(size**2) + {rooms**3}", frame.columns).terms
    assert ("size", "rooms") in powers and ("I(size ** 2)",) in powers
    assert Formula.parse("price ~ .", list(frame.columns)).variables == ("size", "rooms", "kind", "new")


def test_a_formula_makes_numbers_categories_and_streams_like_any_features():
    frame = _frame()
    _, _, found = _learned("price ~ size*C(rooms)", frame)
    assert {f"rooms={k}" for k in range(1, 6)} < set(found)
    np.testing.assert_allclose(found["size:rooms=3"], frame["size"] * (frame["rooms"] == 3))
    table = Table.open(frame)
    design, features = Formula.parse("price ~ size*kind", table.names).learn(table)
    whole = Stream(table, design, features).fold_statistics(1)[0].moments()
    direct = np.concatenate([features.expand(block.X) for block in design.blocks(table, target=False)])
    expected = accumulate(direct, frame["price"].to_numpy())
    np.testing.assert_allclose(whole.scatter, expected.scatter, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    ("formula", "complaint"),
    [
        ("price ~ __import__('os').system('touch x')", "cannot be read"),
        ("price ~ eval(size)", "names 'eval', which is no column of the table and no function"),
        ("price ~ I(size.__class__)", "is not allowed"),
        ("price ~ I((lambda: 1)())", "is not allowed|cannot be read"),
        ("price ~ I([x for x in size])", "names 'x'|is not allowed|cannot be read"),
        ("price ~ I(size if 1 else rooms)", "is not allowed"),
        ("price ~ log(kind)", "'kind' is not allowed"),
        ("price ~ log(colour)", "names 'colour', which is no column"),
        ("price ~ colour", "names 'colour', which is no column"),
        ("log(price) ~ size", "must have one column on its left"),
        ("~ size", "cannot be read"),
        ("price", "has no ~ between"),
        ("price ~ size^2", r"'size\^2', which in formulas is 'size' itself.*write I\(size\*\*2\)"),
        ("price ~ log1p(abs(size)) + rooms ** 3", r"write I\(rooms\*\*3\)"),
        ("price ~ exp(1000 * rooms)", "is inf in .* rows"),
        ("price ~ 1", "names no column to predict"),
        ("price ~ size + price", "has its target 'price' on the right"),
        ("price ~ size | rooms", "cannot be read"),
        ("price ~ log(size)", "is nan in .* rows"),
        ("price ~ I(" + "(" * 3000 + "size" + ")" * 3001, "cannot be read|is no column"),
        ("price ~ " + "size + " * 3000 + "size", "more than 10000"),
    ],
    ids=[f"case {i}" for i in range(21)],
)
def test_what_a_formula_may_not_say_is_refused_and_nothing_is_run(formula, complaint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TableError, match=complaint):
        _learned(formula, _frame())
    assert not list(tmp_path.iterdir())


def test_a_folder_of_other_files_is_refused_by_name(tmp_path, monkeypatch):
    (tmp_path / "t.csv").write_text("a,y\n1,2\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TableError, match=f"^{tmp_path.name}: a folder must hold Parquet .* found other files"):
        Table.open(".")


def test_one_parquet_file_is_read_as_a_folder_of_it_is_and_without_pandas(tmp_path):
    """Names with dots and beside their own beginnings, gaps in one row group alone, columns in another order."""
    rng = np.random.default_rng(0)
    columns = {"a.b": rng.normal(size=100_000), "a": rng.normal(size=100_000), "g": rng.normal(size=100_000)}
    whole = pa.table(columns).set_column(2, "g", pa.array(columns["g"], mask=np.arange(100_000) == 99_999))
    (tmp_path / "folder").mkdir()
    for file in (tmp_path / "one.parquet", tmp_path / "folder" / "one.parquet"):
        parquet.write_table(whole, file, row_group_size=30_000)
    one, folder = Table.open(tmp_path / "one.parquet"), Table.open(tmp_path / "folder")
    assert isinstance(one, ParquetTable)
    assert not isinstance(folder, ParquetTable)
    assert one.schema.equals(folder.schema)
    for table in (one, folder):
        assert [table.full(name) for name in ("a.b", "a", "g")] == [True, True, False]
    for wanted in (None, ["a"], ["g", "a.b"]):
        read = [pa.Table.from_batches(list(table.batches(wanted))) for table in (one, folder)]
        assert read[0].equals(read[1])
        assert read[0].column_names == list(wanted or one.names)
    assert max(batch.num_rows for batch in one.batches()) <= 2**16
    code = f"""
import sys
from shrinkage.tables import Table
table = Table.open({str(tmp_path / "one.parquet")!r})
print(sum(batch.num_rows for batch in table.batches()), "pandas" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["100000", "False"]
    with open(tmp_path / "one.parquet", "r+b") as file:  # the footer is whole, the rows are not
        file.seek(1000)
        file.write(b"\xff" * 200_000)
    with pytest.raises(TableError, match="cannot be read to its end"):
        list(Table.open(tmp_path / "one.parquet").batches())

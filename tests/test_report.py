"""The report of a fit: what it shows is the record's, and no name in it becomes code, in a real browser too."""

import json
import re
import subprocess
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("jinja2")
from shrinkage import L0, L1
from shrinkage.linear import PenalizedRegressorCV, regularization_path
from shrinkage.records import CrossValidation
from shrinkage.records.text import printable
from shrinkage.report import Curve, report
from tests.pages import BROWSER, fit_of, named

HOSTILE = [
    "<img src=x onerror=\"document.title='taken'\">",
    "</script><script>document.title='taken'</script>",
    "{{ 7 * 7 }}{% raw %}",
    '=HYPERLINK("http://x")\x1b[31m',
    "é漢\u202e" * 2000,
]


@pytest.fixture(scope="module")
def fitted():
    return fit_of(len(HOSTILE))


def _data(page):
    return json.loads(re.search(r"const DATA = (.*?);</script>", page, re.DOTALL)[1])


def test_the_page_holds_the_record(fitted, tmp_path):
    curve = Curve("x0", "y", np.linspace(0, 1, 5), np.ones((12, 5)), np.zeros((5000, 2)))
    index = fitted.cv_.index_1se
    report(
        tmp_path / "fit.html", fitted.path_, index=index, cv=fitted.cv_, penalty=fitted.penalty_, curve=curve,
        facts={"file": "a.csv"}, command="shrinkage fit a.csv --target y",
    )  # fmt: skip
    page = (tmp_path / "fit.html").read_text("utf-8")
    data = _data(page)
    np.testing.assert_array_equal(np.array(data["coefs"]).T, fitted.path_.coefs)
    np.testing.assert_array_equal(data["errors"]["mean"], fitted.cv_.mean)
    assert data["chosen"] == index
    assert data["nonzero"] == (fitted.path_.coefs != 0).sum(axis=1).tolist()
    assert len(data["curve"]["points"]) == 2000
    assert "LogisticRegression" not in page  # which has another loss
    for text in ("shrinkage fit a.csv --target y", "a duality gap", "Lasso(alpha=", "a.csv"):
        assert text in page
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", page)


def test_names_are_shown_literally_and_nothing_in_them_runs(fitted, tmp_path):
    path = named(fitted.path_, HOSTILE)
    options = {"title": HOSTILE[0], "facts": {HOSTILE[1]: HOSTILE[2]}, "command": HOSTILE[3]}
    report(tmp_path / "fit.html", path, index=len(path) - 1, cv=fitted.cv_, **options)
    page = (tmp_path / "fit.html").read_text("utf-8")
    assert _data(page)["names"] == [printable(name) for name in HOSTILE]
    assert page.count("<script>") == page.count("</script>") == 2
    assert "<img" not in page


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here to open the page")
def test_in_a_browser_the_names_stand_in_the_table_and_nothing_in_them_ran(fitted, tmp_path):
    path = named(fitted.path_, HOSTILE)
    report(tmp_path / "fit.html", path, index=len(path) - 1, cv=fitted.cv_, title="safe", facts={"f": HOSTILE[0]})
    arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000", "--dump-dom"]
    opened = [BROWSER, *arguments, f"--user-data-dir={tmp_path / 'profile'}", f"file://{tmp_path / 'fit.html'}"]
    found = subprocess.run(opened, capture_output=True, check=True, timeout=90).stdout.decode("utf-8")
    assert "<title>safe</title>" in found
    table = found[found.index('<table id="coefficients">') :].split("</table>")[0]
    assert "&lt;img src=x onerror=" in table
    assert "{{ 7 * 7 }}{% raw %}" in table
    assert table.count("<tr>") == 2 + len(HOSTILE)
    assert found.count("<path") > len(HOSTILE)  # the plots were drawn: the scripts ran to their end


def test_several_responses_have_a_line_each(tmp_path):
    rng = np.random.default_rng(0)
    path = regularization_path(rng.normal(size=(30, 3)), rng.normal(size=(30, 2)), L1(), strengths=3)
    report(tmp_path / "fit.html", path, index=2)
    data = _data((tmp_path / "fit.html").read_text("utf-8"))
    assert data["names"] == [f"x{j}, output {k}" for j in range(3) for k in range(2)]
    for line, values in enumerate(data["coefs"]):
        np.testing.assert_array_equal(values, path.coefs[:, line % 2, line // 2])
    assert [name for name, _ in data["intercepts"]] == ["(intercept), output 0", "(intercept), output 1"]
    np.testing.assert_array_equal([b for _, b in data["intercepts"]], path.intercepts.T)
    assert data["total"] == 6 and data["nonzero"][2] == np.count_nonzero(path.coefs[2])


def test_sizes_stand_in_the_place_of_strengths_and_some_have_none(tmp_path):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(40, 5))
    y = X @ [3.0, -2.0, 1.0, 0.0, 0.0] + rng.normal(size=40)
    model = PenalizedRegressorCV(L0.ball(4), cv=4).fit(X, y)
    strengths = np.where(np.arange(5) == 3, np.nan, model.path_.strengths)  # as of a size off the convex hull
    path, cv = replace(model.path_, strengths=strengths), replace(model.cv_, strengths=strengths)
    report(tmp_path / "fit.html", path, index=3, cv=cv, penalty=model.penalty_)
    page = (tmp_path / "fit.html").read_text("utf-8")
    data = _data(page)
    assert data["at"] == [0, 1, 2, 3, 4] and data["places"] == list("01234") and data["kind"] == "size"
    assert "3 of 5 coefficients are not 0 at the size that was chosen, 3. Move" in page
    assert "NaN" not in page


def test_where_none_was_chosen_the_page_says_so(fitted, tmp_path):
    report(tmp_path / "path.html", fitted.path_, penalty=fitted.penalty_)
    page = (tmp_path / "path.html").read_text("utf-8")
    assert _data(page)["chosen"] is None
    assert f"The solutions at {len(fitted.path_)} strengths, none of which was chosen." in page
    assert f"{max(each.relative_gap for each in fitted.path_.certificates):.2e} (asked for" in page
    assert "The same strength elsewhere" not in page


def test_what_cannot_be_shown_is_refused_by_name(fitted, tmp_path):
    other = CrossValidation([1.0], [[1.0]], [1.0])
    with pytest.raises(ValueError, match="errors at other strengths"):
        report(tmp_path / "fit.html", fitted.path_, cv=other)
    assert not list(tmp_path.iterdir())

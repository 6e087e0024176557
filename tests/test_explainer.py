"""The explainer: its mathematics is the library's, and what it shows cannot become code."""

import json
import re
import shutil
import subprocess
from importlib.resources import files

import numpy as np
import pytest
from scipy.optimize import minimize

pytest.importorskip("jinja2")
from shrinkage.designs import Polynomial
from shrinkage.files import write_whole
from shrinkage.linear import PenalizedRegressor
from shrinkage.penalties import L0, L1, L2, MCP, ElasticNet
from shrinkage.report import explain
from shrinkage.report.page import rendered

KINDS = {
    "L1": L1,
    "L2": L2,
    "L0": L0,
    "ElasticNet": lambda s: ElasticNet(s, 0.5),
    "MCP": lambda s: MCP(s, 3.0),
}
U = np.linspace(-3, 3, 241)
H = np.array([[1.0, 0.55], [0.55, 1.0]])

needs_node = pytest.mark.skipif(
    shutil.which("node") is None, reason="no JavaScript engine (node) to run the page's maths"
)


def javascript(expression):
    """The value of an expression of the page's functions."""
    maths = files("shrinkage.report") / "static" / "maths.js"
    program = f"const m = require({json.dumps(str(maths))}); console.log(JSON.stringify({expression}))"
    done = subprocess.run(["node", "-e", program], capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


@needs_node
@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("strength", [0.0, 0.3, 0.8, 1.7])
def test_values_and_proximal_maps_are_the_librarys(kind, strength):
    numbers = json.dumps(U.tolist())
    pair = f"[m.PENALTIES.{kind}.value(u, {strength}), m.prox({kind!r}, u, {strength})]"
    found = javascript(f"{numbers}.map(u => {pair})")
    penalty = KINDS[kind](strength)
    values, proxes = np.array(found).T
    np.testing.assert_allclose(values, [penalty.value(np.array([u])) for u in U], atol=1e-12)
    np.testing.assert_allclose(proxes, penalty.prox(U, 1.0), atol=1e-12)


@needs_node
@pytest.mark.parametrize("kind", ["L1", "L2", "ElasticNet"])
@pytest.mark.parametrize("radius", [0.3, 1.0, 1.9])
def test_the_point_where_a_contour_touches_a_ball_is_the_constrained_minimum(kind, radius):
    centre = [1.6, 1.1]
    found = javascript(f"m.constrained({kind!r}, {H.tolist()}, {centre}, {radius})")
    size = {"L1": lambda w: abs(w).sum(), "L2": np.linalg.norm, "ElasticNet": ElasticNet(1.0, 0.5).value}[kind]

    def loss(w):
        return 0.5 * (w - centre) @ H @ (w - centre)

    w = np.array(found["w"])
    assert size(w) == pytest.approx(radius, abs=1e-6)
    inside = {"type": "ineq", "fun": lambda w: radius - size(w)}
    starts = (np.zeros(2) + 0.01, np.array([radius / 3, radius / 4]), np.array([radius / 2, 0.01]))
    best = min(minimize(loss, start, constraints=inside, method="SLSQP", tol=1e-12).fun for start in starts)
    assert loss(w) <= best + 1e-6
    # the multiplier is the strength of the penalty with the same solution
    root = np.linalg.cholesky(H).T
    model = PenalizedRegressor(KINDS[kind](found["multiplier"]), fit_intercept=False, tol=1e-12)
    model.fit(root * np.sqrt(2), root @ centre * np.sqrt(2))
    np.testing.assert_allclose(model.coef_, w, atol=1e-5)


@needs_node
def test_boundaries_lie_on_their_balls():
    for kind, ball in (("L1", L1.ball(0.7)), ("L2", L2.ball(0.7)), ("ElasticNet", ElasticNet.ball(0.7, 0.5))):
        points = np.array(javascript(f"m.boundary({kind!r}, 0.7)"))
        np.testing.assert_allclose([ball.norm(p) for p in points], 0.7, atol=1e-9)


@needs_node
@pytest.mark.parametrize("kind", ["none", "L2", "L1"])
@pytest.mark.parametrize("degree", [1, 4, 9])
def test_polynomials_are_the_librarys(kind, degree):
    rng = np.random.default_rng(degree)
    x, strength = rng.uniform(-1, 1, 18), 0.02
    y = np.sin(3 * x) + 0.1 * rng.normal(size=18) + 2
    new = np.linspace(-1, 1, 7)
    fit = f"m.fitPolynomial({x.tolist()}, {y.tolist()}, {degree}, {kind!r}, {strength}, false)"
    found = javascript(f"[{fit}.predict({new.tolist()}), m.degreesOfFreedom({fit}, {kind!r}, {strength})]")
    penalty = {"none": L2(0.0), "L2": L2(strength), "L1": L1(strength)}[kind]
    model = PenalizedRegressor(penalty, design=Polynomial(degree), standardize=True, tol=1e-12)
    model.fit(x[:, None], y)
    np.testing.assert_allclose(found[0], model.predict(new[:, None]), atol=1e-4)
    assert found[1] == pytest.approx(1 + model.path_.degrees_of_freedom[0], abs=1e-3)


@needs_node
def test_proximal_steps_arrive_at_zero_and_subgradient_steps_do_not():
    found = javascript("m.trajectories(2, 0.35, 0.6, 0.3, 200)")
    assert found["proximal"][-1] == 0
    assert min(map(abs, found["sub"])) > 0
    settled = javascript("m.trajectories(2, 1.5, 0.6, 0.3, 400)")
    assert settled["proximal"][-1] == pytest.approx(L1(0.6).prox(1.5, 1.0))


def test_the_page_is_whole_and_needs_no_network(tmp_path):
    explain(tmp_path / "explain.html")
    page = (tmp_path / "explain.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", page)
    data = json.loads(re.search(r"const DATA = (.*);</script>", page)[1])
    for k, row in enumerate(data["subsets"]["rows"], start=1):
        assert np.count_nonzero(row["subset"]["coefs"]) == k
        assert np.count_nonzero(row["lasso"]["coefs"]) <= k
        assert row["subset"]["explained"] >= row["lasso"]["explained"] - 1e-12
    assert list(tmp_path.iterdir()) == [tmp_path / "explain.html"]


HOSTILE = ["</script><script>alert(1)</script>", "<!--", "{{ 7 * 7 }}", "\u2028", '"&<b>', "é" * 100_000]


@pytest.mark.parametrize("text", HOSTILE, ids=[f"text {i}" for i in range(len(HOSTILE))])
def test_no_text_in_the_data_or_the_template_becomes_code(text):
    page = rendered(
        "explainer.html.j2", ("maths.js",), {"name": text}, version=text, subset_rows=1, subset_columns=1
    )
    script = re.search(r"const DATA = (.*?);</script>", page, re.DOTALL)[1]
    assert json.loads(script) == {"name": text}
    assert "<script>alert" not in page
    assert page.count("</script>") == 2
    assert "49" not in re.sub(r"<style>.*?</style>|<script>.*?</script>", "", page, flags=re.DOTALL)


def test_a_write_that_fails_leaves_the_old_page(tmp_path):
    target = tmp_path / "page.html"
    target.write_text("old", encoding="utf-8")
    with pytest.raises(UnicodeEncodeError):
        write_whole(target, "\ud800")
    assert target.read_text("utf-8") == "old"
    assert list(tmp_path.iterdir()) == [target]

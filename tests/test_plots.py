"""Figures show the records' and the penalties' own numbers, and can be read."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from matplotlib.text import Text

from shrinkage import L0, L1, L2, GroupL2, NonNegative, plots
from shrinkage.linear import regularization_path
from shrinkage.plots.style import spread
from shrinkage.records import Path

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture
def record() -> Path:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 6)) * np.arange(1, 7)
    y = X @ np.array([3.0, 0.0, -1.0, 0.0, 0.5, 0.5]) + rng.standard_normal(50)
    return regularization_path(X, y, L1(), strengths=15)


def test_each_line_is_a_coefficient_of_the_path(record: Path) -> None:
    ax = plots.path(record)
    for j, name in enumerate(record.feature_names):
        line = ax.lines[j]
        assert line.get_label() == name
        np.testing.assert_array_equal(line.get_xdata(), record.strengths)
        np.testing.assert_array_equal(line.get_ydata(), record.coefs[:, j])
    assert ax.get_xlim() == (record.strengths[0], record.strengths[-1])


def test_scales_multiply_the_coefficients(record: Path) -> None:
    scales = np.arange(1.0, 7.0)
    ax = plots.path(record, scales=scales)
    drawn = np.array([line.get_ydata() for line in ax.lines[:6]]).T
    np.testing.assert_array_equal(drawn, record.coefs * scales)


def test_a_mark_stands_at_its_strength_and_chooses_the_names(record: Path) -> None:
    strength = float(record.strengths[4])
    _, given = plt.subplots()
    ax = plots.path(record, given, marks={"chosen": strength}, named=2)
    assert ax is given
    (mark,) = ax.get_legend().legend_handles
    assert mark.get_label() == f"chosen: strength {strength:.3g}"
    assert any(list(line.get_xdata()) == [strength, strength] for line in ax.lines)
    largest = np.argsort(-np.abs(record.coefs[4]))[:2]
    assert {text.get_text() for text in ax.texts} == {record.feature_names[j] for j in largest}


def test_the_names_do_not_overlap() -> None:
    count = 12
    coefs = np.outer([0.0, 1.0], 1 + 1e-3 * np.arange(count))
    flat = np.zeros(2)
    names = tuple(f"feature [{j}] $x" for j in range(count))
    ax = plots.path(
        Path(np.array([1.0, 0.1]), coefs, flat, flat, flat, flat, (), names, 10.0, "squared_error", 1.0),
        named=count,
    )
    ax.figure.canvas.draw()
    boxes = [Text.get_window_extent(text) for text in ax.texts]  # without the line that leads to it
    assert len(boxes) == count
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_a_path_refuses_what_it_cannot_draw(record: Path) -> None:
    with pytest.raises(TypeError, match="record must be a Path"):
        plots.path(record.coefs)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"scales must hold one number a coefficient, \(6,\); got \(5,\)"):
        plots.path(record, scales=np.ones(5))
    with pytest.raises(ValueError, match=r"marks\['here'\] must be a strength above 0"):
        plots.path(record, marks={"here": 0.0})
    with pytest.raises(ValueError, match="named must be at least 0"):
        plots.path(record, named=-1)
    free = regularization_path([[0.0], [1.0], [2.0]], [0.0, 1.0, 3.0], L1(), strengths=[1.0, 0.0])
    with pytest.raises(ValueError, match="strength of 0"):
        plots.path(free)


@given(st.lists(st.floats(-100, 100), max_size=12), st.floats(0.1, 10))
def test_spread_keeps_order_and_distance_and_moves_no_more_than_needed(wanted: list[float], gap: float) -> None:
    placed = spread(wanted, gap)
    order = np.argsort(wanted, kind="stable")
    assert (np.diff(placed[order]) >= gap - 1e-9).all()
    assert placed.sum() == pytest.approx(sum(wanted), abs=1e-6)  # least squares moves no cluster's centre
    np.testing.assert_allclose(spread(placed, gap), placed, atol=1e-9)


@given(st.lists(st.floats(-100, 100), max_size=12), st.floats(0.1, 30))
def test_spread_stays_within_its_bounds(wanted: list[float], gap: float) -> None:
    placed = spread(wanted, gap, -50.0, 60.0)
    assert ((placed >= -50.0 - 1e-9) & (placed <= 60.0 + 1e-9)).all()
    apart = min(gap, 110.0 / max(len(wanted) - 1, 1))
    assert (np.diff(placed[np.argsort(wanted, kind="stable")]) >= apart - 1e-9).all()


def test_the_one_dimensional_view_is_drawn_from_the_penalties() -> None:
    shown = (L1(1.5), L2(0.7))
    value, derivative, prox, repeated = plots.penalties(shown, extent=3.0, step=0.5, repeats=5).axes
    for k, penalty in enumerate(shown):
        w = np.asarray(value.lines[k].get_xdata())
        assert 0.0 in w
        assert (w[0], w[-1]) == (-3.0, 3.0)
        np.testing.assert_array_equal(value.lines[k].get_ydata(), penalty.pointwise(w))
        np.testing.assert_array_equal(prox.lines[k].get_ydata(), penalty.prox(w, 0.5))
        slopes = np.asarray(derivative.lines[k].get_ydata()).reshape(-1, 2).T
        np.testing.assert_array_equal(slopes, penalty.slopes(w))
        steps = np.asarray(repeated.lines[k].get_ydata())
        assert steps[0] == 3.0
        np.testing.assert_array_equal(steps[1:], penalty.prox(steps[:-1], 0.5))


def test_the_kink_of_l1_is_a_vertical_segment_and_its_rest_is_shaded() -> None:
    _, derivative, prox, repeated = plots.penalties().axes
    at = np.asarray(derivative.lines[0].get_xdata()) == 0
    assert np.asarray(derivative.lines[0].get_ydata())[at].tolist() == [-1.0, 1.0]
    assert [text.get_text() for text in prox.get_legend().get_texts()] == ["−0.25 ≤ w ≤ 0.25\nto exactly 0"]
    notes = [text.get_text() for text in repeated.get_legend().get_texts()]
    assert notes == ["exactly 0 from map 8 on", "0.003 after map 16, not 0"]


def test_unbounded_slopes_and_domains_are_drawn_where_they_are() -> None:
    _, derivative, _, _ = plots.penalties((L0(0.5), NonNegative()), extent=1.0).axes
    hard, bound = (np.asarray(line.get_ydata()).reshape(-1, 2) for line in derivative.lines[:2])
    w = np.asarray(derivative.lines[0].get_xdata())[::2]
    assert hard[w == 0].tolist() == [[-1.5, 1.5]]
    assert np.isnan(bound[w < 0]).all()
    assert (bound[w > 0] == 0).all()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"shown": ()}, ValueError, "shown must hold 1 to 7"),
        ({"shown": (GroupL2(1.0, axis=0),)}, TypeError, "separate over coefficients"),
        ({"names": ["one"]}, ValueError, "names must hold one a penalty, 2; got 1"),
        ({"extent": 0.0}, ValueError, "extent must be a positive number"),
        ({"step": float("nan")}, ValueError, "step must be a positive number"),
        ({"repeats": -1}, ValueError, "repeats must be a positive number"),
    ],
)
def test_the_view_refuses_what_it_cannot_draw(arguments: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        plots.penalties(**arguments)
    assert not plt.get_fignums()  # nothing half-drawn is left behind

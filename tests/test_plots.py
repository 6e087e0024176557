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
from scipy.stats import binomtest

from shrinkage import L0, L1, L2, GroupL2, NonNegative, plots
from shrinkage.linear import (
    PenalizedClassifier,
    PenalizedRegressor,
    PenalizedRegressorCV,
    convergence,
    regularization_path,
)
from shrinkage.plots.style import spread
from shrinkage.records import CrossValidation, Path
from shrinkage.rules import Summary
from shrinkage.rules.summary import SummaryRow

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


def test_a_cross_validation_shows_its_errors_and_both_choices() -> None:
    rng = np.random.default_rng(1)
    X = rng.standard_normal((60, 4))
    found = PenalizedRegressorCV(L1(), cv=4, strengths=9).fit(X, X[:, 0] + rng.standard_normal(60)).cv_
    ax = plots.cv(found, folds=True)
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), found.mean)
    band = ax.collections[0].get_paths()[0].vertices
    assert band[:, 1].max() == (found.mean + found.standard_error).max()
    at = {line.get_label().partition(",")[0]: line.get_xdata()[0] for line in ax.lines if "at" in line.get_label()}
    assert at["least"] == found.strengths[found.index_min]
    assert at["sparsest within one standard error"] == found.strengths[found.index_1se]
    assert len(ax.get_legend().get_texts()) == 3
    assert ax.get_xlim() == (found.strengths[0], found.strengths[-1])
    sizes = plots.cv(CrossValidation([np.nan, np.nan], [[2.0, 3.0], [1.0, 2.0]], [1.0, 1.0], (0, 1)))
    assert sizes.lines[0].get_xdata().tolist() == [0.0, 1.0]
    with pytest.raises(ValueError, match="strength of 0"):
        plots.cv(CrossValidation([1.0, 0.0], [[2.0, 3.0], [1.0, 2.0]], [1.0, 1.0]))
    with pytest.raises(TypeError, match="record must be a CrossValidation"):
        plots.cv(found.mean)  # type: ignore[arg-type]


@pytest.mark.parametrize("estimator", [PenalizedRegressor(L1(0.05), tol=1e-9), PenalizedClassifier(L1(0.02))])
def test_convergence_holds_what_fits_that_end_early_prove(estimator) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(0)
    X = 2 * rng.standard_normal((200, 1)) + rng.standard_normal((200, 30))
    y = X @ rng.standard_normal(30) + rng.standard_normal(200)
    y = y > 0 if isinstance(estimator, PenalizedClassifier) else y
    record = convergence(estimator, X, y)
    whole = estimator.fit(X, y).certificate_
    last = record.certificates[-1]
    assert (last.iterations, last.gap, last.status) == (whole.iterations, whole.gap, "optimal")
    assert len(record.iterations) > 4
    assert (np.diff(record.iterations) > 0).all()
    assert record.iterations[0] == 1
    assert record.relative_gaps[-1] < 1e-3 * record.relative_gaps[-4]
    for early in record.certificates[:-1]:
        assert not early.reached
        assert early.bound <= whole.bound + whole.gap  # each is a proof of its own
    ax = plots.certificate(record)
    shown, finite = np.asarray(ax.lines[0].get_ydata()), np.isfinite(record.relative_gaps)
    np.testing.assert_array_equal(shown[finite], record.relative_gaps[finite])
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), record.iterations)
    assert set(ax.lines[1].get_ydata()) == {estimator.tol}
    assert ax.get_yscale() == "log"


def test_convergence_takes_one_fit_only() -> None:
    with pytest.raises(TypeError, match="one fit at one strength; got PenalizedRegressorCV"):
        convergence(PenalizedRegressorCV(), [[0.0], [1.0]], [0.0, 1.0])  # type: ignore[arg-type]


def test_a_path_shows_the_gap_at_each_strength(record: Path) -> None:
    ax = plots.certificate(record)
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), record.strengths)
    gaps = [max(c.relative_gap, 1e-17) for c in record.certificates]
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), gaps)
    with pytest.raises(TypeError, match="must be a Convergence or a Path"):
        plots.certificate(record.certificates[0])  # type: ignore[arg-type]


def test_residuals_are_those_of_the_rows_and_their_groups() -> None:
    rng = np.random.default_rng(0)
    predicted = rng.uniform(0, 10, 7000)
    y = predicted + (predicted > 5)
    ax = plots.residuals(y, predicted, bins=2)
    points = ax.collections[0].get_offsets().data
    assert len(points) == 5000
    assert set(points[:, 1].round(9)) == {0.0, 1.0}
    line = ax.containers[0].lines[0]
    low = predicted <= np.median(predicted)
    expected = [(y - predicted)[low].mean(), (y - predicted)[~low].mean()]
    np.testing.assert_allclose(np.array(line.get_ydata(), float), expected)
    np.testing.assert_allclose(np.array(line.get_xdata(), float), [predicted[low].mean(), predicted[~low].mean()])


def test_calibration_is_the_share_seen_with_wilsons_interval() -> None:
    y = np.array([0, 0, 0, 1, 1, 1, 1, 0, 1, 1])
    predicted = np.repeat([0.2, 0.9], 5)
    ax = plots.calibration(y, predicted, bins=5)
    np.testing.assert_allclose(ax.lines[0].get_xydata(), [[0.2, 0.4], [0.9, 0.8]])
    segments = np.array(ax.containers[0].lines[2][0].get_segments())[:, :, 1]
    expected = [binomtest(k, 5).proportion_ci(0.95, method="wilson") for k in (2, 4)]
    np.testing.assert_allclose(segments, [[e.low, e.high] for e in expected], atol=1e-4)
    amounts = plots.calibration([0.0, 2.0, 5.0, 7.0], [1.0, 1.0, 6.0, 6.0], bins=2)
    np.testing.assert_allclose(amounts.lines[0].get_xydata(), [[1.0, 1.0], [6.0, 6.0]])
    assert amounts.get_ylabel() == "mean observed"


@pytest.mark.parametrize("draw", [plots.residuals, plots.calibration], ids=["residuals", "calibration"])
@pytest.mark.parametrize(
    ("y", "predicted", "bins", "message"),
    [
        ([1.0, 2.0], [1.0], 5, "the same rows, at least one; got 2 and 1"),
        ([], [], 5, "y must be one number a row|at least one"),
        (["a"], [1.0], 5, "y must be one number a row"),
        ([1.0, 2.0], [1.0, np.nan], 5, "predicted holds NaN or infinity in row 1"),
        ([1.0, 2.0], [1.0, 2.0], 0, "bins must be at least 1"),
    ],
    ids=["length", "empty", "text", "nan", "bins"],
)
def test_predictions_that_cannot_be_drawn_are_refused(draw, y, predicted, bins, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=message):
        draw(y, predicted, bins=bins)
    assert not plt.get_fignums()


def _summary(step: int, *rows: tuple[str, int, int, int, int]) -> Summary:
    kept = [
        SummaryRow(name, "'*'", "L1(strength=1.0)", "prox", size, 0.0, 0.0, zeros, groups, zero_groups, 0.0)
        for name, size, zeros, groups, zero_groups in rows
    ]
    return Summary(step, tuple(kept))


def test_sparsity_is_a_line_a_parameter_and_one_for_all() -> None:
    first = _summary(0, ("conv", 8, 0, 4, 0), ("head", 2, 1, 0, 0))
    later = _summary(10, ("conv", 8, 6, 4, 3), ("head", 2, 1, 0, 0))
    ax = plots.sparsity([first, later])
    lines = {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in ax.lines}
    assert lines == {"conv": ([0, 10], [0, 75]), "head": ([0, 10], [50, 50]), "all": ([0, 10], [10, 70])}
    assert {text.get_text() for text in ax.texts} == {"75 %  conv", "50 %  head", "70 %  all"}
    grouped = plots.sparsity([first, later], groups=True)
    assert [line.get_label() for line in grouped.lines] == ["conv", "all"]
    assert list(grouped.lines[0].get_ydata()) == [0, 75]
    with pytest.raises(ValueError, match=r"in the order of the training.*\[10, 0\]"):
        plots.sparsity([later, first])
    with pytest.raises(ValueError, match="has groups"):
        plots.sparsity([_summary(0, ("head", 2, 1, 0, 0))], groups=True)
    with pytest.raises(ValueError, match="at least one"):
        plots.sparsity([])
    with pytest.raises(TypeError, match=r"what reg\.summary"):
        plots.sparsity([first.rows[0]])  # type: ignore[list-item]


HOSTILE = ["$x^2$", "\x1b[31mred\x1b[0m", "_hidden", "a\nb\u202e", "{x:g} %s \\frac", "é" * 100_000, "<b>&amp;"]


def test_names_are_drawn_literally_whatever_is_in_them(record: Path) -> None:
    fields = {name: getattr(record, name) for name in record.__dataclass_fields__}
    named = Path(**fields | {"feature_names": tuple(HOSTILE[:6])})
    ax = plots.path(named, marks={name: float(record.strengths[3]) for name in HOSTILE})
    sparsity = plots.sparsity([_summary(0, *((name, 2, 1, 0, 0) for name in HOSTILE))])
    for drawn in (ax, sparsity):
        drawn.figure.canvas.draw()
        assert drawn.get_window_extent().width > 100  # no name takes the figure's room away
    texts = [*ax.texts, *ax.get_legend().get_texts(), *sparsity.texts]
    assert not any(text.get_parse_math() for text in texts)
    assert all(text.get_text().isprintable() and len(text.get_text()) < 120 for text in texts)
    shown = {text.get_text() for text in ax.texts}
    assert {"$x^2$", r"\x1b[31mred\x1b[0m", "_hidden", r"a\nb\u202e", "{x:g} %s \\frac"} < shown

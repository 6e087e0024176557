"""The demonstration's numbers are right, and the command line runs."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import shrinkage
from shrinkage.cli import app, commands
from shrinkage.cli.demo import arithmetic, biases, digits, polynomial
from shrinkage.cli.demo.screen import Screen
from shrinkage.cli.demo.training import Pictures, one_thread
from shrinkage.linear import PenalizedRegressor
from shrinkage.penalties import L1

matplotlib.use("Agg")
runner = CliRunner()


@pytest.fixture(scope="module", autouse=True)
def alone() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture(scope="module")
def some() -> Pictures:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand((32, 1, 8, 8), generator=generator, dtype=torch.float64)
    return Pictures(images, torch.randint(10, (32,), generator=generator))


def test_the_right_ways_agree_and_the_wrong_one_adds_s_times_b_alone(some: Pictures) -> None:
    rows = arithmetic.compare(some, 0.3, seed=1)
    assert [r.parameter for r in rows] == [f"{m}.{p}" for m in ("stem", "conv", "head") for p in ("weight", "bias")]
    for row in rows:
        assert max(row.collection, row.analytic, row.beyond) < 1e-15
        if row.parameter.endswith("bias"):
            assert row.pull > 1e-3
            assert row.everything == pytest.approx(row.pull, abs=1e-15)
        else:
            assert row.everything == row.pull == 0.0


def test_the_pull_is_that_of_the_largest_bias(some: Pictures) -> None:
    net = arithmetic.conv_net(10, seed=1)
    largest = {name: float(p.detach().abs().max()) for name, p in net.named_parameters()}
    for row in arithmetic.compare(some, 0.3, seed=1):
        if row.parameter.endswith("bias"):
            assert row.pull == pytest.approx(0.3 * largest[row.parameter], rel=1e-6)


def test_dimmed_pictures_are_half_as_bright() -> None:
    full, dim = digits.digits().images[:50], biases.dimmed(50, seed=3)
    ratio = dim.images.sum((1, 2, 3)) / full.sum((1, 2, 3))
    torch.testing.assert_close(ratio, torch.where(dim.labels == 1, 0.5, 1.0))
    assert 0 < int(dim.labels.sum()) < 25


def test_penalised_biases_underfit() -> None:
    data = biases.dimmed(200, seed=0)
    weights, everything = (biases.fit(data, 0.15, biases=b, seed=0, epochs=200) for b in (False, True))
    assert everything.loss > 1.3 * weights.loss
    assert everything.accuracy < weights.accuracy
    assert everything.largest_bias < weights.largest_bias


def test_polynomial_results_are_those_of_their_models() -> None:
    data = polynomial.split(seed=0)
    results = {r.name: r for r in polynomial.compare(data, strengths=12)}
    assert list(results) == ["none", "L2", "L1", "elastic net", "L0"]
    for r in results.values():
        assert len(r.effects) == 64
        assert r.certificate.reached
        assert r.certificate.kind == ("bound" if r.name == "L0" else "duality_gap")
        errors = data.test_y - r.model.predict(data.test_X)
        assert r.test_error == pytest.approx(np.sqrt((errors**2).mean()))
        assert r.nonzero == np.count_nonzero(r.model.coef_)
    none, lasso, subset = (results[name] for name in ("none", "L1", "L0"))
    assert none.degrees_of_freedom == pytest.approx(64)
    assert none.nonzero == 64
    assert none.test_error > max(r.test_error for r in results.values() if r is not none)
    assert lasso.degrees_of_freedom == lasso.nonzero < 64
    assert lasso.constraint == f"‖w‖₁ ≤ {np.abs(lasso.effects).sum():.4g}"  # the norm on standardised features
    assert subset.constraint == f"‖w‖₀ ≤ {subset.nonzero}"


def test_the_largest_coefficients_are_named_in_order_and_zeros_are_not() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 4))
    model = PenalizedRegressor(L1(0.1)).fit(X, X @ np.array([1.0, 0.0, -5.0, 0.0]))
    result = polynomial.Result("L1", model, 0.0, np.array([10.0, 1.0, 1.0, 1.0]), 2.0, "")
    assert [name for name, _ in result.largest(4)] == ["x0", "x2"]
    assert [effect for _, effect in result.largest(1)] == [10.0 * model.coef_[0]]


@pytest.fixture(scope="module")
def runs() -> tuple[digits.Run, digits.Run]:
    halves = digits.split(seed=0)
    prox, in_loss = (digits.learn(halves, digits.rules(how), seed=0, epochs=12) for how in ("prox", "loss"))
    return prox, in_loss


def test_l1_by_prox_has_exact_zeros_and_in_the_loss_none(runs: tuple[digits.Run, digits.Run]) -> None:
    prox, in_loss = runs
    assert prox.zeros("fc1") > 1000
    assert in_loss.zeros("fc1") == 0
    assert min(prox.accuracy, in_loss.accuracy) > 0.85


def test_every_layer_obeys_its_rule(runs: tuple[digits.Run, digits.Run]) -> None:
    prox, _ = runs
    assert prox.regularizer is not None
    stem, conv, fc1, head = prox.regularizer.summary(prox.loss).rows
    assert (stem.form, conv.form, fc1.form, head.form) == ("gradient", "prox", "prox", "project")
    assert stem.value == pytest.approx(0.5e-3 * float((prox.weight("stem") ** 2).sum()), rel=1e-5)
    assert fc1.zeros == prox.zeros("fc1")
    assert head.violation == 0.0
    assert float(prox.weight("head").norm(dim=1).max()) <= 1.0 + 1e-5


def test_the_command_shows_all_parts_and_writes_both_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(biases, "STRENGTHS", (0.15,))
    monkeypatch.setattr(biases, "fit", functools.partial(biases.fit, epochs=5))
    monkeypatch.setattr(polynomial, "compare", functools.partial(polynomial.compare, strengths=8))
    monkeypatch.setattr(digits, "learn", functools.partial(digits.learn, epochs=3))
    result = runner.invoke(app, ["demo", "--out", str(tmp_path / "new" / "folder"), "--seed", "4"])
    assert result.exit_code == 0, result.output
    assert "L2(1.0)([[1, 2, 3], [4, 5, 6]]) = 45.5" in result.output
    assert "Seed 4" in result.output
    for word in ("conv.bias", "underfitting", "duality gap", "bound", "left out: bias", "exact zeros"):
        assert word in result.output
    assert max(map(len, result.output.splitlines())) <= 100
    for name in ("lasso-path.png", "penalties.png"):
        assert (tmp_path / "new" / "folder" / name).stat().st_size > 20_000


def test_version() -> None:
    result = runner.invoke(app, ["--version"])
    assert (result.exit_code, result.output) == (0, f"shrinkage {shrinkage.__version__}\n")


def test_bad_options_are_named(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("")
    result = runner.invoke(app, ["demo", "--out", str(taken)], env={"COLUMNS": "300"})
    assert result.exit_code == 2
    assert "name a folder" in result.output
    result = runner.invoke(app, ["demo", "--seed", "-1"])
    assert result.exit_code == 2
    assert "--seed" in result.output


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "find_spec", lambda name: None if name == "torch" else object())
    result = runner.invoke(app, ["demo"])
    assert result.exit_code == 2
    assert 'needs torch, not installed here: pip install "shrinkage[demo]"' in result.output


def _python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_without_typer_the_command_line_says_what_to_install() -> None:
    done = _python("import sys; sys.modules['typer'] = None; import shrinkage.cli")
    assert done.returncode != 0
    assert (
        'ImportError: the command line needs typer, which is not installed: pip install "shrinkage[cli]"'
        in done.stderr
    )


def test_help_and_version_import_neither_torch_nor_scikit_learn() -> None:
    done = _python(
        "import sys; from shrinkage.cli import app\n"
        "try: app(['demo', '--help'])\n"
        "except SystemExit: print(sorted({'torch', 'sklearn', 'matplotlib', 'numba'} & set(sys.modules)))"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_screen_takes_every_text_literally(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    screen.heading("part [bold]1[/bold]")
    screen.say("a [red]name[/red]")
    screen.notice("layer[0]")
    screen.table(["[i]header[/i]"], [["blocks[3].weight"], ["[/red]"]])
    shown = capsys.readouterr().out
    for text in (
        "[bold]1[/bold]",
        "[red]name[/red]",
        "layer[0]",
        "[i]header[/i]",
        "blocks[3].weight",
        "[/red]",
    ):
        assert text in shown

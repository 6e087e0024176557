"""Rules, where they apply, and the metrics' formulas: nothing here needs a framework."""

import io
import re
from types import SimpleNamespace

import numpy as np
import pytest

from shrinkage.penalties import L0, L1, L2, MCP, Box, ElasticNet, GroupL2, NonNegative
from shrinkage.rules import (
    Candidate,
    Rule,
    Summary,
    SummaryRow,
    momentum_step,
    proximal,
    select,
    selection_table,
)
from shrinkage.rules.adaptive import adam_reach, adam_step
from shrinkage.rules.paths import clean, matches, normalise


class Dense(SimpleNamespace):
    """A layer of no framework."""


class Norm(SimpleNamespace):
    pass


def candidate(*paths, module=None, left_out="", **more):
    module = module or Dense()
    owners = {"": "model"}
    for path in paths:
        parts = path.split(".")[:-1]
        owners |= {".".join(parts[: i + 1]): Dense() for i in range(len(parts))}
        owners[".".join(parts)] = module
    return Candidate(paths, tuple(owners.items()), module, object(), (4, 3), left_out=left_out, **more)


def model():
    """Two blocks of a linear layer and a norm, and a head."""
    found = []
    for i in range(2):
        dense, norm = Dense(), Norm()
        found += [
            candidate(f"blocks.{i}.fc.weight", module=dense),
            candidate(f"blocks.{i}.fc.bias", module=dense, left_out="bias"),
            candidate(f"blocks.{i}.norm.weight", module=norm, left_out="norm layer", vectors_only=True),
            candidate(f"blocks.{i}.norm.bias", module=norm, left_out="bias", vectors_only=True),
        ]
    return [*found, candidate("head.weight"), candidate("head.bias", left_out="bias")]


def governed(*rules, candidates=None):
    choices = select(candidates or model(), rules, (Dense, Norm))
    return {c.candidate.path: rules.index(c.rule) for c in choices if c.rule is not None}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("head", {"head.weight"}),
        ("blocks.0", {"blocks.0.fc.weight"}),
        ("blocks/0/fc/weight", {"blocks.0.fc.weight"}),
        ("head.bias", {"head.bias"}),
        ("*.bias", {f"blocks.{i}.{m}.bias" for i in (0, 1) for m in ("fc", "norm")} | {"head.bias"}),
        ("blocks.*.weight", {"blocks.0.fc.weight", "blocks.1.fc.weight"}),
        ("*.norm.weight", {"blocks.0.norm.weight", "blocks.1.norm.weight"}),
        ("blocks.1.norm", {"blocks.1.norm.weight"}),
        (Norm, {"blocks.0.norm.weight", "blocks.1.norm.weight"}),
        (Dense, {"blocks.0.fc.weight", "blocks.1.fc.weight", "head.weight"}),
        (lambda path, module, parameter: path.startswith("h"), {"head.weight"}),
        ("*", {"blocks.0.fc.weight", "blocks.1.fc.weight", "head.weight"}),
        ("module._orig_mod.head", {"head.weight"}),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_where(where, expected):
    assert set(governed(Rule(where, L2(1.0)))) == expected


def test_objects_are_found_by_identity():
    candidates = model()
    one = candidates[4]
    assert set(governed(Rule(one.module, L2()), candidates=candidates)) == {"blocks.1.fc.weight"}
    biased = SimpleNamespace()
    candidates[1] = candidate("blocks.0.fc.bias", left_out="bias")
    object.__setattr__(candidates[1], "parameter", biased)
    choices = select(candidates, [Rule(biased, L2())], (SimpleNamespace,))
    assert [c.candidate.path for c in choices if c.rule] == ["blocks.0.fc.bias"]


def test_the_first_match_governs_and_a_last_star_takes_the_rest():
    rules = Rule("blocks.0", L1()), Rule("blocks.*", L2()), Rule("*", L2(2.0))
    assert governed(*rules) == {"blocks.0.fc.weight": 0, "blocks.1.fc.weight": 1, "head.weight": 2}
    rules = Rule(Dense, L1()), Rule("*", L2())
    assert set(governed(*rules).values()) == {0}  # a last "*" may be left without work


def test_a_module_path_comes_before_a_parameter_path_and_a_glob():
    candidates = [candidate("a.weight"), candidate("a*.weight")]
    assert governed(Rule("a*", L2()), candidates=candidates) == {"a*.weight": 0}


def test_a_tied_parameter_is_one_whatever_its_path():
    tied = candidate("embed.weight", "head.weight")
    assert governed(Rule("head", L1()), candidates=[tied]) == {"embed.weight": 0}
    with pytest.raises(ValueError, match=r"'head' has no effect.*embed.weight: the rule on 'embed'"):
        governed(Rule("embed", L1()), Rule("head", L2()), candidates=[tied])


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([Rule("haed", L2())], r"'haed' picks nothing trainable.*Near matches: head"),
        ([Rule("zzz", L2())], r"no module or parameter has this path; the model has blocks"),
        ([Rule("*", L2()), Rule("head", L1())], r"'head' has no effect.*put the narrower rule first"),
        ([Rule(lambda *_: False, L2())], "no parameter matches"),
        ([Rule(lambda path, *_: path.endswith("bias"), L2())], "left out unless named literally"),
    ],
)
def test_rules_without_effect(rules, message):
    with pytest.raises(ValueError, match=message):
        governed(*rules)


def test_frozen_and_refused_parameters():
    with pytest.raises(ValueError, match=r"no gradient reaches a.weight"):
        governed(Rule("a", L2()), candidates=[candidate("a.weight", trainable=False)])
    with pytest.raises(ValueError, match=r"a.weight, picked by the rule on 'a', is complex"):
        governed(Rule("a", L2()), candidates=[candidate("a.weight", refused="is complex.")])
    both = [candidate("a.weight", trainable=False), candidate("b.weight")]
    table = selection_table(select(both, [Rule("*", L2())]))
    assert re.search(r"a\.weight .*frozen", table)


def test_a_predicate_must_answer_yes_or_no():
    with pytest.raises(TypeError, match=r"must give True or False; for blocks.0.fc.weight it gave None"):
        governed(Rule(lambda *_: None, L2()))


@pytest.mark.parametrize(
    ("arguments", "more", "error", "message"),
    [
        (("fc", L1), {}, TypeError, "penalty must be a penalty or a constraint"),
        (("fc", 1e-3), {}, TypeError, "penalty must be a penalty or a constraint"),
        (("", L2()), {}, ValueError, r'where must name something.*"\*" means every weight'),
        ((["a", "b"], L2()), {}, TypeError, "one Rule for each place"),
        ((None, L2()), {}, TypeError, "where must be"),
        (("fc", L1()), {"how": "decoupled"}, ValueError, "for L2 of finite strength alone"),
        (("fc", L2([1.0, np.inf])), {"how": "decoupled"}, ValueError, "for L2 of finite strength alone"),
        (("fc", L2()), {"how": "proximal"}, ValueError, "how must be one of .loss., .gradient., .decoupled."),
        (("fc", L1()), {"how": "gradient"}, ValueError, "not smooth"),
        (("fc", MCP()), {"how": "gradient"}, ValueError, "not smooth"),
        (("fc", L1()), {"how": "project"}, ValueError, "a ball such as"),
        (("fc", L2.ball(1.0)), {"how": "prox"}, ValueError, 'enforced by how="project"'),
        (("fc", L2.ball(1.0)), {"how": "loss"}, ValueError, 'enforced by how="project"'),
        (("fc", L0()), {"how": "loss"}, ValueError, "derivative is zero"),
        (("fc", L1() + NonNegative()), {"how": "loss"}, ValueError, "derivative is zero"),
        (("fc", L2()), {"schedule": 0.5}, TypeError, "schedule must be a callable"),
        (("fc", L2.ball(1.0)), {"schedule": lambda step: 1.0}, ValueError, "has a radius"),
    ],
)
def test_rules_that_cannot_be(arguments, more, error, message):
    with pytest.raises(error, match=message):
        Rule(*arguments, **more)


def test_default_forms():
    forms = {p: Rule("a", p).form for p in (L2(), L1(), ElasticNet(), GroupL2(axis=0), Box(0, 1), L1.ball(1.0))}
    assert list(forms.values()) == ["gradient", "prox", "prox", "prox", "prox", "project"]
    assert Rule("a", L2(), how="prox").form == "prox"


def test_a_schedule_multiplies_the_strength():
    rule = Rule("a", L2(2.0), schedule=lambda step: step / 10)
    assert rule.at(5) == L2(1.0)
    for bad in (-1.0, float("nan"), "x"):
        with pytest.raises(ValueError, match="at step 3 it gave"):
            Rule("a", L2(), schedule=lambda step, bad=bad: bad).at(3)


def test_paths():
    assert clean("_orig_mod.module.fc.weight") == "fc.weight"
    assert clean("encoder.module.fc") == "encoder.module.fc"  # a module that a person called so
    assert normalise(" encoder/fc ") == "encoder.fc"
    assert matches("*.mlp.*.weight", "blocks.3.mlp.fc1.weight")
    assert not matches("Blocks.*", "blocks.0")


def test_the_momentum_metric():
    assert momentum_step(0.1, 0.0, dampening=0.5) == 0.1  # dampening has nothing to act on
    assert momentum_step(0.1, 0.9, dampening=0.5) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="dampening=1"):
        momentum_step(0.1, 0.9, dampening=1)


@pytest.mark.parametrize(("nesterov", "dampening"), [(False, 0.0), (False, 0.3), (True, 0.0)])
def test_the_momentum_metric_is_the_move_at_rest(nesterov, dampening):
    """With a constant gradient of 1 the steps settle at d (Nesterov's variant allows no dampening)."""
    velocity = 0.0
    for _ in range(500):
        velocity = 0.9 * velocity + (1 - dampening)
        move = 0.1 * (1 + 0.9 * velocity if nesterov else velocity)
    assert move == pytest.approx(momentum_step(0.1, 0.9, dampening))


def test_the_adam_metric_is_the_move_for_a_unit_of_gradient():
    g, lr, b1, b2, eps = np.array([0.5, -2.0]), 0.01, 0.9, 0.999, 1e-8
    m = v = np.zeros(2)
    for t in range(1, 50):
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        move = lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps)
    np.testing.assert_allclose(adam_step(lr, v, 49, b2, eps) * g, move, rtol=1e-9)


def test_the_reach_limits_moves_and_keeps_zeros_exact():
    w = np.array([0.5, 0.002, -3.0])
    step = np.array([1e6, 1e6, 1e-3])  # the first two coordinates have had no gradient
    found = proximal(L1(1.0), w, step, reach=0.01)
    np.testing.assert_array_equal(found, [0.5 - 0.01, 0.0, -2.999])
    np.testing.assert_array_equal(proximal(L1(1.0), w, step), [0.0, 0.0, -2.999])
    assert adam_reach(1.0, 0.9, 0.9) >= 1.0  # a constant gradient moves Adam by lr


def test_the_reach_never_leaves_the_domain():
    w, step = np.array([[3.0, -4.0]]), np.full((1, 2), 1e6)
    assert L2.ball(1.0).contains(proximal(L2.ball(1.0), w, step, 0.01, bounded=True))
    lasso = L1(1.0) + NonNegative()
    np.testing.assert_array_equal(proximal(lasso, w, step, 0.01, bounded=True), [[2.99, 0.0]])
    excluded = Rule("a", L1([[0.0, np.inf]]))
    assert excluded.bounded
    np.testing.assert_array_equal(proximal(excluded.penalty, w, step, 0.01, bounded=True), [[3.0, 0.0]])


def row(**more):
    fields = {"parameter": "a.weight", "rule": "'a'", "penalty": "L1(strength=1.0)", "form": "prox", "size": 4}
    rest = {"value": 2.0, "share": 0.5, "zeros": 1, "groups": 0, "zero_groups": 0, "violation": 0.0}
    return SummaryRow(**(fields | rest | more))


def test_summary_records():
    summary = Summary(3, (row(), row(parameter="b.weight", value=1.0, zeros=3, groups=2, zero_groups=1)))
    assert (summary.value, summary.zeros, summary.size) == (3.0, 4, 8)
    assert summary.to_dict()["rows"][1]["zero_groups"] == 1
    assert summary.scalars("reg/")["reg/b.weight/zeros"] == 3.0
    assert list(summary.to_frame()["parameter"]) == ["a.weight", "b.weight"]
    assert "4/8" in str(summary)
    assert "1/2" in str(summary)
    assert "nan" not in str(Summary(0, (row(share=float("nan")),)))


def test_a_summary_is_a_rich_table_that_takes_names_literally():
    rich = pytest.importorskip("rich.console")
    row = SummaryRow("[bold]fc[/bold]", "'fc'", "L1(strength=0.1)", "prox", 6, 0.5, 0.25, 4, 0, 0, 0.0)
    console = rich.Console(width=120, record=True, file=io.StringIO())
    console.print(Summary(3, (row,)))
    text = console.export_text()
    assert "after 3 steps" in text
    assert "[bold]fc[/bold]" in text
    assert "4/6" in text

"""Rules to and from dictionaries and TOML: nothing is lost on the way, nothing unknown is let through."""

import json
import tomllib

import numpy as np
import pytest

from shrinkage.penalties import CONSTRAINTS, L0, L1, L2, PENALTIES, GroupL2, NonNegative
from shrinkage.rules import (
    SCHEDULES,
    Cosine,
    Gates,
    Rule,
    rules_from_dict,
    rules_from_toml,
    rules_to_dict,
    rules_to_toml,
)

KINDS = [*PENALTIES, *CONSTRAINTS]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_penalty_there_and_back(kind):
    rules = [Rule("a.weight", penalty) for penalty in kind.examples()]
    assert rules_from_toml(rules_to_toml(rules)) == rules
    assert rules_from_dict(json.loads(json.dumps(rules_to_dict(rules)))) == rules


def test_every_field_there_and_back():
    odd = 'layer "one"\\two\tü\x7f'
    rules = [
        *(Rule("a", L1(1e-5), schedule=kind(7, 2)) for kind in SCHEDULES),
        Rule("b", L2(0.5), how="decoupled", schedule=Cosine(9, last=0.25)),
        Rule(odd, L2.ball(3.0), joint=True),
        Rule("c", L1.ball(3.0), joint=True, how="lagrangian", dual_step=0.25),
        Rule("d", L0.ball(3), how="gates", dual_step=0.25, gates=Gates(lr=0.5, stretch=(-0.2, 1.5))),
        Rule("*", L1(0.5) + NonNegative(), how="prox"),
    ]
    assert rules_from_toml(rules_to_toml(rules)) == rules
    assert rules_to_dict(L2(0.5)) == {"rules": [{"where": "*", "penalty": {"kind": "L2", "strength": 0.5}}]}


def test_what_a_person_writes():
    text = """
    [[rules]]
    where = "stem"
    penalty = {kind = "GroupL2", axis = 0, strength = 1e-4}

    [[rules]]
    where = "head"
    how = "prox"
    [rules.penalty]
    kind = "Sum"
    parts = [{kind = "L1", strength = [0, 1, inf]}, {kind = "NonNegative"}]
    [rules.schedule]
    kind = "Cubic"
    steps = 10
    """
    stem, head = rules_from_toml(text)
    assert stem == Rule("stem", GroupL2(1e-4, axis=0))
    assert head.penalty == L1([0.0, 1.0, np.inf]) + NonNegative()
    assert head.schedule(5) == 0.875


def rule(**more):
    return {"rules": [{"where": "a", "penalty": {"kind": "L2", "strength": 1.0}} | more]}


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ({}, ValueError, "the configuration lacks the key 'rules'"),
        ({"rule": []}, ValueError, r"the configuration has the unknown key 'rule'; known: rules \(near: rules\)"),
        ({"rules": []}, ValueError, "rules is empty"),
        ({"rules": "a"}, TypeError, "rules must be a list of tables; got str"),
        ({"rules": ["a"]}, TypeError, r"rules\[0\] must be a table; got str 'a'"),
        ({"rules": [{"where": "a"}]}, ValueError, r"rules\[0\] lacks the key 'penalty'"),
        (rule(strength=1.0), ValueError, r"rules\[0\] has the unknown key 'strength'; known: where, penalty, how"),
        (rule(where=3), TypeError, r"rules\[0\].where must be a path or a glob, a string; got 3"),
        (rule(penalty="L2"), TypeError, r"rules\[0\].penalty must be a table with a \"kind\", one of L0, L1"),
        (rule(penalty={"kind": "L3"}), ValueError, r"rules\[0\].penalty.kind is 'L3', and must be .*\(near: L"),
        (
            rule(penalty={"kind": "L2", "strenght": 1}),
            ValueError,
            r"penalty has the unknown key 'strenght'.*strength",
        ),
        (
            rule(penalty={"kind": "L2", "strength": -1}),
            ValueError,
            r"rules\[0\].penalty: L2: strength must be finite",
        ),
        (rule(penalty={"kind": "L2Ball"}), TypeError, r"rules\[0\].penalty: .*radius"),
        (
            rule(penalty={"kind": "L2", "strength": "1"}),
            TypeError,
            r"rules\[0\].penalty: L2: strength must be a num",
        ),
        (rule(penalty={"kind": "Sum"}), ValueError, r"rules\[0\].penalty lacks the key 'parts'"),
        (
            rule(penalty={"kind": "Sum", "parts": [{"kind": "MCP"}, {"kind": "L1"}]}),
            TypeError,
            r"rules\[0\].penalty: MCP cannot be part of a sum",
        ),
        (
            rule(penalty={"kind": "Sum", "parts": [{"kind": "L1"}, {"kind": "L9"}]}),
            ValueError,
            r"rules\[0\].penalty.parts\[1\].kind is 'L9'",
        ),
        (
            rule(schedule={"kind": "Linear"}),
            ValueError,
            r"rules\[0\].schedule.kind is 'Linear', and must be one of Wa",
        ),
        (rule(schedule={"kind": "Cubic"}), TypeError, r"rules\[0\].schedule: .*steps"),
        (rule(how="project"), ValueError, r"rules\[0\]: how='project' cannot enforce L2"),
        (rule(joint="yes"), TypeError, r"rules\[0\]: joint must be True or False"),
    ],
)
def test_bad_configurations(data, error, message):
    with pytest.raises(error, match=message):
        rules_from_dict(data)


def test_text_that_is_not_toml():
    with pytest.raises(tomllib.TOMLDecodeError):
        rules_from_toml("[[rules]")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (Rule(L2, L2()), "the rule on L2 cannot be written down: give where as a path"),
        (Rule(lambda *_: True, L2()), "the rule on predicate <lambda> cannot be written down"),
        (Rule("a", L2(), schedule=lambda step: 1.0), "the schedule of the rule on 'a' .* use one of WarmUp, Cubic"),
    ],
)
def test_what_a_file_cannot_hold(bad, message):
    with pytest.raises(TypeError, match=message):
        rules_to_toml([bad])

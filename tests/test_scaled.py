"""A multiplier in an array acts as the same one in a number, for every penalty."""

import numpy as np
import pytest

from shrinkage.penalties import L1, PENALTIES
from shrinkage.rules import SCHEDULES, Rule, WarmUp
from shrinkage.rules.scaled import Scaled

EXAMPLES = [penalty for kind in PENALTIES for penalty in kind.examples()]


@pytest.mark.parametrize("factor", [0.0, 0.3, 1.7])
@pytest.mark.parametrize("penalty", EXAMPLES, ids=lambda p: type(p).__name__)
def test_is_the_penalty_at_that_factor(penalty, factor):
    rng = np.random.default_rng(1)
    w, step = rng.standard_normal((4, 3)), rng.uniform(0.1, 1.0, (4, 3))
    scaled, plain = Scaled(penalty, np.asarray(factor)), penalty.at(factor)
    for d in (0.5, step):
        np.testing.assert_allclose(scaled.prox(w, d), plain.prox(w, d), rtol=1e-12, atol=1e-14)
    inside = plain.prox(w, 0.5)  # where the value is finite
    assert scaled.value(inside) == pytest.approx(plain.value(inside), rel=1e-12)
    if penalty.traits.smooth:
        np.testing.assert_allclose(scaled.gradient(inside), plain.gradient(inside), rtol=1e-12)
    again = scaled.at(0.5)
    np.testing.assert_allclose(again.prox(w, step), penalty.at(0.5 * factor).prox(w, step), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", SCHEDULES)
def test_schedules_of_arrays(kind):
    schedule = kind(4, 1)
    steps = np.arange(8)
    np.testing.assert_allclose(schedule(steps), [schedule(int(k)) for k in steps], rtol=1e-15)


def test_a_rule_at_an_array():
    rule = Rule("fc", L1(2.0), schedule=WarmUp(4))
    assert isinstance(rule.at(np.asarray(1)), Scaled)
    assert rule.at(np.asarray(1)).value([3.0]) == rule.at(1).value([3.0]) == 1.5

"""Schedules of a strength: where they start, where they end, and that they never go backwards."""

import pickle

import pytest

from shrinkage.penalties import L1
from shrinkage.rules import SCHEDULES, Cosine, Cubic, Rule, WarmUp


@pytest.mark.parametrize("kind", SCHEDULES)
@pytest.mark.parametrize("start", [0, 3])
def test_ends_and_direction(kind, start):
    schedule = kind(10, start)
    values = [schedule(k) for k in range(start + 20)]
    first, last = (1.0, 0.0) if kind is Cosine else (0.0, 1.0)
    assert values[: start + 1] == [first] * (start + 1)
    assert values[start + 10 :] == [last] * 10
    moving = values[start : start + 11]
    assert sorted(moving, reverse=first > last) == moving
    assert len(set(moving)) == 11
    assert pickle.loads(pickle.dumps(schedule)) == schedule


def test_what_each_is_like():
    assert WarmUp(10)(5) == 0.5
    assert Cubic(10)(1) == pytest.approx(0.271)
    assert Cosine(10, last=0.2)(5) == pytest.approx(0.6)
    assert Cosine(10, last=3.0)(10) == 3.0


def test_in_a_rule():
    assert Rule("fc", L1(2.0), schedule=WarmUp(4)).at(1) == L1(0.5)


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (WarmUp, (0,), "WarmUp: steps must be an integer ≥ 1; got 0"),
        (Cubic, (2.5,), "Cubic: steps must be an integer ≥ 1; got 2.5"),
        (Cosine, (True,), "Cosine: steps must be an integer ≥ 1; got True"),
        (WarmUp, (5, -1), "WarmUp: start must be an integer ≥ 0; got -1"),
        (Cosine, (5, 0, float("nan")), "Cosine: last must be a finite number ≥ 0; got nan"),
        (Cosine, (5, 0, -0.5), "Cosine: last must be a finite number ≥ 0; got -0.5"),
    ],
)
def test_bad_numbers(kind, arguments, message):
    with pytest.raises(ValueError, match=message):
        kind(*arguments)

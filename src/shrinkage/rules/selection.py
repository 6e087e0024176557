"""Which rule governs which parameter: the first that matches; a rule without effect is an error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shrinkage.rules.paths import clean, near, normalise
from shrinkage.rules.rule import Rule, describe
from shrinkage.rules.share import Share
from shrinkage.rules.where import Candidate, Match, matcher

__all__ = ["Choice", "select"]


@dataclass(frozen=True, eq=False)
class Choice:
    """A parameter, the rule that governs it (None: left out), and why."""

    candidate: Candidate
    rule: Rule | None
    why: str


def select(
    candidates: Sequence[Candidate], rules: Sequence[Rule], objects: tuple[type, ...] = ()
) -> tuple[Choice, ...]:
    """One choice a parameter, in the model's order.

    Args:
        candidates: The model's parameters, each once.
        rules: In order of precedence: the first that matches a parameter governs it.
        objects: The framework's types of modules and parameters.

    Raises:
        ValueError: a rule that picks nothing trainable, one whose parameters all belong to earlier rules (a
            last ``"*"`` excepted), or a parameter that cannot be regularised.
    """
    matchers = [matcher(rule.where, candidates, objects) for rule in rules]
    table = [[match(c) for match in matchers] for c in candidates]
    choices = tuple(_choose(c, rules, row) for c, row in zip(candidates, table, strict=True))
    for i in range(len(rules)):
        _check_effect(i, rules, choices, [row[i] for row in table])
    return _with_counts(choices)


def _choose(c: Candidate, rules: Sequence[Rule], row: Sequence[Match | None]) -> Choice:
    """The first rule that picks the parameter; if none does, what it was left out for."""
    for rule, match in zip(rules, row, strict=True):
        if _picks(c, match):
            assert match is not None
            if c.refused and c.trainable:
                raise ValueError(f"{c.path}, picked by the rule on {describe(rule.where)}, {c.refused}")
            return Choice(c, rule, match.why)
    return Choice(c, None, c.left_out or "no rule")


def _picks(c: Candidate, match: Match | None) -> bool:
    return match is not None and (match.literal or not c.left_out)


def _with_counts(choices: Sequence[Choice]) -> tuple[Choice, ...]:
    """Each share as a count: of the parameter's units, or of those of all that a joint rule governs."""
    shares = [c for c in choices if c.candidate.trainable and c.rule and isinstance(c.rule.penalty, Share)]
    members: dict[int, list[Choice]] = {}
    for choice in shares:
        members.setdefault(id(choice.rule) if choice.rule and choice.rule.joint else id(choice), []).append(choice)
    counted = {id(choice): rule for group in members.values() for rule in [_counted(group)] for choice in group}
    return tuple(replace(choice, rule=counted.get(id(choice), choice.rule)) for choice in choices)


def _counted(group: Sequence[Choice]) -> Rule:
    """The rule that these choices have in common, its share of all their units as a ball of k."""
    rule = group[0].rule
    assert rule is not None and isinstance(rule.penalty, Share)
    paths = ", ".join(choice.candidate.path for choice in group[:2]) + (", …" if len(group) > 2 else "")
    try:
        ball = rule.penalty.ball(*(choice.candidate.shape for choice in group))
    except ValueError as error:
        raise ValueError(f"the rule on {describe(rule.where)} does not fit {paths}: {error}") from error
    if ball.k == 0:
        raise ValueError(
            f"the rule on {describe(rule.where)} leaves nothing of {paths}: {rule.penalty} of so few is less than "
            "one. Raise the share, or bound several parameters together by joint=True."
        )
    return replace(rule, penalty=ball)


def _check_effect(i: int, rules: Sequence[Rule], choices: Sequence[Choice], column: Sequence[Match | None]) -> None:
    """Raise if the rule picks nothing trainable, or nothing that an earlier rule had left."""
    pairs = list(zip(choices, column, strict=True))
    picked = [choice for choice, match in pairs if choice.candidate.trainable and _picks(choice.candidate, match)]
    name = f"the rule on {describe(rules[i].where)}"
    if not picked:
        matched = [choice.candidate for choice, match in pairs if match is not None]
        raise ValueError(f"{name} picks nothing trainable: {_reason(rules[i], matched, choices)}")
    where = rules[i].where  # a string, or an object whose == may be that of an array
    last_resort = i == len(rules) - 1 and isinstance(where, str) and where == "*"
    if not last_resort and not any(choice.rule is rules[i] for choice in picked):
        owner = picked[0].rule
        assert owner is not None
        raise ValueError(
            f"{name} has no effect: earlier rules govern all that it picks ({picked[0].candidate.path}: the "
            f"rule on {describe(owner.where)}). The first rule that matches governs; put the narrower rule "
            "first."
        )


def _reason(rule: Rule, matched: Sequence[Candidate], choices: Sequence[Choice]) -> str:
    """Why a rule picks nothing trainable, and what would."""
    frozen = [c.path for c in matched if not c.trainable and not c.left_out]
    if frozen:
        return f"no gradient reaches {_some(frozen)} (frozen)."
    if matched:
        kinds = _some([f"{c.path} ({c.left_out})" for c in matched])
        return f'it matches only {kinds}, left out unless named literally, as "{matched[0].path}" does.'
    if not isinstance(rule.where, str):
        return "no parameter matches it."
    known = {path for ch in choices for path in (*ch.candidate.paths, *(p for p, _ in ch.candidate.owners))}
    alike = near(clean(normalise(rule.where)), known - {""})
    if alike:
        return f"no module or parameter has this path. Near matches: {', '.join(alike)}."
    return f"no module or parameter has this path; the model has {_some(sorted(known - {''}))}."


def _some(names: Sequence[str], at_most: int = 4) -> str:
    """The names in one line, the first few of many."""
    more = len(names) - at_most
    return ", ".join(names[:at_most]) + (f" and {more} more" if more > 0 else "")

"""What a rule about an asset goes by: its definition with the expressions ready, windows, schedule, devices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from typing import NamedTuple

from decoders.quantity import Quantity
from rules.asset import Asset, CityError
from rules.calibration import BY_FIELD
from rules.custom.calendar import Hours
from rules.custom.definition import WORDS, CustomRule, Downlink, placeholders
from rules.custom.expression import Comparison, Expression, ExpressionError, variable
from rules.custom.term import AGE, Key, Term
from rules.local_time import timezone_of

LEAST_STEP_MS = 60_000
"""How often a sliding window is looked at, at most."""


class CustomError(ValueError):
    """A rule that cannot be used: which key of it, and why."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key}: {reason}")


class Read(NamedTuple):
    """A term, ready to be looked up: its variable, its function, the name of its key, its window in ms."""

    variable: str
    function: str
    key: str
    window_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """When a condition begins, when it ends, and what both read.

    `begins` starts it; it ends when `ends` is true, or else when `lasts` is false (with hysteresis) or `begins` is.
    `reads` are the terms as they are looked up; `keys` the places of readings by quantity with the windows that are
    needed; `fresh` the names of those whose values are used; `step_ms` how often time alone may change the verdict, 0
    for never, `age_step_ms` the same once no value is known any more.
    """

    begins: Expression
    lasts: Expression
    ends: Expression | None
    terms: tuple[Term, ...]
    reads: tuple[Read, ...]
    keys: Mapping[Quantity, tuple[tuple[Key, tuple[int, ...]], ...]]
    windows: Mapping[str, tuple[int, ...]]
    fresh: tuple[str, ...]
    step_ms: int
    age_step_ms: int
    horizon_ms: int

    def comparison(self, term: Term) -> Comparison | None:
        """The one comparison of a term with a number that `begins` makes; None where there are none or several."""
        found = {each for each in self.begins.comparisons if each.term == term}
        return found.pop() if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class CustomConfig:
    """A rule about an asset; `targets` are the devices of downlinks by the codec that names them."""

    definition: CustomRule
    asset: Asset
    hours: Hours | None
    condition: Condition = field(repr=False, compare=False)

    @property
    def fresh_ms(self) -> int:
        """How long a value is known."""
        return self.definition.fresh_s * 1000


@lru_cache(maxsize=256)
def condition_of(rule_json: str) -> Condition:
    """The condition of a rule (as JSON: equal rules share it); raises CustomError."""
    rule = CustomRule.model_validate_json(rule_json)
    numbers: dict[Term, int] = {}
    begins = _expression("when", rule.when, numbers)
    lasts = _expression("hysteresis", rule.when, numbers, rule.hysteresis) if rule.hysteresis else begins
    ends = None if rule.until is None else _expression("until", rule.until, numbers)
    terms = tuple(numbers)
    _check_hysteresis(rule, begins)
    _check_units(rule, terms)
    _check_texts(rule, terms)
    windows: dict[Key, list[int]] = {}
    for term in terms:
        found = windows.setdefault(term.key, [])
        if term.window and term.window_ms not in found:
            found.append(term.window_ms)
    keys: dict[Quantity, tuple[tuple[Key, tuple[int, ...]], ...]] = {}
    for key, lengths in windows.items():
        keys[key.quantity] = (*keys.get(key.quantity, ()), (key, tuple(lengths)))
    return Condition(
        begins=begins,
        lasts=lasts,
        ends=ends,
        terms=terms,
        reads=tuple(
            Read(variable(number), term.function, term.key.name, term.window_ms) for term, number in numbers.items()
        ),
        keys=keys,
        windows={key.name: tuple(lengths) for key, lengths in windows.items()},
        fresh=tuple(dict.fromkeys(term.key.name for term in terms if term.function != AGE)),
        step_ms=_step_ms(terms),
        age_step_ms=LEAST_STEP_MS if any(term.function == AGE for term in terms) else 0,
        horizon_ms=rule.fresh_s * 1000 + max([term.window_ms for term in terms]),
    )


def configure(rule: CustomRule, asset: Asset) -> CustomConfig | None:
    """The rule about an asset, None where it is not about this one; raises CityError."""
    if rule.subjects and asset.id not in rule.subjects:
        return None
    for downlink in (rule.downlink, rule.downlink_clear):
        if downlink is not None:
            _check_target(rule, downlink, asset)
    hours = None if rule.schedule is None else Hours.of(rule.schedule, timezone_of(asset))
    return CustomConfig(rule, asset, hours, condition_of(rule.model_dump_json(by_alias=True)))


def target(downlink: Downlink, asset: Asset, time_ms: int) -> str | None:
    """The device that is meant at a time; None where the asset has none then, or several."""
    if downlink.device is not None:
        return downlink.device
    found = {each.dev_eui for each in asset.devices if each.model == downlink.model and each.covers(time_ms)}
    return found.pop() if len(found) == 1 else None


def _expression(key: str, text: str, terms: dict[Term, int], moved: Mapping[str, float] | None = None) -> Expression:
    try:
        return Expression(text, terms, moved)
    except ExpressionError as error:
        place = f"column {error.column}: " if error.column else ""
        if error.line > 1:
            place = f"line {error.line} of it, {place}"
        raise CustomError(key, f"{place}{error}") from error


def _check_hysteresis(rule: CustomRule, begins: Expression) -> None:
    compared = {each.term.key.quantity.field for each in begins.comparisons if each.term.in_quantity}
    for name in rule.hysteresis:
        if name not in compared:
            raise CustomError("hysteresis", f"`when` compares {name} with no number")


def _check_units(rule: CustomRule, terms: tuple[Term, ...]) -> None:
    used = {term.key.quantity.field for term in terms}
    for name, unit in rule.units.items():
        quantity = BY_FIELD.get(name)
        if quantity is None:
            near = get_close_matches(name, BY_FIELD, n=1, cutoff=0)
            raise CustomError("units", f"unknown quantity {name!r}; did you mean {near[0]!r}?")
        if name not in used:
            raise CustomError("units", f"the condition does not read {name}")
        if unit not in {quantity.ucum, quantity.unit}:
            raise CustomError("units", f"{name} is in {quantity.ucum}, not in {unit!r}")
    for name in sorted(used - rule.units.keys()):
        raise CustomError("units", f"{name} is missing; it is in {BY_FIELD[name].ucum}")


def _check_texts(rule: CustomRule, terms: tuple[Term, ...]) -> None:
    known = {*WORDS, *(term.placeholder for term in terms)}
    for key in ("text_de", "text_en"):
        try:
            unknown = [name for name in placeholders(getattr(rule, key)) if name not in known]
        except ValueError as error:
            raise CustomError(key, str(error)) from error
        if unknown:
            raise CustomError(key, f"unknown {{{unknown[0]}}}; known are {', '.join(sorted(known))}")


def _check_target(rule: CustomRule, downlink: Downlink, asset: Asset) -> None:
    """Whether the asset has a device of that codec, and never two of them at once."""
    if downlink.model is None:
        return
    found = [each for each in asset.devices if each.model == downlink.model]
    if not found:
        raise CityError(f"feature {asset.id!r}: no device with codec {downlink.model!r}, expected by {rule.id}")
    for number, one in enumerate(found):
        for other in found[number + 1 :]:
            if one.overlaps(other):
                raise CityError(
                    f"feature {asset.id!r}: several devices with codec {downlink.model!r}, expected one by {rule.id}"
                )


def _step_ms(terms: tuple[Term, ...]) -> int:
    """How often time alone may change a verdict: by a 24th of the shortest window, each minute for an age."""
    steps = [max(LEAST_STEP_MS, term.window_ms // 24) for term in terms if term.window]
    steps += [LEAST_STEP_MS for term in terms if term.function == AGE]
    return min(steps, default=0)

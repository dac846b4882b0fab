"""A rule as a city writes it: a table of settings, in the words of the field."""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from string import Formatter
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from rules.asset import KINDS
from rules.event_custom import MAX_DOWNLINK_BYTES, Severity

Holidays = Literal["ignore", "never", "only", "like_sunday"]
DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
HOUR = re.compile(r"([01]?[0-9]|2[0-4]):([0-5][0-9])")
DAY_S = 86_400
WEEK_S = 7 * DAY_S
WORDS = ("name", "asset")
"""Placeholders of every text: the asset's name and id."""


class Table(BaseModel):
    """Base of all tables: frozen, unknown keys refused with the nearest known one, numbers finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown(cls, given: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        known = [field.alias or name for name, field in cls.model_fields.items()]
        for key in given if isinstance(given, dict) else ():
            if key not in known:
                near = get_close_matches(str(key), known, n=1, cutoff=0.5)
                raise ValueError(
                    f"unknown key {key!r}; " + (f"did you mean {near[0]!r}?" if near else ", ".join(known))
                )
        return given


class Schedule(Table):
    """When a rule is in force, by the city's calendar; a window over midnight belongs to the day it begins on."""

    days: tuple[str, ...] = Field(("Mo-Su",), min_length=1, description="days and spans of days, as `Mo-Fr`, `Sa`")
    begin: str = Field("00:00", alias="from", description="hour of its begin")
    end: str = Field("24:00", alias="to", description="hour of its end; not after `from`: on the next day")
    holidays: Holidays = Field(
        "ignore",
        description="holidays of North Rhine-Westphalia: days like others (`ignore`), never in force, only then,"
        " or like a Sunday",
    )

    @field_validator("days")
    @classmethod
    def _known_days(cls, days: tuple[str, ...]) -> tuple[str, ...]:
        for day in days:
            _days(day)
        return days

    @field_validator("begin", "end")
    @classmethod
    def _hours(cls, text: str) -> str:
        _minutes(text)
        return text

    @property
    def weekdays(self) -> frozenset[int]:
        """The days as numbers, Monday 0."""
        return frozenset(number for day in self.days for number in _days(day))

    @property
    def minutes(self) -> tuple[int, int]:
        """Begin and end in minutes after midnight."""
        return _minutes(self.begin), _minutes(self.end)


class Downlink(Table):
    """What a device is sent: a named one, or the asset's with this codec."""

    device: str | None = Field(None, pattern="^[0-9a-f]{16}$", description="dev_eui")
    model: str | None = Field(None, min_length=1, description="codec id of the one device of the asset that is meant")
    f_port: int = Field(ge=1, le=223, description="application port")
    payload: str = Field(
        pattern="^([0-9a-f]{2})*$", max_length=2 * MAX_DOWNLINK_BYTES, description="bytes as hexadecimal digits"
    )
    confirmed: bool = Field(default=False, description="whether the device has to acknowledge it")
    valid_s: int = Field(300, ge=10, le=1800, description="s after which it must not reach the device any more")

    @model_validator(mode="after")
    def _one_device(self) -> Self:
        if (self.device is None) is (self.model is None):
            raise ValueError("expected either `device` or `model`")
        return self


class CustomRule(Table):
    """One rule: a condition about every asset of a kind, and what happens when it begins and ends."""

    name: str = Field(pattern="^[a-z][a-z0-9_-]{0,39}$", description="the rule's id is `custom.<name>`")
    kind: str = Field(description="kind of asset that it is about")
    subjects: tuple[str, ...] = Field((), description="ids of assets; without it all of the kind")
    units: dict[str, str] = Field(description="quantity → unit, for each that the condition reads")
    when: str = Field(description="the condition")
    until: str | None = Field(None, description="what ends it; without it that `when` holds no longer")
    hysteresis: dict[str, float] = Field(
        {}, description="quantity → distance by which its limits are eased until it ends"
    )
    for_s: int = Field(0, ge=0, le=WEEK_S, description="s that it must hold before it is raised")
    clear_for_s: int = Field(0, ge=0, le=WEEK_S, description="s that it must be over before it is cleared")
    fresh_s: int = Field(3600, ge=60, le=2 * DAY_S, description="s after which a value is not known any more")
    coverage: float = Field(0.5, ge=0, le=1, description="share of a window that readings must cover")
    doubtful: bool = Field(default=False, description="use values that are marked as doubtful")
    valid_s: int = Field(
        3600, ge=60, le=2 * DAY_S, description="s that an event is valid; it is renewed while it holds"
    )
    schedule: Schedule | None = Field(None, description="when it is in force")
    severity: Severity = Field("info", description=", ".join(get_args(Severity)))
    text_de: str = Field(min_length=1, max_length=400, description="for people, in German")
    text_en: str = Field(min_length=1, max_length=400, description="for people, in English")
    event: bool = Field(default=True, description="publish its begin and end")
    annotate: bool = Field(default=False, description="keep it as an annotation in Grafana")
    downlink: Downlink | None = Field(None, description="sent when it is raised")
    downlink_clear: Downlink | None = Field(None, description="sent when it ends, unless for want of data")

    @field_validator("kind")
    @classmethod
    def _known_kind(cls, kind: str) -> str:
        if kind not in KINDS:
            raise ValueError(f"unknown kind; known are {', '.join(sorted(KINDS))}")
        return kind

    @field_validator("hysteresis")
    @classmethod
    def _distances(cls, distances: dict[str, float]) -> dict[str, float]:
        if any(distance <= 0 for distance in distances.values()):
            raise ValueError("expected distances above 0")
        return distances

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not self.event and self.downlink is None and self.downlink_clear is None:
            raise ValueError("expected an action: `event`, `downlink` or `downlink_clear`")
        if self.annotate and not self.event:
            raise ValueError("`annotate` needs `event`")
        if self.until is not None and self.hysteresis:
            raise ValueError("expected either `until` or `hysteresis`")
        return self

    @property
    def id(self) -> str:
        """The rule's id."""
        return f"custom.{self.name}"


def placeholders(text: str) -> Iterator[str]:
    """The names in braces of a text; raises ValueError for what is no plain name."""
    for _, name, form, conversion in Formatter().parse(text):
        if name is not None:
            if form or conversion or not name.isidentifier():
                raise ValueError(f"{{{name}}} is no plain name")
            yield name


def _days(text: str) -> range | tuple[int, ...]:
    """`Mo`, or `Fr-Mo` around the week's end."""
    first, dash, last = text.partition("-")
    if first not in DAYS or (dash and last not in DAYS):
        raise ValueError(f"{text!r} is no day; expected {', '.join(DAYS)} or a span like Mo-Fr")
    begin, end = DAYS.index(first), DAYS.index(last or first)
    return range(begin, end + 1) if begin <= end else (*range(begin, len(DAYS)), *range(end + 1))


def _minutes(text: str) -> int:
    found = HOUR.fullmatch(text)
    minutes = int(found[1]) * 60 + int(found[2]) if found else -1
    if not 0 <= minutes <= 24 * 60:
        raise ValueError(f'{text!r} is no time of day like "07:30"')
    return minutes

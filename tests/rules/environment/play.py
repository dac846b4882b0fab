"""A place with its engine: hears readings, lets time pass, and holds every event to what all alerts promise."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.asset import Asset, Assignment
from rules.city import City
from rules.engine import Engine
from rules.event_environment import EnvironmentalAlert
from rules.point import Point
from rules.rule import AnyRule, Observation, Outputs, Tick

MINUTE = 60_000
HOUR = 60 * MINUTE
LEGAL = re.compile(
    r"grenzwert|richtwert|zielwert|höchstwert|schwellenwert|auslösewert|alarmschwelle|informationsschwelle|gesetz|"
    r"zulässig|vorschrift|verordnung|bimschv|ta lärm|richtlinie|limit|legal|law|threshold|exceed|permitted|directive|"
    r"target value|überschreit",
    re.IGNORECASE,
)


def at(text: str) -> int:
    """An ISO time with its offset as ms since 1970."""
    return round(datetime.fromisoformat(text).timestamp()) * 1000


EMPTY: frozenset[str] = frozenset()
START = at("2026-07-06T00:00:00+02:00")
"""A Monday's midnight in Hamm."""


def asset(kind: str = "station", more: Mapping[str, object] | None = None, **properties: object) -> Asset:
    """A place with two devices; `more` are properties, too."""
    devices = (Assignment("d"), Assignment("e"))
    return Asset(
        "place-1", kind, "Westenwall", {**(more or {}), **properties}, devices, 7.815, 51.681, "district-mitte"
    )


class Place:
    """A place under one rule; every input is committed at once. Times are minutes from `start`."""

    def __init__(
        self,
        rule: AnyRule,
        kind: str = "station",
        start: int = START,
        *,
        kept: bool = False,
        more: Mapping[str, object] | None = None,
        **properties: object,
    ) -> None:
        self.rule, self.start, self.kept = rule, start, kept
        self.asset = asset(kind, more, **properties)
        station = Asset("station-9", "station", "Rain", {}, (Assignment("r"),), 7.8, 51.6)
        self.city = City([self.asset, station] if kind != "station" else [self.asset])
        self.engine = Engine(self.city, [rule])
        self.events: list[EnvironmentalAlert] = []
        self.points: list[Point] = []
        self.inputs = 0

    def hear(
        self,
        minute: float,
        *readings: tuple[Quantity, float] | Reading,
        device: str = "d",
        late: float = 0,
        doubtful: Sequence[Reading] = (),
        place: str = "place-1",
    ) -> list[EnvironmentalAlert]:
        """Readings measured at that minute that arrive `late` minutes later; ticks go on if there were any."""
        self.inputs += 1
        time_ms = self.start + round(minute * MINUTE)
        found = tuple(Reading(*reading) for reading in readings)
        arrived = time_ms + round(late * MINUTE)
        before = self.give(Tick(arrived)) if 0 < self.engine.tick_ms < arrived else []
        given = Observation(device, device, place, time_ms, arrived, found, f"c{self.inputs}", doubtful=tuple(doubtful))
        return before + self.give(given)

    def wait(self, begin: float, end: float, step: float = 1) -> list[EnvironmentalAlert]:
        """Ticks from one minute to another, both included."""
        found = []
        for index in range(round((end - begin) / step) + 1):
            found += self.give(Tick(self.start + round((begin + index * step) * MINUTE)))
        return found

    def give(self, given: Observation | Tick) -> list[EnvironmentalAlert]:
        """Any input; failures of the rule are failures of the test."""
        overlay = self.engine.overlay()
        if isinstance(given, Tick):
            overlay.tick(given)
        else:
            overlay.observe(given)
        rows = overlay.dirty()
        assert not overlay.failures
        self.engine.merge(overlay)
        if self.kept and rows:
            self.restart()
        found = cast("list[EnvironmentalAlert]", overlay.events)
        for event in found:
            check(event)
        self.events += found
        self.points += overlay.points
        return found

    def restart(self) -> None:
        """The service stops and starts with what was kept; all of it must come back as it was."""
        fresh = Engine(self.city, [self.rule])
        rows = [row for one in self.engine._subjects for row in one.rows(EMPTY, self.engine.state(one.order), EMPTY)]
        assert fresh.load(rows) == []
        assert fresh._states == self.engine._states
        fresh.now_ms, fresh.tick_ms = self.engine.now_ms, self.engine.tick_ms
        self.engine = fresh

    def fields(self, name: str) -> list[float]:
        """The values of a derived field in their order."""
        return [float(value) for point in self.points for field, value in point.fields if field == name]

    def told(self) -> list[tuple[str, int]]:
        """Status and level of each event but renewals."""
        events = [event.data for event in self.events]
        return [(data.status, data.level) for data in events if data.level != data.previous_level]

    @property
    def now(self) -> EnvironmentalAlert:
        """The newest event."""
        return self.events[-1]


def check(event: EnvironmentalAlert) -> None:
    """What holds for every alert."""
    data = event.data
    assert event.time_ms < event.valid_until_ms
    assert (data.status == "cleared") == (data.level == 0) == (data.since is None)
    assert data.evidence
    for text in (data.text_de, data.text_en):
        assert not LEGAL.search(text), text
    assert "keine amtliche Warnung" in data.text_de
    assert "no official warning" in data.text_en
    assert ("Orientierende Messung" in data.text_de) == ("Indicative" in data.text_en) == data.indicative
    if data.reason == "measured":
        first = data.evidence[0]
        assert first.newest_at is not None
        assert first.value is not None
        assert first.newest_at < data.valid_until
    again = EnvironmentalAlert.model_validate_json(event.payload())
    assert again == event
    assert again.payload() == event.payload()


def steps(rule: AnyRule, kind: str) -> Outputs:
    """What a fresh subject says to a tick: nothing."""
    config = rule.configure(asset(kind))
    state, outputs = rule.step(config, rule.initial(config), Tick(START))
    assert rule.wake(config, state) is None
    return outputs

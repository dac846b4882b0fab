"""A station with rules of its own, and readings for it."""

from typing import Any, NamedTuple

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.asset import Asset, Assignment
from rules.city import City
from rules.custom.definition import CustomRule
from rules.custom.rules import custom_rules
from rules.engine import Engine, Overlay
from rules.event import Event
from rules.event_custom import CustomCondition
from rules.rule import Observation, StateRow, Tick

T0 = 1_773_486_000_000
"""Saturday, 14 March 2026, 12:00 in Hamm."""
MINUTE, HOUR = 60_000, 3_600_000
DEVICE, OTHER = "70b3d50000000001", "70b3d50000000002"
TEXTS = {"text_de": "Feinstaub {pm10} an {name}", "text_en": "Particles {pm10} at {name}"}


def rule(**changes: Any) -> CustomRule:  # noqa: ANN401 - keys of a table
    """A rule about particles with some keys changed; None takes one away."""
    table: dict[str, Any] = {
        "name": "dust",
        "kind": "station",
        "units": {"pm10": "ug/m3"},
        "when": "pm10 > 50.0",
        **TEXTS,
    }
    table |= changes
    return CustomRule.model_validate({key: value for key, value in table.items() if value is not None})


def station(name: str = "st-1", **properties: object) -> Asset:
    """A station with two devices."""
    devices = (Assignment(DEVICE, "acme/one"), Assignment(OTHER, "acme/two"))
    return Asset(name, "station", "Markt", properties, devices, 7.8, 51.7)


class Scene(NamedTuple):
    """An engine with the rules, driven step by step; each gives the events it led to; `rows` are kept."""

    engine: Engine
    rows: dict[tuple[str, str], StateRow]

    @classmethod
    def of(cls, *definitions: CustomRule, assets: tuple[Asset, ...] = ()) -> "Scene":
        """A city of one station, or these assets."""
        return cls(Engine(City(assets or (station(),)), custom_rules(definitions)), {})

    def hear(
        self, minute: float, device: str = DEVICE, *, late: float = 0, asset: str = "st-1", **values: float
    ) -> list[Event]:
        """Readings of that minute after noon, arriving so many minutes later; `doubtful_pm10` is a doubtful one."""
        time_ms = T0 + round(minute * MINUTE)
        sound: list[Reading] = []
        doubtful: list[Reading] = []
        for name, value in values.items():
            (doubtful if name.startswith("doubtful_") else sound).append(reading(name.removeprefix("doubtful_"), value))
        given = Observation(
            device,
            device,
            asset,
            time_ms,
            time_ms + round(late * MINUTE),
            tuple(sound),
            f"{device}-{minute}",
            0,
            tuple(doubtful),
        )
        overlay = self.engine.overlay()
        overlay.observe(given)
        return self._done(overlay)

    def tick(self, minute: float) -> list[Event]:
        """Time passes to that minute."""
        overlay = self.engine.overlay()
        overlay.tick(Tick(T0 + round(minute * MINUTE)))
        return self._done(overlay)

    def ticks(self, begin: float, end: float, step: float = 1) -> list[Event]:
        """Ticks from one minute to another, both included."""
        found = []
        minute = begin
        while minute <= end:
            found += self.tick(minute)
            minute += step
        return found

    def restarted(self, *definitions: CustomRule) -> "Scene":
        """Another engine with these rules, and the states of this one."""
        second = Scene.of(*definitions)
        assert second.engine.load(self.rows.values()) == []
        second.rows.update(self.rows)
        return second

    def _done(self, overlay: Overlay) -> list[Event]:
        self.rows.update({(row.rule, row.subject): row for row in overlay.dirty()})
        assert overlay.failures == []
        self.engine.merge(overlay)
        return overlay.events


def reading(name: str, value: float) -> Reading:
    """A reading by the field's name, `fill_level__line2` with its channel."""
    field, _, channel = name.partition("__")
    return Reading(next(each for each in Quantity if each.field == field), value, channel)


def said(events: list[Event]) -> list[tuple[str, str]]:
    """Status and reason of the conditions among events."""
    return [(event.data.status, event.data.reason) for event in events if isinstance(event, CustomCondition)]

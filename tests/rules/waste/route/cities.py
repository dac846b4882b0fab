"""Small cities with vehicles and containers, and states of their containers, for the tests of planning."""

import json

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.city import City
from rules.engine import Engine
from rules.rule import Observation, StateRow, Tick
from rules.waste.collection_due import RULE

Feature = dict[str, object]
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
MONDAY = 1_789_336_800_000
"""Monday, 14 September 2026, 00:00 in Hamm."""


def feature(id_: str, kind: str, position: tuple[float, float] | None, **properties: object) -> Feature:
    """A feature of the city's file; a property that is None is left out."""
    geometry = None if position is None else {"type": "Point", "coordinates": list(position)}
    given = {name: value for name, value in properties.items() if value is not None}
    return {"type": "Feature", "id": id_, "geometry": geometry, "properties": {"kind": kind, **given}}


def depot(id_: str = "depot") -> Feature:
    """The depot."""
    return feature(id_, "depot", (7.80, 51.67), name="Betriebshof", district="mitte")


def site(id_: str = "site", **properties: object) -> Feature:
    """A disposal site for paper and glass."""
    return feature(id_, "disposal_site", (7.86, 51.69), **{"fractions": ["paper", "glass"], **properties})


def vehicle(id_: str = "truck-1", **properties: object) -> Feature:
    """A truck for paper at the depot."""
    room = {"paper": {"mass_kg": 9000, "volume_l": 30_000}}
    return feature(
        id_, "vehicle", None, **{"depot": "depot", "capacity": room, "disposal_sites": ["site"], **properties}
    )


def container(id_: str = "bin-1", position: tuple[float, float] = (7.81, 51.68), **properties: object) -> Feature:
    """A container for paper."""
    return feature(id_, "container", position, **{"fraction": "paper", "volume_l": 3000, **properties})


def district() -> Feature:
    """The district of the depot."""
    return feature("mitte", "district", (7.82, 51.68), name="Hamm-Mitte")


def document(*features: Feature) -> str:
    """The city's file."""
    return json.dumps({"type": "FeatureCollection", "features": [district(), *features]})


def city(*features: Feature) -> City:
    """A city with a district and these."""
    return City.parse(document(*features))


def small_city(**properties: object) -> City:
    """Depot, site, one truck, and one container with these properties."""
    return city(depot(), site(), vehicle(), container(**properties))  # type: ignore[arg-type] # the tests' own shorthand


def states(place: City, *heard: tuple[str, float, int], until_ms: int = 0) -> list[StateRow]:
    """What is kept after levels (container, %, ms) were heard, and after a tick at the end."""
    engine = Engine(place, [RULE])
    rows: dict[str, StateRow] = {}
    for number, (name, level, time_ms) in enumerate(heard):
        reading = Reading(Quantity.FILL_LEVEL, level)
        given = Observation("d0", "d0", name, time_ms, time_ms, (reading,), f"c{number}", time_ms)
        _give(engine, rows, given)
    if until_ms:
        _give(engine, rows, Tick(until_ms))
    return list(rows.values())


def filling(
    name: str, per_day: float, days: int, begin_ms: int = MONDAY, first: float = 0.0
) -> list[tuple[str, float, int]]:
    """Four levels a day of a container that fills evenly."""
    return [
        (name, min(100.0, first + per_day * hour / 24), begin_ms + hour * HOUR_MS) for hour in range(0, days * 24, 6)
    ]


def _give(engine: Engine, rows: dict[str, StateRow], given: Observation | Tick) -> None:
    overlay = engine.overlay()
    if isinstance(given, Tick):
        overlay.tick(given)
    else:
        overlay.observe(given)
    rows.update({row.subject: row for row in overlay.dirty() if row.rule == RULE.id})
    engine.merge(overlay)

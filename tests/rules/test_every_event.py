"""What rules say over a day of a whole city: every event is one that its model, and so its schema, takes."""

import random
from collections import Counter
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.answer import AnswerStatus
from rules.catalog import RULES
from rules.city import City
from rules.engine import Answered, Engine, Observation, Tick
from rules.event import Event
from rules.events import EVENT_TYPES
from rules.traffic.timetable import attach
from tests.rules.traffic.test_bus_priority import EVERY_TEN, feed, road
from tests.rules.traffic.town import MINUTE, START, town

HAMM = Path(__file__).parents[2] / "deploy" / "city" / "hamm.geojson"
Q = Quantity
SAID: dict[str, tuple[tuple[Quantity, float, float], ...]] = {
    "lot": ((Q.OCCUPIED, 0, 1),),
    "container": ((Q.DISTANCE, 50, 2500),),
    "station": (
        *((quantity, 0.0, 150.0) for quantity in (Q.PM10, Q.PM2_5, Q.NO2, Q.O3, Q.SO2, Q.CO)),
        (Q.AIR_TEMPERATURE, -15, 45),
        (Q.AIR_HUMIDITY, 0, 100),
        (Q.WIND_GUST, 0, 60),
        (Q.PRECIPITATION, 0, 12),
    ),
    "gauge": ((Q.WATER_LEVEL, 0, 7000),),
    "road_section": ((Q.SURFACE_TEMPERATURE, -5, 5), (Q.DEW_POINT, -5, 5), (Q.RAIN_DETECTED, 0, 1)),
    "detector": ((Q.VEHICLE_COUNT, 0, 150), (Q.VEHICLE_SPEED, 3, 60)),
    "site": ((Q.SOIL_WATER_TENSION, 0, 150),),
}
"""What devices at an asset say, from the least to the most."""
WHOLE = {Q.OCCUPIED, Q.RAIN_DETECTED, Q.VEHICLE_COUNT}
STATUSES: tuple[AnswerStatus, ...] = ("accepted", "active", "rejected", "overridden", "expired")


class Day:
    """A seeded day: values wander, uplinks are lost, late, or of a wrong clock, requests are answered or not."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        assets = City.parse(HAMM.read_text()).assets.values()
        corridor = attach(town(None, [road()]), feed(*EVERY_TEN), ZoneInfo("Europe/Berlin"))
        self.city = City([*assets, *corridor])
        self.engine = Engine(self.city, RULES)
        self.events: list[Event] = []
        self.at = START
        self._share: dict[str, float] = {}

    def pass_time(self, steps: int) -> None:
        """Steps of five minutes."""
        for number in range(steps):
            self.at += 5 * MINUTE
            overlay = self.engine.overlay()
            for index, given in enumerate(self._heard(number)):
                overlay.observe(given._replace(cause=f"{number}-{index}"))
            overlay.tick(Tick(self.at))
            for event in [event for event in overlay.events if event.acting and self.random.random() < 0.7]:
                what, status = event.topic.rpartition("/")[2], self.random.choice(STATUSES)
                for word in ("sent", status):
                    overlay.answer(Answered(event.subject, event.id, word, None, self.at, 0, word, what=what))
            self.events += overlay.events
            overlay.dirty()
            assert overlay.failures == []
            self.engine.merge(overlay)

    def _heard(self, _number: int) -> list[Observation]:
        found = []
        for asset in self.city.assets.values():
            for device in asset.devices if asset.kind in SAID else ():
                if self.random.random() > 0.05:
                    late = self.random.choice((0,) * 30 + (30_000, 3_600_000, -600_000))
                    channel = str(asset.properties.get("channel", ""))
                    readings = self._readings(device.dev_eui, asset.kind, channel)
                    times = (self.at - late, self.at)
                    found.append(Observation(device.dev_eui, "d", asset.id, *times, readings, ""))
        return found

    def _readings(self, dev_eui: str, kind: str, channel: str) -> tuple[Reading, ...]:
        share = self._share.get(dev_eui, self.random.random()) + self.random.uniform(-0.15, 0.15)
        share = self._share[dev_eui] = min(1.0, max(0.0, share))
        values = [(quantity, least + (most - least) * share) for quantity, least, most in SAID[kind]]
        return tuple(
            Reading(quantity, float(round(value)) if quantity in WHOLE else value, channel)
            for quantity, value in values
        )


@pytest.mark.parametrize("seed", [1, 2])
def test_every_event_is_one_that_its_model_takes(seed: int) -> None:
    """Many are built without a check, for speed: each goes through its model and comes out as the same bytes."""
    day = Day(seed)
    day.pass_time(120)
    kinds = Counter(type(event) for event in day.events)
    assert kinds.keys() <= set(EVENT_TYPES)
    assert len(kinds) >= 9
    for event in day.events:
        assert type(event).model_validate_json(event.payload()).payload() == event.payload()
        assert event.time_ms <= event.valid_until_ms

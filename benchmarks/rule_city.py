"""A made city of junctions, lots and stations, and what its devices say at the intervals of real ones."""

from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush
from random import Random
from typing import Literal, NamedTuple, TypeAlias

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.asset import Asset, Assignment
from rules.city import City
from rules.rule import Observation, Tick

START_MS = 1_789_970_400_000
"""Monday, 21 September 2026, 08:00 in Berlin."""
TICK_MS = 10_000
MINUTE_MS = 60_000
DETECTOR_MS, STATION_MS, COUNTER_MS, SPACE_MS = 5 * MINUTE_MS, 10 * MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS
"""Between two uplinks of a device; a space's sensor speaks when a car comes or goes, and once an hour beside."""
SPACES = 50
PLANS = [
    {"number": 1, "name": "Nacht", "level": 0, "serves_inbound": 400, "serves_outbound": 400},
    {"number": 2, "name": "Tag", "level": 1, "serves_inbound": 900, "serves_outbound": 900},
    {"number": 3, "name": "Früh", "level": 2, "favours": "inbound", "serves_inbound": 1500, "serves_outbound": 900},
    {"number": 4, "name": "Spät", "level": 2, "favours": "outbound", "serves_inbound": 900, "serves_outbound": 1500},
]
SCHEDULE = [{"days": "Mo-Su", "from": "05:00", "plan": 2}, {"days": "Mo-Su", "from": "22:00", "plan": 1}]
PROGRAMMES = {"inbound": 3, "outbound": 4, "balanced": 2}
GROUP, CORRIDOR, ZONE = 5, 4, 10
"""Junctions of a control group, groups of a corridor (every second four groups are on their own), lots of a zone."""

Kind: TypeAlias = Literal["detector", "space", "counter", "air", "weather", "noise"]
Say: TypeAlias = Callable[[Random, int], tuple[Reading, ...]]


class Device(NamedTuple):
    """A device: where it is, how often it speaks, and what it says at a time."""

    dev_eui: str
    asset: str
    kind: Kind
    interval_ms: int
    say: Say


class Made(NamedTuple):
    """The city, and its devices."""

    city: City
    devices: tuple[Device, ...]


def made(junctions: int, lots: int, stations: int) -> Made:
    """A city of that many places."""
    assets: list[Asset] = []
    devices: list[Device] = []
    for place in (_junctions(junctions), _groups(junctions), _lots(lots), _stations(stations)):
        for asset, found in place:
            assets.append(asset)
            devices += found
    return Made(City(assets), tuple(devices))


def inputs(devices: tuple[Device, ...], seed: int = 1) -> Iterator[tuple[Kind, Observation] | Tick]:
    """What the devices say, each at its interval from a moment of its own on, and a tick every ten seconds; no end."""
    random = Random(seed)
    waiting = [(START_MS + random.randrange(device.interval_ms), index) for index, device in enumerate(devices)]
    heapify(waiting)
    tick_ms, count = START_MS, 0
    while True:
        time_ms, index = heappop(waiting)
        while tick_ms <= time_ms:
            yield Tick(tick_ms)
            tick_ms += TICK_MS
        device, count = devices[index], count + 1
        readings = device.say(random, time_ms)
        arrived_ms = time_ms + random.randrange(80, 2000)
        yield (
            device.kind,
            Observation(device.dev_eui, device.dev_eui, device.asset, time_ms, arrived_ms, readings, f"{count:032x}"),
        )
        heappush(waiting, (time_ms + int(device.interval_ms * random.uniform(0.98, 1.02)), index))


def _asset(id_: str, kind: str, devices: tuple[Assignment, ...] = (), **properties: object) -> Asset:
    return Asset(id_, kind, id_.title(), properties, devices, 7.815, 51.681, "district-mitte")


def _junctions(number: int) -> Iterator[tuple[Asset, list[Device]]]:
    """Junctions with a demand detector in each direction, one at the end of a queue, one at an exit."""
    for index in range(number):
        id_ = f"junction-{index:05}"
        yield _asset(id_, "junction", plans=[1, 2, 3, 4]), []
        for lane, (role, direction) in enumerate(
            (("demand", "inbound"), ("demand", "outbound"), ("queue", "inbound"), ("exit", "outbound"))
        ):
            name, dev_eui = f"detector-{index:05}-{lane}", f"0253{index:08x}{lane:04x}"
            assignment = Assignment(dev_eui, properties={"interval_s": 300})
            found = _asset(
                name, "detector", (assignment,), junction=id_, role=role, direction=direction, distance_m=200
            )
            yield found, [Device(dev_eui, name, "detector", DETECTOR_MS, _traffic(index, lane))]


def _groups(junctions: int) -> Iterator[tuple[Asset, list[Device]]]:
    groups = [
        [f"junction-{index:05}" for index in range(first, min(first + GROUP, junctions))]
        for first in range(0, junctions, GROUP)
    ]
    for index, members in enumerate(groups):
        yield _asset(f"group-{index:05}", "control_group", junctions=members, plans=PLANS, schedule=SCHEDULE), []
    for index, first in enumerate(range(0, len(groups), 2 * CORRIDOR)):
        ids = [f"group-{number:05}" for number in range(first, min(first + CORRIDOR, len(groups)))]
        programmes = {name: {"plans": dict.fromkeys(ids, plan), "speed_kmh": 50} for name, plan in PROGRAMMES.items()}
        yield _asset(f"corridor-{index:05}", "corridor", control_groups=ids, programmes=programmes), []


def _lots(number: int) -> Iterator[tuple[Asset, list[Device]]]:
    """Lots of 50 spaces with a sensor each, every second one with counters at its entry and exit, too."""
    for index in range(number):
        id_ = f"lot-{index:05}"
        spaces = [f"0254{index:08x}{space:04x}" for space in range(SPACES)]
        counters = [(f"0255{index:08x}{side:04x}", way) for side, way in enumerate(("in", "out"))] * (index % 2)
        assignments = [Assignment(dev_eui) for dev_eui in spaces]
        assignments += [Assignment(dev_eui, properties={"counts": way}) for dev_eui, way in counters]
        devices = [Device(dev_eui, id_, "space", SPACE_MS, _space()) for dev_eui in spaces]
        devices += [Device(dev_eui, id_, "counter", COUNTER_MS, _passed()) for dev_eui, _ in counters]
        yield _asset(id_, "lot", tuple(assignments), capacity=SPACES, max_stay_s=7200), devices
    for index, first in enumerate(range(0, number, ZONE)):
        lots = [f"lot-{each:05}" for each in range(first, min(first + ZONE, number))]
        yield _asset(f"zone-{index:05}", "zone", lots=lots), []


def _stations(number: int) -> Iterator[tuple[Asset, list[Device]]]:
    """Four of ten measure air, four weather with wind and rain, two noise."""
    for index in range(number):
        id_, dev_eui = f"station-{index:05}", f"0256{index:08x}0000"
        kind: Kind = "air" if index % 10 < 4 else "weather" if index % 10 < 8 else "noise"  # noqa: PLR2004 - shares
        say = {"air": _air, "weather": _weather, "noise": _noise}[kind]
        found = _asset(id_, "station", (Assignment(dev_eui),), noise_area="WA")
        yield found, [Device(dev_eui, id_, kind, STATION_MS, say())]


def _traffic(index: int, lane: int) -> Say:
    """Of ten devices seven tell count and speed, two four classes with speeds, one a counter that goes on."""
    share, total, usual = index % 10, [0], 25 + index % 40 + 5 * lane
    classes = [f"cat{number}" for number in range(1, 5)]

    def say(random: Random, _time_ms: int) -> tuple[Reading, ...]:
        count, speed = float(max(0, round(random.gauss(usual, 6)))), round(random.gauss(38, 6))
        battery = Reading(Quantity.BATTERY_VOLTAGE, 3.6)
        if share == 9:  # noqa: PLR2004 - one of ten
            total[0] += int(count)
            return (Reading(Quantity.VEHICLE_COUNT_TOTAL, float(total[0])), battery)
        if share >= 7:  # noqa: PLR2004 - two of ten
            parts = [(name, float(random.randrange(20)), float(max(5, speed))) for name in classes]
            counts = [Reading(Quantity.VEHICLE_COUNT, many, name) for name, many, _ in parts]
            return (*counts, *(Reading(Quantity.VEHICLE_SPEED, fast, name) for name, _, fast in parts), battery)
        return (Reading(Quantity.VEHICLE_COUNT, count), Reading(Quantity.VEHICLE_SPEED, float(max(5, speed))), battery)

    return say


def _space() -> Say:
    state = [0.0]

    def say(random: Random, _time_ms: int) -> tuple[Reading, ...]:
        if random.random() < 0.5:  # noqa: PLR2004 - every second uplink is a change, the others say the same again
            state[0] = 1.0 - state[0]
        return (Reading(Quantity.OCCUPIED, state[0]), Reading(Quantity.BATTERY_VOLTAGE, 3.6))

    return say


def _passed() -> Say:
    total = [0.0]

    def say(random: Random, _time_ms: int) -> tuple[Reading, ...]:
        total[0] += random.randrange(4)
        return (Reading(Quantity.VEHICLE_COUNT_TOTAL, total[0]), Reading(Quantity.BATTERY_VOLTAGE, 3.6))

    return say


def _air() -> Say:
    def say(random: Random, _time_ms: int) -> tuple[Reading, ...]:
        return (
            Reading(Quantity.PM10, round(random.gauss(22, 4), 1)),
            Reading(Quantity.PM2_5, round(random.gauss(12, 3), 1)),
            Reading(Quantity.NO2, round(random.gauss(14, 3), 1)),
            Reading(Quantity.O3, round(random.gauss(25, 5), 1)),
            Reading(Quantity.AIR_TEMPERATURE, round(random.gauss(18, 1), 1)),
            Reading(Quantity.AIR_HUMIDITY, round(random.gauss(60, 3), 1)),
            Reading(Quantity.BATTERY_VOLTAGE, 3.6),
        )

    return say


def _weather() -> Say:
    total = [0.0]

    def say(random: Random, time_ms: int) -> tuple[Reading, ...]:
        """It rains every sixth hour."""
        wet = time_ms // (60 * MINUTE_MS) % 6 == 0
        fallen = round(random.uniform(0, 0.6), 1) if wet else 0.0
        total[0] = round(total[0] + fallen, 1)
        wind = round(abs(random.gauss(4, 1.5)), 1)
        return (
            Reading(Quantity.AIR_TEMPERATURE, round(random.gauss(18, 1), 1)),
            Reading(Quantity.AIR_HUMIDITY, round(random.gauss(60, 3), 1)),
            Reading(Quantity.AIR_PRESSURE, round(random.gauss(1013, 2), 1)),
            Reading(Quantity.WIND_SPEED, wind),
            Reading(Quantity.WIND_GUST, round(wind * random.uniform(1.2, 2), 1)),
            Reading(Quantity.PRECIPITATION, fallen),
            Reading(Quantity.PRECIPITATION_TOTAL, total[0]),
            Reading(Quantity.BATTERY_VOLTAGE, 3.6),
        )

    return say


def _noise() -> Say:
    def say(random: Random, _time_ms: int) -> tuple[Reading, ...]:
        level = round(random.gauss(54, 4), 1)
        return (Reading(Quantity.SOUND_LEVEL_AVERAGE, level), Reading(Quantity.BATTERY_VOLTAGE, 3.6))

    return say

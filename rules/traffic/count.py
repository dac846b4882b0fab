"""From what a detector's device says to the vehicles of an interval: interval counters, or cumulative ones.

An interval counter tells the vehicles of the interval that ends with its measurement; a lost uplink is a hole.
A cumulative counter tells those since its last uplink that arrived: nothing is lost, the interval is longer
(`estimated`). A fall of it is a wrap where the step which that means is possible on these lanes, else a reset: the
interval tells nothing, the next one begins there.

Channels name classes and directions: `ltr`, `class0_left`, `cat1_rtl`. Where an uplink counts several classes and
not all vehicles, these are the sum of the classes; one class alone is a detail of an interval told elsewhere.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

from decoders.quantity import Quantity
from rules.rule import Observation
from rules.traffic.detector_config import DetectorConfig

COUNT, TOTAL, SPEED = Quantity.VEHICLE_COUNT, Quantity.VEHICLE_COUNT_TOTAL, Quantity.VEHICLE_SPEED
CHANNEL = re.compile(r"(?:((?:cat|class)\d+)(?:_|$))?(.*)")
HOUR_MS = 3_600_000
LONG = 1.5
"""How many intervals a cumulative count may span before it is called estimated."""

Quality: TypeAlias = Literal["good", "estimated", "doubtful", "implausible", "stuck", "reset", "contradicting"]
USED = frozenset({"good", "estimated"})
"""Qualities of counts that decisions may stand on."""


# NamedTuple's own constructor costs twice this one.
new_tuple = tuple.__new__


class ClassCount(NamedTuple):
    """The vehicles of one class in an interval; the mean speed in km/h is None where nobody drove or it is not told."""

    name: str
    vehicles: float
    speed_kmh: float | None


class Count(NamedTuple):
    """The vehicles of an interval, all together; `vehicles` is None where a counter began again.

    Times in ms since 1970 (UTC), `speed_kmh` is the mean over the vehicles.
    """

    begin_ms: int
    end_ms: int
    vehicles: float | None
    speed_kmh: float | None
    classes: tuple[ClassCount, ...]
    quality: Quality

    @property
    def flow_vph(self) -> float | None:
        """Vehicles an hour."""
        return None if self.vehicles is None else self.vehicles * HOUR_MS / (self.end_ms - self.begin_ms)


class Heard(NamedTuple):
    """What is remembered of a device: its newest interval, for how long the count stood still, cumulative counts.

    `run` counts equal intervals, `moved_ms` is when vehicles were last counted, `totals` (count, time) by channel.
    """

    end_ms: int = 0
    vehicles: float = -1.0
    run: int = 0
    moved_ms: int = 0
    totals: Mapping[str, tuple[float, int]] = {}


UNHEARD = Heard()
NO_COUNT = (0.0, None, "")


class _Sum:
    """What the readings of an uplink come to for one class; the empty class is all vehicles."""

    __slots__ = ("speed_kmh", "speeds", "vehicles", "weight")

    def __init__(self) -> None:
        self.vehicles = 0.0
        self.weight = 0.0
        self.speeds = 0.0

    def add(self, vehicles: float, speed_kmh: float | None) -> None:
        self.vehicles += vehicles
        if speed_kmh is not None and vehicles > 0:
            self.weight += vehicles
            self.speeds += vehicles * speed_kmh

    @property
    def mean_kmh(self) -> float | None:
        return self.speeds / self.weight if self.weight else None


def take(config: DetectorConfig, heard: Heard, given: Observation) -> tuple[Heard, Count | None]:
    """What the device counted up to this uplink; None where it does not tell an interval of all vehicles.

    Late data and clocks ahead change nothing: the same `heard` comes back. All rules about a detector ask this of an
    uplink one after the other, so the newest answer is remembered.
    """
    last = _newest[0]
    if last is not None and last[0] is given and last[1] is config and (last[2] is heard or last[2] == heard):
        return (heard, None) if last[3] is last[2] else last[3:]
    found, count = _taken(config, heard, given)
    _newest[0] = (given, config, heard, found, count)
    return found, count


_newest: list[tuple[Observation, DetectorConfig, Heard, Heard, Count | None] | None] = [None]


def _taken(config: DetectorConfig, heard: Heard, given: Observation) -> tuple[Heard, Count | None]:
    single = _single(given)
    if single is NO_COUNT or not given.usable(heard.end_ms + 1):
        return heard, None
    if single is not None:
        vehicles, speed_kmh, channel = single
        if not _wanted(config, channel) or split(channel)[0]:
            return heard, None
        return _counted(config, heard, given, given.time_ms - config.interval_ms, vehicles, speed_kmh)
    begin_ms, sums, totals, reset = _sums(config, heard, given)
    if not reset and (not sums or (len(sums) == 1 and "" not in sums)):
        return (heard, None) if totals == heard.totals else (heard._replace(totals=totals), None)
    if totals is not heard.totals:
        heard = heard._replace(totals=totals)
    if reset:
        return _counted(config, heard, given, begin_ms, None, None)
    classes = () if len(sums) == 1 else _classes(sums)
    return _counted(config, heard, given, begin_ms, _all(sums), _mean(sums), classes)


def _single(given: Observation) -> tuple[float, float | None, str] | None:
    """Vehicles, speed and channel of an uplink that holds one number of vehicles; NO_COUNT where it holds none."""
    count = speed_kmh = None
    speeds = 0
    for reading in given.readings:
        quantity = reading[0]
        if quantity is COUNT:
            if count is not None:
                return None
            count = reading
        elif quantity is TOTAL:
            return None
        elif quantity is SPEED:
            speed_kmh, speeds = reading, speeds + 1
    if count is None:
        return NO_COUNT
    if speeds > 1:
        return None
    _, vehicles, channel = count
    if speed_kmh is None or speed_kmh[2] != channel or not vehicles > 0:
        return vehicles + 0.0, None, channel
    return vehicles + 0.0, vehicles * speed_kmh[1] / vehicles, channel


def _counted(
    config: DetectorConfig,
    heard: Heard,
    given: Observation,
    begin_ms: int,
    vehicles: float | None,
    speed_kmh: float | None,
    classes: tuple[ClassCount, ...] = (),
) -> tuple[Heard, Count]:
    end_ms = given.time_ms
    heard = _remember(heard, end_ms, vehicles, heard.totals)
    quality = _quality(config, heard, begin_ms, given)
    return heard, new_tuple(Count, (begin_ms, end_ms, vehicles, speed_kmh, classes, quality))


def class_counts(config: DetectorConfig, given: Observation) -> tuple[ClassCount, ...]:
    """The one class that an uplink counts, if it counts one class and not all vehicles."""
    _, sums, _, _ = _sums(config, UNHEARD, given)
    return _classes(sums) if len(sums) == 1 and "" not in sums else ()


def merged(before: Iterable[ClassCount], after: Iterable[ClassCount]) -> tuple[ClassCount, ...]:
    """The classes by name; the later word on a class counts."""
    found = {each.name: each for each in (*before, *after)}
    return tuple(found[name] for name in sorted(found))


def _sums(
    config: DetectorConfig, heard: Heard, given: Observation
) -> tuple[int, dict[str, _Sum], Mapping[str, tuple[float, int]], bool]:
    """Begin of the interval, sums by class, cumulative counts to remember, and whether one of them began again."""
    speeds = {channel: value for quantity, value, channel in given.readings if quantity is SPEED}
    cumulative = {channel for quantity, _, channel in given.readings if quantity is TOTAL}
    sums: dict[str, _Sum] = {}
    begin_ms, totals, reset = given.time_ms - config.interval_ms, heard.totals, False
    for quantity, value, channel in given.readings:
        if (quantity is not TOTAL and (quantity is not COUNT or channel in cumulative)) or not _wanted(config, channel):
            continue
        vehicles: float | None = value
        if quantity is TOTAL:
            before = totals.get(channel)
            if before is not None and given.time_ms <= before[1]:
                continue
            totals = {**totals, channel: (value, given.time_ms)}
            if before is None:
                continue
            vehicles = _step(config, before, value, given.time_ms)
            reset, begin_ms = reset or vehicles is None, before[1]
        if vehicles is not None:
            name = split(channel)[0]
            if name not in sums:
                sums[name] = _Sum()
            sums[name].add(vehicles, speeds.get(channel))
    return begin_ms, sums, totals, reset


@lru_cache(maxsize=1024)
def split(channel: str) -> tuple[str, str]:
    """Class and direction of a channel; empty where it names none."""
    match = CHANNEL.fullmatch(channel)
    return (match[1] or "", match[2]) if match else ("", channel)


def _wanted(config: DetectorConfig, channel: str) -> bool:
    return not config.channel or split(channel)[1] == config.channel


def _step(config: DetectorConfig, before: tuple[float, int], value: float, time_ms: int) -> float | None:
    """Vehicles since the count before, over a wrap if that is possible; None for a counter that began again."""
    step = value - before[0]
    if step >= 0:
        return step
    most = config.most_vph * (time_ms - before[1]) / HOUR_MS
    for modulus in config.wraps_at:
        if before[0] < modulus and step + modulus <= most:
            return step + modulus
    return None


def _all(sums: Mapping[str, _Sum]) -> float:
    whole = sums.get("")
    if whole is not None:
        return whole.vehicles
    return sum(each.vehicles for each in sums.values())


def _mean(sums: Mapping[str, _Sum]) -> float | None:
    whole = sums.get("")
    if whole is not None:
        return whole.mean_kmh
    chosen = list(sums.values())
    weight = sum(each.weight for each in chosen)
    return sum(each.speeds for each in chosen) / weight if weight else None


def _classes(sums: Mapping[str, _Sum]) -> tuple[ClassCount, ...]:
    return tuple(ClassCount(name, sums[name].vehicles, sums[name].mean_kmh) for name in sorted(sums) if name)


def _remember(heard: Heard, end_ms: int, vehicles: float | None, totals: Mapping[str, tuple[float, int]]) -> Heard:
    """What is remembered after an interval; `vehicles` is negative after one that told nothing."""
    if vehicles is None:
        return Heard(end_ms, -1.0, 0, end_ms, totals)
    moved_ms = end_ms if vehicles > 0 or not heard.moved_ms else heard.moved_ms
    run = heard.run + 1 if vehicles == heard.vehicles else 1
    return new_tuple(Heard, (end_ms, vehicles, run, moved_ms, totals))


def _quality(config: DetectorConfig, heard: Heard, begin_ms: int, given: Observation) -> Quality:
    """The quality of the interval that was remembered just now."""
    end_ms, vehicles, run, moved_ms, _ = heard
    if vehicles < 0:
        return "reset"
    if given.doubtful and _doubtful(config, given):
        return "doubtful"
    if vehicles * HOUR_MS > config.most_vph * (end_ms - begin_ms):
        return "implausible"
    if end_ms - moved_ms >= config.zero_after_ms or (run >= config.stuck_after and vehicles >= config.stuck_least):
        return "stuck"
    return "estimated" if end_ms - begin_ms > LONG * config.interval_ms else "good"


def _doubtful(config: DetectorConfig, given: Observation) -> bool:
    """Whether a count used here is in doubt; steps of cumulative counters are judged here, not where they came from."""
    cumulative = {channel for quantity, _, channel in given.readings if quantity is TOTAL}
    return any(
        (quantity is TOTAL or (quantity is COUNT and channel not in cumulative)) and _wanted(config, channel)
        for quantity, _, channel in given.doubtful
    )

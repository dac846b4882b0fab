"""The fill level of a container from what its sensor says, word by word; what cannot be is held back or passed over.

A word that jumps counts when the next one agrees, so that neither a bag in front of the sensor nor an echo moves the
level. A drop is an emptying at once where the container was tilted, or where a tour says that it was there.
"""

from math import sqrt
from statistics import median
from typing import Final, Literal, NamedTuple

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.rule import Observation
from rules.waste.fill_config import FillConfig
from rules.waste.shape import share_below

Oddity = Literal["", "tilted", "lid_open", "held_rise", "implausible_rise", "held_drop", "bag"]
Change = Literal["nothing", "level", "emptied", "moved"]
"""What a word led to: a level, one after an emptying, one after a drop or jump that was no emptying."""
EMPTY, FULL = 0.0, 100.0
TOLERANCE: Final = 0.1
"""Part of the depth beyond the bottom that a distance may mean: a sensor sees past the bottom's edge."""
KELVIN = 273.15
HOUR_MS = 3_600_000
TEMPERATURES = (Quantity.AIR_TEMPERATURE, Quantity.EXTERNAL_TEMPERATURE, Quantity.DEVICE_TEMPERATURE)


class Held(NamedTuple):
    """A level that waits for the next word to agree."""

    level: float
    since_ms: int


class Fill(NamedTuple):
    """What is remembered: the level (%) that counts, when it was measured, by whom, and what speaks for an emptying.

    `heard_ms` is the newest word, used or not; `emptied_ms` 0 where no emptying was seen yet.
    """

    heard_ms: int = 0
    measured_ms: int = 0
    level: float | None = None
    source: str = ""
    held: Held | None = None
    tilted_ms: int = 0
    emptied_ms: int = 0
    confirmed: bool = False
    odd: Oddity = ""
    hot_ms: int = 0


class Seen(NamedTuple):
    """What one uplink says of the inside: the level, or the reason why there is none."""

    level: float | None
    odd: Oddity = ""


def take(config: FillConfig, fill: Fill, given: Observation) -> tuple[Fill, Change]:
    """Take up an uplink; raises ValueError when there are only distances and the container has no `depth_mm`."""
    if not given.usable(max(fill.heard_ms, fill.emptied_ms)):
        return fill, "nothing"
    time_ms = given.time_ms
    temperature = temperature_of(given.readings)
    if temperature is not None and temperature >= config.hot_c:
        fill = fill._replace(hot_ms=time_ms)
    seen = look(config, given.readings)
    if seen.odd == "tilted":
        return fill._replace(heard_ms=time_ms, tilted_ms=time_ms, odd="tilted", held=None), "nothing"
    if seen.level is None:
        return (fill._replace(heard_ms=time_ms, odd=seen.odd) if seen.odd else fill), "nothing"
    return _judge(config, fill._replace(heard_ms=time_ms, source=given.dev_eui), seen.level, time_ms)


def served(config: FillConfig, fill: Fill, time_ms: int, vehicle: str) -> tuple[Fill, Change]:
    """A tour says that it emptied the container then: known to be empty until the sensor says otherwise.

    An emptying that was seen as much apart as a tilt speaks for one is the same. A level measured later counts; then
    the drop that follows is believed at once. What is older than the newest emptying changes nothing.
    """
    cleared = fill.level is not None and fill.level <= config.cleared
    if fill.emptied_ms and cleared and abs(time_ms - fill.emptied_ms) <= config.confirm_ms:
        return (fill if fill.confirmed else fill._replace(confirmed=True)), "nothing"
    if time_ms <= fill.emptied_ms:
        return fill, "nothing"
    if time_ms <= fill.measured_ms:
        return fill._replace(emptied_ms=time_ms, confirmed=True, tilted_ms=max(fill.tilted_ms, time_ms)), "nothing"
    empty = fill._replace(measured_ms=time_ms, level=EMPTY, source=vehicle, emptied_ms=time_ms, confirmed=True)
    return empty._replace(held=None, odd=""), "emptied"


def full_until(before: Fill, emptied: Fill) -> int:
    """Until when a container had not been emptied that a sensor found empty: its tilt, else the last level before."""
    return max(before.measured_ms, before.tilted_ms) if emptied.confirmed else before.measured_ms


def temperature_of(readings: tuple[Reading, ...]) -> float | None:
    """The highest temperature (°C) among the readings."""
    return max((float(value) for quantity, value, _ in readings if quantity in TEMPERATURES), default=None)


def look(config: FillConfig, readings: tuple[Reading, ...]) -> Seen:
    """The level in %: the sensor's own, else by its distance; of several beams the median counts."""
    level: float | None = None
    distances: list[float] = []
    lid_open = False
    for quantity, value, channel in readings:
        if quantity is Quantity.FILL_LEVEL:
            level = float(value)
        elif quantity is Quantity.DISTANCE and value > 0:
            distances.append(value)
        elif _tilted(config, quantity, value, channel):
            return Seen(None, "tilted")
        elif quantity is Quantity.OPEN and value:
            lid_open = True
    if lid_open:
        return Seen(None, "lid_open")
    if level is not None:
        return Seen(level if EMPTY <= level <= FULL else None)
    if not distances:
        return Seen(None)
    return _by_distance(config, distances[0] if len(distances) == 1 else median(distances), temperature_of(readings))


def _tilted(config: FillConfig, quantity: Quantity, value: float, channel: str | None) -> bool:
    """Whether a reading says that the sensor does not look down; angles of single axes are not looked at."""
    if quantity is Quantity.TILT_ANGLE and not channel and config.tilt_zero is not None:
        return abs(value - config.tilt_zero) >= config.lid_open
    return quantity is Quantity.TILTED and value > 0


def _by_distance(config: FillConfig, distance: float, temperature: float | None) -> Seen:
    depth = config.depth_mm
    if depth is None:
        raise ValueError(f"feature {config.asset!r}: property 'depth_mm' is missing, expected for a distance sensor")
    if config.sound_reference_c is not None and temperature is not None:
        distance *= sqrt((temperature + KELVIN) / (config.sound_reference_c + KELVIN))
    height = (config.sensor_offset_mm + depth - distance * config.beam_cosine) / depth
    if height < -TOLERANCE:
        return Seen(None, "lid_open")
    return Seen(FULL * share_below(config.table, height))


def _judge(config: FillConfig, fill: Fill, level: float, time_ms: int) -> tuple[Fill, Change]:
    before, held = fill.level, fill.held
    if before is None:
        return _accepted(fill, level, time_ms), "level"
    change = level - before
    if change <= -config.min_drop:
        return _fallen(config, fill, level, time_ms)
    if change >= config.jump + config.rise_per_hour * (time_ms - fill.measured_ms) / HOUR_MS:
        return _risen(config, fill, level, time_ms)
    bag = held is not None and held.level > max(before, level + config.agreement)
    return _accepted(fill, level, time_ms)._replace(odd="bag" if bag else ""), "level"


def _fallen(config: FillConfig, fill: Fill, level: float, time_ms: int) -> tuple[Fill, Change]:
    confirmed = time_ms - fill.tilted_ms <= config.confirm_ms
    held = fill.held if fill.held is not None and fill.level is not None and fill.held.level < fill.level else None
    if not confirmed and not _agrees(config, held, level, time_ms):
        keep = held if held is not None and abs(held.level - level) <= config.agreement else Held(level, time_ms)
        return fill._replace(held=keep, odd="held_drop"), "nothing"
    since_ms = held.since_ms if held is not None else time_ms
    fill = _accepted(fill, level, time_ms)
    if level > config.cleared:
        return fill, "moved"
    return fill._replace(emptied_ms=since_ms, confirmed=confirmed, tilted_ms=0), "emptied"


def _risen(config: FillConfig, fill: Fill, level: float, time_ms: int) -> tuple[Fill, Change]:
    held = fill.held if fill.held is not None and fill.level is not None and fill.held.level > fill.level else None
    if _agrees(config, held, level, time_ms):
        return _accepted(fill, level, time_ms)._replace(odd="implausible_rise"), "moved"
    keep = held if held is not None and abs(held.level - level) <= config.agreement else Held(level, time_ms)
    return fill._replace(held=keep, odd="held_rise"), "nothing"


def _agrees(config: FillConfig, held: Held | None, level: float, time_ms: int) -> bool:
    return (
        held is not None and abs(held.level - level) <= config.agreement and time_ms - held.since_ms >= config.hold_ms
    )


def _accepted(fill: Fill, level: float, time_ms: int) -> Fill:
    return fill._replace(measured_ms=time_ms, level=level, held=None, odd="")

"""Whether a container is due for collection: by threshold on its fill level, cleared by an emptying.

The fill level comes from the sensor itself or from its distance to the waste: `depth_mm` is the height of the container
from its bottom to where it counts as full, `sensor_offset_mm` how far above that the sensor looks down from.
"""

from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from pydantic import TypeAdapter

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.asset import Asset
from rules.event import SOURCE_ROOT, ContainerDue, ContainerDueData, DueReason, Evidence, event_id, instant
from rules.point import Point
from rules.rule import NOTHING, Input, Json, Observation, Outputs, Rule

ID = "waste.collection_due"
VERSION = 1
SOURCE = f"{SOURCE_ROOT}/{ID}"
DISTANCE, FILL_LEVEL, TILTED = Quantity.DISTANCE, Quantity.FILL_LEVEL, Quantity.TILTED
DAY_S = 86_400
EMPTY, FULL = 0.0, 100.0
TOLERANCE = 10.0
"""% below empty that a distance may mean: a sensor sees past the bottom's edge; further down it saw no container."""


@dataclass(frozen=True, slots=True)
class ContainerConfig:
    """The parameters of a container; levels in %, lengths in mm."""

    asset: str
    depth_mm: float | None
    sensor_offset_mm: float
    threshold: float
    cleared: float
    silent_ms: int
    validity_ms: int
    renewal_ms: int
    """How long before the end of its validity an event is renewed."""
    tags: tuple[tuple[str, str], ...]
    position: tuple[tuple[str, float], ...]


class Shown(NamedTuple):
    """What the newest event said."""

    due: bool
    reason: DueReason
    valid_until_ms: int


class Container(NamedTuple):
    """What is remembered of a container: newest used level (%), when it was measured and by which device."""

    measured_ms: int
    fill_level: float | None
    source: str
    due: bool
    since_ms: int
    reason: DueReason
    shown: Shown | None


STATE = TypeAdapter(Container)


def configure(asset: Asset) -> ContainerConfig:
    """The parameters of this container; raises CityError."""
    threshold = asset.number("threshold_percent", 80, low=1, high=100)
    cleared = asset.number("cleared_percent", 30, low=0, high=100)
    if cleared >= threshold:
        raise asset.error("cleared_percent", cleared, f"less than threshold_percent ({threshold:g})")
    silent_ms = asset.whole("silent_s", 2 * DAY_S, low=60, high=60 * DAY_S) * 1000
    validity_ms = asset.whole("validity_s", DAY_S, low=60, high=7 * DAY_S) * 1000
    return ContainerConfig(
        asset=asset.id,
        depth_mm=asset.number("depth_mm", low=50, high=20_000),
        sensor_offset_mm=asset.number("sensor_offset_mm", 0, low=0, high=5_000),
        threshold=threshold,
        cleared=cleared,
        silent_ms=silent_ms,
        validity_ms=validity_ms,
        renewal_ms=min(validity_ms, silent_ms) // 2,
        tags=asset.tags,
        position=asset.position,
    )


def initial(_config: ContainerConfig) -> Container:
    """A container from which nothing was heard yet."""
    return Container(0, None, "", due=False, since_ms=0, reason="below_threshold", shown=None)


def step(config: ContainerConfig, container: Container, given: Input) -> tuple[Container, Outputs]:
    """Judge the level that was heard, or the time that passed; say so when it changes or a renewal is due."""
    if not isinstance(given, Observation):
        return _conclude(config, container, given)
    level = fill_level(config, given.readings) if given.usable(container.measured_ms) else None
    if level is None:
        return container, NOTHING
    container, outputs = _conclude(config, _judge(config, container, level, given), given)
    point = Point("asset", config.tags, (*config.position, ("fill_level", level)), given.time_ms)
    return container, Outputs(outputs.events, (point,))


def wake(config: ContainerConfig, container: Container) -> int:
    """When the sensor falls silent or the event wants renewal."""
    shown = container.shown
    if shown is None:
        return 0
    renewal_ms = shown.valid_until_ms - config.renewal_ms
    if shown.reason == "silent":
        return renewal_ms
    silent_ms = container.measured_ms + config.silent_ms
    return min(silent_ms, renewal_ms) if silent_ms > shown.valid_until_ms else silent_ms


def dump(container: Container) -> Json:
    """The state as JSON."""
    return {**container._asdict(), "shown": container.shown and container.shown._asdict()}


def load(_config: ContainerConfig, version: int, kept: Json) -> Container | None:
    """The state from JSON; None when another version of the rule wrote it."""
    return STATE.validate_python(kept) if version == VERSION else None


def fill_level(config: ContainerConfig, readings: tuple[Reading, ...]) -> float | None:
    """The level in %, from the sensor or from its distance; None when neither is there or the figure cannot be.

    Of several beams the median counts; a container that lies on its side has no level. Raises ValueError when there are
    only distances and the container has no `depth_mm`.
    """
    level: float | None = None
    distances: list[float] = []
    for quantity, value, _ in readings:
        if quantity is FILL_LEVEL:
            level = value
        elif quantity is DISTANCE and value > 0:
            distances.append(value)
        elif quantity is TILTED and value:
            return None
    if level is not None:
        return level if EMPTY <= level <= FULL else None
    if not distances:
        return None
    distance = distances[0] if len(distances) == 1 else median(distances)
    if config.depth_mm is None:
        raise ValueError(f"feature {config.asset!r}: property 'depth_mm' is missing, expected for a distance sensor")
    level = (config.sensor_offset_mm + config.depth_mm - distance) * 100 / config.depth_mm
    return None if level < EMPTY - TOLERANCE else min(FULL, max(EMPTY, level))


def _judge(config: ContainerConfig, container: Container, level: float, given: Observation) -> Container:
    due, since_ms, reason = container.due, container.since_ms, container.reason
    if level >= config.threshold and not due:
        due, since_ms, reason = True, given.time_ms, "over_threshold"
    elif due and level <= config.cleared:
        due, since_ms, reason = False, 0, "emptied"
    return Container(given.time_ms, level, given.dev_eui, due, since_ms, reason, container.shown)


def _conclude(config: ContainerConfig, container: Container, given: Input) -> tuple[Container, Outputs]:
    now_ms, shown = given.now_ms, container.shown
    silent_from_ms = container.measured_ms + config.silent_ms
    reason: DueReason = "silent" if now_ms >= silent_from_ms else container.reason
    until_ms = now_ms + config.validity_ms
    if reason != "silent":
        until_ms = min(until_ms, silent_from_ms)
    if shown is not None and (container.due, reason) == (shown.due, shown.reason):
        renewal_ms = shown.valid_until_ms - config.renewal_ms
        if now_ms < renewal_ms or until_ms <= shown.valid_until_ms:
            return container, NOTHING
    saying = Shown(container.due, reason, until_ms)
    return container._replace(shown=saying), Outputs((_event(config, container, saying, given),))


def _event(config: ContainerConfig, container: Container, saying: Shown, given: Input) -> ContainerDue:
    return ContainerDue(
        id=event_id(ID, config.asset, "due", given.cause),
        source=SOURCE,
        subject=config.asset,
        time=instant(given.now_ms),
        data=ContainerDueData(
            rule=ID,
            rule_version=VERSION,
            valid_until=instant(saying.valid_until_ms),
            evidence=(_evidence(config, container, given.now_ms),),
            due=saying.due,
            reason=saying.reason,
            fill_level=None if saying.reason == "silent" else _rounded(container.fill_level),
            threshold=config.threshold,
            since=instant(container.since_ms) if saying.due else None,
        ),
    )


def _evidence(config: ContainerConfig, container: Container, now_ms: int) -> Evidence:
    heard = container.fill_level is not None
    return Evidence(
        quantity=FILL_LEVEL.field,
        value=_rounded(container.fill_level),
        unit=FILL_LEVEL.ucum,
        window_s=None,
        threshold=config.threshold,
        hysteresis=config.threshold - config.cleared,
        n_samples=int(heard),
        newest_at=instant(container.measured_ms) if heard else None,
        age_s=max(0, now_ms - container.measured_ms) / 1000 if heard else None,
        sources=(container.source,) if heard else (),
    )


def _rounded(level: float | None) -> float | None:
    return None if level is None else round(level, 2)


RULE = Rule(
    id=ID,
    version=VERSION,
    kind="container",
    configure=configure,
    initial=initial,
    step=step,
    wake=wake,
    dump=dump,
    load=load,
)

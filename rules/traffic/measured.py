"""What a detector measured: an event and a point for each interval of each of its devices.

An interval that is over for longer than its validity is stored and not said. Classes that come in uplinks of their
own are added to the interval that ends at the same time, and the interval is said again.
"""

from collections.abc import Mapping
from typing import NamedTuple

from pydantic import TypeAdapter

from rules.event import SOURCE_ROOT, event_id, instant
from rules.event_traffic import TrafficMeasured
from rules.point import Point
from rules.rule import NOTHING, Input, Json, Observation, Outputs, Rule
from rules.traffic.count import COUNT, UNHEARD, Count, Heard, Quality, class_counts, merged, take
from rules.traffic.detector_config import DetectorConfig, configure

ID = "traffic.measured"
VERSION = 1
SOURCE = f"{SOURCE_ROOT}/{ID}"
QUALITY_CODES: Mapping[Quality, float] = {
    "good": 0.0,
    "estimated": 1.0,
    "doubtful": 2.0,
    "implausible": 3.0,
    "stuck": 4.0,
    "reset": 5.0,
    "contradicting": 6.0,
}


class Device(NamedTuple):
    """A device and the newest interval that it told."""

    heard: Heard
    newest: Count | None


class Detector(NamedTuple):
    """What is remembered of a detector."""

    devices: Mapping[str, Device]


STATE = TypeAdapter(Detector)


def initial(_config: DetectorConfig) -> Detector:
    """A detector from which nothing was heard yet."""
    return Detector({})


def step(config: DetectorConfig, detector: Detector, given: Input) -> tuple[Detector, Outputs]:
    """Say the interval that an uplink tells."""
    if not isinstance(given, Observation):
        return detector, NOTHING
    before = detector.devices.get(given.dev_eui)
    known = before.heard if before else UNHEARD
    heard, count = take(config, known, given)
    if count is not None:
        count = _judged(config, detector, given.dev_eui, count)
    elif before is not None and before.newest is not None:
        count = _with_class(config, before.newest, given)
    if count is None and heard is known:
        return detector, NOTHING
    newest = count or (before.newest if before else None)
    detector = Detector({**detector.devices, given.dev_eui: Device(heard, newest)})
    return detector, Outputs() if count is None else _outputs(config, count, given)


def wake(_config: DetectorConfig, _detector: Detector) -> int | None:
    """Never: an interval ends by its validity."""
    return None


def dump(detector: Detector) -> Json:
    """The state as JSON."""
    return {dev_eui: (device.heard, device.newest) for dev_eui, device in detector.devices.items()}


def load(_config: DetectorConfig, version: int, kept: Json) -> Detector | None:
    """The state from JSON; None when another version of the rule wrote it."""
    return STATE.validate_python({"devices": kept}) if version == VERSION else None


def _with_class(config: DetectorConfig, newest: Count, given: Observation) -> Count | None:
    """The newest interval with a class that an uplink of the same time counts; None where that is not so."""
    found = class_counts(config, given)
    if not found or abs(given.time_ms - newest.end_ms) * 2 >= config.interval_ms:
        return None
    classes = merged(newest.classes, found)
    return None if classes == newest.classes else newest._replace(classes=classes)


def _judged(config: DetectorConfig, detector: Detector, dev_eui: str, count: Count) -> Count:
    """The count, contradicting where another device of the detector tells another flow of about the same time."""
    if len(detector.devices) == (dev_eui in detector.devices):
        return count
    flow_vph = count.flow_vph
    if flow_vph is None or count.quality not in {"good", "estimated"}:
        return count
    for other_eui, other in detector.devices.items():
        newest = other.newest
        if other_eui == dev_eui or newest is None or newest.quality not in {"good", "estimated", "contradicting"}:
            continue
        near = abs(newest.end_ms - count.end_ms) <= max(config.interval_ms, config.fresh_ms)
        if near and newest.flow_vph is not None and config.contradict(flow_vph, newest.flow_vph):
            return count._replace(quality="contradicting")
    return count


def _outputs(config: DetectorConfig, count: Count, given: Observation) -> Outputs:
    point = _point(config, count)
    if count.end_ms + config.validity_ms <= given.now_ms:
        return Outputs((), (point,))
    return Outputs((_event(config, count, given),), (point,))


def _point(config: DetectorConfig, count: Count) -> Point:
    fields: list[tuple[str, float]] = [*config.position, ("quality", QUALITY_CODES[count.quality])]
    if count.vehicles is not None:
        fields += [("vehicle_count", count.vehicles), ("flow", round(count.flow_vph or 0.0, 1))]
    if count.speed_kmh is not None:
        fields.append(("vehicle_speed", round(count.speed_kmh, 1)))
    return Point("asset", config.tags, tuple(fields), count.end_ms)


def _event(config: DetectorConfig, count: Count, given: Observation) -> TrafficMeasured:
    age_s = max(0, given.now_ms - count.end_ms) / 1000
    return TrafficMeasured.model_validate(
        {
            "id": event_id(ID, config.asset, "measured", given.cause),
            "source": SOURCE,
            "subject": config.asset,
            "time": instant(given.now_ms),
            "data": {
                "rule": ID,
                "rule_version": VERSION,
                "valid_until": instant(count.end_ms + config.validity_ms),
                "evidence": (_evidence(config, count, given.dev_eui, age_s),),
                "interval_begin": instant(count.begin_ms),
                "interval_end": instant(count.end_ms),
                "count": count.vehicles,
                "flow": _rounded(count.flow_vph),
                "speed": _rounded(count.speed_kmh),
                "classes": [
                    {"name": each.name, "count": each.vehicles, "speed": _rounded(each.speed_kmh)}
                    for each in count.classes
                ],
                "quality": count.quality,
                "age_s": age_s,
                "role": config.role,
                "approach": config.approach,
                "lane": config.lane,
                "lanes": config.lanes,
                "distance_m": config.distance_m,
            },
        }
    )


def _evidence(config: DetectorConfig, count: Count, dev_eui: str, age_s: float) -> dict[str, object]:
    span_ms = count.end_ms - count.begin_ms
    return {
        "quantity": COUNT.field,
        "value": count.vehicles,
        "unit": COUNT.ucum,
        "window_s": span_ms / 1000,
        "threshold": None,
        "hysteresis": None,
        "n_samples": 1,
        "coverage_pct": round(min(100.0, 100 * config.interval_ms / span_ms), 2),
        "newest_at": instant(count.end_ms),
        "age_s": age_s,
        "sources": (dev_eui,),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


RULE = Rule(
    id=ID,
    version=VERSION,
    kind="detector",
    configure=configure,
    initial=initial,
    step=step,
    wake=wake,
    dump=dump,
    load=load,
    doubtful=True,
)

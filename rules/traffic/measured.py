"""What a detector measured: an event and a point for each interval of each of its devices.

An interval that is over for longer than its validity is stored and not said. Classes that come in uplinks of their
own are added to the interval that ends at the same time, and the interval is said again.
"""

from collections.abc import Mapping
from typing import NamedTuple, cast

from pydantic import TypeAdapter

from decoders.quantity import Privacy
from rules.built import built
from rules.event import SOURCE_ROOT, Evidence, event_id, instant
from rules.event_traffic import MeasuredClass, TrafficMeasured, TrafficMeasuredData
from rules.point import Point
from rules.rule import NOTHING, Input, Json, Observation, Outputs, Rule
from rules.traffic.count import COUNT, UNHEARD, Count, Heard, Quality, class_counts, merged, new_tuple, take
from rules.traffic.detector_config import DetectorConfig, configure

ID = "traffic.measured"
VERSION = 1
SOURCE = f"{SOURCE_ROOT}/{ID}"
TYPE = TrafficMeasured.model_fields["type"].default
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
    return detector, NOTHING if count is None else _outputs(config, count, given)


def wake(_config: DetectorConfig, _detector: Detector) -> int | None:
    """Never: an interval ends by its validity."""
    return None


def dump(detector: Detector) -> Json:
    """The state as JSON."""
    return {dev_eui: (tuple(heard), _plain(newest)) for dev_eui, (heard, newest) in detector.devices.items()}


def load(_config: DetectorConfig, version: int, kept: Json) -> Detector | None:
    """The state from JSON; None when another version of the rule wrote it."""
    return STATE.validate_python({"devices": kept}) if version == VERSION else None


def _plain(count: Count | None) -> Json:
    """An interval as JSON."""
    if count is None:
        return None
    begin_ms, end_ms, vehicles, speed_kmh, classes, quality = count
    return (begin_ms, end_ms, vehicles, speed_kmh, tuple([tuple(each) for each in classes]), quality)


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
    flow = _rounded(count.flow_vph)
    speed = _rounded(count.speed_kmh)
    point = _point(config, count, flow, speed)
    if count.end_ms + config.validity_ms <= given.now_ms:
        return Outputs((), (point,))
    return new_tuple(Outputs, ((_event(config, count, given, (flow, speed)),), (point,)))


def _point(config: DetectorConfig, count: Count, flow: float | None, speed: float | None) -> Point:
    fields: tuple[tuple[str, float], ...] = (*config.position, ("quality", QUALITY_CODES[count.quality]))
    if count.vehicles is not None:
        fields = (*fields, ("vehicle_count", count.vehicles), ("flow", flow or 0.0))
    if speed is not None:
        fields = (*fields, ("vehicle_speed", speed))
    return new_tuple(Point, ("asset", config.tags, fields, count.end_ms, Privacy.OPEN))


def _event(
    config: DetectorConfig, count: Count, given: Observation, rounded: tuple[float | None, float | None]
) -> TrafficMeasured:
    """The event; it goes out with nearly every uplink, so what can only be right is not validated."""
    data = _data(config, count, given, rounded)
    values = {
        "specversion": "1.0",
        "id": event_id(ID, config.asset, "measured", given.cause),
        "source": SOURCE,
        "type": TYPE,
        "subject": config.asset,
        "time": instant(given.now_ms),
        "datacontenttype": "application/json",
    }
    if not _in_bounds(count):
        return TrafficMeasured.model_validate({**values, "data": data})
    (evidence,) = cast("tuple[dict[str, object]]", data["evidence"])
    classes = cast("tuple[dict[str, object], ...]", data["classes"])
    data["evidence"] = (built(Evidence, evidence),)
    data["classes"] = tuple([built(MeasuredClass, each) for each in classes])
    values["data"] = built(TrafficMeasuredData, data)
    return built(TrafficMeasured, values)


def _in_bounds(count: Count) -> bool:
    """Whether the numbers that a device told are what the event's fields want."""
    told = [count.vehicles, count.speed_kmh]
    for each in count.classes:
        told += each[1:]
    for value in told:
        if value is not None and not (type(value) is float and value >= 0):
            return False
    return count.begin_ms < count.end_ms


def _data(
    config: DetectorConfig, count: Count, given: Observation, rounded: tuple[float | None, float | None]
) -> dict[str, object]:
    """The event's data, every field in its order and type."""
    end = instant(count.end_ms)
    age_s = max(0, given.now_ms - count.end_ms) / 1000
    flow, speed = rounded
    span_ms = count.end_ms - count.begin_ms
    evidence = {
        "quantity": COUNT.field,
        "value": count.vehicles,
        "unit": COUNT.ucum,
        "window_s": span_ms / 1000,
        "threshold": None,
        "hysteresis": None,
        "n_samples": 1,
        "coverage_pct": round(min(100.0, 100 * config.interval_ms / span_ms), 2),
        "newest_at": end,
        "age_s": age_s,
        "sources": (given.dev_eui,),
    }
    return {
        "rule": ID,
        "rule_version": VERSION,
        "valid_until": instant(count.end_ms + config.validity_ms),
        "evidence": (evidence,),
        "interval_begin": instant(count.begin_ms),
        "interval_end": end,
        "count": count.vehicles,
        "flow": flow,
        "speed": speed,
        "classes": tuple(
            [{"name": each.name, "count": each.vehicles, "speed": _rounded(each.speed_kmh)} for each in count.classes]
        ),
        "quality": count.quality,
        "age_s": age_s,
        "role": config.role,
        "approach": config.approach,
        "lane": config.lane,
        "lanes": config.lanes,
        "distance_m": None if config.distance_m is None else float(config.distance_m),
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

"""Whether vehicles queue at a detector of the role `queue`: slow in two intervals in a row.

An interval without a mean speed (nobody passed, or the device tells none) changes nothing: a queue that stands still
looks just like an empty road. Without a speed for `fresh_ms` the warning is taken back, and says that news are missing.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from pydantic import TypeAdapter

from rules.asset import Asset
from rules.event import SOURCE_ROOT, event_id, instant
from rules.event_traffic import QueueWarning
from rules.point import Point
from rules.rule import NOTHING, Input, Json, Observation, Outputs, Rule
from rules.traffic.count import SPEED, UNHEARD, USED, Count, Heard, take
from rules.traffic.detector_config import DetectorConfig
from rules.traffic.detector_config import configure as configure_detector

ID = "traffic.queue_warning"
VERSION = 1
SOURCE = f"{SOURCE_ROOT}/{ID}"
IN_A_ROW = 2.5
"""Intervals after which the next one is no longer in a row with the last."""
Reason = Literal["slow", "flowing", "no_news"]
TEXTS: dict[Reason, tuple[str, str]] = {
    "slow": ("{name}: Rückstau, mittlere Geschwindigkeit {speed} km/h.", "{name}: queue, mean speed {speed} km/h."),
    "flowing": ("{name}: Rückstau aufgelöst.", "{name}: queue dissolved."),
    "no_news": ("{name}: Rückstau nicht mehr messbar.", "{name}: queue can no longer be measured."),
}


@dataclass(frozen=True, slots=True)
class QueueConfig:
    """The parameters of a queue detector.

    slow_kmh      mean speed below which vehicles queue: 15 (15 to 20 are usual)
    clear_kmh     above which they no longer do: 30
    intervals     slow ones in a row: 2
    validity_ms   of a warning: 15 min, renewed after half of it
    """

    detector: DetectorConfig
    watched: bool
    slow_kmh: float
    clear_kmh: float
    intervals: int
    validity_ms: int


class Queue(NamedTuple):
    """What is remembered of a detector: by device what it counted, and the newest speed with its time and source.

    `slow` counts slow intervals in a row, the first of which ended at `since_ms`; `shown_until_ms` is 0 while no
    warning is out.
    """

    devices: dict[str, Heard]
    speed_kmh: float | None
    end_ms: int
    source: str
    slow: int
    since_ms: int
    shown_until_ms: int


STATE = TypeAdapter(Queue)


def configure(asset: Asset) -> QueueConfig:
    """The parameters of this detector; raises CityError."""
    detector = configure_detector(asset)
    slow_kmh = asset.number("queue_below_kmh", 15, low=1, high=60)
    clear_kmh = asset.number("queue_cleared_above_kmh", 30, low=1, high=130)
    if clear_kmh <= slow_kmh:
        raise asset.error("queue_cleared_above_kmh", clear_kmh, f"more than queue_below_kmh ({slow_kmh:g})")
    return QueueConfig(
        detector=detector,
        watched=detector.role == "queue",
        slow_kmh=slow_kmh,
        clear_kmh=clear_kmh,
        intervals=asset.whole("queue_intervals", 2, low=1, high=12),
        validity_ms=asset.whole("queue_validity_s", 900, low=120, high=7200) * 1000,
    )


def initial(_config: QueueConfig) -> Queue:
    """Nothing was heard yet."""
    return Queue({}, None, 0, "", 0, 0, 0)


def step(config: QueueConfig, queue: Queue, given: Input) -> tuple[Queue, Outputs]:
    """Judge the speed of an interval, or the time that passed."""
    if not config.watched:
        return queue, NOTHING
    if not isinstance(given, Observation):
        return _passed(config, queue, given)
    known = queue.devices.get(given.dev_eui, UNHEARD)
    heard, count = take(config.detector, known, given)
    if heard is known:
        return queue, NOTHING
    queue = queue._replace(devices={**queue.devices, given.dev_eui: heard})
    if count is None or count.speed_kmh is None or count.quality not in USED or not _fresh(config, count, queue, given):
        return queue, NOTHING
    return _told(config, _judged(config, queue, count, given.dev_eui), given)


def wake(config: QueueConfig, queue: Queue) -> int | None:
    """When a warning has no fresh news behind it any more."""
    return queue.end_ms + config.detector.fresh_ms + 1 if queue.shown_until_ms else None


def dump(queue: Queue) -> Json:
    """The state as JSON."""
    return {**queue._asdict(), "devices": {dev_eui: tuple(heard) for dev_eui, heard in queue.devices.items()}}


def load(_config: QueueConfig, version: int, kept: Json) -> Queue | None:
    """The state from JSON; None when another version of the rule wrote it."""
    return STATE.validate_python(kept) if version == VERSION else None


def _fresh(config: QueueConfig, count: Count, queue: Queue, given: Observation) -> bool:
    return count.end_ms >= queue.end_ms and given.now_ms - count.end_ms <= config.detector.fresh_ms


def _told(config: QueueConfig, queue: Queue, given: Observation) -> tuple[Queue, Outputs]:
    """Say what the newest speed changed, or a warning again that lasts."""
    outputs = Outputs((), (_point(config, queue),))
    if queue.shown_until_ms and (queue.speed_kmh or 0.0) > config.clear_kmh:
        return _said(config, queue, given, "flowing", outputs)
    due = given.now_ms >= queue.shown_until_ms - config.validity_ms // 2
    if due and (queue.shown_until_ms or queue.slow >= config.intervals):
        return _said(config, queue, given, "slow", outputs)
    return queue, outputs


def _passed(config: QueueConfig, queue: Queue, given: Input) -> tuple[Queue, Outputs]:
    if not queue.shown_until_ms or given.now_ms <= queue.end_ms + config.detector.fresh_ms:
        return queue, NOTHING
    return _said(config, queue._replace(slow=0), given, "no_news", NOTHING)


def _judged(config: QueueConfig, queue: Queue, count: Count, dev_eui: str) -> Queue:
    speed_kmh, in_a_row = count.speed_kmh or 0.0, count.end_ms - queue.end_ms <= IN_A_ROW * config.detector.interval_ms
    slow = 0
    if speed_kmh < config.slow_kmh:
        slow = queue.slow + 1 if in_a_row else 1
    since_ms = queue.since_ms if slow != 1 or queue.shown_until_ms else count.end_ms
    return queue._replace(speed_kmh=speed_kmh, end_ms=count.end_ms, source=dev_eui, slow=slow, since_ms=since_ms)


def _said(config: QueueConfig, queue: Queue, given: Input, reason: Reason, outputs: Outputs) -> tuple[Queue, Outputs]:
    until_ms = given.now_ms + config.validity_ms
    event = _event(config, queue, given, reason, until_ms)
    queue = queue._replace(shown_until_ms=until_ms if reason == "slow" else 0)
    return queue, Outputs((event,), outputs.points)


def _point(config: QueueConfig, queue: Queue) -> Point:
    detector = config.detector
    fields = (*detector.position, ("queue", float(queue.slow >= config.intervals)))
    return Point("asset", (*detector.tags, ("channel", "queue")), fields, queue.end_ms)


def _event(config: QueueConfig, queue: Queue, given: Input, reason: Reason, until_ms: int) -> QueueWarning:
    detector = config.detector
    speed = None if queue.speed_kmh is None else round(queue.speed_kmh, 1)
    words = {"name": detector.name, "speed": "–" if speed is None else f"{speed:g}"}
    german, english = (text.format_map(words) for text in TEXTS[reason])
    evidence = {
        "quantity": SPEED.field,
        "value": speed,
        "unit": SPEED.ucum,
        "window_s": config.intervals * detector.interval_ms / 1000,
        "threshold": config.slow_kmh,
        "hysteresis": config.clear_kmh - config.slow_kmh,
        "n_samples": queue.slow,
        "newest_at": instant(queue.end_ms),
        "age_s": max(0, given.now_ms - queue.end_ms) / 1000,
        "sources": (queue.source,),
    }
    return QueueWarning.model_validate(
        {
            "id": event_id(ID, detector.asset, "queue", given.cause),
            "source": SOURCE,
            "subject": detector.asset,
            "time": instant(given.now_ms),
            "data": {
                "rule": ID,
                "rule_version": VERSION,
                "valid_until": instant(until_ms),
                "evidence": (evidence,),
                "state": "raised" if reason == "slow" else "cleared",
                "reason": reason,
                "speed": speed,
                "since": instant(queue.since_ms) if reason == "slow" else None,
                "approach": detector.approach,
                "text_de": german,
                "text_en": english,
            },
        }
    )


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

"""What is said of a lot: the event with its evidence, and the derived point."""

from rules.built import built
from rules.event import SOURCE_ROOT, Evidence, LotState, LotStateData, LotStatus, LotTrend, event_id, instant
from rules.parking.counters import TOTAL, Counters, heard_ms
from rules.parking.estimate import uncertainty
from rules.parking.lot import Lot, Shown
from rules.parking.lot_config import MAX_SOURCES, LotConfig
from rules.parking.sensed import OCCUPIED
from rules.parking.trend import CODES, trend
from rules.point import Point
from rules.rule import Input

ID = "parking.lot_state"
VERSION = 2
SOURCE = f"{SOURCE_ROOT}/{ID}"
TYPE = LotState.model_fields["type"].default
STATE_CODES = {"free": 0.0, "almostFull": 1.0, "full": 2.0, "closed": 3.0, "unknown": 4.0}


def told(config: LotConfig, lot: Lot, saying: Shown, given: Input) -> tuple[LotState, Point]:
    """The event and the derived point; in the point `count_ratio` is the learned ratio between the ways of counters."""
    now_ms, occupied, capacity = given.now_ms, saying.occupied, config.capacity
    spread: int | None = None
    heading: LotTrend | None = None
    if occupied is not None:
        spread = uncertainty(config, lot, saying.basis, contradicting=saying.contradicting)
        heading = trend(lot.history, capacity, config.steady, config.quick, now_ms)
    data: dict[str, object] = {
        "rule": ID,
        "rule_version": VERSION,
        "valid_until": instant(saying.valid_until_ms),
        "evidence": tuple([built(Evidence, each) for each in _evidences(config, lot, saying, now_ms)]),
        "state": _status(saying),
        "reason": saying.reason,
        "capacity": capacity,
        "occupied": occupied,
        "free": 0 if saying.reason == "closed" else None if occupied is None else capacity - occupied,
        "occupancy": None if occupied is None else round(occupied / capacity, 4),
        "coverage": _coverage(config, lot),
        "estimated": occupied is not None and saying.basis == "sensors" and lot.working < capacity,
        "basis": None if occupied is None else saying.basis,
        "uncertainty": spread,
        "trend": heading,
        "contradicting": saying.contradicting,
    }
    values: dict[str, object] = {
        "specversion": "1.0",
        "id": event_id(ID, config.asset, "state", given.cause),
        "source": SOURCE,
        "type": TYPE,
        "subject": config.asset,
        "time": instant(now_ms),
        "datacontenttype": "application/json",
        "data": built(LotStateData, data),
    }
    return built(LotState, values), _point(config, lot, saying, now_ms, (spread, heading))


def _point(
    config: LotConfig, lot: Lot, saying: Shown, now_ms: int, judged: tuple[int | None, LotTrend | None]
) -> Point:
    fields: list[tuple[str, float]] = [*config.position, ("state", STATE_CODES[_status(saying)])]
    spread, heading = judged
    if saying.occupied is not None and spread is not None:
        free = config.capacity - saying.occupied
        fields += [("occupied", saying.occupied), ("free", free), ("occupancy", saying.occupied / config.capacity)]
        fields.append(("uncertainty", spread))
        if heading in CODES:
            fields.append(("trend", CODES[heading]))
    if lot.counters is not None:
        fields.append(("count_ratio", round(lot.counters.ratio, 5)))
    return Point("asset", config.tags, tuple(fields), now_ms, config.privacy)


def _status(saying: Shown) -> LotStatus:
    if saying.reason == "counted":
        return saying.level
    return "closed" if saying.reason == "closed" else "unknown"


def _evidences(config: LotConfig, lot: Lot, saying: Shown, now_ms: int) -> tuple[dict[str, object], ...]:
    """What the sensors say first, where there are any; then the balance of the counters and the ratio in it."""
    counters = lot.counters
    if counters is None:
        return (_sensed(config, lot, saying, now_ms),)
    balance = _balance(config, counters, saying, now_ms)
    ratio = {**balance, "quantity": "count_ratio", "value": round(counters.ratio, 5), "n_samples": counters.nights}
    ratio |= {"threshold": None, "hysteresis": None}
    if not lot.spaces:
        return (balance, ratio)
    return (_sensed(config, lot, saying, now_ms), balance, ratio)


def _limits(config: LotConfig, saying: Shown) -> tuple[float, float]:
    """The limit that the level is held against, and its hysteresis."""
    threshold, end = config.almost_in, config.almost_out
    if saying.level == "full":
        threshold, end = config.capacity - config.full_in, config.capacity - config.full_out
    return float(threshold), float(threshold - end)


def _sensed(config: LotConfig, lot: Lot, saying: Shown, now_ms: int) -> dict[str, object]:
    heard = lot.heard_ms > 0
    threshold, hysteresis = _limits(config, saying)
    value = saying.occupied if saying.basis == "sensors" else lot.taken
    return {
        "quantity": OCCUPIED.field,
        "value": None if value is None else float(value),
        "unit": OCCUPIED.ucum,
        "window_s": config.space_silent_ms / 1000,
        "threshold": threshold,
        "hysteresis": hysteresis,
        "n_samples": lot.working,
        "coverage_pct": round(100 * _coverage(config, lot), 2),
        "newest_at": instant(lot.heard_ms) if heard else None,
        "age_s": (now_ms - lot.heard_ms) / 1000 if heard else None,
        "sources": config.sources or tuple(lot.spaces)[:MAX_SOURCES],
    }


def _balance(config: LotConfig, counters: Counters, saying: Shown, now_ms: int) -> dict[str, object]:
    counting = config.counters
    newest_ms = min(now_ms, heard_ms(counting, counters.totals, now_ms)) if counting else 0
    threshold, hysteresis = _limits(config, saying)
    return {
        "quantity": TOTAL.field,
        "value": float(round(counters.inside, 2)) if counters.anchored_ms else None,
        "unit": TOTAL.ucum,
        "window_s": max(0, now_ms - counters.anchored_ms) / 1000 if counters.anchored_ms else None,
        "threshold": threshold,
        "hysteresis": hysteresis,
        "n_samples": int(counters.entered + counters.left),
        "coverage_pct": None,
        "newest_at": instant(newest_ms) if newest_ms else None,
        "age_s": (now_ms - newest_ms) / 1000 if newest_ms else None,
        "sources": tuple(counting.ways)[:MAX_SOURCES] if counting else (),
    }


def _coverage(config: LotConfig, lot: Lot) -> float:
    return min(1.0, round(lot.working / config.capacity, 4))

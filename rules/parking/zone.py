"""What is remembered of a zone: the newest word on each of its lots, and what its signs were asked to show."""

from math import ceil
from typing import NamedTuple

from pydantic import TypeAdapter

from rules.event import EPOCH, MILLISECOND, Evidence, LotBasis, LotState, LotStatus, LotTrend
from rules.event_parking import Advice, GuidanceReason
from rules.parking.guidance_config import ZoneConfig
from rules.request_health import CARRIED, Carried

BEHIND: dict[LotBasis, frozenset[str]] = {
    "sensors": frozenset({"occupied"}),
    "counters": frozenset({"vehicle_count_total"}),
    "both": frozenset({"occupied", "vehicle_count_total"}),
}
"""The quantities in a lot's evidence that its figures stand on."""


class LotWord(NamedTuple):
    """What a lot said last, good until `until_ms`; `diverted` holds between the limits."""

    state: LotStatus
    capacity: int
    occupied: int | None
    trend: LotTrend | None
    newest_ms: int
    until_ms: int
    samples: int
    sources: tuple[str, ...]
    diverted: bool


class Shown(NamedTuple):
    """What was requested last: an advice for each lot in the zone's order, and the lots in that of preference.

    `free` are the free spaces it told of each lot, None where it told none.
    """

    reason: GuidanceReason
    advices: tuple[Advice, ...]
    recommend: tuple[str, ...]
    valid_until_ms: int
    free: tuple[int | None, ...]


class Zone(NamedTuple):
    """`held_until_ms` is how long somebody else has the signs; `carried` is whether requests are answered."""

    lots: dict[str, LotWord]
    shown: Shown | None
    held_until_ms: int = 0
    carried: Carried = CARRIED


STATE = TypeAdapter(Zone)


def word(config: ZoneConfig, before: LotWord | None, event: LotState) -> LotWord:
    """What a lot says now; its news are those of the oldest evidence that its figures stand on."""
    data = event.data
    behind = [each for each in data.evidence if data.basis and each.quantity in BEHIND[data.basis]]
    times = [each.newest_at for each in behind if each.newest_at is not None]
    newest_ms = (min(times) - EPOCH) // MILLISECOND if times else 0
    until_ms = event.valid_until_ms
    if data.state != "closed":
        until_ms = min(until_ms, newest_ms + config.news_ms)
    return LotWord(
        data.state,
        data.capacity,
        data.occupied,
        data.trend,
        newest_ms,
        until_ms,
        sum(each.n_samples for each in behind),
        _sources(behind),
        _diverted(config, before is not None and before.diverted, data.state, data.occupied, data.capacity),
    )


def advice(lot: LotWord | None, now_ms: int) -> Advice:
    """What to tell drivers of a lot at this time."""
    if lot is None or now_ms >= lot.until_ms or lot.state == "unknown":
        return "unknown"
    if lot.state == "closed":
        return "closed"
    return "divert" if lot.diverted else "recommend"


def free_of(lot: LotWord | None, advised: Advice) -> int | None:
    """The free spaces to tell of a lot; None where none are known."""
    if advised == "closed":
        return 0
    if lot is None or lot.occupied is None or advised == "unknown":
        return None
    return lot.capacity - lot.occupied


def limits(config: ZoneConfig, capacity: int) -> tuple[int, int]:
    """Spaces taken from which on nobody is sent to a lot, and up to which somebody is again."""
    begin = max(1, ceil(round(config.divert_from * capacity, 6)))
    return begin, min(int(round(config.divert_until * capacity, 6)), begin - 1)


def _diverted(config: ZoneConfig, before: bool, state: LotStatus, occupied: int | None, capacity: int) -> bool:
    if occupied is None:
        return before
    begin, end = limits(config, capacity)
    if state == "full" or occupied >= begin:
        return True
    return before and occupied > end


def _sources(behind: list[Evidence]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(source for each in behind for source in each.sources))[:8]

"""Whether a lot fills or empties, by the last half hour. Words as in DATEX II (parkingOccupancyTrend)."""

from rules.event import LotTrend

SLOT_MS = 300_000
WINDOW_MS = 1_800_000
LEAST_MS = 600_000
"""A history shorter than this says nothing."""
LEAST_SPACES = 2
HOUR_MS = 3_600_000
CODES: dict[LotTrend, float] = {
    "decreasingQuickly": -2.0,
    "decreasing": -1.0,
    "stable": 0.0,
    "increasing": 1.0,
    "increasingQuickly": 2.0,
}

History = tuple[tuple[int, int], ...]


def remembered(history: History, occupied: int, now_ms: int) -> History:
    """The history after a change: the last half hour and what was before it."""
    slot_ms = now_ms - now_ms % SLOT_MS
    end = len(history)
    while end and history[end - 1][0] >= slot_ms:
        end -= 1
    begin, oldest_ms = 0, now_ms - WINDOW_MS - SLOT_MS
    while begin + 1 < end and history[begin + 1][0] <= oldest_ms:
        begin += 1
    return (*history[begin:end], (slot_ms, occupied))


def trend(history: History, capacity: int, steady: float, quick: float, now_ms: int) -> LotTrend:
    """The change of the last half hour; `steady` and `quick` are shares of the capacity an hour."""
    if not history or now_ms - history[0][0] < LEAST_MS:
        return "unknown"
    oldest_ms, first = now_ms - WINDOW_MS - SLOT_MS, history[0][1]
    for slot_ms, occupied in history:
        if slot_ms > oldest_ms:
            break
        first = occupied
    change = history[-1][1] - first
    hours = min(WINDOW_MS, now_ms - history[0][0]) / HOUR_MS
    speed = abs(change) / capacity / hours
    if abs(change) < LEAST_SPACES or speed < steady:
        return "stable"
    if change > 0:
        return "increasing" if speed < quick else "increasingQuickly"
    return "decreasing" if speed < quick else "decreasingQuickly"

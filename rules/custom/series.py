"""What is remembered of readings: by quantity and device the newest value, and windows in up to 24 parts.

A part holds the readings of a 24th of its window: at intervals longer than that each reading stands for itself and the
window is exact, at shorter ones its far end is blurred by a part. One part from before the window is kept: it says
what the value was when the window began.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias, cast

from rules.rule import Json

PARTS = 24


class Bucket(NamedTuple):
    """The readings of a part of a window: the first and the last with their times, how many, sum, least, greatest."""

    first_ms: int
    first: float
    last_ms: int
    last: float
    n: int
    total: float
    low: float
    high: float


Buckets: TypeAlias = tuple[Bucket, ...]


class Track(NamedTuple):
    """The newest reading of a device, and its windows by their length in ms."""

    time_ms: int
    value: float
    windows: Mapping[int, Buckets]


Tracks: TypeAlias = Mapping[str, Track]
"""By dev_eui."""


class Windowed(NamedTuple):
    """What is known of a window: its readings and how much of it they cover, from 0 to 1."""

    buckets: Sequence[Bucket]
    coverage: float
    own: Buckets
    """The parts of the device heard newest, one from before the window included."""
    begin_ms: int
    carries_ms: int


def take_up(
    tracks: Tracks, dev_eui: str, time_ms: int, value: float, windows: Sequence[int], horizon_ms: int
) -> Tracks:
    """The tracks with one more reading; devices that were not heard for the horizon are forgotten."""
    known = tracks.get(dev_eui)
    kept = {window: _add(known.windows.get(window, ()) if known else (), window, time_ms, value) for window in windows}
    track = Track(time_ms, value, kept)
    if len(tracks) == (known is not None):
        return {dev_eui: track}
    begin_ms = time_ms - horizon_ms
    return {**{name: other for name, other in tracks.items() if other.time_ms > begin_ms}, dev_eui: track}


def newest(tracks: Tracks) -> Track | None:
    """The newest reading; of two at one time that of the greater dev_eui."""
    if len(tracks) == 1:
        (only,) = tracks.values()
        return only
    return max(sorted(tracks.items()), key=_time)[1] if tracks else None


def look(tracks: Tracks, window_ms: int, now_ms: int, carries_ms: int) -> Windowed:
    """The window up to now; a reading is taken to hold for `carries_ms`, which is what coverage counts."""
    begin_ms = now_ms - window_ms
    track = newest(tracks)
    if track is None:
        return Windowed((), 0.0, (), begin_ms, carries_ms)
    if len(tracks) == 1:
        held: Sequence[Bucket] = track.windows.get(window_ms, ())
    else:
        held = sorted(bucket for _, each in sorted(tracks.items()) for bucket in each.windows.get(window_ms, ()))
    within = [bucket for bucket in held if bucket.first_ms > begin_ms]
    coverage = _coverage(held, begin_ms, now_ms, carries_ms)
    return Windowed(within, coverage, track.windows.get(window_ms, ()), begin_ms, carries_ms)


def figure(function: str, found: Windowed) -> float | None:
    """An aggregate of a window; None where there are too few readings for one."""
    if function == "count":
        return float(sum([bucket.n for bucket in found.buckets]))
    return FIGURES[function](found) if found.buckets else None


def dump(tracks: Tracks) -> Json:
    """As JSON: a part with one reading is its time and value."""
    return {
        dev_eui: [
            track.time_ms,
            track.value,
            {str(window): [_dumped(bucket) for bucket in kept] for window, kept in track.windows.items()},
        ]
        for dev_eui, track in tracks.items()
    }


def load(kept: Json, windows: Iterable[int]) -> dict[str, Track]:
    """Back from JSON: only these windows, empty where they were not kept. Raises TypeError, ValueError."""
    found = {}
    for dev_eui, (time_ms, value, parts) in cast(
        "Mapping[str, tuple[int, float, Mapping[str, list[list[float]]]]]", kept
    ).items():
        loaded = {window: tuple(_loaded(bucket) for bucket in parts.get(str(window), ())) for window in windows}
        found[dev_eui] = Track(int(time_ms), float(value), loaded)
    return found


def _time(item: tuple[str, Track]) -> tuple[int, str]:
    return item[1].time_ms, item[0]


def _add(kept: Buckets, window_ms: int, time_ms: int, value: float) -> Buckets:
    width = window_ms // PARTS
    last = kept[-1] if kept else None
    if last is not None and last.first_ms // width == time_ms // width:
        merged = Bucket(
            last.first_ms,
            last.first,
            time_ms,
            value,
            last.n + 1,
            last.total + value,
            min(last.low, value),
            max(last.high, value),
        )
        return (*kept[:-1], merged)
    begin_ms, old = time_ms - window_ms, 0
    while old + 1 < len(kept) and kept[old + 1].first_ms <= begin_ms:
        old += 1
    return (*kept[old:], Bucket(time_ms, value, time_ms, value, 1, value, value, value))


def _coverage(held: Sequence[Bucket], begin_ms: int, now_ms: int, carries_ms: int) -> float:
    """The share of the window within `carries_ms` after a reading; parts of `held` are in the order of time."""
    covered, reached = 0, begin_ms
    for bucket in held:
        until_ms = bucket.last_ms + carries_ms
        if until_ms >= now_ms:
            covered += max(0, now_ms - max(bucket.first_ms, reached))
            break
        if until_ms > reached:
            covered += until_ms - max(reached, bucket.first_ms)
            reached = until_ms
    return covered / (now_ms - begin_ms)


def _base(found: Windowed) -> tuple[int, float] | None:
    """The value when the window began: the newest reading before it, if it is not too old, else the first within."""
    before = [bucket for bucket in found.own if bucket.first_ms <= found.begin_ms]
    if before and before[-1].last_ms > found.begin_ms - found.carries_ms:
        return before[-1].last_ms, before[-1].last
    within = found.own[len(before) :]
    return (within[0].first_ms, within[0].first) if within else None


def _mean(found: Windowed) -> float:
    return _total(found) / sum([bucket.n for bucket in found.buckets])


def _total(found: Windowed) -> float:
    return sum([bucket.total for bucket in found.buckets])


def _step(found: Windowed) -> tuple[float, int] | None:
    """By how much the value changed over the window, and in how many ms; of the device heard newest."""
    base = _base(found)
    if base is None or found.own[-1].last_ms <= base[0]:
        return None
    return found.own[-1].last - base[1], found.own[-1].last_ms - base[0]


def _change(found: Windowed) -> float | None:
    step = _step(found)
    return None if step is None else step[0]


def _rate(found: Windowed) -> float | None:
    step = _step(found)
    return None if step is None else step[0] / (step[1] / 1000)


FIGURES: Mapping[str, Callable[[Windowed], float | None]] = {
    "avg": _mean,
    "sum": _total,
    "min": lambda found: min([bucket.low for bucket in found.buckets]),
    "max": lambda found: max([bucket.high for bucket in found.buckets]),
    "first": lambda found: found.buckets[0].first,
    "last": lambda found: found.own[-1].last if found.own else None,
    "delta": _change,
    "rate": _rate,
}


def _dumped(bucket: Bucket) -> Sequence[float]:
    return bucket if bucket.n > 1 else bucket[:2]


def _loaded(kept: Sequence[float]) -> Bucket:
    if len(kept) == 2:  # noqa: PLR2004 - time and value
        time_ms, value = int(kept[0]), float(kept[1])
        return Bucket(time_ms, value, time_ms, value, 1, value, value, value)
    first_ms, first, last_ms, last, n, total, low, high = kept
    return Bucket(int(first_ms), float(first), int(last_ms), float(last), int(n), *map(float, (total, low, high)))

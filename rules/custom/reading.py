"""What a condition reads at a time: values, known or not, and what stands behind them."""

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from rules.custom.config import CustomConfig, Read
from rules.custom.series import Track, Tracks, Windowed, figure, look, newest
from rules.custom.term import AGE, KNOWN, LATEST, Term

Held: TypeAlias = Mapping[str, Tracks]
"""Readings by the name of their key."""
NO_TRACKS: Tracks = {}


class Found(NamedTuple):
    """What stands behind a term: readings, coverage (None for a single value), time of the newest, devices."""

    n_samples: int
    coverage: float | None
    newest_ms: int
    sources: tuple[str, ...]


def values(config: CustomConfig, held: Held, now_ms: int) -> dict[str, float | bool]:
    """The values that are known, by variable."""
    fresh_ms = config.fresh_ms
    looked: dict[tuple[str, int], Windowed] = {}
    data: dict[str, float | bool] = {}
    for read in config.condition.reads:
        tracks = held.get(read.key, NO_TRACKS)
        track = newest(tracks)
        fresh = track is not None and track.time_ms > now_ms - fresh_ms
        value: float | bool | None = None
        if read.function == KNOWN:
            value = fresh
        elif track is None:
            continue
        elif read.function == AGE:
            value = max(0, now_ms - track.time_ms) / 1000
        elif fresh and read.function == LATEST:
            value = track.value
        elif fresh:
            value = _windowed(config, read, tracks, now_ms, looked)
        if value is not None:
            data[read.variable] = value
    return data


def found(config: CustomConfig, held: Held, term: Term, now_ms: int) -> Found:
    """What stands behind a term."""
    tracks = held.get(term.key.name, NO_TRACKS)
    track = newest(tracks)
    if track is None:
        return Found(0, None, 0, ())
    if not term.window:
        return Found(1, None, track.time_ms, tuple(name for name, each in tracks.items() if each is track))
    begin_ms = now_ms - term.window_ms
    window = look(tracks, term.window_ms, now_ms, config.fresh_ms)
    sources = tuple(sorted(name for name, each in tracks.items() if each.time_ms > begin_ms))
    return Found(sum(bucket.n for bucket in window.buckets), window.coverage, track.time_ms, sources)


def used_since_ms(config: CustomConfig, held: Held, now_ms: int) -> int:
    """The time of the oldest of the newest values that are known; now where none is used."""
    begin_ms = now_ms - config.fresh_ms
    return min([*(each.time_ms for each in _used(config, held) if each.time_ms > begin_ms), now_ms])


def stale_ms(config: CustomConfig, held: Held, now_ms: int) -> int | None:
    """When the first value that is known now will not be known any more."""
    begin_ms = now_ms - config.fresh_ms
    tracks = [newest(each) for each in held.values()]
    times = [each.time_ms for each in tracks if each is not None and each.time_ms > begin_ms]
    return min(times) + config.fresh_ms if times else None


def given_up_ms(config: CustomConfig, held: Held, decided_ms: int) -> int:
    """When a condition ends of which nothing is known since that time."""
    return min([decided_ms, *(each.time_ms for each in _used(config, held))]) + config.fresh_ms


def _used(config: CustomConfig, held: Held) -> list[Track]:
    tracks = [newest(held.get(name, NO_TRACKS)) for name in config.condition.fresh]
    return [track for track in tracks if track is not None]


def _windowed(
    config: CustomConfig, read: Read, tracks: Tracks, now_ms: int, looked: dict[tuple[str, int], Windowed]
) -> float | None:
    place = (read.key, read.window_ms)
    window = looked.get(place)
    if window is None:
        window = looked[place] = look(tracks, read.window_ms, now_ms, config.fresh_ms)
    return figure(read.function, window) if window.coverage >= config.definition.coverage else None

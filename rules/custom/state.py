"""The state of a rule about an asset: readings, and how far the condition has come; as JSON and back."""

from collections.abc import Mapping
from typing import NamedTuple, cast

from rules.custom import series
from rules.custom.config import CustomConfig
from rules.custom.reading import NO_TRACKS, Held
from rules.rule import Json, Observation


class Standing(NamedTuple):
    """How far the condition has come; ms since 1970 (UTC), 0: not so.

    `holds_ms`, `over_ms`: since when it holds without being raised yet, is over without being cleared; `raised_ms`:
    when it was raised; `decided_ms`: when it was last known; `valid_until_ms`: of the newest event.
    """

    holds_ms: int = 0
    raised_ms: int = 0
    over_ms: int = 0
    decided_ms: int = 0
    valid_until_ms: int = 0


class CustomState(NamedTuple):
    """The readings, the condition, and when to look again."""

    held: Held = {}  # noqa: RUF012 - never changed: each state is a new one
    standing: Standing = Standing()
    wake_ms: int = 0


def hear(config: CustomConfig, state: CustomState, given: Observation) -> CustomState:
    """The state with what an observation brings; the same one where that is nothing, or too late to be used."""
    held: dict[str, series.Tracks] | None = None
    for reading in given.readings:
        for key, windows in config.condition.keys.get(reading.quantity, ()):
            if key.channel and key.channel != reading.channel:
                continue
            tracks = (state.held if held is None else held).get(key.name, NO_TRACKS)
            track = tracks.get(given.dev_eui)
            newest_ms = given.now_ms - config.condition.horizon_ms if track is None else track.time_ms
            if given.usable(newest_ms):
                held = dict(state.held) if held is None else held
                horizon_ms = config.condition.horizon_ms
                held[key.name] = series.take_up(
                    tracks, given.dev_eui, given.time_ms, reading.value, windows, horizon_ms
                )
    return state if held is None else state._replace(held=held)


def dump(state: CustomState) -> Json:
    """As JSON."""
    held = {name: series.dump(tracks) for name, tracks in state.held.items()}
    return [held, list(state.standing), state.wake_ms]


def load(config: CustomConfig | None, version: int, kept: Json, current: int) -> CustomState | None:
    """Back from JSON: what the condition reads now, its new windows empty; None where another version wrote it."""
    if config is None or version != current:
        return None
    held, standing, wake_ms = cast("tuple[Mapping[str, Json], tuple[int, ...], int]", kept)
    windows = config.condition.windows
    tracks = {name: series.load(each, windows[name]) for name, each in held.items() if name in windows}
    return CustomState(tracks, Standing(*map(int, standing)), int(wake_ms))

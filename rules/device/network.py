"""Whether a gateway, or the whole network, has fallen silent: one event then, in the place of one for each device.

A gateway's usual gap is the longest between two uplinks, forgotten by half a day after a day. Silent means 2.5 of them
without an uplink; from one of them on it is doubtful, and words on what hangs on it wait until it is heard or silent.
"""

from collections.abc import Iterable
from math import exp2
from typing import Literal, NamedTuple

from rules.device.config import DAY_MS, HOUR_MS, DeviceRules
from rules.event import SOURCE_ROOT, NetworkHealth, event_id, instant

ID = "network.health"
VERSION = 1
SOURCE = f"{SOURCE_ROOT}/{ID}"
NETWORK = "all"
"""The subject of the network as a whole."""
LEAST_UPLINKS = 20
LEAST_DEVICES = 2
LEARNS_MS = HOUR_MS
"""How long a station must have been followed until its gaps are believed."""
MAX_OUTAGES = 16
"""Outages of a station that are remembered."""

Standing = Literal["heard", "doubtful", "silent"]


class Station(NamedTuple):
    """A gateway, or the network: what it heard; times in ms since 1970 (UTC).

    `gap_ms` is its usual longest gap, `devices` how many were heard best by it; `back_ms` when it was heard again after
    a silence; `outages` the newest of its silences as (last heard, heard again).
    """

    first_ms: int = 0
    last_ms: int = 0
    gap_ms: float = 0.0
    uplinks: int = 0
    devices: int = 0
    back_ms: int = 0
    silent: bool = False
    shown_until_ms: int = 0
    outages: tuple[tuple[int, int], ...] = ()


def hear_all(rules: DeviceRules, station: Station, times_ms: Iterable[int]) -> Station:
    """Take uplinks in, given their times in the order of arrival; an outage counts up to where it was said."""
    first_ms, last_ms, gap_ms, uplinks, devices, back_ms, silent, shown_until_ms, outages = station
    away = silent and not back_ms
    for time_ms in times_ms:
        uplinks += 1
        gap = time_ms - last_ms
        if gap <= 0:
            continue
        if away:
            away, back_ms = False, time_ms
            outages = with_outage(outages, last_ms, time_ms)
            gap_ms = max(gap_ms, min(gap, rules.silent_factor * gap_ms))
        elif not last_ms:
            first_ms = time_ms
        else:
            gap_ms = max(gap_ms * exp2(-gap / DAY_MS), gap)
        last_ms = time_ms
    return Station(first_ms, last_ms, gap_ms, uplinks, devices, back_ms, silent, shown_until_ms, outages)


def with_outage(outages: tuple[tuple[int, int], ...], from_ms: int, to_ms: int) -> tuple[tuple[int, int], ...]:
    """The outages with another one; the oldest is forgotten in time."""
    return (*outages, (from_ms, to_ms))[-MAX_OUTAGES:]


def away_ms(outages: Iterable[tuple[int, int]], since_ms: int) -> int:
    """How much of the time since then lies in these outages; where several overlap it counts once."""
    total, at_ms = 0, since_ms
    for from_ms, to_ms in sorted(outages):
        total += max(0, to_ms - max(from_ms, at_ms))
        at_ms = max(at_ms, to_ms)
    return total


def standing(rules: DeviceRules, station: Station, least_ms: int, now_ms: int, since_ms: int = 0) -> Standing:
    """How it stands with a station at this time; `since_ms` is when it could be heard again at the earliest."""
    learned = station.uplinks >= LEAST_UPLINKS and station.last_ms - station.first_ms >= LEARNS_MS
    if not learned or (station.devices < LEAST_DEVICES and not station.silent):
        return "heard"
    quiet_ms = now_ms - max(station.last_ms, since_ms)
    if quiet_ms >= max(rules.silent_factor * station.gap_ms, least_ms):
        return "silent"
    return "doubtful" if quiet_ms > station.gap_ms else "heard"


def conclude(
    rules: DeviceRules, name: str, station: Station, now_ms: int, cause: str, *, silent: bool
) -> tuple[Station, NetworkHealth | None]:
    """Say what changed, or say a silence again before the word expires."""
    if silent == station.silent and (not silent or now_ms < station.shown_until_ms - rules.renewal_ms):
        return station, None
    back_ms = 0 if silent and not station.silent else station.back_ms
    station = station._replace(silent=silent, back_ms=back_ms, shown_until_ms=now_ms + rules.validity_ms)
    return station, _event(rules, name, station, now_ms, cause)


def _event(rules: DeviceRules, name: str, station: Station, now_ms: int, cause: str) -> NetworkHealth:
    least_ms = rules.network_silent_ms if name == NETWORK else rules.gateway_silent_ms
    return NetworkHealth.model_validate(
        {
            "id": event_id(ID, name, "health", cause),
            "source": SOURCE,
            "subject": name,
            "time": instant(now_ms),
            "data": {
                "rule": ID,
                "rule_version": VERSION,
                "valid_until": instant(station.shown_until_ms),
                "evidence": [
                    {
                        "quantity": "silence",
                        "value": (now_ms - station.last_ms) / 1000,
                        "unit": "s",
                        "window_s": None,
                        "threshold": max(rules.silent_factor * station.gap_ms, least_ms) / 1000,
                        "hysteresis": 0,
                        "n_samples": station.uplinks,
                        "newest_at": instant(station.last_ms),
                        "age_s": max(0, now_ms - station.last_ms) / 1000,
                        "sources": (),
                    }
                ],
                "state": "silent" if station.silent else "ok",
                "last_heard": instant(station.last_ms),
                "devices": station.devices,
            },
        }
    )

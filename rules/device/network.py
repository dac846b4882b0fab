"""Whether a gateway, or the whole network, has fallen silent: one event then, in the place of one for each device.

A gateway's usual gap is the longest between two uplinks, forgotten by half a day after a day. Silent means 2.5 of them
without an uplink; from one of them on it is doubtful, and words on what hangs on it wait until it is heard or silent.
"""

from typing import Literal, NamedTuple

from rules.device.config import DAY_MS, DeviceRules
from rules.event import SOURCE_ROOT, NetworkHealth, event_id, instant

ID = "network.health"
VERSION = 1
SOURCE = f"{SOURCE_ROOT}/{ID}"
NETWORK = "all"
"""The subject of the network as a whole."""
LEAST_UPLINKS = 20
LEAST_DEVICES = 2

Standing = Literal["heard", "doubtful", "silent"]


class Station(NamedTuple):
    """A gateway, or the network: what it heard; times in ms since 1970 (UTC).

    `gap_ms` is its usual longest gap, `devices` how many were heard best by it; `back_ms` when it was heard again after
    a silence.
    """

    last_ms: int = 0
    gap_ms: float = 0.0
    uplinks: int = 0
    devices: int = 0
    back_ms: int = 0
    silent: bool = False
    shown_until_ms: int = 0


def hear(station: Station, ns_time_ms: int) -> Station:
    """Take an uplink in."""
    gap_ms = ns_time_ms - station.last_ms
    if gap_ms < 0:
        return station._replace(uplinks=station.uplinks + 1)
    if not station.last_ms:
        return station._replace(last_ms=ns_time_ms, uplinks=1)
    usual = max(station.gap_ms * 2.0 ** (-gap_ms / DAY_MS), station.gap_ms if station.silent else gap_ms)
    back_ms = ns_time_ms if station.silent else station.back_ms
    return station._replace(last_ms=ns_time_ms, gap_ms=usual, uplinks=station.uplinks + 1, back_ms=back_ms)


def standing(rules: DeviceRules, station: Station, least_ms: int, now_ms: int, since_ms: int = 0) -> Standing:
    """How it stands with a station at this time; `since_ms` is when it could be heard again at the earliest."""
    if station.uplinks < LEAST_UPLINKS or station.devices < LEAST_DEVICES:
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
    station = station._replace(silent=silent, shown_until_ms=now_ms + rules.validity_ms)
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

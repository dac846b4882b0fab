"""Which space sensors do not behave as their neighbours, judged at the end of a day."""

from collections.abc import Iterator, Mapping
from statistics import median

from rules.event import SOURCE_ROOT, event_id, instant
from rules.event_parking import SensorSuspicion
from rules.parking.lot_config import DAY_S, MAX_SOURCES
from rules.parking.space_days_config import DaysConfig
from rules.parking.space_record import Days, Space, Suspect

ID = "parking.space_days"
VERSION = 1
SOURCE = f"{SOURCE_ROOT}/{ID}"
KEEP = 0.85
"""What a change that no counter saw weighs a day later."""
USUAL_UNSEEN = 1.0
"""Unseen changes of the median space above which not the sensors are to blame, but a counter."""


def judged(config: DaysConfig, days: Days) -> tuple[Days, tuple[Suspect, ...] | None]:
    """The spaces at the end of the day, ready for the next one, and whom to suspect; None with too few neighbours."""
    begin_ms, _ = days.day
    heard = {dev_eui: space for dev_eui, space in days.spaces.items() if space.newest_ms >= begin_ms}
    usual = _usual(config, heard)
    busy = days.busy + usual
    full = days.full + (usual if days.peak >= config.full_share else 0.0)
    suspects = tuple(sorted(_suspects(config, heard, busy, full))) if len(heard) >= config.least_sensors else None
    spaces = {
        dev_eui: _next_day(space, busy, full)
        for dev_eui, space in days.spaces.items()
        if space.newest_ms + 2 * config.silent_ms > begin_ms
    }
    taken = sum(space.occupied for space in spaces.values())
    peak = taken / len(spaces) if spaces else 0.0
    return days._replace(spaces=spaces, taken=taken, peak=peak, busy=busy, full=full), suspects


def event(config: DaysConfig, days: Days, suspects: tuple[Suspect, ...], now_ms: int, cause: str) -> SensorSuspicion:
    """Who is suspected; the evidence is how often the median space changed that day."""
    begin_ms, _ = days.day
    heard = {dev_eui: space for dev_eui, space in days.spaces.items() if space.newest_ms >= begin_ms}
    german, english = _texts(suspects)
    return SensorSuspicion.model_validate(
        {
            "id": event_id(ID, config.asset, "sensors", cause),
            "source": SOURCE,
            "subject": config.asset,
            "time": instant(now_ms),
            "data": {
                "rule": ID,
                "rule_version": VERSION,
                "valid_until": instant(now_ms + config.validity_ms),
                "evidence": (_evidence(config, days, heard, suspects),),
                "state": "suspicious" if suspects else "ok",
                "suspects": tuple(suspect._asdict() for suspect in suspects),
                "sensors": len(heard),
                "text_de": german,
                "text_en": english,
            },
        }
    )


def _usual(config: DaysConfig, heard: Mapping[str, Space]) -> float:
    """Changes of the median space; none where there are too few neighbours to compare with."""
    return float(median(space.changes for space in heard.values())) if len(heard) >= config.least_sensors else 0.0


def _suspects(config: DaysConfig, heard: Mapping[str, Space], busy: float, full: float) -> Iterator[Suspect]:
    usual_unseen = median(space.unseen for space in heard.values())
    for dev_eui, space in heard.items():
        if space.unseen >= config.unseen_changes and usual_unseen <= USUAL_UNSEEN:
            yield Suspect(dev_eui, "contradicts_counters")
        elif space.changes:
            continue
        elif space.occupied and busy - space.busy_at >= config.stuck_changes:
            yield Suspect(dev_eui, "stuck_occupied")
        elif not space.occupied and full - space.full_at >= config.stuck_changes:
            yield Suspect(dev_eui, "stuck_free")


def _next_day(space: Space, busy: float, full: float) -> Space:
    unseen = round(space.unseen * KEEP, 3)
    if space.changes:
        return space._replace(changes=0, busy_at=busy, full_at=full, unseen=unseen)
    return space._replace(unseen=unseen) if unseen != space.unseen else space


def _evidence(
    config: DaysConfig, days: Days, heard: Mapping[str, Space], suspects: tuple[Suspect, ...]
) -> dict[str, object]:
    _, end_ms = days.day
    newest_ms = min(end_ms, max((space.newest_ms for space in heard.values()), default=end_ms))
    return {
        "quantity": "state_changes",
        "value": _usual(config, heard),
        "unit": "1",
        "window_s": DAY_S,
        "threshold": config.stuck_changes,
        "hysteresis": 0,
        "n_samples": len(heard),
        "newest_at": instant(newest_ms) if heard else None,
        "age_s": (end_ms - newest_ms) / 1000 if heard else None,
        "sources": tuple(dict.fromkeys(suspect.dev_eui for suspect in suspects))[:MAX_SOURCES],
    }


def _texts(suspects: tuple[Suspect, ...]) -> tuple[str, str]:
    if not suspects:
        return (
            "Alle Stellplatzsensoren verhalten sich wie ihre Nachbarn.",
            "All space sensors behave as their neighbours.",
        )
    number = len(suspects)
    german = "Ein Stellplatzsensor ist auffällig" if number == 1 else f"{number} Stellplatzsensoren sind auffällig"
    english = "A space sensor is suspicious" if number == 1 else f"{number} space sensors are suspicious"
    return f"{german}: bitte vor Ort prüfen.", f"{english}: please check on site."

"""What a zone's signs are asked to show: the event with its evidence and texts, and the derived point."""

from rules.event import SOURCE_ROOT, event_id, instant
from rules.event_parking import Advice, GuidanceHealth, ParkingGuidance
from rules.followed import Followed
from rules.parking.guidance_config import ZoneConfig
from rules.parking.zone import LotWord, Shown, Zone, free_of, limits
from rules.point import Point
from rules.request_health import Finding, Texts, body
from rules.rule import Answered, Input

ID = "parking.guidance"
VERSION = 2
SOURCE = f"{SOURCE_ROOT}/{ID}"
HEALTH: Texts = {
    None: ("Die Schilder antworten.", "The signs answer."),
    "no_answer": (
        "Auf die letzte Anforderung kam keine Antwort. Ob die Schilder sie zeigen, ist nicht bekannt.",
        "The last request was not answered. Whether the signs show it is not known.",
    ),
    "rejected": ("Die letzte Anforderung wurde abgelehnt.", "The last request was rejected."),
    "fault": ("Die Schilder melden eine Störung.", "The signs report a fault."),
}


def event(config: ZoneConfig, zone: Zone, saying: Shown, now_ms: int, cause: str) -> ParkingGuidance:
    """The request; the engine numbers it."""
    lots = [(id_, zone.lots.get(id_), advice) for (id_, _), advice in zip(config.lots, saying.advices, strict=True)]
    known = [(lot, advice) for _, lot, advice in lots if lot is not None and advice in {"recommend", "divert"}]
    german, english = _texts(config, zone, saying)
    return ParkingGuidance.model_validate(
        {
            "id": event_id(ID, config.asset, "guidance", cause),
            "source": SOURCE,
            "subject": config.asset,
            "time": instant(now_ms),
            "data": {
                "rule": ID,
                "rule_version": VERSION,
                "valid_until": instant(saying.valid_until_ms),
                "issued_at": instant(now_ms),
                "evidence": tuple(_evidence(config, lot, now_ms) for lot, _ in known),
                "reason": saying.reason,
                "recommend": saying.recommend,
                "divert_from": tuple(id_ for id_, _, advice in lots if advice in {"divert", "closed"}),
                "lots": tuple(_lot(id_, lot, advice, now_ms) for id_, lot, advice in lots),
                "text_de": german,
                "text_en": english,
            },
        }
    )


def health(config: ZoneConfig, zone: Zone, given: Input | Followed) -> GuidanceHealth:
    """Whether the signs answer."""
    carried = zone.carried
    finding = Finding(
        carried.problem,
        carried.since_ms,
        zone.shown.reason if zone.shown else None,
        carried.newest,
        carried.answered_ms,
        config.answer_timeout_ms,
        int(isinstance(given, Answered)),
        carried.shown_until_ms,
    )
    about = (ID, VERSION), config.asset
    return GuidanceHealth.model_validate(body(*about, finding, HEALTH, given.now_ms, given.cause))


def point(config: ZoneConfig, zone: Zone, saying: Shown, now_ms: int) -> Point:
    """Lots known and recommended, and the free spaces of the known ones."""
    known = [
        zone.lots[id_]
        for (id_, _), advice in zip(config.lots, saying.advices, strict=True)
        if advice in {"recommend", "divert"}
    ]
    free = sum(_free(lot) for lot in known)
    fields = [*config.position, ("lots_known", len(known)), ("lots_recommended", len(saying.recommend))]
    if known:
        fields.append(("free", free))
    return Point("asset", config.tags, tuple(fields), now_ms)


def _lot(id_: str, lot: LotWord | None, advice: Advice, now_ms: int) -> dict[str, object]:
    told: dict[str, object] = {"lot": id_, "advice": advice}
    told["free"] = free_of(lot, advice)
    if lot is None or lot.occupied is None or advice in {"unknown", "closed"}:
        return {**told, "occupancy": None, "trend": None, "age_s": None}
    return {
        **told,
        "occupancy": round(lot.occupied / lot.capacity, 4),
        "trend": lot.trend,
        "age_s": max(0, now_ms - lot.newest_ms) / 1000,
    }


def _free(lot: LotWord) -> int:
    return lot.capacity - (lot.occupied or 0)


def _evidence(config: ZoneConfig, lot: LotWord, now_ms: int) -> dict[str, object]:
    begin, end = limits(config, lot.capacity)
    return {
        "quantity": "occupied",
        "value": lot.occupied,
        "unit": "1",
        "window_s": None,
        "threshold": begin,
        "hysteresis": begin - end,
        "n_samples": lot.samples,
        "newest_at": instant(lot.newest_ms),
        "age_s": max(0, now_ms - lot.newest_ms) / 1000,
        "sources": lot.sources,
    }


def _texts(config: ZoneConfig, zone: Zone, saying: Shown) -> tuple[str, str]:
    """For people, in German and English."""
    names = dict(config.lots)
    free = ", ".join(f"{names[id_]} ({_free(zone.lots[id_])})" for id_ in saying.recommend)
    advised = zip(config.lots, saying.advices, strict=True)
    full = ", ".join(name for (_, name), advice in advised if advice in {"divert", "closed"})
    if saying.reason == "no_news":
        return "Keine aktuellen Angaben zu freien Plätzen.", "No recent information on free spaces."
    german = f"Freie Plätze: {free}." if free else "Keine freien Plätze bekannt."
    english = f"Free spaces: {free}." if free else "No free spaces known."
    if full:
        return f"{german} Voll oder geschlossen: {full}.", f"{english} Full or closed: {full}."
    return german, english

"""Where drivers are sent in a zone: to lots with free spaces, away from those that are full or nearly so.

It follows the states of its lots. A lot of which nothing newer than `news_max_s` is known is neither recommended nor
warned of. Nothing is requested while nothing is known; when the last lot falls silent, that is said once. Whoever takes
over the signs (answer `overridden`) is left alone until the time that the answer names, or for `override_hold_s`.
Signs that do not answer for `answer_timeout_s`, that refuse or report a fault are said to, in an event of their own.
"""

from collections.abc import Mapping
from typing import Any

from rules import request_health
from rules.event import LotState
from rules.event_parking import Advice, GuidanceReason, ParkingGuidance
from rules.followed import Followed
from rules.parking.guidance_config import ZoneConfig, configure, lots_of
from rules.parking.guidance_event import ID, VERSION, event, health, point
from rules.parking.zone import STATE, Shown, Zone, advice, free_of, word
from rules.parts import Parts
from rules.rule import NOTHING, Answered, Input, Json, Outputs, Rule, Tick

__all__ = ["ID", "RULE", "configure", "dump", "initial", "load", "step", "wake"]

DAY_MS = 86_400_000
READABLE = frozenset({1, VERSION})
"""Versions whose states can be taken up: the first one knew nothing of answers."""
LEAST_SPACES = 2
"""A figure that moved by less is not told anew before its renewal."""


def initial(_config: ZoneConfig) -> Zone:
    """A zone from whose lots nothing was heard yet."""
    return Zone({}, None)


def step(config: ZoneConfig, zone: Zone, given: Input | Followed) -> tuple[Zone, Outputs]:
    """Take up what a lot concluded, an answer, or the time that passed; request what changed or is to be renewed."""
    if isinstance(given, Followed):
        lot = given.event
        if not isinstance(lot, LotState) or all(lot.subject != id_ for id_, _ in config.lots):
            return zone, NOTHING
        before = zone.lots.get(lot.subject)
        zone = zone._replace(lots={**zone.lots, lot.subject: word(config, before, lot)})
    elif isinstance(given, Answered) and given.status == "sent":
        carried = request_health.sent(zone.carried, given.request_id, given.now_ms)
        return (zone if carried is zone.carried else zone._replace(carried=carried)), NOTHING
    elif isinstance(given, Answered):
        return _watched(config, _hold(config, zone, given), given, NOTHING)
    elif not isinstance(given, Tick):
        return zone, NOTHING
    zone, outputs = _conclude(config, zone, given)
    return _watched(config, zone, given, outputs)


def wake(config: ZoneConfig, zone: Zone) -> int | None:
    """When a lot's word ends, guidance can be renewed, the signs are free again, or their answer is late."""
    times = (_speaks_ms(config, zone), request_health.wake(zone.carried, config.answer_timeout_ms))
    return min((time for time in times if time is not None), default=None)


def _speaks_ms(config: ZoneConfig, zone: Zone) -> int | None:
    """When there may be something to request."""
    shown = zone.shown
    if shown is None:
        return None
    lots, advices = zone.lots, shown.advices
    ends = [lots[id_].until_ms for (id_, _), advised in zip(config.lots, advices, strict=True) if advised != "unknown"]
    if not ends:
        return None
    end_ms = min(ends)
    if end_ms > shown.valid_until_ms:
        end_ms = min(end_ms, shown.valid_until_ms - config.renewal_ms)
    return max(end_ms, zone.held_until_ms)


def dump(zone: Zone) -> Json:
    """The state as JSON, the word of each lot a part of it."""
    return {
        "lots": Parts(zone.lots, tuple),
        "shown": zone.shown and zone.shown._asdict(),
        "held_until_ms": zone.held_until_ms,
        "carried": zone.carried._asdict(),
    }


def load(config: ZoneConfig, version: int, kept: Json) -> Zone | None:
    """The state from JSON without lots that the zone no longer has; None when its version is unknown."""
    if version not in READABLE:
        return None
    zone = STATE.validate_python(kept)
    lots = {id_: zone.lots[id_] for id_, _ in config.lots if id_ in zone.lots}
    same = zone.shown is not None and len(zone.shown.advices) == len(config.lots) and len(lots) == len(zone.lots)
    return zone._replace(lots=lots, shown=zone.shown if same else None)


def permits(config: ZoneConfig, data: Mapping[str, Any]) -> bool:
    """Whether guidance may be outside: it is about the lots that the zone has."""
    return [each["lot"] for each in data["lots"]] == [id_ for id_, _ in config.lots]


def _hold(config: ZoneConfig, zone: Zone, given: Answered) -> Zone:
    held_until_ms = zone.held_until_ms
    if given.status == "overridden":
        said_ms = min(given.time_ms, given.now_ms)
        until_ms = given.until_ms if given.until_ms is not None else said_ms + config.hold_ms
        held_until_ms = min(until_ms, given.now_ms + DAY_MS)
    elif given.status in {"accepted", "active"}:
        held_until_ms = 0
    carried = request_health.answered(zone.carried, given, held_until_ms)
    if (held_until_ms, carried) == (zone.held_until_ms, zone.carried):
        return zone
    return zone._replace(held_until_ms=held_until_ms, carried=carried)


def _watched(config: ZoneConfig, zone: Zone, given: Input | Followed, outputs: Outputs) -> tuple[Zone, Outputs]:
    """The zone and the outputs with what is to be said of the signs."""
    carried = request_health.settled(zone.carried, config.answer_timeout_ms, given.now_ms)
    said = request_health.say(carried, given.now_ms)
    if said is None:
        return (zone if carried is zone.carried else zone._replace(carried=carried)), outputs
    zone = zone._replace(carried=said)
    return zone, outputs._replace(events=(*outputs.events, health(config, zone, given)))


def _conclude(config: ZoneConfig, zone: Zone, given: Tick | Followed) -> tuple[Zone, Outputs]:
    now_ms, shown = given.now_ms, zone.shown
    if shown is not None and _stands(config, zone, shown, now_ms):
        return zone, NOTHING
    advices = tuple([advice(zone.lots.get(id_), now_ms) for id_, _ in config.lots])
    reason = _reason(advices)
    if now_ms < zone.held_until_ms or (shown is None and reason == "no_news"):
        return zone, NOTHING
    recommend = _preferred(config, zone, advices)
    until_ms = min([now_ms + config.validity_ms, *_ends(config, zone, advices)])
    free = tuple(free_of(zone.lots.get(id_), told) for (id_, _), told in zip(config.lots, advices, strict=True))
    same = shown is not None and (reason, advices, recommend) == shown[:3] and not _moved(config, zone, shown, free)
    if shown is not None and same:
        renewal_ms = shown.valid_until_ms - config.renewal_ms
        if reason == "no_news" or now_ms < renewal_ms or until_ms <= shown.valid_until_ms:
            return zone, NOTHING
    saying = Shown(reason, advices, recommend, until_ms, free)
    request: ParkingGuidance = event(config, zone, saying, now_ms, given.cause)
    carried = request_health.asking(zone.carried, request.id)
    return zone._replace(shown=saying, carried=carried), Outputs((request,), (point(config, zone, saying, now_ms),))


def _stands(config: ZoneConfig, zone: Zone, shown: Shown, now_ms: int) -> bool:
    """Whether what was requested last is as it should be, which it is nearly always; a quick look at each lot."""
    if now_ms < zone.held_until_ms or now_ms >= shown.valid_until_ms - config.renewal_ms:
        return False
    lots = zone.lots
    free_first: list[str] = []
    others: list[str] = []
    for (id_, _), told, told_free in zip(config.lots, shown.advices, shown.free, strict=True):
        lot = lots.get(id_)
        if lot is None:
            if told != "unknown":
                return False
            continue
        if advice(lot, now_ms) != told:
            return False
        if told_free is not None and lot.occupied is not None and told != "closed":
            moved = abs(lot.capacity - lot.occupied - told_free)
            if moved >= LEAST_SPACES and moved >= config.update * lot.capacity:
                return False
        if told == "recommend":
            (free_first if lot.state == "free" else others).append(id_)
    return shown.recommend == (*free_first, *others)


def _moved(config: ZoneConfig, zone: Zone, shown: Shown, free: tuple[int | None, ...]) -> bool:
    """Whether a lot's figure is far from the one that was told."""
    return any(
        now is not None
        and told is not None
        and abs(now - told) >= max(LEAST_SPACES, config.update * zone.lots[id_].capacity)
        for (id_, _), now, told in zip(config.lots, free, shown.free, strict=True)
        if id_ in zone.lots
    )


def _reason(advices: tuple[Advice, ...]) -> GuidanceReason:
    if "recommend" in advices:
        return "guided"
    return "all_full" if {"divert", "closed"} & set(advices) else "no_news"


def _preferred(config: ZoneConfig, zone: Zone, advices: tuple[Advice, ...]) -> tuple[str, ...]:
    """Lots to recommend in the zone's order, those that are almost full behind the others."""
    known = zip(config.lots, advices, strict=True)
    found = [id_ for (id_, _), advised in known if advised == "recommend"]
    return tuple(sorted(found, key=lambda id_: zone.lots[id_].state != "free"))


def _ends(config: ZoneConfig, zone: Zone, advices: tuple[Advice, ...]) -> list[int]:
    """When what is known of the lots ends."""
    known = zip(config.lots, advices, strict=True)
    return [zone.lots[id_].until_ms for (id_, _), advised in known if advised != "unknown"]


RULE = Rule(
    id=ID,
    version=VERSION,
    kind="zone",
    configure=configure,
    initial=initial,
    step=step,
    wake=wake,
    dump=dump,
    load=load,
    follows=lots_of,
    heed=step,
    answers="guidance",
    permits=permits,
)

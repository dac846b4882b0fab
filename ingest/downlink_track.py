"""What ChirpStack's events, and the passing of time, say of a downlink; pure.

`txack`, `ack` and some `log` events name the queue item, whose id is that of our request. News that comes twice, or in
another order, leads to the same status.
"""

from collections.abc import Iterable, Mapping

import structlog

from ingest.chirpstack import AckEvent, Event, LogEvent, TxAckEvent
from ingest.downlink import OPEN, TAKEN, TROUBLE, Downlink, Named
from rules.event import SOURCE_ROOT, event_id, instant
from rules.event_custom import DownlinkReported, DownlinkReportedData

RULE = "downlink.status"
"""Who says what became of a downlink; no rule that anybody sets a mode for."""
VERSION = 1
VALID_MS = 86_400_000
"""ms that such news is worth delivering: an operator's weekend night."""
EXPIRED, GATEWAY = "EXPIRED", "DOWNLINK_GATEWAY"
FAILURES = frozenset({GATEWAY, "DOWNLINK_PAYLOAD_SIZE", "DOWNLINK_CODEC", "F_CNT_DOWN"})
"""Codes of ChirpStack's log (4.20, LogCode) about queue items that are not sent."""
QUEUE_ITEM = "queue_item_id"
DESCRIPTION_LETTERS, REASON_LETTERS = 200, 600
MISSED = "not handed to ChirpStack in time"

log = structlog.get_logger(__name__)


def named(event: Event) -> Named | None:
    """Which downlink an event may be about; None for one that is about none.

    A gateway's refusal names no queue item in some versions of ChirpStack, which tries the item again.
    """
    dev_eui = event.device_info.dev_eui
    if isinstance(event, TxAckEvent | AckEvent):
        return Named(dev_eui, event.queue_item_id) if event.queue_item_id else None
    if isinstance(event, LogEvent) and (event.code == EXPIRED or event.code in FAILURES):
        item = event.context.get(QUEUE_ITEM, "")
        return Named(dev_eui, item) if item or event.code == GATEWAY else None
    return None


def news(known: Mapping[str, Downlink], event: Event, now_ms: int) -> list[Downlink]:
    """The downlinks that are not what they were, after this event."""
    name = named(event)
    if name is None:
        return []
    if not name.id and isinstance(event, LogEvent):
        reason = _reason(event)
        waiting = [one for one in known.values() if one.dev_eui == name.dev_eui and one.status in OPEN]
        return [one._replace(reason=reason) for one in waiting if one.reason != reason]
    before = known.get(name.id)
    if before is None or before.dev_eui != name.dev_eui:
        return []
    after = _after(before, event, min(max(event.time_ms, before.time_ms), now_ms))
    return [] if after is before else [after]


def overdue(known: Mapping[str, Downlink], time_ms: int, margin_ms: int) -> list[Downlink]:
    """Those of which nothing was heard long after they had expired."""
    found = []
    for one in known.values():
        if one.status in OPEN and one.valid_until_ms + margin_ms <= time_ms:
            if one.status == "sending":
                found.append(one.become("expired", time_ms, MISSED))
            else:
                reason = f"no gateway took it while it was valid{f'; {one.reason}' * bool(one.reason)}"
                found.append(one.become("unanswered", time_ms, reason))
    return found


def report(downlink: Downlink) -> DownlinkReported | None:
    """The event that says what became of it; None while that is not known."""
    status = downlink.status
    if status == "sending" or status == "queued" or status == "withdrawn":  # noqa: PLR1714 - mypy narrows these only
        return None
    return DownlinkReported(
        id=event_id(RULE, downlink.subject, status, downlink.id),
        source=f"{SOURCE_ROOT}/{RULE}",
        subject=downlink.subject,
        time=instant(downlink.since_ms),
        data=DownlinkReportedData(
            rule=RULE,
            rule_version=VERSION,
            valid_until=instant(downlink.since_ms + VALID_MS),
            evidence=(),
            request_id=downlink.id,
            requested_by=downlink.rule,
            dev_eui=downlink.dev_eui,
            status=status,
            reason=downlink.reason[:REASON_LETTERS],
        ),
    )


def say(told: Iterable[Downlink]) -> None:
    """A line in the log for each that somebody should look at."""
    for one in told:
        if one.status in TROUBLE:
            log.warning(
                "downlink did not get through",
                id=one.id,
                device=one.dev_eui,
                rule=one.rule,
                subject=one.subject,
                status=one.status,
                reason=one.reason,
            )


def _after(before: Downlink, event: Event, time_ms: int) -> Downlink:
    status = before.status
    match event:
        case TxAckEvent():
            return before if status in TAKEN else before.become("sent", time_ms)
        case AckEvent(acknowledged=True):
            return before if status == "acknowledged" else before.become("acknowledged", time_ms)
        case AckEvent():
            known = status in {"acknowledged", "not_acknowledged"}
            return before if known else before.become("not_acknowledged", time_ms, "the device did not acknowledge it")
        case LogEvent(code=code) if status not in TAKEN | {"expired", "failed", "rejected"}:
            return before.become("expired" if code == EXPIRED else "failed", time_ms, _reason(event))
        case _:
            return before


def _reason(event: LogEvent) -> str:
    return f"{event.code}: {event.description}"[:DESCRIPTION_LETTERS]

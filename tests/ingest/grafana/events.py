"""Events that may become annotations, and journals with them."""

from ingest.journal import Journal
from ingest.journal_records import Batch, EventRow
from rules.event import SOURCE_ROOT, event_id, instant
from rules.event_custom import ConditionStatus, CustomCondition, Severity
from rules.event_environment import AlertStatus, EnvironmentalAlert

NOW = 1_800_000_000_000
MINUTE = 60_000
VALID_MS = 60 * MINUTE


def condition(
    status: ConditionStatus = "raised",
    time_ms: int = NOW,
    *,
    severity: Severity = "severe",
    annotate: bool = False,
    asset: str = "station-1",
    rule: str = "custom.fine_dust",
    since_ms: int | None = None,
    text: str = "",
) -> CustomCondition:
    """A condition that a city wrote."""
    since = None if status == "cleared" else instant(since_ms or time_ms)
    data = {
        "rule": rule,
        "rule_version": 1,
        "valid_until": instant(time_ms + VALID_MS),
        "evidence": (),
        "status": status,
        "reason": "measured",
        "severity": severity,
        "expression": 'avg("pm10", "1h") > 50.0',
        "since": since,
        "annotate": annotate,
        "text_de": text or f"Feinstaub ist {status}",
        "text_en": text or f"fine dust is {status}",
    }
    return CustomCondition.model_validate(_event(rule, asset, status, time_ms, data))


def alert(
    status: AlertStatus,
    level: int,
    previous: int,
    time_ms: int = NOW,
    *,
    asset: str = "station-1",
    since_ms: int | None = None,
) -> EnvironmentalAlert:
    """An alert of the environment."""
    rule = "environment.heat"
    data = {
        "rule": rule,
        "rule_version": 1,
        "valid_until": instant(time_ms + VALID_MS),
        "evidence": (),
        "kind": "heat",
        "status": status,
        "reason": "measured",
        "level": level,
        "previous_level": previous,
        "since": None if status == "cleared" else instant(since_ms or time_ms),
        "indicative": True,
        "incomplete": False,
        "contradicting": False,
        "text_de": f"Hitze Stufe {level}",
        "text_en": f"heat level {level}",
    }
    return EnvironmentalAlert.model_validate(_event(rule, asset, f"{status}{level}", time_ms, data))


def _event(rule: str, asset: str, what: str, time_ms: int, data: dict[str, object]) -> dict[str, object]:
    return {
        "id": event_id(rule, asset, what, str(time_ms)),
        "source": f"{SOURCE_ROOT}/{rule}",
        "subject": asset,
        "time": instant(time_ms),
        "data": data,
    }


def row(event: CustomCondition | EnvironmentalAlert, status: str = "published") -> EventRow:
    """The event as the journal keeps it."""
    return EventRow(
        event.id,
        event.topic,
        event.payload(),
        event.retained,
        event.acting,
        event.time_ms,
        event.valid_until_ms,
        status,
    )


async def keep(journal: Journal, *events: CustomCondition | EnvironmentalAlert, status: str = "published") -> None:
    """Commit events."""
    await journal.commit(Batch(events=[row(event, status) for event in events]), NOW)

"""What a person reports of a container: heard by its rule and noted in the audit table, in one commit."""

from typing import Any

from ingest import tour_feedback
from ingest.audit import Action
from ingest.journal_schema import JournalError
from ingest.pipeline import Pipeline, Stopping
from rules.engine import Engine
from rules.event import instant

ACTION = "waste report"


class ReportError(Exception):
    """A report that was not taken; the message says why."""


async def side_waste(
    pipeline: Pipeline, engine: Engine, container: str, now_ms: int, actor: str, reason: str
) -> dict[str, Any]:
    """Report that waste lies beside a container now; what was noted, as JSON. Raises ReportError."""
    if not engine.told_of_stop(container):
        raise ReportError(f"{container!r:.200} is no container of the city's file")
    note = tour_feedback.report(container, now_ms, side_waste=True)
    try:
        await pipeline.tell(note, Action(actor, ACTION, container, reason))
    except (JournalError, Stopping) as error:
        raise ReportError(f"nothing was noted: {error}") from error
    return {"container": container, "side_waste": True, "time": instant(now_ms).isoformat()}

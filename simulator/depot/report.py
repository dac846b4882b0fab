"""What a depot tells the service, and how that stands on the wire: answers to tours, and what became of stops."""

import uuid
from datetime import UTC, datetime
from typing import Final, NamedTuple

from rules.answer import Answer, AnswerData
from rules.event import TOPIC_ROOT, topic_safe
from rules.feedback import SkipReason, StopData, StopFeedback
from simulator.faults import Message, Outcome

SOURCE: Final = "/simulator/depot"
STOP_TYPE: Final = "simulator.depot.stop"
ANSWER_TYPE: Final = "simulator.depot.answer"
NS_PER_US: Final = 1000
US_PER_S: Final = 1_000_000


class Stopped(NamedTuple):
    """A vehicle is done with a stop: it was served, or skipped for a reason."""

    time_ns: int
    vehicle: str
    stop: str
    reason: SkipReason | None = None


class Confirmed(NamedTuple):
    """The depot wants the tour that an event of this id is about."""

    time_ns: int
    vehicle: str
    request_id: str


class BrokeDown(NamedTuple):
    """The vehicle cannot go on; the event of this id is the newest about its tour."""

    time_ns: int
    vehicle: str
    request_id: str


Report = Stopped | Confirmed | BrokeDown


def message(report: Report) -> Message:
    """The report as the service takes it; the same report gives the same bytes."""
    if isinstance(report, Stopped):
        return Message(report.time_ns, _topic(report, "stop"), _stop(report), Outcome.ANSWER)
    return Message(report.time_ns, _topic(report, "route/status"), _answer(report), Outcome.ANSWER)


def _topic(report: Report, what: str) -> str:
    return f"{TOPIC_ROOT}/waste/vehicle/{topic_safe(report.vehicle)}/{what}"


def _stop(report: Stopped) -> bytes:
    time = _instant(report.time_ns)
    data = StopData(
        stop=report.stop,
        result="served" if report.reason is None else "skipped",
        reason=report.reason,
        time=time,
        fill_level_estimate=None,
        mass_kg=None,
    )
    event = StopFeedback(
        specversion="1.0",
        id=_name(report),
        source=SOURCE,
        type=STOP_TYPE,
        time=time,
        subject=report.vehicle,
        datacontenttype="application/json",
        data=data,
    )
    return event.model_dump_json().encode()


def _answer(report: Confirmed | BrokeDown) -> bytes:
    if isinstance(report, Confirmed):
        data = AnswerData(request_id=report.request_id, status="accepted", plan=None, by=None, until=None, reason="")
    else:
        data = AnswerData(
            request_id=report.request_id, status="overridden", plan=None, by="fault", until=None, reason="breakdown"
        )
    event = Answer(
        specversion="1.0",
        id=_name(report),
        source=SOURCE,
        type=ANSWER_TYPE,
        time=_instant(report.time_ns),
        data=data,
    )
    return event.model_dump_json().encode()


def _name(report: Report) -> str:
    """Another id for every report."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{SOURCE} {type(report).__name__} {tuple(report)}"))


def _instant(time_ns: int) -> datetime:
    seconds, rest_us = divmod(time_ns // NS_PER_US, US_PER_S)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest_us)

"""What the depot answers to tours, from the journal's inbox to the plans; what cannot be done becomes a dead letter."""

import sqlite3
from collections.abc import Sequence

import structlog
from pydantic import ValidationError

from ingest.audit import Action
from ingest.clock import Clock
from ingest.dead_letter import Reason, dead_letter
from ingest.journal import Journal
from ingest.journal_records import Batch
from ingest.journal_schema import JournalError
from ingest.routes import store
from ingest.routes.board import Board
from ingest.routes.store import Answer
from ingest.telemetry import Telemetry
from rules import answer
from rules.answer import AnswerData, AnswerError
from rules.event_route import RoutePlanned
from rules.waste.route import life
from rules.waste.route.life import Change, LifeError
from rules.waste.route.record import PlanRecord

log = structlog.get_logger(__name__)

ANSWER = "routes answer"
DAMAGED = "checksum of a journal row does not fit"


class Hearing:
    """Does what the depot said, in its order."""

    def __init__(self, journal: Journal, board: Board, clock: Clock, telemetry: Telemetry) -> None:
        self._journal = journal
        self._board = board
        self._clock = clock
        self._telemetry = telemetry

    async def hear(self) -> bool:
        """Do all that waits; whether a newer plan is asked for by it. Raises JournalError, and the rest waits on."""
        asked = False
        while waiting := await self._journal.query(store.answers):
            for heard in waiting:
                try:
                    asked = await self._do(heard) or asked
                except (LifeError, AnswerError) as error:
                    await self._reject(heard, Reason.ANSWER, str(error))
                except JournalError:
                    raise
                except Exception as error:  # the outermost boundary of an answer: it must not hold up the others
                    log.exception("an answer to a tour cannot be heard", topic=heard.topic)
                    await self._reject(heard, Reason.INTERNAL, f"{type(error).__name__}: {error}")
        return asked

    async def _do(self, heard: Answer) -> bool:
        if not heard.intact:
            await self._reject(heard, Reason.CHECKSUM, DAMAGED)
            return False
        about, given = answer.about(heard.topic), answer.parse(heard.payload)
        if about is None:
            raise AnswerError(f"{heard.topic!r:.200} is no topic of an answer")
        data, vehicle = given.data, about.subject

        def decide(connection: sqlite3.Connection, now_ms: int) -> Change:
            store.forget_answer(connection, heard.seq)
            return _decided(connection, vehicle, data, now_ms)

        detail = f"{data.status} {data.request_id}"
        made = await self._board.change(decide, Action(f"mqtt:{given.source}", ANSWER, vehicle, data.reason, detail))
        self._telemetry.planned(data.status)
        log.info("the depot answered", vehicle=vehicle, status=data.status, plans=[plan.id for plan in made.plans])
        return any(plan.asked_ms for plan in made.plans)

    async def _reject(self, heard: Answer, reason: Reason, detail: str) -> None:
        now_ms = self._clock()
        letter = dead_letter(reason, detail, heard.topic, heard.payload, now_ms, self._journal.settings)
        log.warning("an answer to a tour is set aside", topic=heard.topic, error=detail)
        await self._journal.commit(
            Batch(dead_letters=[letter]), now_ms, lambda connection: store.forget_answer(connection, heard.seq)
        )


def _decided(connection: sqlite3.Connection, vehicle: str, data: AnswerData, now_ms: int) -> Change:
    """What an answer changes; raises LifeError."""
    row = connection.execute("SELECT payload FROM event WHERE id = ?", (data.request_id,)).fetchone()
    try:
        said = RoutePlanned.model_validate_json(row[0]) if row is not None else None
    except ValidationError:
        said = None
    if said is None or said.subject != vehicle:
        raise LifeError(f"request_id: {data.request_id!r} is the id of no tour of {vehicle}")
    plans = store.live(connection, said.data.day, said.data.fraction, said.data.plan)
    name = _meant(plans, vehicle, data.request_id) or said.data.plan
    if data.status in {"accepted", "active"}:
        return life.accepted(plans, name, vehicle, now_ms)
    if data.status == "overridden" and data.by == "fault":
        return life.asked(plans, {vehicle}, now_ms)
    words = data.reason or " by ".join(filter(None, (data.status if data.status != "rejected" else "", data.by or "")))
    return life.rejected(plans, name, vehicle, words, now_ms)


def _meant(plans: Sequence[PlanRecord], vehicle: str, request_id: str) -> str:
    """The plan whose tour was said by this event; a newer plan may have taken the tour over as it was."""
    for plan in reversed(plans):
        tour = plan.tour(vehicle)
        if tour is not None and tour.event_id == request_id and tour.status != "withdrawn":
            return plan.id
    return ""

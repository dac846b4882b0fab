"""Plans of tours in the journal: statements, each inside its caller's transaction where it writes.

A row whose checksum does not fit is as if it were not there. `day` is ISO 8601, `body` the plan as JSON.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple

from pydantic import TypeAdapter, ValidationError

from ingest.journal_schema import checksum
from rules.rule import StateRow
from rules.waste.route.in_force import standing
from rules.waste.route.record import PlanRecord, TourRecord

COLUMNS: Final = "id, day, fraction, status, created_ms, body"
SELECT: Final = f"SELECT {COLUMNS}, crc FROM route"  # noqa: S608 - own names
PUT: Final = (
    f"INSERT INTO route ({COLUMNS}, crc) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - the same
    " ON CONFLICT (id) DO UPDATE SET status = excluded.status, body = excluded.body, crc = excluded.crc"
)
WENT_OUT: Final = "SELECT topic FROM event WHERE id = ? AND status IN ('published', 'superseded')"
WAITS: Final = "SELECT 1 FROM event WHERE topic = ? AND status = 'pending'"
STANDS: Final = (
    "SELECT json_extract(CAST(payload AS TEXT), '$.data.day') FROM retained JOIN event ON event.id = event_id"
    " WHERE retained.topic = ? AND retained.valid_until_ms > ?"
)
KEPT_DAYS: Final = 400
"""A year of tours, and some to look back on it."""
LOOK_BACK: Final = 200
"""Plans of a fraction among which the last confirmed tours are looked for: half a year of days."""
PLAN: Final[TypeAdapter[PlanRecord]] = TypeAdapter(PlanRecord)


class Answer(NamedTuple):
    """What the depot said to a tour, as it came; not `intact` when its checksum does not fit."""

    seq: int
    topic: str
    payload: bytes
    time_ms: int
    intact: bool


def put(connection: sqlite3.Connection, plans: Iterable[PlanRecord]) -> None:
    """Write these as they are now."""
    rows = [
        (plan.id, plan.day.isoformat(), plan.fraction, plan.status, plan.created_ms, PLAN.dump_json(plan).decode())
        for plan in plans
    ]
    connection.executemany(PUT, [(*row, checksum(*row)) for row in rows])


def find(connection: sqlite3.Connection, name: str) -> PlanRecord | None:
    """The plan of this id."""
    return next(_intact(connection.execute(f"{SELECT} WHERE id = ?", (name,))), None)


def of_day(connection: sqlite3.Connection, day: date, fraction: str | None = None) -> list[PlanRecord]:
    """The plans of a day (and a fraction) in the order of their making."""
    query = f"{SELECT} WHERE day = :day AND (:fraction IS NULL OR fraction = :fraction) ORDER BY number"
    return list(_intact(connection.execute(query, {"day": day.isoformat(), "fraction": fraction})))


def live(connection: sqlite3.Connection, day: date, fraction: str | None = None, also: str = "") -> list[PlanRecord]:
    """Those of them that are not withdrawn, and the one of the id `also`."""
    query = (
        f"{SELECT} WHERE day = :day AND (:fraction IS NULL OR fraction = :fraction)"
        " AND (status != 'withdrawn' OR id = :also) ORDER BY number"
    )
    return list(_intact(connection.execute(query, {"day": day.isoformat(), "fraction": fraction, "also": also})))


def made(connection: sqlite3.Connection, day: date) -> dict[str, int]:
    """When the newest plan of a day was made, withdrawn or not, by fraction."""
    query = "SELECT fraction, max(created_ms) FROM route WHERE day = ? GROUP BY fraction"
    return dict(map(tuple, connection.execute(query, (day.isoformat(),))))


def before(connection: sqlite3.Connection, day: date, fraction: str) -> list[PlanRecord]:
    """The newest plans of whole earlier days, among them the last confirmed tours; none that were made during a day."""
    query = (
        f"{SELECT} WHERE day < ? AND fraction = ?"
        " AND CASE WHEN json_valid(body) THEN json_extract(body, '$.origin') != 'replanned' END"
        " ORDER BY day DESC, number DESC LIMIT ?"
    )
    return list(_intact(connection.execute(query, (day.isoformat(), fraction, LOOK_BACK))))


def had_plans(connection: sqlite3.Connection, day: date, fraction: str) -> bool:
    """Whether there were any on earlier days."""
    query = "SELECT EXISTS (SELECT 1 FROM route WHERE day < ? AND fraction = ?)"
    (found,) = connection.execute(query, (day.isoformat(), fraction)).fetchone()
    return bool(found)


def asked_days(connection: sqlite3.Connection, first: date) -> list[date]:
    """The days from this one on of whose plans, withdrawn ones left out, a newer one was asked for."""
    query = (
        "SELECT DISTINCT day FROM route WHERE day >= ? AND status != 'withdrawn'"
        " AND CASE WHEN json_valid(body) THEN json_extract(body, '$.asked_ms') > 0 END ORDER BY day"
    )
    return [date.fromisoformat(day) for (day,) in connection.execute(query, (first.isoformat(),))]


def overtaken(connection: sqlite3.Connection, plans: Iterable[PlanRecord], now_ms: int) -> frozenset[str]:
    """The vehicles whose tour in force went out, but a word of a later day, or nothing, stands on their topic now."""
    return frozenset(
        vehicle
        for vehicle, (plan, tour) in standing(plans).items()
        if tour.visits and now_ms < plan.time_ms(tour.until_s) and _is_overtaken(connection, plan, tour, now_ms)
    )


def _is_overtaken(connection: sqlite3.Connection, plan: PlanRecord, tour: TourRecord, now_ms: int) -> bool:
    went = connection.execute(WENT_OUT, (tour.event_id,)).fetchone()
    if went is None or connection.execute(WAITS, went).fetchone() is not None:
        return False
    stands = connection.execute(STANDS, (*went, now_ms)).fetchone()
    return stands is None or stands[0] > plan.day.isoformat()


def siblings(connection: sqlite3.Connection, name: str) -> list[PlanRecord]:
    """This one and the plans of its day and fraction that are not withdrawn; empty when it is not known."""
    found = find(connection, name)
    return live(connection, found.day, found.fraction, name) if found is not None else []


def newest(connection: sqlite3.Connection, limit: int) -> list[PlanRecord]:
    """The newest plans, the latest day first."""
    return list(_intact(connection.execute(f"{SELECT} ORDER BY day DESC, number DESC LIMIT ?", (limit,))))


def take_answers(connection: sqlite3.Connection, answers: Iterable[tuple[str, bytes]], time_ms: int) -> None:
    """Keep what the depot said until somebody has done it."""
    rows = [(topic, payload, time_ms) for topic, payload in answers]
    connection.executemany(
        "INSERT INTO route_answer (topic, payload, time_ms, crc) VALUES (?, ?, ?, ?)",
        [(*row, checksum(*row)) for row in rows],
    )


def answers(connection: sqlite3.Connection) -> list[Answer]:
    """What the depot said and nobody has done yet, in its order."""
    rows = connection.execute("SELECT seq, topic, payload, time_ms, crc FROM route_answer ORDER BY seq LIMIT 100")
    return [
        Answer(seq, topic, payload, time_ms, checksum(topic, payload, time_ms) == crc)
        for seq, topic, payload, time_ms, crc in rows
    ]


def forget_answer(connection: sqlite3.Connection, seq: int) -> None:
    """It is done."""
    connection.execute("DELETE FROM route_answer WHERE seq = ?", (seq,))


def states(connection: sqlite3.Connection, rule: str) -> list[StateRow]:
    """The intact states of a rule."""
    query = "SELECT rule, subject, version, body, crc FROM state WHERE rule = ? ORDER BY subject"
    rows = (tuple(row) for row in connection.execute(query, (rule,)))
    return [StateRow(*columns) for *columns, crc in rows if checksum(*columns) == crc]


def oldest_day(now_ms: int) -> str:
    """The first day whose plans are kept."""
    today = datetime.fromtimestamp(now_ms / 1000, UTC).date()
    return (today - timedelta(days=KEPT_DAYS)).isoformat()


# -- for people -------------------------------------------------------------------------------------------------------


def shown(plan: PlanRecord) -> dict[str, Any]:
    """A plan in lists, one line each."""
    tours = [tour for tour in plan.tours if tour.visits]
    return {
        "id": plan.id,
        "day": plan.day.isoformat(),
        "fraction": plan.fraction,
        "status": plan.status,
        "origin": plan.origin,
        "created_ms": plan.created_ms,
        "drivable": plan.drivable,
        "vehicles": [tour.vehicle for tour in tours],
        "stops": sum(len(tour.stops) for tour in tours),
        "metres": sum(tour.metres for tour in tours),
        "left_out": len([one for one in plan.unserved if one.reason != "not_worth_it"]),
        "failure": plan.failure.en,
        "failure_de": plan.failure.de,
    }


def day_shown(day: date, plans: Sequence[PlanRecord]) -> dict[str, Any]:
    """The plans of a day, and the tours in force of each fraction."""
    groups = {plan.fraction: [one for one in plans if one.fraction == plan.fraction] for plan in plans}
    in_force = [
        {
            "vehicle": vehicle,
            "fraction": fraction,
            "plan": held.plan.id,
            "status": held.tour.status,
            "stops": list(held.tour.stops),
            "metres": held.tour.metres,
            "event": held.tour.event_id,
            "rejected": held.tour.rejected,
        }
        for fraction, group in groups.items()
        for vehicle, held in standing(group).items()
        if held.tour.visits
    ]
    return {"day": day.isoformat(), "plans": [shown(plan) for plan in plans], "in_force": in_force}


def whole(plan: PlanRecord) -> dict[str, Any]:
    """A plan with everything that is kept of it."""
    body: dict[str, Any] = PLAN.dump_python(plan, mode="json")
    return {**body, "status": plan.status}


def _intact(rows: Iterable[Sequence[Any]]) -> Iterator[PlanRecord]:
    for row in rows:
        *columns, crc = row
        if checksum(*columns) == crc:
            try:
                yield _plan(columns[-1])
            except ValueError:
                continue


def _plan(body: str) -> PlanRecord:
    """The plan of a row; raises ValueError."""
    try:
        return PLAN.validate_json(body)
    except ValidationError:
        return PLAN.validate_json(json.dumps(_in_both(json.loads(body))))


def _in_both(body: object) -> object:
    """A plan from before its texts were in German, too: they say the same in both."""
    if not isinstance(body, dict):
        return body
    unserved, warnings = body.get("unserved"), body.get("warnings")
    if isinstance(unserved, list):
        unserved = [[*one[:-1], *map(_twice, one[-1:])] if isinstance(one, list) else one for one in unserved]
    if isinstance(warnings, list):
        warnings = [_twice(text) for text in warnings]
    return {**body, "unserved": unserved, "warnings": warnings, "failure": _twice(body.get("failure"))}


def _twice(text: object) -> object:
    return [text, text] if isinstance(text, str) else text

"""Why an event was said: what it stands on, the step that made it with the states around it, and its neighbours.

Event and evidence are those of the journal. The step is found by running the rule again over raw messages;
`exact` says whether that gave the same bytes, which a run from the journal's beginning does.
"""

import json
import sqlite3
from collections.abc import Sequence
from math import cos, hypot, radians
from typing import Any, NamedTuple

from ingest import downlink_store
from ingest.decisions.replay import replayed, with_followed
from ingest.replay.decode_again import Decoder
from rules.asset import Asset
from rules.city import City
from rules.engine import Concluded, Engine
from rules.followed import Followed
from rules.rule import Answered, AnyRule, Input, Json, Observation, TourFeedback

NEIGHBOURS = 5
"""Assets of the same rule, the nearest, that are shown beside."""
DAY_MS = 86_400_000
METRES = 111_195.0
"""In a degree of latitude."""
NEWEST = """
SELECT id, payload, status FROM event WHERE time_ms >= ? AND time_ms <= ? ORDER BY seq DESC
"""


class ExplainError(Exception):
    """An event of which nothing can be said; the message says why."""


class Kept(NamedTuple):
    """An event as the journal has it: CloudEvent, status, when that was noted, the audit rows that name it.

    `downlink` is what became of a downlink that it requested.
    """

    event: dict[str, Any]
    payload: bytes
    status: str
    status_ms: int | None
    time_ms: int
    audit: list[dict[str, Any]]
    downlink: dict[str, Any] | None = None


class Neighbour(NamedTuple):
    """Another asset of the rule at that time: how far, its state then, its newest event of the day before."""

    subject: str
    distance_m: float
    state: Json
    said: dict[str, Any] | None


class Explanation(NamedTuple):
    """The event, the input and states of the step that made it (None: not found again), and the neighbours."""

    kept: Kept
    given: dict[str, Any] | None
    before: Json
    after: Json
    parameters: str
    exact: bool
    neighbours: list[Neighbour]
    problems: list[str]


def kept(connection: sqlite3.Connection, name: str) -> Kept:
    """The event of this id; raises ExplainError."""
    query = "SELECT payload, status, status_ms, time_ms FROM event WHERE id = ?"
    row = connection.execute(query, (name,)).fetchone()
    if row is None:
        raise ExplainError(f"no event {name} in the journal; it keeps them for journal.events_days")
    event = json.loads(row[0])
    if "rule" not in event.get("data", {}):
        raise ExplainError(f"event {name} was said by no rule")
    rows = connection.execute(
        "SELECT time_ms, actor, action, reason FROM audit WHERE subject = ? ORDER BY number", (name,)
    )
    audit = [dict(zip(("time_ms", "actor", "action", "reason"), found, strict=True)) for found in rows]
    downlink = downlink_store.find(connection, name)
    return Kept(
        event, row[0], row[1], row[2], row[3], audit, None if downlink is None else downlink_store.shown(downlink)
    )


def explain(
    connection: sqlite3.Connection, decoder: Decoder, city: City, rules: Sequence[AnyRule], found: Kept, days: float
) -> Explanation:
    """Run the event's rule again from so many days before it; reads only."""
    name, data, subject = found.event["id"], found.event["data"], found.event["subject"]
    chosen = with_followed(rules, data["rule"])
    problems: list[str] = []
    nothing = Explanation(found, None, None, None, "", False, [], problems)  # noqa: FBT003 - exact
    if not chosen:
        problems.append(f"{data['rule']} decides about devices, not assets: its states are not run again")
        return nothing
    if subject not in city.assets:
        problems.append(f"{subject} is no asset of the city any more")
        return nothing
    engine = Engine(city, chosen)
    span = found.time_ms - int(days * DAY_MS), found.time_ms + DAY_MS
    for done in replayed(connection, decoder, engine, span, problems, traced=True):
        steps = [step for step in done.overlay.concluded or () if step.event_id == name]
        if steps:
            said = next(event for event in done.overlay.events if event.id == name)
            near = _neighbours(connection, engine, city, steps[-1], found.time_ms)
            return _explanation(nothing, steps[-1], exact=said.payload() == found.payload, near=near)
    problems.append("the raw messages that are kept do not lead to this event again")
    return nothing


def _explanation(nothing: Explanation, step: Concluded, *, exact: bool, near: list[Neighbour]) -> Explanation:
    rule = step.subject.rule
    return nothing._replace(
        given=shown(step.given),
        before=rule.dump(step.before),
        after=rule.dump(step.after),
        parameters=repr(step.subject.config),
        exact=exact,
        neighbours=near,
    )


def shown(given: Input | Followed) -> dict[str, Any]:
    """An input as JSON."""
    if isinstance(given, Followed):
        return {"kind": "event", "event": given.event.id, "now_ms": given.now_ms, "cause": given.cause}
    if isinstance(given, Observation):
        values = [(reading.quantity.field, reading.value, reading.channel) for reading in given.readings]
        return {**given._asdict(), "kind": "observation", "readings": values, "doubtful": len(given.doubtful)}
    if isinstance(given, TourFeedback):
        return {"kind": "feedback", **given._asdict()}
    return {"kind": "answer" if isinstance(given, Answered) else "tick", **given._asdict()}


def _neighbours(
    connection: sqlite3.Connection, engine: Engine, city: City, step: Concluded, time_ms: int
) -> list[Neighbour]:
    rule, here = step.subject.rule, step.subject.asset
    others = [asset for asset in city.assets.values() if asset.kind == rule.kind and asset.id != here.id]
    nearest = sorted(others, key=lambda asset: (_metres(here, asset), asset.id))[:NEIGHBOURS]
    said = _newest(connection, rule.id, {asset.id for asset in nearest}, time_ms)
    found = []
    for asset in nearest:
        (subject,) = [item for item in engine.subjects_of(asset.id) if item.asset is asset and item.rule is rule]
        state = rule.dump(engine.state(subject.order))
        found.append(Neighbour(asset.id, round(_metres(here, asset)), state, said.get(asset.id)))
    return found


def _newest(connection: sqlite3.Connection, rule: str, subjects: set[str], time_ms: int) -> dict[str, dict[str, Any]]:
    """The newest event of the rule about each of these in the day up to then."""
    found: dict[str, dict[str, Any]] = {}
    for _, payload, status in connection.execute(NEWEST, (time_ms - DAY_MS, time_ms)):
        event = json.loads(payload)
        subject = event.get("subject", "")
        if event["data"].get("rule") == rule and subject in subjects and subject not in found:
            found[subject] = {"id": event["id"], "time": event["time"], "status": status, "data": event["data"]}
    return found


def _metres(one: Asset, other: Asset) -> float:
    east = (one.longitude - other.longitude) * cos(radians(one.latitude))
    return METRES * hypot(east, one.latitude - other.latitude)

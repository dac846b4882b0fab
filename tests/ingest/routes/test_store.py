"""Plans of tours in the journal."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from ingest.journal import Journal
from ingest.journal_salvage import salvage
from ingest.journal_schema import APPLICATION_ID, SCHEMAS, VERSION, checksum, open_writer
from ingest.routes import store
from ingest.settings import JournalSettings
from rules.waste.route import life
from rules.waste.route.record import PlanRecord
from rules.waste.route.solution import Unserved
from rules.waste.words import Words
from tests.rules.waste.route.plans import TUESDAY, evening_ms, plan

BOTH = {"truck-1": ("bin-0", "site", "bin-1"), "truck-2": ("bin-3",)}


def rich(name: str = "p1", day: date = TUESDAY) -> PlanRecord:
    """A plan with something in every field."""
    made = plan(BOTH, name, day=day, drivable=True)
    first = replace(
        made.tours[0],
        status="confirmed",
        reason=Words("weil", "so"),
        rejected="nein",
        confirmed_ms=evening_ms(day) + 5,
        accepted_ms=evening_ms(day) + 4,
        event_id="e",
    )
    return replace(
        made,
        tours=(first, *made.tours[1:]),
        unserved=(Unserved("bin-9", "not_planned", Words("warum", "why")),),
        warnings=(Words("W", "w"),),
        unavailable=("truck-3",),
        asked_ms=1,
        looked_ms=2,
        told_by="truck-2",
        failure=Words("F", "f"),
    )


@pytest.fixture
def settings(tmp_path: Path) -> JournalSettings:
    """A journal of its own."""
    return JournalSettings(path=tmp_path / "journal.db")


async def test_a_plan_is_what_it_was(settings: JournalSettings) -> None:
    """Every field comes back as it was written; written again it is the newer one, in its old place."""
    async with Journal(settings) as journal:
        await journal.note(lambda connection: store.put(connection, [rich("p1"), rich("p2")]))
        assert await journal.query(lambda connection: store.find(connection, "p1")) == rich("p1")
        changed = replace(rich("p1"), looked_ms=77)
        await journal.note(lambda connection: store.put(connection, [changed]))
        found = await journal.query(lambda connection: store.of_day(connection, TUESDAY, "paper"))
        assert found == [changed, rich("p2")]
        assert await journal.query(lambda connection: store.of_day(connection, TUESDAY, "glass")) == []
        assert await journal.query(lambda connection: store.siblings(connection, "p2")) == found
        assert await journal.query(lambda connection: store.siblings(connection, "p9")) == []


async def test_plans_of_earlier_days_come_newest_first(settings: JournalSettings) -> None:
    """Those of the day itself and of later ones are none of them."""
    days = [TUESDAY + timedelta(days=number) for number in (-8, -1, 0, 1)]
    async with Journal(settings) as journal:
        await journal.note(lambda connection: store.put(connection, [rich(str(day), day) for day in days]))
        found = await journal.query(lambda connection: store.before(connection, TUESDAY, "paper"))
        assert [one.day for one in found] == [days[1], days[0]]
        changed = replace(rich("changed", days[1]), origin="replanned")
        await journal.note(lambda connection: store.put(connection, [changed]))
        assert await journal.query(lambda connection: store.before(connection, TUESDAY, "paper")) == found
        assert await journal.query(lambda connection: store.had_plans(connection, days[1], "paper"))
        assert not await journal.query(lambda connection: store.had_plans(connection, days[0], "paper"))
        assert [one.day for one in await journal.query(lambda c: store.newest(c, 2))] == [days[3], days[2]]


async def test_a_damaged_plan_is_as_if_it_were_not_there(settings: JournalSettings) -> None:
    """A flipped bit in its body, or a body that is no plan though its checksum fits."""
    async with Journal(settings) as journal:

        def write(connection: sqlite3.Connection) -> None:
            store.put(connection, [rich("p1"), rich("p2"), rich("p3")])
            connection.execute("UPDATE route SET body = replace(body, 'bin-0', 'bin-1') WHERE id = 'p1'")
            connection.execute("UPDATE route SET body = '{}' WHERE id = 'p2'")
            connection.execute(
                "UPDATE route SET crc = checksum(id, day, fraction, status, created_ms, body) WHERE id = 'p2'"
            )

        await journal.note(write)
        assert [one.id for one in await journal.query(lambda c: store.of_day(c, TUESDAY))] == ["p3"]


async def test_plans_are_forgotten_after_400_days(settings: JournalSettings) -> None:
    """By the days that they are for; answers are kept until they are heard."""
    old, kept = TUESDAY - timedelta(days=401), TUESDAY - timedelta(days=399)
    async with Journal(settings) as journal:
        await journal.note(lambda connection: store.put(connection, [rich("old", old), rich("kept", kept)]))
        await journal.note(lambda connection: store.take_answers(connection, [("t", b"{}")], 1))
        await journal.prune(evening_ms(TUESDAY + timedelta(days=1)))
        assert await journal.query(lambda connection: store.find(connection, "old")) is None
        assert await journal.query(lambda connection: store.find(connection, "kept")) is not None
        (answer,) = await journal.query(store.answers)
        assert (answer.topic, answer.payload, answer.intact) == ("t", b"{}", True)
        await journal.note(lambda connection: store.forget_answer(connection, answer.seq))
        assert await journal.query(store.answers) == []


async def test_a_journal_of_schema_5_is_brought_along(settings: JournalSettings) -> None:
    """It has tables for plans and answers then, and what was in it stays."""
    with closing(sqlite3.connect(settings.path, isolation_level=None)) as old:
        old.create_function("checksum", -1, lambda *_: 0, deterministic=True)
        old.executescript("".join(SCHEMAS[:5]))
        old.execute("INSERT INTO lifecycle VALUES ('d', 1, 'retired', NULL, 0)")
        old.executescript(f"PRAGMA user_version = 5; PRAGMA application_id = {APPLICATION_ID};")
    async with Journal(settings) as journal:
        await journal.note(lambda connection: store.put(connection, [rich()]))
        assert await journal.query(lambda connection: store.find(connection, "p1")) == rich()
    with closing(sqlite3.connect(settings.path)) as now:
        assert now.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert now.execute("SELECT subject FROM lifecycle").fetchall() == [("d",)]
    assert VERSION >= 6


def test_a_salvage_saves_plans_and_answers(settings: JournalSettings) -> None:
    """Intact rows are there again, one with a wrong checksum is handed back as bytes."""
    with closing(open_writer(settings.path)) as connection:
        store.put(connection, [rich("p1"), rich("p2")])
        store.take_answers(connection, [("a", b"1"), ("b", b"2")], 5)
        connection.execute("UPDATE route SET created_ms = 5 WHERE id = 'p2'")
        connection.execute("UPDATE route_answer SET time_ms = 6 WHERE topic = 'b'")
    found = salvage(settings.path)
    assert {(name, found.tables[name].saved, found.tables[name].failed) for name in ("route", "route_answer")} == {
        ("route", 1, 1),
        ("route_answer", 1, 1),
    }
    with closing(open_writer(settings.path)) as connection:
        assert [one.id for one in store.of_day(connection, TUESDAY)] == ["p1"]
        assert [one.topic for one in store.answers(connection)] == ["a"]
        store.put(connection, [rich("p3")])
        assert connection.execute("SELECT max(number) FROM route").fetchone() == (3,)


def test_a_plan_is_shown_in_short_and_whole() -> None:
    """For lists and for JSON, with the status that its tours make; the tours in force of a day."""
    made = rich()
    short = store.shown(made)
    assert (short["status"], short["stops"], short["left_out"], short["vehicles"]) == (
        "proposed",
        3,
        1,
        ["truck-1", "truck-2"],
    )
    assert store.whole(made)["tours"][0]["visits"][0][0] == "bin-0"
    day = store.day_shown(TUESDAY, [made, *life.proposed([made], plan({"truck-1": ("bin-4",)}, "p2"), 1).plans[:1]])
    assert {(one["vehicle"], one["plan"]) for one in day["in_force"]} == {("truck-1", "p1")}


def test_a_plan_from_before_its_texts_were_in_both_languages_is_read(settings: JournalSettings) -> None:
    """What was one text is the same in both; nothing that was confirmed is lost to the fallback."""
    made = replace(rich(), told_by="", tours=tuple(replace(tour, accepted_ms=None) for tour in rich().tours))
    body = json.loads(store.PLAN.dump_json(made))
    body |= {"unserved": [["bin-9", "not_planned", "why"]], "warnings": ["w"], "failure": "f"}
    for tour in body["tours"]:
        del tour["accepted_ms"]
    del body["told_by"]
    row = (made.id, made.day.isoformat(), made.fraction, made.status, made.created_ms, json.dumps(body))
    with closing(open_writer(settings.path)) as connection:
        connection.execute(store.PUT, (*row, checksum(*row)))
        assert store.find(connection, made.id) == replace(
            made,
            unserved=(Unserved("bin-9", "not_planned", Words("why", "why")),),
            warnings=(Words("w", "w"),),
            failure=Words("f", "f"),
        )


@pytest.mark.parametrize("body", ["{", "[]", '{"unserved": [[]]}', '{"warnings": 5}', "null"])
def test_a_body_that_is_no_plan_is_as_if_it_were_not_there(settings: JournalSettings, body: str) -> None:
    """Whatever it is."""
    row = ("p1", TUESDAY.isoformat(), "paper", "proposed", 1, body)
    with closing(open_writer(settings.path)) as connection:
        connection.execute(store.PUT, (*row, checksum(*row)))
        assert store.find(connection, "p1") is None

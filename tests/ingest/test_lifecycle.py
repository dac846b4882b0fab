"""States of devices and assets over time, and where people say that devices belong."""

import json
import timeit
from pathlib import Path

import pytest
import typer

from ingest.commands.time import instant_ms, local_time
from ingest.fleet import assignments, lifecycle
from ingest.fleet.assignments import AssignmentError, Assignments
from ingest.fleet.lifecycle import Change, Lifecycle, LifecycleError, State
from ingest.fleet.register import Register
from ingest.journal import Journal
from ingest.journal_records import Assigned
from ingest.journal_schema import open_writer
from ingest.settings import load
from rules.city import City
from tests.ingest.uplinks import CITY, LOT_DEVICES, NOW

DEVICE, OTHER = "70b3d57ed00000aa", "70b3d57ed00000ab"
TOWN = City.parse(json.dumps(CITY))


def test_nobody_said_anything() -> None:
    """Then everything is active and counts."""
    known = Lifecycle()
    assert known.state(DEVICE, NOW) is State.ACTIVE
    assert known.counts(DEVICE, "lot-markt", NOW)
    assert known.change(DEVICE, NOW) is None


def test_a_state_holds_from_its_time() -> None:
    """Before it what was said before; a later word about an earlier time does not undo the later one."""
    known = Lifecycle([Change(DEVICE, 300, State.RETIRED), Change(DEVICE, 100, State.PLANNED)])
    known.put(Change(DEVICE, 200, State.ACTIVE))
    states = {time_ms: known.state(DEVICE, time_ms) for time_ms in (99, 100, 199, 200, 299, 300, 10**12)}
    assert list(states.values()) == ["active", "planned", "planned", "active", "active", "retired", "retired"]
    assert known.state(OTHER, 300) is State.ACTIVE
    known.put(Change(DEVICE, 300, State.ACTIVE))
    assert known.state(DEVICE, 300) is State.ACTIVE


def test_maintenance_ends_by_itself() -> None:
    """After it holds what was said before, also what was said before it of a longer maintenance."""
    known = Lifecycle([Change(DEVICE, 0, State.INSTALLED), Change(DEVICE, 100, State.MAINTENANCE, 200)])
    assert [known.state(DEVICE, at) for at in (99, 100, 199, 200)] == [
        "installed",
        "maintenance",
        "maintenance",
        "installed",
    ]
    known.put(Change(DEVICE, 50, State.MAINTENANCE, 300))
    assert [known.state(DEVICE, at) for at in (200, 299, 300)] == ["maintenance", "maintenance", "installed"]
    known.put(Change(DEVICE, 150, State.RETIRED))
    assert [known.state(DEVICE, at) for at in (149, 150, 10**12)] == ["maintenance", "retired", "retired"]


def test_device_and_asset_must_be_active() -> None:
    """A device counts only while it and its asset are active; one without an asset by itself."""
    known = Lifecycle([Change("lot-markt", 100, State.MAINTENANCE, 200), Change(DEVICE, 300, State.RETIRED)])
    assert [known.counts(DEVICE, "lot-markt", at) for at in (99, 100, 200, 300)] == [True, False, True, False]
    assert known.counts(DEVICE, "", 150)
    assert not known.counts(DEVICE, "", 300)
    assert known.counts(OTHER, "elsewhere", 150)
    assert not known.counts(OTHER, "lot-markt", 150)


def test_the_next_turn_of_a_device_or_its_asset() -> None:
    """Begins and ends of all that was said of either, each until its own instant; None after the last."""
    known = Lifecycle([Change("lot-markt", 100, State.MAINTENANCE, 200), Change(DEVICE, 150, State.RETIRED)])
    times = (0, 99, 100, 149, 150, 199, 200)
    assert [known.turns_ms(DEVICE, "lot-markt", at) for at in times] == [100, 100, 150, 150, 200, 200, None]
    assert known.turns_ms(DEVICE, "", 0) == 150
    assert known.turns_ms(OTHER, "lot-markt", 100) == 200
    assert known.turns_ms(OTHER, "", 0) is None


def test_the_rest_costs_next_to_nothing() -> None:
    """For a device of whom nobody said anything it is two look-ups, however many others there are."""
    known = Lifecycle(Change(f"{number:016x}", 100, State.RETIRED) for number in range(20_000))
    mentioned, unmentioned = f"{7:016x}", "ff" * 8
    best = min(timeit.repeat(lambda: known.counts(unmentioned, "lot-markt", NOW), number=20_000, repeat=7))
    assert best / 20_000 < 3e-6
    assert not known.counts(mentioned, "lot-markt", NOW)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Change(DEVICE, 1, State.MAINTENANCE), "needs an end"),
        (Change(DEVICE, 1, State.RETIRED, 2), "has no end"),
        (Change(DEVICE, 2, State.MAINTENANCE, 2), "end before it begins"),
    ],
)
def test_what_cannot_be_is_refused(change: Change, text: str) -> None:
    """Maintenance has an end behind its begin, nothing else has one."""
    with pytest.raises(LifecycleError, match=text):
        lifecycle.examine(change)


def test_file_then_person_then_tag() -> None:
    """The city's file is stronger than a person, a person stronger than the tag, each at its time."""
    words = Assignments([Assigned(DEVICE, 100, "container-1", "os:anna"), Assigned(DEVICE, 300, "", "os:anna")])
    words.put(Assigned(DEVICE, 400, "lot-markt", "tag"))

    def place(dev_eui: str, time_ms: int, tag: str | None) -> str | None:
        asset = TOWN.asset_of(dev_eui, time_ms, words.place(dev_eui, time_ms, tag))
        return asset.id if asset else None

    assert [place(DEVICE, at, "lot-markt") for at in (99, 100, 299, 300, 500)] == [
        "lot-markt",
        "container-1",
        "container-1",
        None,
        None,
    ]
    assert place(OTHER, 100, "lot-markt") == "lot-markt"
    words.put(Assigned(LOT_DEVICES[0], 0, "container-1", "os:anna"))
    assert place(LOT_DEVICES[0], 100, "container-1") == "lot-markt"


@pytest.mark.parametrize(
    ("word", "text"),
    [
        (Assigned(DEVICE, 1, "nowhere", "os:anna"), "no asset 'nowhere'"),
        (Assigned(LOT_DEVICES[0], 1, "container-1", "os:anna"), "places device 70b3d57ed0000001 at 'lot-markt'"),
        (Assigned(LOT_DEVICES[0], 1, "", "os:anna"), "at 'lot-markt' then"),
        (Assigned(DEVICE, 1, "lot-markt", "tag"), "no name of a person"),
    ],
)
def test_assignments_that_cannot_hold_are_refused(word: Assigned, text: str) -> None:
    """An unknown asset; a device that the file places elsewhere; a source that is no person."""
    with pytest.raises(AssignmentError, match=text):
        assignments.examine(word, TOWN)
    assignments.examine(Assigned(DEVICE, 1, "", "os:anna"), TOWN)
    assignments.examine(Assigned(LOT_DEVICES[0], 1, "lot-markt", "os:anna"), TOWN)


async def test_what_was_said_outlives_the_service(tmp_path: Path) -> None:
    """A register made from the journal anew says the same; each change left an audit row; a refused one none."""
    settings = load(journal={"path": tmp_path / "journal.db"}).journal
    told: list[str] = []
    async with Journal(settings) as journal:
        register = Register(journal, TOWN, lambda: NOW, told.append)
        await register.set_state(DEVICE, State.RETIRED, None, None, "os:anna", "stolen")
        await register.set_state("lot-markt", State.MAINTENANCE, NOW, NOW + 1000, "os:anna", "")
        await register.assign(DEVICE, "container-1", NOW - 5, "os:anna", "moved")
        with pytest.raises(LifecycleError, match="neither a DevEUI"):
            await register.set_state("lot-mark", State.RETIRED, None, None, "os:anna", "")
        with pytest.raises(AssignmentError, match="no DevEUI"):
            await register.assign("70B3D57ED0000001", "lot-markt", None, "os:anna", "")
        assert told == [DEVICE, "lot-markt", DEVICE]
        rows = await journal.query(lambda c: [tuple(row) for row in c.execute("SELECT * FROM audit ORDER BY number")])
    assert [row[2:7] for row in rows] == [
        ("os:anna", "devices set", DEVICE, "stolen", f"from_ms={NOW} state=retired"),
        ("os:anna", "devices set", "lot-markt", "", f"from_ms={NOW} state=maintenance until_ms={NOW + 1000}"),
        ("os:anna", "devices assign", DEVICE, "moved", f"valid_from_ms={NOW - 5} asset=container-1"),
    ]
    async with Journal(settings) as journal:
        again = Register(journal, TOWN, lambda: NOW)
        assert again.lifecycle.state(DEVICE, NOW) is State.RETIRED
        assert not again.lifecycle.counts(OTHER, "lot-markt", NOW)
        assert again.assignments.place(DEVICE, NOW, None) == "container-1"


async def test_a_row_that_names_no_state_does_not_stop_the_service(tmp_path: Path) -> None:
    """A damaged word is left out; the others hold."""
    settings = load(journal={"path": tmp_path / "journal.db"}).journal
    connection = open_writer(settings.path)
    connection.execute(
        "INSERT INTO lifecycle SELECT column1, 1, column2, NULL, checksum(column1, 1, column2, NULL)"
        " FROM (VALUES ('a', 'retyred'), ('b', 'retired'))"
    )
    connection.close()
    async with Journal(settings) as journal:
        known = Register(journal, TOWN, lambda: NOW).lifecycle
    assert (known.state("a", NOW), known.state("b", NOW)) == (State.ACTIVE, State.RETIRED)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-12-01", "2026-12-01 00:00:00+01:00"),
        ("2026-07-01T06:30", "2026-07-01 06:30:00+02:00"),
        ("2026-07-01T06:30:00Z", "2026-07-01 08:30:00+02:00"),
        ("2026-10-25T02:30", "2026-10-25 02:30:00+02:00"),
        ("2026-10-25T02:30+01:00", "2026-10-25 02:30:00+01:00"),
        ("2026-03-29T03:00", "2026-03-29 03:00:00+02:00"),
    ],
)
def test_times_are_the_citys(text: str, said: str) -> None:
    """Dates and local times in summer and winter; of a repeated hour the first run, unless it says which."""
    assert local_time(instant_ms(text, "Europe/Berlin"), "Europe/Berlin") == said


@pytest.mark.parametrize("text", ["2026-03-29T02:30", "soon", "2026-13-01", "0001-01-01", "9999-12-31T23:59"])
def test_times_that_are_none_are_wrong_usage(text: str) -> None:
    """An hour that the clock change leaves out, and what is no time at all."""
    with pytest.raises(typer.BadParameter, match=text):
        instant_ms(text, "Europe/Berlin")

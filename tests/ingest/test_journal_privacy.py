"""Personal dead letters and ledgers: told from what arrived, and gone when personal readings go."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from chirpstack_api.integration import integration_pb2

from decoders.quantity import Privacy
from ingest import dead_letter_store
from ingest.app import Service
from ingest.audit import Action
from ingest.calendar import Calendar
from ingest.codecs.folder import Library
from ingest.dead_letter import DeadLetter, Reason, dead_letter
from ingest.dead_letter_store import StoredLetter
from ingest.journal import Journal
from ingest.journal_privacy import PersonalData
from ingest.journal_records import Batch, LedgerRow
from ingest.journal_salvage import salvage
from ingest.journal_schema import APPLICATION_ID, SCHEMAS
from ingest.settings import JournalSettings, Settings, given, load
from tests.ingest.bench import city_settings, running
from tests.ingest.uplinks import LOT_DEVICES, NOW, event, message, raw

DAY_MS = 86_400_000
PERSONAL = {"applications": {"Zähler": "personal", "counters": "internal", "x" * 200: "personal"}}
SETTINGS = load(privacy=PERSONAL, codecs={"profiles": {"Bosch": "bosch/tps110"}})
DATA = PersonalData.of(SETTINGS)
METER = "axioma/qalcosonic-w1"


def letter(payload: bytes, reason: Reason = Reason.EVENT, source: str = "application/x", codec: str = "") -> DeadLetter:
    """A dead letter of this payload."""
    return dead_letter(reason, "x", source, payload, NOW, JournalSettings(), codec=codec)


def as_json(application: str) -> bytes:
    """An uplink of an application, as ChirpStack writes it, with non-ASCII letters escaped."""
    found = event()
    found["deviceInfo"]["applicationName"] = application
    return json.dumps(found).encode()


def as_utf_8(application: str) -> bytes:
    """The same with the letters as they are."""
    return json.dumps(json.loads(as_json(application)), ensure_ascii=False).encode()


def as_protobuf(application: str) -> bytes:
    """The same in protobuf."""
    found = integration_pb2.UplinkEvent()
    found.device_info.application_name = application
    found.device_info.dev_eui = "70b3d57ed00000aa"
    return bytes(found.SerializeToString())


FORMS: list[Callable[[str], bytes]] = [as_json, as_utf_8, as_protobuf]


@pytest.mark.parametrize("form", FORMS)
def test_the_application_tells_the_class(form: Callable[[str], bytes]) -> None:
    """In both encodings, whole or cut off behind the name, short names and long ones; never open."""
    for name, expected in (("Zähler", 2), ("x" * 200, 2), ("counters", 1), ("Zähl", 1), ("other", 1)):
        payload = form(name)
        assert DATA.privacy(letter(payload)) == expected
        assert DATA.privacy(letter(b"\xff" + payload + b"\xff")) == expected
        if form is not as_protobuf:
            assert DATA.privacy(letter(payload[: -len(payload) // 8])) == expected


def test_broken_bytes_still_tell_it() -> None:
    """What comes before and after the name may be anything."""
    assert DATA.privacy(letter(b'{"deviceInfo": {"applicationName" : "Z\\u00e4hler", ')) is Privacy.PERSONAL
    assert DATA.privacy(letter(b'"applicationName": "\\ud8zz"')) is Privacy.INTERNAL
    assert DATA.privacy(letter(b"")) is Privacy.INTERNAL


def test_the_codec_tells_the_class() -> None:
    """By the letter's own codec, the device profile's, or the tag `codec`."""
    known = PersonalData.of(given(codecs={"profiles": {"Meter": METER}}))
    assert known.privacy(letter(b"x", Reason.DECODE, codec=METER)) is Privacy.PERSONAL
    assert known.privacy(letter(b'{"deviceProfileName":"Meter"}')) is Privacy.PERSONAL
    assert known.privacy(letter(b'{"tags":{"codec":"axioma/qalcosonic-w1"}}')) is Privacy.PERSONAL
    found = integration_pb2.UplinkEvent()
    found.device_info.device_profile_name = "Meter"
    assert known.privacy(letter(found.SerializeToString())) is Privacy.PERSONAL
    assert known.privacy(letter(b'{"deviceProfileName":"Other"}')) is Privacy.INTERNAL


def test_a_personal_codec_of_the_folder_tells_it_too(tmp_path: Path) -> None:
    """A vendor's JavaScript or a table whose file says personal, and the profiles that the folder knows."""
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "tracker.js").write_text("function Decoder(bytes, port) { return {temperature: 1}; }")
    (tmp_path / "acme" / "tracker.toml").write_text('privacy = "personal"')
    (tmp_path / "profiles.toml").write_text('[profiles]\n"Tracker" = "js/acme/tracker"')
    settings = given(codecs={"folder": tmp_path})
    library = Library(settings.codecs)
    known = PersonalData.of(settings, library)
    library.close()
    assert known.privacy(letter(b"x", Reason.DECODE, codec="js/acme/tracker")) is Privacy.PERSONAL
    assert known.privacy(letter(b'{"deviceProfileName":"Tracker"}')) is Privacy.PERSONAL


def test_lines_and_damaged_rows_have_the_class_of_what_they_may_hold() -> None:
    """A refused line that of its database; a damaged row the strictest, for it cannot be believed."""
    for word, expected in (("open", 1), ("internal", 1), ("personal", 2), ("pers\x01nal", 1)):
        assert DATA.privacy(letter(b"a b=1 1", Reason.SINK, f"sink/influxdb/{word}")) == expected
    assert DATA.privacy(letter(b"", Reason.CHECKSUM, "journal/points/1")) is Privacy.PERSONAL


def remaining(journal: Journal) -> list[str]:
    """The details of the dead letters that are left."""
    return [row[0] for row in journal._writer.execute("SELECT detail FROM dead_letter ORDER BY id")]


async def test_personal_dead_letters_go_with_personal_readings(tmp_path: Path) -> None:
    """After the days of personal readings, by our own clock; others after theirs; never later than those."""
    settings = JournalSettings(path=tmp_path / "journal.db", dead_letter_days=90)
    async with Journal(settings, PersonalData(30, DATA.names)) as journal:
        ours, others = letter(as_json("Zähler")), letter(as_json("other"))
        await journal.commit(Batch(dead_letters=[ours._replace(detail="p"), others._replace(detail="o")]), NOW)
        await journal.prune(NOW, NOW + 30 * DAY_MS)
        assert remaining(journal) == ["p", "o"]
        await journal.prune(NOW, NOW + 30 * DAY_MS + 1)
        assert remaining(journal) == ["o"]
        await journal.prune(NOW + 90 * DAY_MS + 1)
        assert remaining(journal) == []
    async with Journal(settings.model_copy(update={"dead_letter_days": 2}), DATA) as journal:
        await journal.commit(Batch(dead_letters=[ours]), NOW)
        await journal.prune(NOW + 2 * DAY_MS + 1)
        assert remaining(journal) == []


async def test_a_letter_that_turns_out_personal_is_personal(tmp_path: Path) -> None:
    """Tried again in vain under other settings it takes the stricter class."""
    settings = city_settings(tmp_path)
    async with running(settings) as bench:
        await bench.send(message(1, profile="New one"))
        assert [row.privacy for row in await letters(bench.service)] == [1]
    application = str(event()["deviceInfo"]["applicationName"])
    stricter = load(
        city={"file": settings.city.file},
        journal={"path": settings.journal.path},
        privacy={"applications": {application: "personal"}},
        http={"enabled": False},
    )
    async with running(stricter) as bench:
        assert await bench.service.retry(1, audit_action()) is not None
        assert [row.privacy for row in await letters(bench.service)] == [2]


async def test_the_service_keeps_classes(tmp_path: Path) -> None:
    """What arrives broken from a personal application is a personal dead letter; other nonsense is internal."""
    application = str(event()["deviceInfo"]["applicationName"])
    settings = personal_settings(tmp_path, application)
    async with running(settings) as bench:
        await bench.send(raw(json.dumps(event()).encode()[:-1], 1), raw(b"{", 2), message(3, profile="New one"))
        assert [row.privacy for row in await letters(bench.service)] == [2, 1, 2]
        assert bench.service.journal.personal.days == 7


def personal_settings(folder: Path, application: str) -> Settings:
    """A service for which an application is personal, for a week."""
    settings = city_settings(folder)
    return load(
        city={"file": settings.city.file},
        journal={"path": settings.journal.path},
        privacy={"applications": {application: "personal"}},
        influxdb={"retention_personal_days": 7},
        http={"enabled": False},
    )


def audit_action() -> Action:
    """Somebody."""
    return Action("os:test", "retry", "1")


async def letters(service: Service) -> list[StoredLetter]:
    """All dead letters, oldest first."""
    return (await service.journal.query(lambda connection: dead_letter_store.listed(connection, None)))[::-1]


# -- journals of before -----------------------------------------------------------------------------------------------


def second_version(path: Path, payloads: list[bytes]) -> None:
    """A journal of schema 2 with dead letters of these payloads."""
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.create_function("checksum", -1, lambda *_: 0)
        old.execute("PRAGMA auto_vacuum = INCREMENTAL")
        old.executescript(f"{''.join(SCHEMAS[:2])} PRAGMA user_version = 2; PRAGMA application_id = {APPLICATION_ID};")
        columns = "status, reason, detail, source, payload, length, digest, time_ms, dev_eui, codec"
        for payload in payloads:
            row = ("open", *letter(payload))
            old.execute(f"INSERT INTO dead_letter ({columns}) VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608 - names of our own schema


@pytest.mark.parametrize("damaged", [False, True])
async def test_letters_of_before_get_their_class(tmp_path: Path, damaged: bool) -> None:
    """At the first start with the settings, many of them, also through a salvage; without settings they wait."""
    path = tmp_path / "journal.db"
    names = [f"Zähler{'' if number % 2 else number}" for number in range(250)]
    second_version(path, [as_json(name) + b" %d" % number for number, name in enumerate(names)])
    if damaged:
        salvage(path)
    settings = JournalSettings(path=path)
    query = "SELECT privacy, count(*) FROM dead_letter GROUP BY privacy ORDER BY privacy"
    for personal, expected in ((None, [(None, 250)]), (DATA, [(1, 125), (2, 125)]), (None, [(1, 125), (2, 125)])):
        async with Journal(settings, personal) as journal:
            assert journal._writer.execute(query).fetchall() == expected


# -- the ledger -------------------------------------------------------------------------------------------------------


async def test_the_ledger_of_a_personal_device_goes_with_its_readings(tmp_path: Path) -> None:
    """The days of others stay."""
    settings = JournalSettings(path=tmp_path / "journal.db")
    day = NOW // DAY_MS
    async with Journal(settings, PersonalData(30)) as journal:
        rows = [LedgerRow(day - age, name, b"{}", privacy) for age in (29, 30, 31) for name, privacy in DEVICES]
        await journal.commit(Batch(ledger=rows), NOW)
        await journal.prune(0, NOW)
        left = journal._writer.execute("SELECT dev_eui, day FROM ledger WHERE crc = checksum(day, dev_eui, body)")
        assert sorted(left.fetchall()) == [
            ("meter", day - 30),
            ("meter", day - 29),
            ("space", day - 31),
            ("space", day - 30),
            ("space", day - 29),
        ]


async def test_a_ledger_of_before_gets_the_class_of_its_device(tmp_path: Path) -> None:
    """At the first start with the settings, folded or not; a device of which nothing is known is no person's."""
    settings = JournalSettings(path=tmp_path / "journal.db")
    application = str(event()["deviceInfo"]["applicationName"])
    async with running(personal_settings(tmp_path, application)) as bench:
        await bench.send(message(1))
        await bench.service.upkeep.fold()
        await bench.send(message(2, dev_eui=LOT_DEVICES[1]))
    row = "INSERT INTO ledger VALUES (?1, ?2, x'7b7d', checksum(?1, ?2, x'7b7d'), NULL)"
    async with Journal(settings) as journal:
        for name in (*LOT_DEVICES[:2], "unknown"):
            journal._writer.execute(row, (1, name))
    query = "SELECT dev_eui, privacy FROM ledger ORDER BY dev_eui"
    async with Journal(settings, DATA) as journal:
        expected = [*((name, 2) for name in LOT_DEVICES[:2]), ("unknown", 1)]
        assert journal._writer.execute(query).fetchall() == sorted(expected)


DEVICES = (("meter", Privacy.PERSONAL), ("space", Privacy.OPEN))


async def test_a_closed_day_knows_its_class(tmp_path: Path) -> None:
    """The row that a device's day leaves behind has the class of the device."""
    application = str(event()["deviceInfo"]["applicationName"])
    async with running(personal_settings(tmp_path, application)) as bench:
        await bench.send(message(1))
        midnight = Calendar("Europe/Berlin").begin_ms(Calendar("Europe/Berlin").day_of(NOW) + 1)
        await bench.tick(midnight + 60_000)
        await bench.send(message(2, f_cnt=1, time_ms=midnight + 90_000))
        query = "SELECT privacy FROM ledger"
        assert await bench.service.journal.query(lambda c: [row[0] for row in c.execute(query)]) == [2]

"""What conditioning remembers of personal devices goes when personal readings go: from disk and from memory."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from decoders.quantity import Privacy
from ingest.fleet import store
from ingest.settings import Settings
from rules.condition_entry import Entries
from rules.device import record
from rules.device.record import Record
from tests.ingest.bench import running
from tests.ingest.replays import reading
from tests.ingest.thermometer import DAY, DEVICE, PRESENT, thermometer_settings, uplink
from tests.ingest.uplinks import NOW
from tests.rules.conditioned import ABOUT, kept

MEMORIES: Entries = {"air_temperature": (21.5, NOW), "volume_total/a": (77.0, NOW - 40 * DAY), "power": (NOW,)}


def device(privacy: Privacy, entries: Entries = MEMORIES) -> Record:
    """A device of that class with these memories."""
    return kept(entries)._replace(about=ABOUT._replace(privacy=privacy), deadline_ms=NOW)


def table(records: Mapping[str, Record]) -> sqlite3.Connection:
    """A journal's table of devices."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE device (dev_eui TEXT PRIMARY KEY, deadline_ms INTEGER, body BLOB, crc INTEGER)")
    store.fold(connection, {name: store.resting(found) for name, found in records.items()})
    return connection


def test_old_values_of_personal_devices_are_forgotten() -> None:
    """Each by its own time, and of no other class; the rest of the record is as it was, its checksum right."""
    classes = {privacy.name: device(privacy) for privacy in Privacy}
    with closing(table(classes)) as connection:
        store.forget_remembered(connection, NOW - 30 * DAY)
        left = {name: MEMORIES[name] for name in ("air_temperature", "power")}
        expected = {**classes, "PERSONAL": device(Privacy.PERSONAL, left)}
        assert store.load(connection, list(classes)) == expected
        assert store.due(connection, NOW, 9) == [(NOW, name) for name in sorted(classes)]
        store.forget_remembered(connection, NOW + 1)
        assert store.load(connection, ["PERSONAL"])["PERSONAL"].entries == {}


def test_a_damaged_record_stops_nobody() -> None:
    """Neither one that is no JSON, nor one whose checksum does not fit: it stays for those who mend."""
    with closing(table({"a": device(Privacy.PERSONAL), "b": device(Privacy.PERSONAL)})) as connection:
        body = record.dump_one(device(Privacy.PERSONAL))
        rows = [("c", b'{"\xff', 0), ("d", body, 0), ("e", b'{"a": 1}', 0), ("f", b"", 0)]
        connection.executemany("INSERT INTO device VALUES (?, NULL, ?, ?)", rows)
        store.forget_remembered(connection, NOW + 1)
        assert [found.entries for found in store.load(connection, ["a", "b"]).values()] == [{}, {}]
        left = connection.execute("SELECT dev_eui, body, crc FROM device WHERE dev_eui > 'b' ORDER BY 1").fetchall()
        assert left == rows


@pytest.mark.parametrize("privacy", ["personal", "internal"])
async def test_the_service_forgets_them_with_the_rest(tmp_path: Path, privacy: str) -> None:
    """A month after the last word of a personal device nothing of what it measured is left in its record."""
    settings = thermometer_settings(tmp_path)
    classes = settings.privacy.model_copy(update={"applications": {"city": privacy}})
    settings = settings.model_copy(update={"privacy": classes})
    remembered = {"air_temperature", "air_humidity"}
    async with running(settings, NOW) as bench:
        service = bench.service
        await bench.send(uplink(PRESENT))
        await service.upkeep.fold()
        await bench.send(uplink(PRESENT, f_cnt=1))
        await service.upkeep.fold()
        for days, expected in ((29, remembered), (32, set() if privacy == "personal" else remembered)):
            bench.now_ms = NOW + days * DAY
            await service.upkeep.prune([])
            found = service.fleet.record(DEVICE)
            assert found is not None
            assert set(found.entries) == expected
            assert set(on_disk(settings).entries) == expected


def on_disk(settings: Settings) -> Record:
    """The folded record of the device."""
    with reading(settings) as connection:
        return store.load(connection, [DEVICE])[DEVICE]

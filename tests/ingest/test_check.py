"""What `check` says of a running service, and of places that file and tags tell differently."""

import asyncio
import json
from pathlib import Path

import pytest

from decoders.quantity import Privacy
from ingest import check_city, check_service
from ingest.app import Service, read_city
from ingest.broker import Mosquitto, free_port
from ingest.finding import Finding, line
from ingest.fleet.store import fold, resting
from ingest.journal_schema import open_writer
from ingest.settings import Settings, load
from rules.device.record import About, Day, Record
from tests.ingest.uplinks import CITY, LOT_DEVICES, NOW

WAIT_S = 20


def made(folder: Path, port: int, **http: object) -> Settings:
    """Settings of a service."""
    (folder / "city.geojson").write_text(json.dumps(CITY))
    return load(
        city={"file": folder / "city.geojson"},
        mqtt={"port": port, "reconnect_min_s": 0.05, "reconnect_max_s": 0.2},
        journal={"path": folder / "journal.db"},
        http={"port": 0, **http},
        telemetry={"heartbeat_s": 0.2},
    )


def heard(tag: str) -> Record:
    """A device that was heard with this tag `asset`."""
    about = About("device", "bosch/tps110", "city", "", "", tag, Privacy.OPEN)
    return Record(about, NOW, NOW, 0, 0, 1, "", 0, 0, "", 0, 0, 0, 0, None, Day(), False, 0, 0, None)  # noqa: FBT003 - a record


def differences(settings: Settings, tags: dict[str, str]) -> list[Finding]:
    """What `check` says of devices with these tags."""
    connection = open_writer(settings.journal.path)
    fold(connection, {dev_eui: resting(heard(tag)) for dev_eui, tag in tags.items()})
    connection.close()
    return list(check_city.differences(settings, read_city(settings), NOW))


def test_places_that_differ_are_named(tmp_path: Path) -> None:
    """Another asset in the tag, an asset that is not there; no word of agreement, of no tag, of a tag alone."""
    known, other = LOT_DEVICES[:2]
    tags = {known: "container-1", other: "lot-markt", "00" * 8: "nowhere", "11" * 8: "lot-markt", "22" * 8: ""}
    found = differences(made(tmp_path, 1883), tags)
    assert {finding.level for finding in found} == {"warning"}
    assert [finding.text for finding in found] == [
        "device 0000000000000000: its tag `asset` names 'nowhere', which the file does not have",
        f"device {known}: the file places it at 'lot-markt' now and wins, its tag `asset` says 'container-1'",
    ]


def test_many_differences_are_summed_up(tmp_path: Path) -> None:
    """Twenty lines and a number, never a screenful."""
    found = differences(made(tmp_path, 1883), {f"{number:016x}": "nowhere" for number in range(33)})
    assert len(found) == 21
    assert line(found[-1]) == "warning  city.file: and 13 more devices whose tag says something else"


def test_no_journal_no_differences(tmp_path: Path) -> None:
    """Before the first start there is nothing to compare, and no file is made."""
    settings = made(tmp_path, 1883)
    assert list(check_city.differences(settings, read_city(settings), NOW)) == []
    assert not settings.journal.path.exists()


def test_no_service_no_finding(tmp_path: Path) -> None:
    """Where none runs there is nothing to say."""
    assert list(check_service.findings(made(tmp_path, 1883))) == []


async def asked(settings: Settings, subject: str, level: str) -> Finding:
    """What `check` says of the running service, once it says it."""
    async with asyncio.timeout(WAIT_S):
        while True:
            for finding in await asyncio.to_thread(list, check_service.findings(settings)):
                if (finding.subject, finding.level) == (subject, level):
                    return finding
            await asyncio.sleep(0.05)


@pytest.mark.mosquitto
async def test_a_running_service_is_asked(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """The canary's round trip, and what was lost since the start, each in a line."""
    settings = made(tmp_path, mosquitto.port)
    service = Service(settings)
    async with asyncio.TaskGroup() as group:
        group.create_task(service.run())
        assert "canary came round in" in (await asked(settings, "service", "ok")).text
        service.subscriber.at_most_once = 3
        assert "3 events arrived at QoS 0" in (await asked(settings, "mqtt qos", "warning")).text
        service.stop()


async def test_a_service_without_its_broker_says_so(tmp_path: Path) -> None:
    """Its problems and the stage at which the chain hangs are errors."""
    settings = made(tmp_path, free_port())
    service = Service(settings)
    async with asyncio.TaskGroup() as group:
        group.create_task(service.run())
        assert "Connect call failed" in (await asked(settings, "service mqtt", "error")).text
        assert "the broker has taken no canary" in (await asked(settings, "service", "error")).text
        service.stop()


async def test_a_service_that_cannot_be_asked_is_a_warning(tmp_path: Path) -> None:
    """With http.enabled off there is no answer, and the line says what to look at."""
    settings = made(tmp_path, free_port(), enabled=False)
    service = Service(settings)
    async with asyncio.TaskGroup() as group:
        group.create_task(service.run())
        assert "http.enabled" in (await asked(settings, "service", "warning")).text
        service.stop()

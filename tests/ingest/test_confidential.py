"""What rules conclude from personal devices: kept, and never outside, unless it is figures of many."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

from decoders.quantity import Privacy
from ingest import downlink_store, journal_sql
from ingest.app import read_city
from ingest.check_privacy import findings
from ingest.confidential import STATE, STATUS, Confidential
from ingest.downlink import Downlink
from ingest.grafana.progress import LATER, OUT
from ingest.journal_row import WORDS
from ingest.line_protocol import parse
from ingest.mqtt import Message
from ingest.outbox import Outbox
from ingest.settings import Settings, load
from ingest.telemetry import Telemetry
from rules.catalog import RULES
from rules.engine import Engine, StateRow
from tests.ingest.bench import Bench, running
from tests.ingest.replays import reading
from tests.ingest.test_custom_rules import level
from tests.ingest.test_outbox import Channel
from tests.ingest.uplinks import BIN_DEVICE, CITY, LOT_DEVICES, NOW, PROFILES, event, occupied, raw, topic

POINT = {"type": "Point", "coordinates": [7.82, 51.68]}
WIND, METER = "70b3d57ed00000a0", "70b3d57ed00000a1"
HOF = [f"70b3d57ed00000b{number}" for number in range(3)]
HALL = [f"70b3d57ed00000c{number}" for number in range(2)]
MINUTE, DAY = 60_000, 86_400_000
MARKT = "stadtfunk/v1/parking/lot/lot-markt/state"
GUST = "stadtfunk/v1/environment/gust/platz/alert"
FULL = "stadtfunk/v1/custom/full/container-1/state"
OPENED: dict[str, object] = {
    "name": "full",
    "kind": "container",
    "units": {"distance": "mm"},
    "when": "distance < 500.0",
    "severity": "severe",
    "text_de": "{name}: noch {distance} mm",
    "text_en": "{name}: {distance} mm left",
}
SPOTTED: dict[str, object] = {
    "name": "taken",
    "kind": "lot",
    "units": {"occupied": ""},
    "when": "occupied == 1.0",
    "severity": "info",
    "text_de": "belegt",
    "text_en": "taken",
}


def feature(name: str, kind: str, devices: Iterable[str] = (), **properties: object) -> dict[str, Any]:
    """A feature of the town."""
    given = {"kind": kind, "name": name, "devices": [{"dev_eui": each} for each in devices], **properties}
    return {"type": "Feature", "id": name, "geometry": POINT, "properties": given}


def town(
    folder: Path,
    *,
    custom: Iterable[dict[str, object]] = (OPENED, SPOTTED),
    zones: Iterable[dict[str, Any]] = (),
    **sections: Any,  # noqa: ANN401 - sections as given
) -> Settings:
    """Lots of 20, 3 and 50 spaces (the last with two sensors), zones about them and more, a station, a container."""
    places = [
        feature("lot-hof", "lot", HOF, capacity=3),
        feature("lot-hall", "lot", HALL, capacity=50, sensors=2),
        feature("mitte", "zone", lots=["lot-markt"]),
        feature("nord", "zone", lots=["lot-hof"]),
        feature("platz", "station", [WIND]),
        *zones,
    ]
    city = {**CITY, "features": [*CITY["features"], *places]}
    (folder / "city.geojson").write_text(json.dumps(city))
    return load(
        city={"file": folder / "city.geojson"},
        journal={"path": folder / "journal.db"},
        codecs={"profiles": {**PROFILES, "S2120": "seeed/sensecap-s2120"}},
        privacy={"applications": {"home": "personal", "staff": "internal"}},
        rules={"custom": list(custom), **sections.pop("rules", {})},
        http={"enabled": False},
        **sections,
    )


def uplink(dev_eui: str, application: str, **fields: Any) -> Message:  # noqa: ANN401 - as `event`
    """An uplink of a device of an application."""
    made = event(dev_eui, **fields)
    made["deviceInfo"]["applicationName"] = application
    return raw(json.dumps(made).encode(), where=topic(dev_eui))


def everything(application: str, number: int = 0) -> list[Message]:
    """Cars on all lots, a storm at the station, a full container."""
    time_ms = NOW + number * MINUTE
    cars = [*LOT_DEVICES, *HOF, *HALL]
    at = {"f_cnt": number, "time_ms": time_ms}
    return [
        *(uplink(name, application, payload=occupied(yes=True), **at) for name in cars),
        uplink(WIND, application, payload=bytes.fromhex("4c00fa00000000"), f_port=3, profile="S2120", **at),
        uplink(BIN_DEVICE, application, **level(100, number, time_ms)),
    ]


@contextlib.asynccontextmanager
async def publishing(settings: Settings) -> AsyncIterator[tuple[Bench, Channel]]:
    """A bench whose outbox is at work, courier included."""
    async with running(settings) as bench:
        service, channel = bench.service, Channel()
        courier, stopped = service._courier(), service.modes.is_stopped
        outbox = Outbox(channel, service.journal, service.clock, Telemetry(), 1.0, stopped, courier, service._went_out)
        task = asyncio.create_task(outbox.run())
        try:
            yield bench, channel
        finally:
            task.cancel()
            await asyncio.wait([task])


async def statuses(bench: Bench) -> dict[str, set[str]]:
    """What the events of each topic are kept as."""
    rows = await bench.service.journal.query(
        lambda connection: connection.execute("SELECT topic, status FROM event").fetchall()
    )
    found: dict[str, set[str]] = {}
    for where, status in rows:
        found.setdefault(where, set()).add(status)
    return found


async def settled(bench: Bench) -> dict[str, set[str]]:
    """The same once nothing waits for the broker any more."""
    async with asyncio.timeout(60):
        while any("pending" in kept for kept in (await statuses(bench)).values()):
            await asyncio.sleep(0.02)
    return await statuses(bench)


async def classes(bench: Bench) -> set[tuple[str, str, Privacy]]:
    """Influx measurement, asset and class of what rules said and derived."""
    rows = await bench.service.journal.points_after(0, 1_000_000, NOW)
    lines = [(row.privacy, parse(line)) for row in rows for line in row.body.splitlines()]
    told = ((point.measurement, point.tags.get("asset", ""), privacy) for privacy, point in lines)
    return {each for each in told if each[0] in {"event", "asset"}}


async def test_only_figures_of_many_go_out_of_what_is_personal(tmp_path: Path) -> None:
    """The lot of twenty and its zone; no smaller lot, none with two sensors, no alert, no container, no own rule."""
    async with publishing(town(tmp_path)) as (bench, channel):
        await bench.send(*everything("home"))
        kept = await settled(bench)
        assert await bench.letters() == []
        topics = {where.removeprefix("stadtfunk/v1/") for where, *_ in channel.sent}
        points = await classes(bench)
    assert topics == {"parking/lot/lot-markt/state", "parking/zone/mitte/guidance"}
    assert "published" in kept[MARKT]
    assert STATUS not in kept[MARKT]
    inside = {where.removeprefix("stadtfunk/v1/") for where, each in kept.items() if each == {STATUS}}
    assert inside >= {
        *("parking/lot/lot-hof/state", "parking/lot/lot-hall/state", "parking/zone/nord/guidance"),
        *("environment/gust/platz/alert", "waste/container/container-1/due", "custom/full/container-1/state"),
        *("custom/taken/lot-markt/state", "custom/taken/lot-hof/state"),
    }
    assert {(each[0], each[1]) for each in points if each[2] is Privacy.OPEN} == {
        ("asset", "lot-markt"),
        ("asset", "mitte"),
        ("event", "mitte"),
    }
    personal = {(each[0], each[1]) for each in points if each[2] is Privacy.PERSONAL}
    assert personal >= {
        *(("asset", "platz"), ("event", "platz"), ("asset", "container-1"), ("event", "container-1")),
        *(("event", "lot-markt"), ("asset", "lot-hof"), ("asset", "lot-hall"), ("asset", "nord"), ("event", "nord")),
    }


async def test_what_is_open_goes_out_as_before(tmp_path: Path) -> None:
    """Without personal devices every topic is published, and nothing is personal."""
    async with publishing(town(tmp_path)) as (bench, channel):
        await bench.send(*everything("city"))
        kept = await settled(bench)
        points = await classes(bench)
    assert {where for where, *_ in channel.sent} >= {MARKT, GUST, FULL}
    assert not any(STATUS in each for each in kept.values())
    assert {each[2] for each in points if each[1] == "platz"} == {Privacy.OPEN}
    assert Privacy.PERSONAL not in {each[2] for each in points}


async def test_what_is_internal_has_internal_points(tmp_path: Path) -> None:
    """Events about it are published to the house's own broker; their points, and figures, are not for everybody."""
    async with publishing(town(tmp_path)) as (bench, channel):
        await bench.send(*everything("staff"))
        await settled(bench)
        points = await classes(bench)
    assert {where for where, *_ in channel.sent} >= {MARKT, GUST, FULL}
    assert {each[2] for each in points if each[1] in {"platz", "container-1"}} == {Privacy.INTERNAL}
    assert ("asset", "lot-markt", Privacy.OPEN) in points
    assert {each[2] for each in points if each[1] == "nord"} == {Privacy.INTERNAL}, "a zone about a lot of three"


async def test_it_is_remembered_as_long_as_personal_readings_are(tmp_path: Path) -> None:
    """The end of an alert after a restart stays inside, though only time passed; after thirty days an open one goes."""
    settings = town(tmp_path)
    async with running(settings) as bench:
        await bench.send(*everything("home"))
    async with running(settings) as bench:
        bench.service.processor.last_tick_ms = 0
        await bench.tick(NOW + 61 * MINUTE)
        assert (await statuses(bench))[GUST] == {STATUS}
        kept = await bench.service.journal.query(
            lambda c: c.execute("SELECT count(*) FROM event WHERE topic = ?", (GUST,)).fetchone()[0]
        )
        assert kept > 1, "the alert was cleared"
        for day, expected in ((29, {STATUS}), (31, {STATUS, "pending"})):
            bench.now_ms = NOW + day * DAY
            await bench.send(*everything("city", day * 1440)[-2:])
            assert (await statuses(bench))[GUST] == expected


async def test_a_rule_that_is_switched_on_lets_nothing_personal_out(tmp_path: Path) -> None:
    """What was concluded while a domain was stopped, in shadow or waiting for a person is personal all the same."""
    rules = {"modes": {"custom.full": "off", "custom.taken": "confirm", "environment.gust": "shadow"}}
    async with publishing(town(tmp_path, rules=rules)) as (bench, channel):
        await bench.service.rules.stop("waste", "anna", "test")
        await bench.send(*everything("home"))
        await bench.service.rules.start("waste", "anna", "test")
        kept = await settled(bench)
        sent = {where for where, *_ in channel.sent}
    about = [where for where in kept if where.split("/")[2] in {"custom", "waste", "environment"}]
    assert {GUST, FULL, "stadtfunk/v1/waste/container/container-1/due"} <= set(about)
    assert {status for where in about for status in kept[where]} == {STATUS}
    assert not sent & set(about)


async def test_a_downlink_goes_to_its_device_and_no_word_of_it_to_anybody(tmp_path: Path) -> None:
    """A command to one device discloses nothing on the events' topics; what became of it would."""
    valve = {**OPENED, "downlink": {"device": METER, "f_port": 2, "payload": "0101"}}
    async with publishing(town(tmp_path, custom=[valve])) as (bench, channel):
        await bench.send(*everything("home")[-1:])
        async with asyncio.timeout(60):
            while not any(where.endswith("/downlink/status") for where in await statuses(bench)):
                await asyncio.sleep(0.02)
        kept = await settled(bench)
    assert kept["stadtfunk/v1/custom/full/container-1/downlink"] == {"rejected"}, "the courier had it: never heard"
    assert kept["stadtfunk/v1/custom/full/container-1/downlink/status"] == {STATUS}
    assert not [where for where, *_ in channel.sent if "parking" not in where]


async def test_no_word_of_a_downlink_to_a_personal_device_gets_out(tmp_path: Path) -> None:
    """Neither that nobody took it, whoever asked for it."""
    about = ("r-1", METER, "custom.full", "platz", 2, 2, False, NOW, NOW + MINUTE)
    async with running(town(tmp_path)) as bench:
        sent = [
            Downlink(*about, privacy, NOW, "queued", NOW)._replace(id=f"r-{privacy}", subject=f"platz-{privacy}")
            for privacy in (Privacy.INTERNAL, Privacy.PERSONAL)
        ]
        await bench.service.journal.note(lambda connection: downlink_store.put(connection, sent))
        await bench.tick(NOW + 60 * MINUTE)
        kept = await statuses(bench)
    told = "stadtfunk/v1/custom/full/platz-{}/downlink/status"
    assert [kept[told.format(int(privacy))] for privacy in (1, 2)] == [{"pending"}, {STATUS}]


async def test_personal_events_go_with_personal_readings(tmp_path: Path) -> None:
    """They leave the journal after the days of personal readings, others later."""
    settings = town(tmp_path, influxdb={"retention_personal_days": 2})
    async with running(settings) as bench:
        await bench.send(*everything("home"), uplink(LOT_DEVICES[0], "city", payload=occupied(yes=False), f_cnt=9))
        for days, expected in ((1, True), (3, False)):
            await bench.service.journal.prune(NOW + days * DAY, NOW + days * DAY)
            kept = await statuses(bench)
            assert any(STATUS in each for each in kept.values()) is expected
        assert MARKT in kept


def test_no_part_takes_its_status_for_one_that_goes_out() -> None:
    """Neither Grafana's annotations; nor is it damage to whoever saves a journal."""
    assert STATUS not in OUT | LATER
    assert STATUS in WORDS["event", "status"]


def known(settings: Settings) -> Confidential:
    """Nothing heard yet in this town."""
    return Confidential(Engine(read_city(settings), RULES), 30)


def test_a_batch_is_in_force_with_its_commit(tmp_path: Path) -> None:
    """What a batch heard that was not committed is not known; a row is written once an hour."""
    found = known(town(tmp_path))
    lost, kept, later = found.overlay(), found.overlay(), found.overlay()
    lost.hear("platz", Privacy.PERSONAL, NOW)
    assert lost.of("platz", NOW, figures=True) is Privacy.PERSONAL
    assert kept.of("platz", NOW, figures=True) is Privacy.OPEN
    kept.hear("platz", Privacy.INTERNAL, NOW)
    found.merge(kept)
    later.hear("platz", Privacy.INTERNAL, NOW + 59 * MINUTE)
    assert later.rows() == []
    assert later.of("platz", NOW, figures=True) is Privacy.INTERNAL
    later.hear("platz", Privacy.INTERNAL, NOW + 60 * MINUTE)
    assert len(later.rows()) == 1


def test_a_damaged_row_makes_its_asset_personal(tmp_path: Path) -> None:
    """Nobody knows what it said: nothing goes out for as long as it may have said so."""
    found = known(town(tmp_path))
    found.restore([], [StateRow(STATE, "platz", 1, "?"), StateRow("environment.gust", "lot-hof", 1, "?")], NOW)
    hearing = found.overlay()
    assert hearing.of("platz", NOW + DAY, figures=True) is Privacy.PERSONAL
    assert hearing.of("lot-hof", NOW + DAY, figures=True) is Privacy.OPEN


async def test_check_names_assets_with_personal_devices(tmp_path: Path) -> None:
    """By what was heard, and by the codecs that the file names, where a purpose lets them be read."""
    settings = town(tmp_path, custom=())
    async with running(settings) as bench:
        await bench.send(*everything("home"), uplink(METER, "city", f_cnt=1))
    with reading(settings) as connection:
        assert {row.rule for row in journal_sql.states(connection)[0]} >= {STATE}
    city = read_city(settings)

    def said(settings: Settings) -> dict[str, str]:
        found = findings(settings, city, Engine(city, RULES), NOW)
        return {line.text.split(":")[0]: line.text for line in found if line.level == "warning"}

    lines = said(settings)
    assert set(lines) == {"container-1", "lot-hall", "lot-hof", "lot-markt", "nord", "platz"}
    assert "only its state and figures as a whole" in lines["lot-markt"]
    assert lines["platz"] == "platz: has personal devices; what rules conclude about it is not published"


def test_check_knows_personal_codecs_of_the_file(tmp_path: Path) -> None:
    """Before anything was heard; a codec without a purpose reads nothing."""
    meter = feature("haus", "station")
    meter["properties"]["devices"] = [{"dev_eui": METER, "model": "axioma/qalcosonic-w1"}]
    (tmp_path / "city.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [meter]}))
    for purpose, expected in (({}, []), ({"axioma/*": "leaks"}, ["haus"])):
        settings = load(
            city={"file": tmp_path / "city.geojson"},
            journal={"path": tmp_path / "journal.db"},
            privacy={"purpose": purpose},
        )
        city = read_city(settings)
        found = [line.text.split(":")[0] for line in findings(settings, city, Engine(city, RULES), NOW)]
        assert found == expected


async def test_reading_again_keeps_it(tmp_path: Path) -> None:
    """New parameters are another engine, and the same secrets: a new zone tells none of a lot that it follows."""
    settings = town(tmp_path)
    async with running(settings) as bench:
        await bench.send(*everything("home"))
        town(tmp_path, zones=[feature("sued", "zone", lots=["lot-hof"])])
        await bench.service.reload("anna", "test")
        leaving = {"payload": occupied(yes=False), "f_cnt": 1, "time_ms": NOW + MINUTE}
        await bench.send(*(uplink(name, "city", **leaving) for name in HOF), *everything("city", 1)[-2:])
        kept = await statuses(bench)
    assert kept[GUST] == {STATUS}
    assert kept["stadtfunk/v1/parking/zone/sued/guidance"] == {STATUS}

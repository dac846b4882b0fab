"""Conditioning inside the service: what is stored, what rules see, what a restart and a replay find."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from decoders import catalog
from decoders.measurement import Measurement, Reading
from decoders.quantity import Privacy, Quantity
from decoders.uplink import Device
from ingest import check, check_service, journal_raw
from ingest.audit import Action
from ingest.conditioning import Conditioning, city_problems
from ingest.decisions.replay import Selection, run
from ingest.devices import Place
from ingest.finding import Finding
from ingest.lines import Lines, write_readings
from ingest.mqtt import Message
from ingest.replay.decode_again import Decoder, Line
from ingest.settings import Settings, SettingsError, load
from rules.catalog import RULES
from rules.city import City
from rules.condition_config import ConditionRules
from rules.engine import Engine, Observation, Outputs
from rules.rule import NOTHING, Input
from rules.waste import collection_due
from rules.waste.collection_due import Container
from rules.waste.due_config import ContainerConfig
from tests.ingest.bench import Bench, running
from tests.ingest.replays import reading
from tests.ingest.uplinks import BIN_DEVICE, NOW, event, raw, rfc3339, topic

Q = Quantity
MINUTE = 60_000
LATER = NOW + 500 * MINUTE
"""What time it is when uplinks are taken: a backlog."""
STATION_DEVICE, GATE_DEVICE = "70b3d57ed0000090", "70b3d57ed0000091"
PROFILES = {"ELSYS": "elsys/generic", "Gate": "nwave/ncc405", "Bin": "milesight/em400-mud"}
POINT = {"type": "Point", "coordinates": [7.82, 51.68]}


def feature(name: str, kind: str, *devices: Mapping[str, object], **properties: object) -> dict[str, object]:
    """An asset of the city."""
    given = {"kind": kind, "name": name, "devices": list(devices), **properties}
    return {"type": "Feature", "id": name, "geometry": POINT, "properties": given}


CITY = {
    "type": "FeatureCollection",
    "features": [
        feature("station-1", "station", {"dev_eui": STATION_DEVICE, "offset_air_humidity": 2}, factor_air_humidity=0.5),
        feature("container-1", "container", {"dev_eui": BIN_DEVICE}, depth_mm=1500, sensor_offset_mm=100),
    ],
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A small city whose raw messages are kept."""
    (tmp_path / "city.geojson").write_text(json.dumps(CITY))
    return load(
        city={"file": tmp_path / "city.geojson"},
        journal={"path": tmp_path / "journal.db", "raw_days": 400},
        codecs={"profiles": PROFILES},
        http={"enabled": False},
    )


def uplink(profile: str, dev_eui: str, minute: float, *readings: Reading, **fields: Any) -> Message:  # noqa: ANN401 - any field of the event
    """An uplink of that minute; `tags` are the device's."""
    f_port = {"ELSYS": 5, "Gate": 1, "Bin": 85}[profile]
    payload = fields.pop("payload", None) or catalog.codec(PROFILES[profile]).encode(f_port, list(readings))
    time_ms = NOW + int(minute * MINUTE)
    tags = fields.pop("tags", {})
    made = event(dev_eui, payload=payload, f_port=f_port, profile=profile, time_ms=time_ms, **fields)
    made["deviceInfo"]["tags"] = tags
    return raw(json.dumps(made).encode(), where=topic(dev_eui))


def gate(minute: float, total: int, **fields: Any) -> Message:  # noqa: ANN401 - any field of the event
    """A total of the gate's vehicles; its frames are numbered by minutes."""
    fields = {"f_cnt": int(minute), **fields}
    return uplink("Gate", GATE_DEVICE, minute, Reading(Q.VEHICLE_COUNT_TOTAL, float(total)), **fields)


def container(minute: float, distance: float) -> Message:
    """A distance of the bin's sensor."""
    return uplink("Bin", BIN_DEVICE, minute, Reading(Q.DISTANCE, distance), f_cnt=int(minute))


def station(minute: float, temperature: float, humidity: float, **fields: Any) -> Message:  # noqa: ANN401 - any field of the event
    """Air temperature and humidity of the station."""
    readings = Reading(Q.AIR_TEMPERATURE, temperature), Reading(Q.AIR_HUMIDITY, humidity)
    return uplink("ELSYS", STATION_DEVICE, minute, *readings, f_cnt=int(minute), **fields)


async def fields(bench: Bench, start: str) -> list[str]:
    """The fields of all lines of an Influx measurement."""
    return [line.split(" ")[1] for line in await bench.lines() if line.startswith(f"{start},")]


# -- what is stored ---------------------------------------------------------------------------------------------------


async def test_tags_and_the_citys_file_calibrate(settings: Settings) -> None:
    """The stored value is the calibrated one; the file wins over the tag, the device's property over the asset's."""
    tags = {"offset_air_temperature": "-0.4", "factor_air_humidity": "9", "offset_air_humidity": "9"}
    async with running(settings, LATER) as bench:
        await bench.send(station(0, 20.5, 60, tags=tags))
        assert await fields(bench, "environment") == ["air_temperature=20.1,air_humidity=32.0"]


async def test_a_changed_tag_is_in_force_with_its_uplink(settings: Settings) -> None:
    """Recalibrated in ChirpStack: no restart, and the step is no jump."""
    async with running(settings, LATER) as bench:
        await bench.send(station(0, 20.5, 60), station(10, 20.6, 60, tags={"offset_air_temperature": "30"}))
        assert [text.split(",")[0] for text in await fields(bench, "environment")] == [
            "air_temperature=20.5",
            "air_temperature=50.6",
        ]


async def test_a_doubtful_value_is_stored_with_its_flag(settings: Settings) -> None:
    """The reason stands beside the value it is about, and nowhere else."""
    async with running(settings, LATER) as bench:
        await bench.send(station(0, 20, 60), station(10, 55, 60), station(20, 20, 60))
        assert await fields(bench, "environment") == [
            "air_temperature=20.0,air_humidity=32.0",
            "air_temperature=55.0,air_temperature_quality=3,air_humidity=32.0",
            "air_temperature=20.0,air_humidity=32.0",
        ]


def test_a_flag_belongs_to_its_channel() -> None:
    """Of one quantity on two channels the doubtful one alone has it."""
    device = Device(STATION_DEVICE, "", "", "1", "city", {})
    measured = Measurement.of(
        NOW, tuple(Reading(Q.SOIL_MOISTURE, value, channel) for value, channel in ((5, "a"), (101, "b")))
    )
    lines: Lines = {privacy: [] for privacy in Privacy}
    write_readings(measured, Place(device, "m", "environment", Privacy.OPEN, None), lines, {(Q.SOIL_MOISTURE, "b"): 1})
    found = [line.split(" ")[1] for line in lines[Privacy.OPEN]]
    assert found == ["soil_moisture=5", "soil_moisture=101,soil_moisture_quality=1"]


async def test_a_battery_that_cannot_be_is_not_judged(settings: Settings) -> None:
    """255 % is stored with a flag and does not become the device's battery."""
    async with running(settings, LATER) as bench:
        await bench.send(uplink("Bin", BIN_DEVICE, 0, payload=bytes.fromhex("0175ff")))
        assert (await fields(bench, "device"))[:1] == ["battery_level=255.0,battery_level_quality=1"]
        record = bench.service.fleet.record(BIN_DEVICE)
        assert record is not None
        assert record.battery is None


# -- what rules see ---------------------------------------------------------------------------------------------------


async def test_rules_do_not_see_doubtful_values(settings: Settings) -> None:
    """An echo off the lid is stored, and no level of the container follows from it."""
    async with running(settings, LATER) as bench:
        await bench.send(container(0, 1500), container(5, 200), container(10, 1495))
        assert await fields(bench, "waste") == [
            "distance=1500.0",
            "distance=200.0,distance_quality=3",
            "distance=1495.0",
        ]
        levels = [text.rpartition("fill_level=")[2] for text in await fields(bench, "asset")]
        assert [round(float(level), 1) for level in levels] == [6.7, 7.0]


@pytest.mark.parametrize(("asks", "expected"), [(False, [[30.0], [35.0]]), (True, [[30.0], [40.0], [35.0, 45.0]])])
def test_a_rule_that_asks_gets_doubtful_values(asks: bool, expected: list[list[float]]) -> None:
    """Behind its sound readings; the others get what is sound, and are not asked where nothing is."""
    seen: list[list[float]] = []

    def step(_config: ContainerConfig, state: Container, given: Input) -> tuple[Container, Outputs]:
        assert isinstance(given, Observation)
        seen.append([value for _, value, _ in given.readings])
        assert bool(given.doubtful) == (asks and len(seen) > 1)
        return state, NOTHING

    rule = dataclasses.replace(collection_due.RULE, doubtful=asks, step=step)
    overlay = Engine(City.parse(json.dumps(CITY)), [rule]).overlay()
    for minute, sound, doubtful in ((0, [30.0], []), (1, [], [40.0]), (2, [35.0], [45.0])):
        readings, doubts = (tuple(Reading(Q.FILL_LEVEL, value) for value in values) for values in (sound, doubtful))
        at_ms = NOW + minute * MINUTE
        overlay.observe(Observation(BIN_DEVICE, "", "container-1", at_ms, at_ms, readings, f"c{minute}", at_ms, doubts))
    assert seen == expected
    assert overlay.failures == []


# -- counters, restarts, replays --------------------------------------------------------------------------------------


def amounts(texts: list[str]) -> list[str]:
    """The amounts of lines with a total, empty where there is none."""
    return [text.partition(",")[2] for text in texts]


async def test_counts_survive_a_restart(settings: Settings) -> None:
    """From the log and, once folded, from the table of devices; duplicates and dead letters count nothing twice."""
    async with running(settings, LATER) as bench:
        await bench.send(gate(0, 65_530))
    async with running(settings, LATER) as bench:
        await bench.send(gate(10, 3), gate(10, 3))
        await bench.service.upkeep.fold()
    async with running(settings, LATER) as bench:
        await bench.send(uplink("Gate", GATE_DEVICE, 15, payload=b"\0", f_cnt=15))
        await bench.send(gate(20, 10), gate(14, 5), gate(30, 2))
        assert amounts(await fields(bench, "parking")) == [
            "",
            "vehicle_count=9.0",
            "vehicle_count=7.0",
            "",
            "vehicle_count=2.0,vehicle_count_quality=4",
        ]
        assert await bench.letters() == [("decode", "open")]


async def test_a_commit_that_fails_counts_nothing(settings: Settings) -> None:
    """What was conditioned in a batch that was not committed is conditioned again, as it was."""
    async with running(settings, LATER) as bench:
        await bench.send(gate(0, 100))
        processor, journal = bench.service.processor, bench.service.journal
        arrived = [processor.read(gate(10, 103))]
        known = await journal.look_up(processor.wanted(arrived, journal.newest_ns_time_ms))
        processor.process(arrived, known)
        await bench.send(gate(10, 103))
        assert amounts(await fields(bench, "parking")) == ["", "vehicle_count=3.0"]


async def test_a_retried_letter_is_remembered(settings: Settings) -> None:
    """Its total is where the next one counts from, where it is the newest; an older one changes nothing."""
    action = Action("os:test", "dead-letters retry", "1", "codec added")
    without = settings.model_copy(update={"codecs": settings.codecs.model_copy(update={"profiles": {}})})
    async with running(settings, LATER) as bench:
        await bench.send(gate(0, 100))
    async with running(without, LATER) as bench:
        await bench.send(gate(10, 103), gate(20, 110))
    async with running(settings, LATER) as bench:
        assert await bench.service.retry(2, action) is None
        assert await bench.service.retry(1, action) is None
        await bench.send(gate(30, 111))
        assert amounts(await fields(bench, "parking")) == ["", "vehicle_count=10.0", "", "vehicle_count=1.0"]


async def test_what_an_overtaken_uplink_says_is_remembered(settings: Settings) -> None:
    """Its counter is where the next one counts from, as long as nothing newer was said of it."""
    count = Reading(Q.PULSE_COUNT_TOTAL, 5.0, "pulse1")
    async with running(settings, LATER) as bench:
        await bench.send(station(20, 20, 60), uplink("ELSYS", STATION_DEVICE, 10, count, f_cnt=10))
        await bench.send(uplink("ELSYS", STATION_DEVICE, 30, count._replace(value=8.0), f_cnt=30))
        assert (await fields(bench, "environment"))[1:] == [
            "pulse_count_total=5.0",
            "pulse_count_total=8.0,pulse_count=3.0",
        ]


async def test_a_clock_that_runs_ahead_hides_nothing(settings: Settings) -> None:
    """A value from the future is stored, and what comes after it is judged as if it had not been."""
    async with running(settings, LATER) as bench:
        await bench.send(station(0, 20, 60), station(10, 55, 60, time=rfc3339(NOW + 70 * MINUTE)), station(20, 55, 60))
        flagged = ["quality" in text for text in await fields(bench, "environment")]
        assert flagged == [False, False, True]


async def test_a_replay_says_the_same(settings: Settings) -> None:
    """Flags, calibrated values, amounts: every line is there again, byte for byte; so are the events."""
    async with running(settings, LATER) as bench:
        for minute in range(0, 400, 10):
            wet, hot = minute % 70 / 2, 45 if minute in {100, 300} else 20
            await bench.send(
                station(minute, hot, wet, tags={"factor_air_temperature": "1.1"}),
                gate(minute, (65_000 + minute * 7) % 65_536 if minute < 200 else minute),
                container(minute, 200 if minute in {50, 150} else 1500 - minute),
            )
        written = {line for line in await bench.lines() if line.startswith(("environment,", "parking,", "waste,"))}
        again: list[Line] = []
        with reading(settings) as connection:
            decoder = Decoder(settings, bench.service.city)
            for kept in journal_raw.read(connection, 0, journal_raw.LAST, lambda _: None):
                again += decoder.lines(decoder.parse(kept.message))
            city = bench.service.city
            shadow = run(connection, Decoder(settings, city), city, RULES, Selection(0, NOW * 2))
        assert {line.text for line in again if not line.text.startswith("device,")} == written
        assert sum("_quality=3" in line for line in written) == 4
        assert {finding.verdict for finding in shadow.findings} == {"same"}
        assert shadow.problems == []


# -- what is wrong ----------------------------------------------------------------------------------------------------


async def test_wrong_figures_are_warnings(settings: Settings) -> None:
    """Named with their device, gone when the tag is mended; the uplink is stored without them."""
    async with running(settings, LATER) as bench:
        conditioning = bench.service.processor.conditioning
        assert conditioning.warnings() == {}
        await bench.send(station(0, 20, 60, tags={"factor_air_temperature": "0", "offset_air_temperature": "x"}))
        assert await fields(bench, "environment") == ["air_temperature=20.0,air_humidity=32.0"]
        assert list(conditioning.warnings().values()) == [
            f"device {STATION_DEVICE}: tag {problem}; it is not used"
            for problem in (
                "factor_air_temperature is '0', expected a number other than 0",
                "offset_air_temperature is 'x', expected a number",
            )
        ]
        await bench.send(station(10, 20, 60, tags={"factor_air_temperature": "1"}))
        assert conditioning.warnings() == {}


async def test_a_tag_that_meets_nothing_is_a_warning(settings: Settings) -> None:
    """A quantity or channel that the codec does not know; a property of an asset is for all of its devices."""
    tags = {"offset_wind_speed": "1", "factor_pulse_count__pulse9": "2", "offset_air_temperature": "0.5"}
    async with running(settings, LATER) as bench:
        await bench.send(station(0, 20, 60, tags=tags))
        warnings = bench.service.processor.conditioning.warnings().values()
        assert [text.removeprefix(f"device {STATION_DEVICE}: tag ") for text in warnings] == [
            "offset_wind_speed: the device does not tell wind_speed; it is not used",
            "factor_pulse_count__pulse9: pulse_count has no channel 'pulse9', known: pulse1, pulse2; it is not used",
        ]
        assert await fields(bench, "environment") == ["air_temperature=20.5,air_humidity=32.0"]


async def test_status_and_check_show_wrong_figures(settings: Settings) -> None:
    """Those of the city's file in both; a running service adds those of devices."""
    wrong = [feature("station-1", "station", {"dev_eui": STATION_DEVICE}, factor_co2=0)]
    assert settings.city.file is not None
    settings.city.file.write_text(json.dumps({"type": "FeatureCollection", "features": wrong}))
    async with running(settings, LATER) as bench:
        await bench.send(station(0, 20, 60, tags={"offset_air_temperature": "x"}))
        warnings = (await bench.service.status())["warnings"]
    in_city = "feature 'station-1': property factor_co2 is 0, expected a number other than 0; it is not used"
    of_device = f"device {STATION_DEVICE}: tag offset_air_temperature is 'x', expected a number; it is not used"
    assert [text for name, text in warnings.items() if name.startswith("calibration")] == [in_city, of_device]
    assert Finding("warning", "city.file", in_city) in check._city(settings, RULES)
    shown = list(check_service._seen({"warnings": warnings}))
    assert shown == [Finding("warning", "calibration", of_device)]


def test_wrong_figures_in_the_citys_file_are_named() -> None:
    """With their feature, and the device where they are its own; of many the first are shown."""
    device = {"dev_eui": STATION_DEVICE, "offset_co2": "much"}
    places = [feature(f"station-{number}", "station", factor_co2=0) for number in range(30)]
    city = City.parse(json.dumps({"type": "FeatureCollection", "features": [feature("a", "station", device), *places]}))
    found = list(city_problems(city))
    assert found[:2] == [
        f"feature 'a', device {STATION_DEVICE}: property offset_co2 is 'much', expected a number; it is not used",
        "feature 'station-0': property factor_co2 is 0, expected a number other than 0; it is not used",
    ]
    shown = list(Conditioning(ConditionRules(), city).warnings().values())
    assert shown[:20] == found[:20]
    assert shown[20:] == ["and 11 more figures that are not used"]


async def test_settings_set_limits(settings: Settings) -> None:
    """A range and a fastest change of this city; what is not set stays."""
    limits = {"air_temperature": {"high": 30, "per_minute": 0}}
    rules = load(rules={"condition": {"limits": limits}}).rules
    async with running(settings.model_copy(update={"rules": rules}), LATER) as bench:
        await bench.send(station(0, 0, 60), station(10, 30, 60), station(20, 30.1, 60), station(30, -50, 60))
        flagged = ["quality" in text for text in await fields(bench, "environment")]
        assert flagged == [False, False, True, False]


@pytest.mark.parametrize(
    ("limits", "complaint"),
    [
        ({"air_temprature": {"low": 1}}, "unknown quantity 'air_temprature'; did you mean 'air_temperature'?"),
        ({"air_temperature": {"low": 5, "high": 5}}, "air_temperature: expected low < high, got 5 and 5"),
        ({"air_temperature": {"low": 71}}, "air_temperature: expected low < high, got 71 and 70"),
        ({"air_temperature": {"per_minute": -1}}, "greater than or equal to 0"),
    ],
)
def test_limits_that_cannot_be_are_refused(limits: dict[str, dict[str, float]], complaint: str) -> None:
    """With the quantity and what was expected."""
    with pytest.raises(SettingsError) as caught:
        load(rules={"condition": {"limits": limits}})
    assert complaint in str(caught.value)

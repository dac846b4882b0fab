"""What devices make of downlinks: intervals, levels of lights, switches."""

from base64 import b64encode
from random import Random

import pytest

from decoders import catalog
from decoders.devices.nas_blocks import OUTPUTS
from decoders.quantity import Quantity
from simulator.device import NS_PER_S
from simulator.devices.downlinks import Downlinks
from simulator.devices.generic import MOST_SETTINGS, GenericSensor
from simulator.devices.orders import interval_s, settings
from simulator.scenario.bad_day import BadSenses
from simulator.scenario.script import Script
from simulator.sensor import Frame
from simulator.world import Calendar
from tests.simulator.devices.single import MINUTE_NS, START_NS, device

CALENDAR = Calendar("Europe/Berlin")
START_MS = START_NS // 1_000_000
MINUTE_MS = 60_000


@pytest.mark.parametrize(
    ("model", "f_port", "data", "expected"),
    [
        ("milesight/em310-udl", 85, "ff03b004", 1200),
        ("milesight/em310-udl", 85, "ff030000", None),
        ("milesight/em310-udl", 85, "ff10ff", None),
        ("dragino/lht65n", 2, "01000258", 600),
        ("dragino/lht65n", 2, "0400", None),
        ("mclimate/ht", 2, "021e", 1800),
        ("mclimate/ht", 2, "12", None),
        ("elsys/generic", 6, "3e0a140000003c1f0000000a", 600),
        ("elsys/generic", 6, "3e0414000258", None),
        ("elsys/generic", 6, "3e051400000258", 600),
        ("elsys/generic", 6, "3e0614000002 58fe", None),
        ("elsys/generic", 5, "3e051400000258", None),
        ("elvaco/cmi41xx", 2, "0006021e00", 1800),
        ("elvaco/cmi41xx", 2, "0007011f", None),
        ("netvox/ra0716", 7, "0105001e038400 00000000", 900),
        ("netvox/ra0716", 7, "020500000000000000 0000", None),
        ("seeed/sensecap-s210x", 2, "00890011223c00db1a", None),
        ("bosch/tps110", 85, "ff03b004", None),
    ],
)
def test_intervals(model: str, f_port: int, data: str, expected: float | None) -> None:
    """Only a vendor's own command on its own port sets an interval, and never none at all."""
    assert interval_s(model, bytes.fromhex(data), f_port) == expected


def _kermit(data: bytes) -> int:
    """CRC-16/KERMIT bit by bit."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
    return crc


def test_sensecap_needs_its_checksum() -> None:
    """An interval of an hour with CRC-16/KERMIT is taken, one with another checksum is not."""
    assert _kermit(b"123456789") == 0x2189
    command = bytes.fromhex("00890011223c00")
    right = _kermit(command).to_bytes(2, "little")
    assert interval_s("seeed/sensecap-s210x", command + right, 2) == 3600
    assert interval_s("seeed/sensecap-s210x", command + right[::-1], 2) is None


def _values(frame: Frame, quantity: Quantity) -> dict[str, float]:
    codec = catalog.codec("nas/luminaire" if frame.f_port != 85 else "milesight/ws558")
    assert frame.data is not None
    (measurement,) = codec.decode(frame.f_port, frame.data, 0)
    return {reading.channel: reading.value for reading in measurement.readings if reading.quantity is quantity}


def _report(sensor: GenericSensor, minutes: float, f_port: int) -> Frame:
    """The next frame on this port."""
    moment = CALENDAR.at(START_MS + int(minutes * MINUTE_MS))
    return next(frame for frame in (sensor.report(moment, 600, 0.9) for _ in range(500)) if frame.f_port == f_port)


@pytest.mark.parametrize(
    ("data", "expected"),
    [("01fe32", {"single0": 50.0}), ("010000", {"single0": 0.0}), ("0100320464", {"single0": 50.0, "single2": 100.0})],
)
def test_a_luminaire_tells_its_new_level(data: str, expected: dict[str, float]) -> None:
    """After a dimming command (all, one, or two drivers) status frames carry the level; before they carry any."""
    sensor = GenericSensor("nas/luminaire", Random(1))
    before = [_values(_report(sensor, 0, 24), Quantity.DIMMING_LEVEL)["single0"] for _ in range(20)]
    assert len(set(before)) > 5
    sensor.obey(settings("nas/luminaire", 60, bytes.fromhex(data), START_MS))
    for minutes in (0, 10, 5000):
        assert expected.items() <= _values(_report(sensor, minutes, 24), Quantity.DIMMING_LEVEL).items()


def test_a_timed_level_ends() -> None:
    """A level for five minutes gives way to the one before."""
    sensor = GenericSensor("nas/luminaire", Random(1))
    sensor.obey(settings("nas/luminaire", 60, bytes.fromhex("010014"), START_MS))
    sensor.obey(settings("nas/luminaire", 60, bytes.fromhex("09006405"), START_MS))
    levels = [_values(_report(sensor, minutes, 24), Quantity.DIMMING_LEVEL)["single0"] for minutes in (0, 4.9, 5.1)]
    assert levels == [100, 100, 20]


@pytest.mark.parametrize("data", ["", "01", "01fe", "0100ff", "01fd32", "0900640505", "0232"])
def test_other_commands_set_no_level(data: str) -> None:
    """Halves of commands, levels beyond 100 %, unknown addresses and other commands change nothing."""
    assert 0xFD not in OUTPUTS
    assert settings("nas/luminaire", 60, bytes.fromhex(data), 0) == ()
    assert settings("nas/luminaire", 50, bytes.fromhex("01fe32"), 0) == ()


def test_switches_follow_after_their_delay() -> None:
    """A WS558 that is told to switch circuit 1 on and 3 off in two minutes says so from then on."""
    sensor = GenericSensor("milesight/ws558", Random(1))
    sensor.obey(settings("milesight/ws558", 85, bytes.fromhex("ff3201 7800 05 01"), START_MS))
    early = {_values(_report(sensor, 1, 85), Quantity.SWITCHED_ON)["switch1"] for _ in range(60)}
    assert early == {0.0, 1.0}
    for _ in range(30):
        found = _values(_report(sensor, 3, 85), Quantity.SWITCHED_ON)
        assert (found["switch1"], found["switch3"]) == (1.0, 0.0)


def test_settings_are_bounded() -> None:
    """However often a light is dimmed, its device keeps the newest settings only."""
    sensor = GenericSensor("nas/luminaire", Random(1))
    for number in range(3 * MOST_SETTINGS):
        sensor.obey(settings("nas/luminaire", 60, bytes((1, 0, number % 101)), START_MS))
    assert len(sensor._settings) == MOST_SETTINGS
    level = _values(_report(sensor, 1, 24), Quantity.DIMMING_LEVEL)["single0"]
    assert level == (3 * MOST_SETTINGS - 1) % 101


def test_a_sensor_on_a_bad_day_obeys() -> None:
    """A light whose readings may be wrong is set by a downlink all the same."""
    model = "nas/luminaire"
    bad = BadSenses(GenericSensor(model, Random(1)), [], Script(), catalog.codec(model), {})
    made = device(model, sensor=bad)
    made.obey(60, bytes.fromhex("01fe21"), START_NS)
    assert _values(bad.report(CALENDAR.at(START_MS), 600, 1), Quantity.DIMMING_LEVEL)["single0"] == 33


def test_a_downlink_reaches_the_light() -> None:
    """A command on the broker goes down after an uplink, and the next status carries the level."""
    made, downlinks = device("nas/luminaire"), Downlinks()
    data = b64encode(bytes.fromhex("01fe21")).decode()
    topic = f"application/any/device/{made.identity.dev_eui}/command/down"
    downlinks.offer(topic, f'{{"devEui":"{made.identity.dev_eui}","fPort":60,"data":"{data}"}}'.encode())
    levels: list[float] = []
    for number in range(1, 40):
        up = made.report(START_NS + number * 10 * MINUTE_NS)
        if up is not None:
            downlinks.heard(made, up)
            if up.f_port == 24:
                levels += _values(Frame(24, (), up.data), Quantity.DIMMING_LEVEL).values()
    assert len(levels) > 10
    assert set(levels[1:]) == {33.0}
    made.obey(60, b"", START_NS + NS_PER_S)
    assert made.interval_s == 600

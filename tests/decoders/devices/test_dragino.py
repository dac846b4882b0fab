"""Dragino: what is no reading, logged entries, figures of the device, where the vendor's decoders go wrong."""

import pytest

from decoders.catalog import codec
from decoders.error import MalformedPayload, MissingParameter, UnknownPort, WrongLength
from decoders.measurement import Measurement, Reading
from decoders.quantity import Quantity

NOW_MS = 1_800_000_000_000
Q = Quantity


def decode(model: str, f_port: int, payload: str) -> tuple[Measurement, ...]:
    """What a model's codec makes of a payload."""
    return codec(f"dragino/{model}").decode(f_port, bytes.fromhex(payload), NOW_MS)


def readings(model: str, f_port: int, payload: str) -> dict[str, float]:
    """Readings by name of a payload with one measurement."""
    (measurement,) = decode(model, f_port, payload)
    return {f"{item.quantity.field}/{item.channel}".rstrip("/"): item.value for item in measurement.readings}


@pytest.mark.parametrize(("raw", "celsius"), [("ffff", -0.01), ("ffce", -0.5), ("0000", 0.0), ("099b", 24.59)])
def test_soil_below_zero(raw: str, celsius: float) -> None:
    """A soil's temperature is an ordinary signed number; the vendor's decoder says 0.01 °C too much below zero."""
    assert readings("lse01", 2, f"0e2900f107a5{raw}019000")["soil_temperature"] == celsius


def test_two_lines_of_firmware_mean_two_things() -> None:
    """The same last byte is an interrupt to 1.1, and the mode of raw values from 1.2 on."""
    payload = "ce2900f107a5099b6e2890"
    assert readings("lse01", 2, payload)["soil_moisture"] == 19.57
    assert readings("lse01-1.2", 2, payload)["soil_permittivity"] == 195.7
    assert "soil_moisture" not in readings("lse01-1.2", 2, payload)


def test_air_below_zero() -> None:
    """A WSC1-L's -13.8 °C; its decoder says -13.7."""
    assert readings("wsc1-l", 2, "0602ff76") == {"air_temperature": -13.8}


@pytest.mark.parametrize("model", ["lht65", "lht65n"])
def test_a_probe_that_is_not_there(model: str) -> None:
    """7fff is no temperature, inside and outside."""
    assert readings(model, 2, "cbf60b0d0376017fff7fff").keys() == {
        "battery_voltage",
        "air_temperature",
        "air_humidity",
    }
    assert readings(model, 2, "cbf67fff0376010add7fff").keys() == {
        "battery_voltage",
        "external_temperature",
        "air_humidity",
    }


@pytest.mark.parametrize(
    ("kind", "value", "reading"),
    [
        (4, "01010000", Reading(Q.DIGITAL_INPUT, 1.0)),
        (5, "01230000", Reading(Q.ILLUMINANCE, 291.0)),
        (6, "0c1e0000", Reading(Q.INPUT_VOLTAGE, 3.102)),
        (7, "01230000", Reading(Q.PULSE_COUNT_TOTAL, 291.0)),
        (8, "01234567", Reading(Q.PULSE_COUNT_TOTAL, 19_088_743.0)),
    ],
)
def test_what_is_wired_to_an_lht65(kind: int, value: str, reading: Reading) -> None:
    """The lower half of the seventh byte tells what the value is."""
    (measurement,) = decode("lht65", 2, f"cbf60b0d0376{kind:02x}{value}")
    assert measurement.readings[-1] == reading


@pytest.mark.parametrize("kind", [1, 4, 5, 6, 7, 8])
def test_what_is_not_connected_has_no_value(kind: int) -> None:
    """The bit above the kind says so; neither the frame of now nor an entry of a poll then has a value."""
    (measurement,) = decode("lht65", 2, f"cbf60b0d0376{kind | 0x80:02x}00000000")
    assert [item.quantity for item in measurement.readings] == [Q.BATTERY_VOLTAGE, Q.AIR_TEMPERATURE, Q.AIR_HUMIDITY]
    assert measurement.attributes["probe"] == "not connected"
    (entry,) = decode("lht65", 2, f"0000 0898 0146 {kind | 0xC0:02x} 60065f97")
    assert [item.quantity for item in entry.readings] == [Q.AIR_TEMPERATURE, Q.AIR_HUMIDITY]


def test_a_poll_gives_entries_of_their_own_times() -> None:
    """Newest first, whatever their order in the frame; what is wired decides each one's value."""
    newer, older = "0123 0857 015a 45 60066c9d", "7fff 0898 0146 41 60065f97"
    for payload in (older + newer, newer + older):
        first, second = decode("lht65", 2, payload)
        assert (first.time_ms, second.time_ms) == (1_611_033_757_000, 1_611_030_423_000)
        assert Reading(Q.ILLUMINANCE, 291.0) in first.readings
        assert [item.quantity for item in second.readings] == [Q.AIR_TEMPERATURE, Q.AIR_HUMIDITY]


def test_a_poll_that_finds_nothing() -> None:
    """Eleven zeros are an answer without an entry, no battery of 0 V at 0 °C."""
    assert decode("lht65", 2, "00" * 11) == (Measurement.of(NOW_MS, ()),)
    assert decode("sw3l", 3, "00" * 11) == (Measurement.of(NOW_MS, ()),)


def test_a_probe_with_its_time() -> None:
    """Kind 9 sends the probe in place of the battery, and the time of both."""
    (measurement,) = decode("lht65", 2, "ff38 0898 c146 09 60065f97")
    assert measurement.time_ms == 1_611_030_423_000
    assert measurement.readings[0] == Reading(Q.EXTERNAL_TEMPERATURE, -2.0)


@pytest.mark.parametrize("payload", ["", "cbf60b0d0376010add7f", "cbf60b0d0376010add7fff00", "7fff0898014641" * 2])
def test_other_lengths_are_refused(payload: str) -> None:
    """An LHT65 sends eleven bytes, or as many for each entry."""
    with pytest.raises(WrongLength):
        decode("lht65", 2, payload)


@pytest.mark.parametrize("kind", ["02", "0a", "4a", "4b"])
def test_unknown_kinds_are_refused(kind: str) -> None:
    """What is wired to the device must be known; a TMP117 is to an LHT65N only."""
    with pytest.raises(MalformedPayload, match="unknown"):
        decode("lht65", 2, f"cbf60b0d0376{kind}0add7fff")


@pytest.mark.parametrize(("raw", "there"), [("0000", False), ("0014", False), ("0015", True)])
def test_a_distance_of_no_echo(raw: str, there: bool) -> None:
    """0 is no sensor, up to 20 mm no echo."""
    for model, tail in (("ldds75", "00000001"), ("ldds75", "00")):
        assert ("distance" in readings(model, 2, f"0d0a{raw}{tail}")) is there
    assert ("water_level" in readings("ldds20", 2, f"0d0a{raw}00000001")) is there


def test_a_cut_door_frame_is_an_error() -> None:
    """The published frame of an LDS01 lacks three bytes, of which its decoder makes 65536 minutes."""
    with pytest.raises(WrongLength, match="7 bytes"):
        decode("lds01", 10, "0b880100250001")
    with pytest.raises(MalformedPayload, match="mode 4"):
        decode("lds02", 10, "0b8804001bb300000000")


def test_a_radar_needs_its_unit() -> None:
    """An LMDS200's distances are refused without the figure, its settings are not; with it they are millimetres."""
    model, payload = codec("dragino/lmds200"), bytes.fromhex("0b880100025002")
    with pytest.raises(MissingParameter, match="distance_unit_mm"):
        model.decode(2, payload, NOW_MS)
    (settings,) = model.decode(4, bytes.fromhex("000e10 05 0064 03e8 00"), NOW_MS)
    assert settings.attributes["report_interval_s"] == "3600"
    with pytest.raises(MissingParameter, match="more than 0"):
        model.decode(2, payload, NOW_MS, {"distance_unit_mm": 0})
    (measurement,) = model.decode(2, payload, NOW_MS, {"distance_unit_mm": 10})
    assert Reading(Q.DISTANCE, 2560.0, "first") in measurement.readings


def test_flow_has_its_own_time() -> None:
    """Pulses of an SW3L belong to the time in the frame; its mode tells all from those since the last."""
    (measurement,) = decode("sw3l", 2, "00 00000012 01 00 60065f97")
    assert measurement.time_ms == 1_611_030_423_000
    assert measurement.readings == (Reading(Q.ALARM, 0.0), Reading(Q.PULSE_COUNT, 18.0))
    with pytest.raises(MalformedPayload, match="unknown kind 2"):
        decode("sw3l", 2, "00 00000012 02 00 60065f97")


def test_a_position_that_was_not_found() -> None:
    """An LGT92 sends zeros for it, which are no place in the Gulf of Guinea."""
    found = readings("lgt92", 2, "00000000000000000c2e64")
    assert found == {"battery_voltage": 3.118, "alarm": 0}


@pytest.mark.parametrize(("byte", "motion"), [("04", "disabled"), ("44", "move"), ("84", "collide"), ("c4", "user")])
def test_motion_of_a_tracker(byte: str, motion: str) -> None:
    """The two upper bits; the published decoder compares before it masks."""
    (measurement,) = decode("lgt92", 2, f"00000000000000000c2e{byte}")
    assert measurement.attributes == {"motion": motion, "firmware_version": "164"}


def test_an_air_sensor_tells_its_modes() -> None:
    """An LAQ4 with a mode that nobody knows is refused, as is another port."""
    with pytest.raises(MalformedPayload, match="mode 2"):
        decode("laq4", 2, "0d0709" + "00" * 8)
    with pytest.raises(UnknownPort):
        decode("laq4", 42, "0d07050012020b00fb01b3")


def test_zeros_alone_are_not_sent_for_a_device_without_probe() -> None:
    """They would mean that there is no record."""
    zeros = (Reading(Q.BATTERY_VOLTAGE, 0.0), Reading(Q.AIR_TEMPERATURE, 0.0), Reading(Q.AIR_HUMIDITY, 0.0))
    payload = codec("dragino/lht65").encode(2, zeros)
    assert any(payload)
    assert set(codec("dragino/lht65").decode(2, payload, NOW_MS)[0].readings) == set(zeros)

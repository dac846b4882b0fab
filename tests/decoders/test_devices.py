"""What is special about single models, above all where a vendor's own decoder goes wrong."""

import pytest

from decoders.catalog import codec
from decoders.codec import Codec, Parameter
from decoders.error import DecodeError, EncodeError, MalformedPayload, MissingParameter, WrongLength
from decoders.measurement import Measurement, Reading
from decoders.quantity import Quantity

NOW_MS = 1_800_000_000_000


def decode(codec_id: str, f_port: int, payload: str) -> tuple[dict[str, float], dict[str, str]]:
    """Readings by name and attributes of a payload with one measurement."""
    (measurement,) = codec(codec_id).decode(f_port, bytes.fromhex(payload), NOW_MS)
    readings = {
        f"{item.quantity.field}/{item.channel}" if item.channel else item.quantity.field: item.value
        for item in measurement.readings
    }
    return readings, dict(measurement.attributes)


def test_elsys_positions_are_signed() -> None:
    """A position south and west of the origin is negative; the vendor's decoder says 1642 degrees."""
    readings, _ = decode("elsys/generic", 5, "09fa9aa0fff060")
    assert readings == {"latitude": -35.3632, "longitude": -0.4}


def test_elsys_ages_keep_the_place() -> None:
    """Logged values have their own time and do not shift what follows."""
    now, logged = codec("elsys/generic").decode(5, bytes.fromhex("4100e23c0100dc"), NOW_MS)
    assert now == Measurement.of(NOW_MS, (Reading(Quantity.AIR_TEMPERATURE, 22.0),))
    assert logged == Measurement.of(NOW_MS - 60_000, (Reading(Quantity.AIR_TEMPERATURE, 22.6),))


def test_elsys_thermal_images_are_dropped() -> None:
    """The 64 temperatures of a thermal image, which show people, leave no reading."""
    readings, attributes = decode("elsys/generic", 5, "13" + "15" * 65 + "0229")
    assert (readings, attributes) == ({"air_humidity": 41.0}, {})


def test_elsys_probes() -> None:
    """Several probes have a channel each."""
    readings, _ = decode("elsys/generic", 5, "0cff9c1900641900c8")
    assert readings == {
        "external_temperature/probe1": -10.0,
        "external_temperature/probe2": 10.0,
        "external_temperature/probe3": 20.0,
    }


def test_elsys_any_port() -> None:
    """The port is set in the device: every port is read alike."""
    assert decode("elsys/generic", 77, "0229") == decode("elsys/generic", 5, "0229")


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        ("021b5000", WrongLength),
        ("031b5000010c25", MalformedPayload),
        ("021b5000100c25", MalformedPayload),
        ("021b5000010c", WrongLength),
        ("021b5000010c2500", WrongLength),
    ],
)
def test_decentlab_header(payload: str, error: type[DecodeError]) -> None:
    """Another protocol version, flags beyond the groups, and missing or extra words are errors."""
    with pytest.raises(error):
        codec("decentlab/dl-pm").decode(1, bytes.fromhex(payload), NOW_MS)


def test_decentlab_absent_groups() -> None:
    """Only flagged groups give readings: here temperature and humidity without battery."""
    readings, attributes = decode("decentlab/dl-pm", 1, "020001000467bd618d")
    assert readings.keys() == {"air_temperature", "air_humidity"}
    assert attributes == {"device_id": "1"}


def test_milesight_alarms() -> None:
    """Alarm variants carry value and status (README example of the EM400-MUD)."""
    readings, _ = decode("milesight/em400-mud", 85, "8367e800018482410601")
    assert readings == {
        "air_temperature": 23.2,
        "alarm/temperature": 1.0,
        "distance": 1601.0,
        "alarm/distance": 1.0,
    }
    sent = codec("milesight/em400-mud").encode(
        85, [Reading(Quantity.DISTANCE, 1601.0), Reading(Quantity.ALARM, 1.0, "distance")]
    )
    assert sent == bytes.fromhex("8482410601")


def test_milesight_start() -> None:
    """The frame after power-on is attributes: versions in their own notations, serial number, class."""
    readings, attributes = decode(
        "milesight/em400-mud", 85, "ff0bff ff0101 ff166749d19054690031 ff090310 ff0a0110 ffff0101 ff0f00 fffeff"
    )
    assert readings == {}
    assert attributes == {
        "power_on": "255",
        "protocol_version": "0.1",
        "serial_number": "6749d19054690031",
        "hardware_version": "3.1",
        "firmware_version": "1.10",
        "tsl_version": "1.1",
        "lorawan_class": "A",
        "reset_event": "255",
    }
    payload = codec("milesight/em400-mud").encode(85, [], attributes=attributes)
    assert decode("milesight/em400-mud", 85, payload.hex()) == ({}, attributes)


@pytest.mark.parametrize("prefix", ["fe", "ff"])
def test_milesight_answers(prefix: str) -> None:
    """Answers to downlinks are attributes, and known values around them stay readable."""
    readings, attributes = decode("milesight/em400-mud", 85, f"{prefix}03b004 01755c {prefix}7101 {prefix}77d007")
    assert readings == {"battery_level": 92.0}
    assert attributes == {"report_interval_s": "1200", "working_mode": "bin", "install_height_mm": "2000"}


def test_milesight_models_do_not_share_channels() -> None:
    """Channel 04 is the distance of an EM400 and the position of an EM310."""
    with pytest.raises(MalformedPayload):
        codec("milesight/em310-udl").decode(85, bytes.fromhex("04824408"), NOW_MS)


def test_bosch_firmware_lines() -> None:
    """The startup frame names its firmware, by which debug codes and reset causes are read."""
    _, older = decode("bosch/tps110", 3, "24030000000000000000000000" + "1d02" + "0400")
    assert older == {"debug_codes": "804", "firmware_version": "0.29.2", "reset_cause": "other"}
    readings, newer = decode("bosch/tps110", 3, "00000e10" + "000000d1" + "0007" + "0000" + "002702" + "0601")
    assert readings == {"occupied": 1.0}
    assert newer == {
        "debug_time": "3600",
        "debug_code": "209",
        "debug_sequence": "7",
        "firmware_version": "0.39.2",
        "reset_cause": "brownout",
    }


def test_bosch_debug_orders() -> None:
    """A debug frame's order follows from where the code's word has its zeros."""
    big = decode("bosch/tps110", 6, "00000e10" + "000000d1" + "0007")[1]
    little = decode("bosch/tps110", 6, "100e0000" + "d1000000" + "0700")[1]
    assert big == little == {"debug_time": "3600", "debug_code": "209", "debug_sequence": "7"}
    with pytest.raises(MalformedPayload):
        codec("bosch/tps110").decode(6, bytes.fromhex("00000e10" + "d10000d1" + "0007"), NOW_MS)
    with pytest.raises(WrongLength):
        codec("bosch/tps110").decode(6, bytes(9), NOW_MS)


def test_bosch_device_information_and_usage() -> None:
    """Firmware and URN are attributes; usage counts the device's life."""
    assert decode("bosch/tps110", 4, "002702")[1] == {"firmware_version": "0.39.2"}
    assert decode("bosch/tps110", 4, "00" * 10 + "ff")[1] == {"urn": "00" * 10 + "ff"}
    assert decode("bosch/tps110", 5, "00000000ff")[0] == {"state_change_count_total": 255.0}
    uplinks = decode("bosch/tps110", 5, "02" + "000001" * 5 + "010000")[0]
    assert uplinks == {f"uplink_count_total/dr{rate}": 1.0 for rate in range(5)} | {"uplink_count_total/dr5": 65536.0}
    resets = decode("bosch/tps110", 5, "0501020304050600")[0]
    assert resets["reset_count_total/brownout"] == 1.0
    assert resets["reset_count_total/system_request"] == 6.0
    with pytest.raises(MalformedPayload):
        codec("bosch/tps110").decode(5, b"\x07\0\0\0\0", NOW_MS)


def test_bosch_temperature_alert() -> None:
    """A temperature alert is one signed byte on port 7."""
    assert decode("bosch/tps110", 7, "f6")[0] == {"device_temperature": -10.0}


def test_nwave_voltage_is_unsigned() -> None:
    """Battery voltage above 3 V (vector of nps405-codec.yaml: d3 d8 is 3.344 V at -10 °C); status 0 is no reading."""
    readings, _ = decode("nwave/nps405", 2, "00d3d800590b")
    assert readings == {
        "occupied": 0.0,
        "battery_voltage": 3.344,
        "device_temperature": -10.0,
        "device_temperature/min": 10.0,
        "device_temperature/max": 54.5,
        "supply_current": 110.0,
    }


def test_nwave_hardware_status_leaves_out_the_occupied_bit() -> None:
    """The status is bits 7..1; the vendor's decoder counts bit 0 into it."""
    readings, _ = decode("nwave/nps405", 2, "05d3d8")
    assert (readings["occupied"], readings["hardware_status"]) == (1.0, 2.0)


@pytest.mark.parametrize(
    ("code", "minutes"), [(0, 0), (89, 89), (90, 90), (91, 95), (119, 235), (120, 240), (126, 600), (127, None)]
)
def test_nwave_durations(code: int, minutes: int | None) -> None:
    """Each band of the duration code; an overflow is no reading."""
    readings, _ = decode("nwave/nps405", 1, f"{code << 1:02x}")
    assert readings.get("state_duration") == minutes


@pytest.mark.parametrize("payload", ["d1201f345678", "d11f345678"])
def test_nwave_tags_are_dropped(payload: str) -> None:
    """A driver's tag id is in no reading, no attribute, nowhere."""
    (measurement,) = codec("nwave/nps405").decode(10, bytes.fromhex(payload), NOW_MS)
    text = repr(measurement).lower()
    assert "1f345678" not in text
    assert str(0x1F345678) not in text
    assert {reading.quantity for reading in measurement.readings} <= {
        Quantity.OCCUPIED,
        Quantity.STATE_DURATION,
        Quantity.BATTERY_VOLTAGE,
    }


def test_pmx_without_vehicles_has_no_speed() -> None:
    """No vehicle, no mean speed: never 0 km/h. A clock that was never set is no reading either."""
    readings, _ = decode("pmx/tcr", 14, "a2ffff00000000000033")
    assert readings == {"vehicle_count/cat1_ltr": 0.0, "vehicle_count/cat1_rtl": 0.0, "supply_voltage": 5.1}


def test_pmx_settings() -> None:
    """Configuration replies are attributes, both ways; a licence key is dropped."""
    assert decode("pmx/tcr", 1, "c21201") == ({}, {"cat1_min_size": "1"})
    assert decode("pmx/tcr", 1, "c2540384") == ({}, {"measurement_interval": "900"})
    assert decode("pmx/tcr", 1, "c2510102030405") == ({}, {})
    pmx = codec("pmx/tcr")
    assert pmx.encode(1, [], attributes={"measurement_interval": "900"}) == bytes.fromhex("c2540384")
    assert pmx.encode(1, [], attributes={"cat1_min_size": "1"}) == bytes.fromhex("c21201")
    for wrong in ({"colour": "1"}, {"radar_enabled": "x"}, {"radar_enabled": "65536"}, {}):
        with pytest.raises(EncodeError):
            pmx.encode(1, [], attributes=wrong)


@pytest.mark.parametrize("payload", ["", "a212", "c2", "c212", "c2120001ff", "c2ee01"])
def test_pmx_broken_settings(payload: str) -> None:
    """Another marker, length or key is a DecodeError."""
    with pytest.raises(DecodeError):
        codec("pmx/tcr").decode(1, bytes.fromhex(payload), NOW_MS)


def test_parametric_keeps_tenths() -> None:
    """The radar's temperature has its tenths, below zero too; the vendor's decoder cuts them off."""
    assert decode("parametric/pcr2", 14, "0a00001600000101ff")[0]["device_temperature"] == 51.1
    assert decode("parametric/pcr2", 14, "0a000016000001ffff")[0]["device_temperature"] == -0.1


def test_parametric_cayenne() -> None:
    """The Cayenne form carries two small counts."""
    assert decode("parametric/pcr2", 14, "006607016602")[0] == {"people_count/ltr": 7.0, "people_count/rtl": 2.0}


@pytest.mark.parametrize(("version", "size"), [(3, 20), (6, 35)])
def test_parametric_configuration_by_length(version: int, size: int) -> None:
    """A configuration's version stands in its length and in its head, and both must agree."""
    payload = bytes((0xBE, 1, version, 4, 3, 6, 1)) + bytes(size - 8) + b"\x07"
    (measurement,) = codec("parametric/pcr2").decode(190, payload, NOW_MS)
    assert measurement.attributes["firmware_version"] == "3.6.1"
    assert measurement.attributes["radar_sensitivity" if version == 3 else "radar_channel"] == "7"
    with pytest.raises(MalformedPayload, match="payload version"):
        codec("parametric/pcr2").decode(190, payload[:2] + b"\x09" + payload[3:], NOW_MS)


def test_parametric_default_form() -> None:
    """Readings that several forms could carry go out in the first that can: V4, V3, ELSYS style, Cayenne."""
    pcr2 = codec("parametric/pcr2")
    counts = [Reading(Quantity.PEOPLE_COUNT, 4.0, "ltr"), Reading(Quantity.PEOPLE_COUNT, 5.0, "rtl")]
    assert pcr2.encode(14, counts) == bytes.fromhex("0a0004160005")


def test_wilsen_steps_by_length() -> None:
    """A water level of 0x0B06 mm is no fill level; a decoder that looks for ids at every byte finds one."""
    readings, _ = decode("pepperl-fuchs/wilsen-sonic", 1, "040b080b0603510123")
    assert readings == {"water_level": 2822.0, "battery_voltage": 3.5}


def test_wilsen_distances() -> None:
    """A distance goes out in millimetres, one that does not fit in centimetres; both decode to millimetres."""
    wilsen = codec("pepperl-fuchs/wilsen-sonic")
    assert wilsen.encode(1, [Reading(Quantity.DISTANCE, 336.0)]) == bytes.fromhex("040b020150")
    assert wilsen.encode(1, [Reading(Quantity.DISTANCE, 70_000.0)]) == bytes.fromhex("040b011b58")
    with pytest.raises(EncodeError, match="distance = 700000"):
        wilsen.encode(1, [Reading(Quantity.DISTANCE, 700_000.0)])


def test_wilsen_serial_and_silence() -> None:
    """The serial number is text; an acknowledged password change never shows what was in it."""
    _, attributes = decode("pepperl-fuchs/wilsen-sonic", 1, "102a253438303030303030363238373833" + "06f10531323334")
    assert attributes == {"serial_number": "48000000628783", "password_change": "done"}


def test_wilsen_revisions_and_data_rate() -> None:
    """Revisions are three words; a spreading factor of 255 is adaptive."""
    _, attributes = decode("pepperl-fuchs/wilsen-sonic", 1, "08f50300010002000c" + "04f303ffff")
    assert attributes == {"firmware_version": "1.2.12", "spreading_factor": "ADR"}


def test_wilsen_not_a_temperature() -> None:
    """A NaN on the air is no reading."""
    assert decode("pepperl-fuchs/wilsen-sonic", 1, "0602017fc00000030b0650")[0] == {"fill_level": 80.0}


def test_a_parameter_must_be_set() -> None:
    """A codec that needs a figure of the device says which one is missing."""
    bare = codec("bosch/tps110")
    needy = Codec(
        id="acme/tank",
        vendor="ACME",
        model="Tank",
        family=bare.family,
        source="none",
        ports=bare.ports,
        parameters=(Parameter("range", "bar", "pressure at full scale"),),
    )
    with pytest.raises(MissingParameter, match="range"):
        needy.decode(1, b"\x01", NOW_MS)
    for figure in (float("nan"), float("inf")):
        with pytest.raises(MissingParameter, match="no number"):
            needy.decode(1, b"\x01", NOW_MS, {"range": figure})
    assert needy.decode(1, b"\x01", NOW_MS, {"range": 1.0}) == bare.decode(1, b"\x01", NOW_MS)

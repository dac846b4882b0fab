"""Milesight: histories, clocks, what is no reading, what is not kept, where the vendor's decoders go wrong."""

import pytest

from decoders.catalog import codec
from decoders.error import EncodeError, MalformedPayload, WrongLength
from decoders.measurement import Measurement, Reading
from decoders.quantity import Quantity

NOW_MS = 1_800_000_000_000
Q = Quantity
SECRET = bytes.fromhex("0123456789abcdef")


def decode(model: str, payload: str) -> tuple[Measurement, ...]:
    """What a model's codec makes of a payload."""
    return codec(f"milesight/{model}").decode(85, bytes.fromhex(payload), NOW_MS)


def readings(model: str, payload: str) -> dict[str, float]:
    """Readings by name of a payload with one measurement."""
    (measurement,) = decode(model, payload)
    return {f"{item.quantity.field}/{item.channel}".rstrip("/"): item.value for item in measurement.readings}


def attributes(model: str, payload: str) -> dict[str, str]:
    """Attributes of a payload with one measurement."""
    (measurement,) = decode(model, payload)
    return dict(measurement.attributes)


def test_a_record_has_its_own_time() -> None:
    """The published record of an EM300-TH is of its own second, behind what is measured now."""
    now, record = decode("em300-th", "03670a00 20ce9e74466310015d00")
    assert now == Measurement.of(NOW_MS, (Reading(Q.AIR_TEMPERATURE, 1.0),))
    assert record.time_ms == 1_665_561_758_000


def test_records_alone_leave_nothing_of_now() -> None:
    """A frame of records has no measurement of the uplink's time; the newest record comes first."""
    older, newer = "20ce7b3af164000b000400", "20ceff3df16401070002001d000800"
    for payload in (older + newer, newer + older):
        assert [item.time_ms for item in decode("vs360", payload)] == [1_693_531_647_000, 1_693_530_747_000]


def test_an_unknown_type_keeps_what_came_before() -> None:
    """The four bytes that a CT101 sends behind its current end the frame, and are named."""
    (measurement,) = decode("ct101", "0498b80b00000000")
    assert measurement.readings == (Reading(Q.MAINS_CURRENT, 30.0),)
    assert measurement.attributes == {"unknown_type": "0x0000"}
    with pytest.raises(MalformedPayload, match="unknown type 0x0000"):
        decode("ct101", "00000498b80b")


@pytest.mark.parametrize(
    ("raw", "celsius"), [("feff", -0.2), ("ffff", None), ("fdff", None), ("fcff", -0.4), ("0000", 0.0)]
)
def test_a_soil_probe_that_fails_is_no_temperature(raw: str, celsius: float | None) -> None:
    """-0.1 and -0.3 °C of an EM500-SMTC are its marks of failure and range, which its own decoder prints."""
    assert readings("em500-smtc", f"0367{raw} 057ff000").get("soil_temperature") == celsius


@pytest.mark.parametrize("raw", ["fdff", "feff", "ffff"])
@pytest.mark.parametrize("kind", ["0482{}", "8482{}01", "b482{}02", "9482{}0000 02"])
def test_a_radar_without_target_has_no_distance(kind: str, raw: str) -> None:
    """In every frame of an EM410-RDL; the alarm that comes with it is read."""
    found = readings("em410-rdl", "017564" + kind.format(raw))
    assert "distance" not in found
    assert found["battery_level"] == 100


@pytest.mark.parametrize(("code", "on"), [(0, 1.0), (1, 0.0), (2, 1.0)])
def test_what_an_alarm_of_temperature_means(code: int, on: float) -> None:
    """An EM500-CO2 numbers its alarms in another way than all others: 1 is that of no alarm."""
    assert readings("em500-co2", f"83d719010000{code:02x}")["alarm/temperature"] == on
    assert readings("wts506", f"8367ff00{min(code, 1):02x}")["alarm/temperature"] == min(code, 1)


def test_regions_that_are_not_drawn_have_no_reading() -> None:
    """A VS121 says how many regions there are; what the mask says of others is nothing."""
    assert readings("vs121", "04c90302ffff") == {"people_present": 3, "presence/region1": 1, "presence/region2": 1}
    assert readings("vs121", "04c90000ffff") == {"people_present": 0}
    assert len(readings("vs121", "04c903ffffff")) == 17


def test_regions_are_sent_from_the_first_on() -> None:
    """A gap between regions cannot be sent."""
    one, three = Reading(Q.PRESENCE, 1.0, "region1"), Reading(Q.PRESENCE, 1.0, "region3")
    people = Reading(Q.PEOPLE_PRESENT, 2.0)
    assert codec("milesight/vs121").encode(85, [people, one]) == bytes.fromhex("04c902010001")
    with pytest.raises(EncodeError):
        codec("milesight/vs121").encode(85, [people, one, three])


def test_counts_have_no_sign() -> None:
    """40000 people in are 40000, not -25536 as the VS121's decoder says."""
    assert readings("vs121", "05cc409c0100") == {"people_count/in": 40_000, "people_count/out": 1}


@pytest.mark.parametrize(("model", "clock"), [("vs121", "0f85"), ("vs350", "0aef"), ("vs360", "0aef")])
def test_a_clock_in_the_frame_is_the_time(model: str, clock: str) -> None:
    """A report that was sent late belongs to its own time; a clock that is not set says nothing."""
    (measurement,) = decode(model, f"05cc01000100 {clock}ccae476a")
    assert measurement.time_ms == 0x6A47AECC * 1000
    (measurement,) = decode(model, f"05cc01000100 {clock}00000000")
    assert measurement.time_ms == NOW_MS


def test_a_region_that_does_not_exist_ends_the_frame() -> None:
    """A VS135 has four regions; what follows the dwell time of a fifth is not read."""
    assert readings("vs135", "0fe301020304 10e40509101121 0fe305050505") == {
        f"people_present/region{region}": float(region) for region in range(1, 5)
    }


@pytest.mark.parametrize("payload", ["20ceff3df164", "20ceff3df16401", "20ceff3df164010700", "0aefccae47", "0367"])
def test_a_cut_frame_is_too_short(payload: str) -> None:
    """A record, clock or value that ends behind the payload is WrongLength."""
    with pytest.raises(WrongLength):
        decode("vs350", payload)


@pytest.mark.parametrize("payload", ["20ceff3df16410", "20ceff3df1643c", "10e4"])
def test_a_cut_choice_is_too_short(payload: str) -> None:
    """A record of a dwell time that lacks its region, too."""
    with pytest.raises(WrongLength):
        decode("vs133", payload)


def test_other_peoples_networks_are_not_kept() -> None:
    """Of a scan for radio networks around an AT101 neither address nor strength is left."""
    (measurement,) = decode("at101", "06d9081cc316222df9c302 06d90824e124f6a667b612")
    assert measurement.readings == ()
    assert measurement.attributes == {"motion": "moving", "geofence": "outside"}


def test_no_place_is_no_reading() -> None:
    """An AT101 that found no position sends none, not one south of Ghana."""
    assert readings("at101", "0488ffffffffffffffff13") == {}


@pytest.mark.parametrize(
    ("model", "answer"), [("em500-co2", "fe35{}"), ("vs121", "ff35{}"), ("em410-rdl", "f9c8{:.12}")]
)
def test_keys_and_passwords_are_not_kept(model: str, answer: str) -> None:
    """What a device repeats of a downlink's secrets is stepped over, and what follows is read."""
    (measurement,) = decode(model, answer.format(SECRET.hex()) + "ff0f00")
    assert measurement.attributes == {"lorawan_class": "A"}


def test_a_refused_setting_says_so() -> None:
    """An answer of newer firmware tells whether the setting was taken."""
    assert attributes("em410-rdl", "f8123901")["answer"] == "forbidden"
    assert attributes("em410-rdl", "f81239 00") == {"distance_mode": "57", "answer": "success"}
    assert attributes("em410-rdl", "f91201") == {"distance_mode": "1"}


def test_kinds_of_valve_records() -> None:
    """Bit 1 set is an input that is read (as the README has it), not set one that counts; bit 4 is the second valve."""
    (gpio,) = decode("uc511", "20ce3fa109641705000000")
    assert gpio.readings == (Reading(Q.OPEN, 1.0, "valve2"), Reading(Q.DIGITAL_INPUT, 1.0, "gpio2"))
    (off,) = decode("uc511", "20ce3fa109641205000000")
    assert off.readings == (Reading(Q.OPEN, 0.0, "valve2"), Reading(Q.DIGITAL_INPUT, 0.0, "gpio2"))
    (pulses,) = decode("uc511", "20ce3fa109640005000000")
    assert pulses.readings == (Reading(Q.OPEN, 0.0, "valve1"), Reading(Q.PULSE_COUNT_TOTAL, 5.0, "valve1"))


def test_a_valve_that_waits_has_no_state() -> None:
    """A UC511's valve whose order waits is ff, neither open nor closed."""
    assert readings("uc511", "0301ff 050101") == {"open/valve2": 1}


def test_gas_sensors_that_warm_up_have_no_reading() -> None:
    """A GS301's gases are in ppb, whichever of two resolutions it sends; fffe and ffff are none."""
    assert readings("gs301", "047d6400 057d0100") == {"nh3": 1000, "h2s": 10}
    assert readings("gs301", "047dfeff 067d0100") == {"h2s": 1}
    assert readings("gs301", "017564 047dffff 067dfeff") == {"battery_level": 100}


def test_two_units_of_one_channel() -> None:
    """Channel 08 of an AM307 is a rating or micrograms, which are two quantities."""
    assert readings("am307", "087d2500") == {"iaq_rating": 0.37}
    assert readings("am307", "08e62500") == {"tvoc_mass": 37}


def test_rain_wraps_where_the_device_does() -> None:
    """A WTS506's rain is a raw sum: of two bytes in its first version, of four in its second."""
    assert readings("wts506", "0877ffff00") == {"precipitation_total": 655.35}
    assert readings("wts506", "08ecffffffff00") == {"precipitation_total": 42949672.95}


def test_more_regions_than_there_are() -> None:
    """A VS121 that counts 84 regions has sixteen; the number is said again as it was."""
    (measurement,) = decode("vs121", "04c905540f04")
    assert measurement.attributes == {"region_count": "84"}
    assert sum(item.quantity is Q.PRESENCE for item in measurement.readings) == 16
    payload = codec("milesight/vs121").encode(85, measurement.readings, attributes=measurement.attributes)
    assert payload == bytes.fromhex("04c905540f04")
    for stated in ("3", "many"):
        with pytest.raises(EncodeError):
            codec("milesight/vs121").encode(85, measurement.readings, attributes={"region_count": stated})

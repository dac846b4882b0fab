"""Dingtek: where the vendor's decoders are wrong, and frames of other kinds."""

import pytest

from decoders.catalog import codec
from decoders.error import EncodeError, MalformedPayload, WrongLength
from decoders.measurement import Reading
from decoders.quantity import Quantity
from tests.decoders.named import decode, named

BIN = "8000010211019000{temperature}{angle}{flags}00000081"


@pytest.mark.parametrize(("angle", "degrees"), [("001e", 30), ("011e", -30), ("0100", 0), ("0000", 0), ("105a", 90)])
def test_angles_have_their_sign(angle: str, degrees: int) -> None:
    """The sign stands before the angle; the vendor's decoder makes every angle negative."""
    payload = BIN.format(temperature="19", angle=angle, flags="0000")
    for model in ("df702", "dc410"):
        assert str(named(f"dingtek/{model}", 3, payload)["tilt_angle"]) == str(float(degrees))


@pytest.mark.parametrize("model", ["df702", "dc410", "df530"])
def test_temperatures_are_signed(model: str) -> None:
    """The vendor's decoder calls -5 °C 251 °C."""
    found = named(f"dingtek/{model}", 3, BIN.format(temperature="fb", angle="0000", flags="0000"))
    assert -5 in (found.get("air_temperature"), found.get("device_temperature"))


@pytest.mark.parametrize(
    ("flags", "alarms"),
    [
        ("1000", {"alarm.full"}),
        ("0100", {"alarm.fire"}),
        ("0010", {"tilted"}),
        ("0001", {"alarm.battery"}),
        ("f0f0", {"alarm.full", "tilted"}),
    ],
)
def test_each_half_byte_is_a_flag(flags: str, alarms: set[str]) -> None:
    """Full, fire, tilted, battery: any value but zero is yes."""
    found = named("dingtek/df702", 3, BIN.format(temperature="19", angle="0000", flags=flags))
    assert {name for name, value in found.items() if value and name.partition(".")[0] in ("alarm", "tilted")} == alarms


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        ("", WrongLength),
        ("800001", WrongLength),
        ("80000102110190001900000000000000", WrongLength),
        ("8000010211019000190000000000000082", MalformedPayload),
        ("8100010211019000190000000000000081", MalformedPayload),
        ("8000310211019000190000000000000081", MalformedPayload),
        ("8000010219019000190000000000000081", MalformedPayload),
        ("8000010311019000190000000000000081", WrongLength),
    ],
)
def test_what_is_no_frame_is_refused(payload: str, error: type[Exception]) -> None:
    """Head, kind of device, length and end must be right."""
    with pytest.raises(error):
        decode("dingtek/df702", 3, payload)


def test_an_odd_interval_cannot_be_sent() -> None:
    """Above an hour the interval is whole hours."""
    model = codec("dingtek/df530")
    assert model.encode(3, [], attributes={"upload_interval_min": "180"})[7] == 63
    with pytest.raises(EncodeError):
        model.encode(3, [], attributes={"upload_interval_min": "90"})


def test_readings_without_a_position_are_sent_without() -> None:
    """The shorter form is taken where no position is given."""
    model = codec("dingtek/df530")
    readings = [
        Reading(Quantity.WATER_LEVEL, 700.0),
        Reading(Quantity.DEVICE_TEMPERATURE, 12.0),
        Reading(Quantity.ALARM, 0.0, "empty"),
        Reading(Quantity.ALARM, 0.0, "battery"),
        Reading(Quantity.UPLINK_COUNT_TOTAL, 3.0),
    ]
    position = [Reading(Quantity.LATITUDE, 51.68), Reading(Quantity.LONGITUDE, 7.82)]
    assert len(model.encode(3, readings)) == 17
    assert len(model.encode(3, readings + position)) == 25

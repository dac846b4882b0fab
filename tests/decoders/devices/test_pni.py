"""PNI PlacePod: several values in a frame, counts that are none, parts that are the vendor's own."""

import pytest

from decoders.catalog import codec
from decoders.error import DecodeError, EncodeError, MalformedPayload
from decoders.measurement import Reading
from decoders.quantity import Quantity
from tests.decoders.named import decode, named


def test_several_values_in_one_frame() -> None:
    """Temperature, battery and state stand one after the other, in any order."""
    expected = {"device_temperature": 22.5, "battery_voltage": 3.65, "occupied": 0}
    assert named("pni/placepod", 2, "0302016d026700e1156600") == expected
    assert named("pni/placepod", 2, "156600026700e10302016d") == expected


@pytest.mark.parametrize("raw", ["80", "81", "ff"])
@pytest.mark.parametrize("part", ["2100", "3700"])
def test_a_restart_is_no_count(part: str, raw: str) -> None:
    """From 80 on the byte says that the sensor began anew; the third party's decoder counts 129 vehicles."""
    (measurement,) = decode("pni/placepod", 2, part + raw)
    assert measurement.readings == ()
    assert measurement.attributes == {"restarted": "yes"}


def test_an_unknown_state_is_no_state() -> None:
    """Neither free nor occupied."""
    assert named("pni/placepod", 2, "156602") == {}


def test_what_came_before_an_unknown_part_is_kept() -> None:
    """The vendor's own parts end the frame; as its first part they are an error."""
    (measurement,) = decode("pni/placepod", 2, "156601cafebabe")
    assert measurement.attributes == {"unknown_type": "0xcafe"}
    assert [item.value for item in measurement.readings] == [1.0]
    with pytest.raises(MalformedPayload):
        decode("pni/placepod", 2, "cafebabe156601")


@pytest.mark.parametrize("payload", ["", "15", "1566", "1566010267ff"])
def test_cut_frames_are_refused(payload: str) -> None:
    """A part whose value is missing is an error."""
    with pytest.raises(DecodeError):
        decode("pni/placepod", 2, payload)


def test_a_count_is_not_sent_beside_a_restart() -> None:
    """They share their bits: together they would be another number."""
    count = [Reading(Quantity.VEHICLE_COUNT_TOTAL, 108.0)]
    assert codec("pni/placepod").encode(2, count).hex() == "21006c"
    with pytest.raises(EncodeError):
        codec("pni/placepod").encode(2, count, attributes={"restarted": "yes"})

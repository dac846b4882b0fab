"""Comptipix: what is no frame, lines that are missing, the device's clock."""

import json

import pytest

from decoders.devices.eurecam import COMPTIPIX
from decoders.error import EncodeError, MalformedPayload
from decoders.measurement import Reading
from decoders.quantity import Quantity

LINE = [1, 2, 3, 4, 5]


def test_each_counter_has_its_place() -> None:
    """Line 2 of two: five channels; the clock stays words."""
    text = json.dumps({"line_counting_2": LINE, "rtc_utc_time": "2025-02-26 16:10:41"}).encode()
    (measurement,) = COMPTIPIX.decode(1, text, 7)
    assert measurement.time_ms == 7
    assert measurement.readings == tuple(
        Reading(Quantity.PEOPLE_COUNT, float(place), f"line2_{place}") for place in range(1, 6)
    )
    assert measurement.attributes == {"device_time": "2025-02-26 16:10:41"}


def test_all_of_a_published_frame_is_encoded_again() -> None:
    """Readings and clock give the text that they came from."""
    wanted = b'{"line_counting_1":[1,2,3,4,5],"line_counting_4":[0,0,0,0,65535],"rtc_utc_time":"2025-02-26 16:10:41"}'
    (measurement,) = COMPTIPIX.decode(1, wanted, 7)
    assert COMPTIPIX.encode(1, measurement.readings, attributes=measurement.attributes) == wanted


@pytest.mark.parametrize("counter", [-1, 65_536, 1.5, True, None, "1", [], 10**400])
def test_what_is_no_count_is_refused(counter: object) -> None:
    """Negative, too large, no whole number, no number."""
    with pytest.raises(MalformedPayload):
        COMPTIPIX.decode(1, json.dumps({"line_counting_1": [0, 0, 0, 0, counter]}).encode(), 7)


@pytest.mark.parametrize(
    "text",
    ["", "7", "[]", "{}", '{"line_counting_9":[0,0,0,0,0]}', '{"line_counting_1":[0,0,0,0]}', '{"line_counting_1":5}',
     '{"line_counting_1":[0,0,0,0,NaN]}', '{"line_counting_1":[0,0,0,0,0]', "[" * 200_000],
)  # fmt: skip
def test_other_text_is_refused(text: str) -> None:
    """No object, no line, a line of another length, a cut off text, nesting without end."""
    with pytest.raises(MalformedPayload):
        COMPTIPIX.decode(1, text.encode(), 7)


def test_a_clock_of_another_form_is_left_out() -> None:
    """Only what looks like a time is kept."""
    text = json.dumps({"line_counting_1": LINE, "rtc_utc_time": "x" * 19}).encode()
    assert COMPTIPIX.decode(1, text, 7)[0].attributes == {}


def test_half_a_line_is_not_encoded() -> None:
    """Each of the five counters is needed; a clock must be one."""
    line = [Reading(Quantity.PEOPLE_COUNT, 1.0, f"line1_{place}") for place in range(1, 6)]
    for readings in ([], line[:4], line[1:]):
        with pytest.raises(EncodeError):
            COMPTIPIX.encode(1, readings)
    with pytest.raises(EncodeError, match="device_time"):
        COMPTIPIX.encode(1, line, attributes={"device_time": "soon"})

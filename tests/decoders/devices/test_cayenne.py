"""Cayenne Low Power Payload."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.catalog import codec
from decoders.error import DecodeError, EncodeError
from decoders.measurement import Reading
from decoders.quantity import Quantity

LPP = codec("cayenne/lpp")
CODES = st.sampled_from([0, 2, 101, 103, 104, 115])
PAIRS = st.dictionaries(st.tuples(st.integers(0, 255), CODES), st.integers(0, 200))
QUANTITIES = {
    0: (Quantity.DIGITAL_INPUT, 1),
    2: (Quantity.ANALOG_INPUT, 100),
    101: (Quantity.ILLUMINANCE, 1),
    103: (Quantity.AIR_TEMPERATURE, 10),
    104: (Quantity.AIR_HUMIDITY, 2),
    115: (Quantity.AIR_PRESSURE, 10),
}


def values(payload: str) -> dict[tuple[Quantity, str], float]:
    """The readings of a payload on an unusual port."""
    (measurement,) = LPP.decode(99, bytes.fromhex(payload), 0)
    return {(item.quantity, item.channel): item.value for item in measurement.readings}


def test_an_unknown_type_keeps_what_came_before() -> None:
    """Nothing tells its length, so it ends the payload; as the first one it is an error."""
    assert values("036701100afe010203") == {(Quantity.AIR_TEMPERATURE, "ch3"): 27.2}
    with pytest.raises(DecodeError, match="unknown type 254 at byte 1"):
        values("0afe")


@pytest.mark.parametrize("payload", ["", "03", "0367", "036701", "03670110 01", "01880623 5ff29600 0003"])
def test_what_is_cut_off_is_refused(payload: str) -> None:
    """A header or value that is not all there."""
    with pytest.raises(DecodeError):
        values(payload)


def test_the_later_of_two_values_holds() -> None:
    """A channel that comes twice has the value that was sent last."""
    assert values("0367011003670105") == {(Quantity.AIR_TEMPERATURE, "ch3"): 26.1}


@pytest.mark.parametrize("name", ["", "3", "chx", "ch256", "ch-1"])
def test_a_channel_that_there_is_not_is_refused(name: str) -> None:
    """Channels are bytes."""
    with pytest.raises(EncodeError, match="channels are ch0 to ch255"):
        LPP.encode(1, [Reading(Quantity.AIR_TEMPERATURE, 1.0, name)])


@given(pairs=PAIRS.filter(bool))
def test_any_channels_survive(pairs: dict[tuple[int, int], int]) -> None:
    """Readings of any channels decode to themselves."""
    readings = [
        Reading(quantity, raw / divisor, f"ch{number}")
        for (number, code), raw in pairs.items()
        for quantity, divisor in [QUANTITIES[code]]
    ]
    (measurement,) = LPP.decode(1, LPP.encode(1, readings), 0)
    assert sorted(measurement.readings, key=str) == sorted(readings, key=str)

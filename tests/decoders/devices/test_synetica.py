"""Synetica enLink: units of gases, counters, unknown types."""

import pytest

from decoders.catalog import codec
from decoders.error import DecodeError
from decoders.measurement import Measurement

NOW_MS = 1_800_000_000_000


def decode(payload: str) -> Measurement:
    """The one measurement of a payload."""
    (measurement,) = codec("synetica/enlink").decode(1, bytes.fromhex(payload), NOW_MS)
    return measurement


def values(payload: str) -> dict[str, float]:
    """Readings by name."""
    return {
        f"{item.quantity.field}/{item.channel}" if item.channel else item.quantity.field: item.value
        for item in decode(payload).readings
    }


@pytest.mark.parametrize(
    ("payload", "gas", "ppb"),
    [
        ("070064", "co", 1000),
        ("090064", "o3", 10),
        ("0d0064", "h2s", 1000),
        ("530064", "no", 1000),
        ("540064", "no2", 10),
        ("550064", "no2", 100),
        ("560064", "so2", 100),
    ],
)
def test_gases_in_ppb(payload: str, gas: str, ppb: float) -> None:
    """A raw 100 of every gas: its type says how many decimals of ppm it has."""
    assert values(payload) == {gas: ppb}


def test_type_05_is_an_index() -> None:
    """The index of indoor air quality, not a concentration of organic compounds."""
    assert values("050048") == {"air_quality_index": 72.0}


def test_counters_name_their_input() -> None:
    """The byte behind the type is the input; one that is not known ends the frame."""
    assert values("0e0200000007") == {"pulse_count_total/input2": 7.0}
    rest = decode("0100d7" + "0e0900000007")
    assert (len(rest.readings), rest.attributes["unknown_type"]) == (1, "0x0e")


def test_nan_is_no_reading() -> None:
    """A particle sensor without value sends NaN."""
    assert values("587fc00000" + "0100d7") == {"air_temperature": 21.5}


@pytest.mark.parametrize("payload", ["", "ff", "01", "0100", "0e02000000"])
def test_broken_frames(payload: str) -> None:
    """Truncated values, and an unknown first type."""
    with pytest.raises(DecodeError):
        decode(payload)


def test_of_two_types_the_one_that_does_not_round_is_sent() -> None:
    """Particles come as whole numbers or as floats."""
    for payload in ("0b0007", "583f4f9db2"):
        again = codec("synetica/enlink").encode(1, decode(payload).readings)
        assert again == bytes.fromhex(payload)

"""Tekelek TEK766: readings that are none, lengths, older readings."""

import pytest

from decoders.error import DecodeError, MalformedPayload
from tests.decoders.named import decode, named

NEWEST = "10000000001a16aa"


@pytest.mark.parametrize("older", ["", "001a17aa", "001a17aa001a18aa", "00000000" * 3])
def test_the_newest_reading_is_read(older: str) -> None:
    """The older ones have no time of their own, and are what came before."""
    found = named("tekelek/tek766", 16, NEWEST + older)
    assert (found["distance"], found["air_temperature"]) == (260, 22)


@pytest.mark.parametrize("payload", ["1000000000000000", "4500000000000000", "30000001010637004d006301680600000000"])
def test_zeros_are_no_reading(payload: str) -> None:
    """Neither 0 cm nor 0 °C."""
    assert {"distance", "air_temperature"}.isdisjoint(named("tekelek/tek766", 16, payload))


def test_zero_degrees_are_a_temperature() -> None:
    """If anything else stands beside them."""
    assert named("tekelek/tek766", 16, "10000000001a00aa")["air_temperature"] == 0


@pytest.mark.parametrize("payload", ["", "10", NEWEST[:-2], NEWEST + "00", NEWEST + "00" * 16, "4500" + "00" * 14])
def test_other_lengths_are_refused(payload: str) -> None:
    """Half readings, and more than there can be."""
    with pytest.raises(DecodeError):
        decode("tekelek/tek766", 16, payload)


@pytest.mark.parametrize("payload", ["20000000001a16aa", "10010000001a16aa"])
def test_other_messages_and_products_are_refused(payload: str) -> None:
    """Only three messages, of one product, are known."""
    with pytest.raises(MalformedPayload):
        decode("tekelek/tek766", 16, payload)

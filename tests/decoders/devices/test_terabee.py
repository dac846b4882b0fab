"""Terabee: distances that are none, counters, answers."""

import pytest

from decoders.error import DecodeError, MalformedPayload, UnknownPort, WrongLength
from tests.decoders.named import decode, named


@pytest.mark.parametrize("distance", ["0000", "0001", "ffff"])
def test_markers_are_no_distance(distance: str) -> None:
    """Too close, invalid, too far; and no level."""
    assert named("terabee/lm-xl", 1, f"{distance}ff0bb800") == {"battery_voltage": 3}


def test_the_edges_are_distances() -> None:
    """The numbers next to the markers."""
    assert named("terabee/lm-xl", 1, "0002640bb800")["distance"] == 2
    assert named("terabee/lm-xl", 1, "fffe640bb800")["distance"] == 65534


def test_counts_are_four_bytes() -> None:
    """The greatest count is none that is negative."""
    found = named("terabee/people-counting-l-xl", 1, "ffffffff00000001")
    assert found == {"people_count_total.in": 4_294_967_295, "people_count_total.out": 1}


@pytest.mark.parametrize("model", ["people-counting-l-xl", "people-counting-m"])
def test_refusals_are_told(model: str) -> None:
    """An acknowledgement of ff is a refusal, any other none."""
    for code, word in (("ff", "no"), ("00", "yes"), ("01", "yes")):
        (measurement,) = decode(f"terabee/{model}", 100, "ff81" + code)
        assert measurement.attributes == {"command": "129", "acknowledged": word}


@pytest.mark.parametrize(("f_port", "error"), [(1, WrongLength), (4, MalformedPayload), (101, UnknownPort)])
def test_what_is_no_answer_is_refused(f_port: int, error: type[DecodeError]) -> None:
    """Unknown commands, and ports without a frame."""
    with pytest.raises(error):
        decode("terabee/people-counting-l-xl", f_port, "09010203")

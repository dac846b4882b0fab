"""Sensoneo: lines of ASCII, positions."""

import pytest

from decoders.error import DecodeError, MalformedPayload, WrongLength
from tests.decoders.named import decode, named

HEAD = "ffff02a7540120020133333335720cfbb1a6a55d"


@pytest.mark.parametrize(
    ("letters", "latitude", "longitude"),
    [
        ("4e45", 47.436668, 8.474),
        ("5345", -47.436668, 8.474),
        ("4e57", 47.436668, -8.474),
        ("5357", -47.436668, -8.474),
    ],
)
def test_letters_are_signs(letters: str, latitude: float, longitude: float) -> None:
    """South and west are negative."""
    found = named("sensoneo/quatro", 2, f"{HEAD}26bf3d42{letters[:2]}81950741{letters[2:]}600001")
    assert (found["latitude"], found["longitude"]) == (latitude, longitude)


def test_no_fix_is_no_position() -> None:
    """Zeros for letters: not a place off Africa."""
    assert {"latitude", "longitude"}.isdisjoint(named("sensoneo/quatro", 2, HEAD + "00" * 13))


def test_no_distance_of_zero() -> None:
    """A transducer that says zero has no reading; the others have theirs."""
    found = named("sensoneo/single", 2, "ffff22b39c00907001007f007f6d15325d")
    assert {name for name in found if name.startswith("distance")} == {"distance.sonar1", "distance.sonar3"}


def test_other_letters_are_refused() -> None:
    """A half of the earth that is none."""
    with pytest.raises(MalformedPayload):
        decode("sensoneo/quatro", 2, f"{HEAD}26bf3d42418195074145600001")


@pytest.mark.parametrize("payload", ["ffff22b39c009070017f7f7f7f6d1532", HEAD + "00" * 12, ""])
def test_cut_frames_are_refused(payload: str) -> None:
    """A single's frame has 17 bytes, a quatro's 33."""
    for model in ("single", "quatro"):
        with pytest.raises(WrongLength):
            decode(f"sensoneo/{model}", 2, payload)


@pytest.mark.parametrize("line", ["", "(U3.76T+14D251P1", "U3.76T+14D251P1)", "(UT+14D251P1)", "(U3.76T+14D251P)"])
def test_other_lines_are_refused(line: str) -> None:
    """A line that is cut, or without a number."""
    with pytest.raises(DecodeError):
        decode("sensoneo/single", 1, line.encode().hex())


def test_an_unknown_position_is_none() -> None:
    """Neither normal nor tilted."""
    assert "tilted" not in named("sensoneo/single", 1, b"(U3.76T+14D251P2)".hex())

"""Libelium Smart Parking: kinds of frames."""

import pytest

from decoders.error import MalformedPayload, WrongLength
from tests.decoders.named import decode, named


@pytest.mark.parametrize("kind", range(9))
def test_every_frame_says_whether_the_space_is_occupied(kind: int) -> None:
    """The upper bit of each frame; a temperature stands in info and keep-alive alone."""
    found = named("libelium/smart-parking", 3, f"8{kind:x}0500140000000000000000"[:22])
    assert found["occupied"] == 1
    assert found.get("device_temperature") == (20 if kind < 2 else None)


def test_other_kinds_and_lengths_are_refused() -> None:
    """A kind above 8 is unknown; version 1 and cut frames have other lengths."""
    with pytest.raises(MalformedPayload, match="frame type is 9"):
        decode("libelium/smart-parking", 3, "090a00001f00c60561ed91")
    with pytest.raises(WrongLength):
        decode("libelium/smart-parking", 3, "00281515adef6b0ae300")

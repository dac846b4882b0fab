"""What makes an uplink the same one."""

import pytest

from ingest import chirpstack
from ingest.identity import FrameWindow, identifier
from tests.ingest.uplinks import message

MINUTE_MS = 60_000


@pytest.mark.parametrize("other", ["--", "a", "61", "=a", "6" * 32, "g" * 32, "7a" * 16])
def test_no_two_identities_are_the_same(other: str) -> None:
    """Whatever stands in place of a UUID keeps its own identity; a UUID with and without dashes is one."""

    def name(text: str) -> bytes:
        event = chirpstack.parse("up", message(deduplication_id="x").payload.replace(b'"x"', f'"{text}"'.encode()))
        assert isinstance(event, chirpstack.UplinkEvent)
        return identifier(chirpstack.uplink(event))

    texts = {"-", "---", "aa", "a" * 32, "g" * 31, "61" * 16} - {other}
    assert name(other) not in {name(text) for text in texts}
    assert name("67e55044-10b1-426f-9247-bb680e5fe0c8") == name("67e5504410b1426f9247bb680e5fe0c8")


def test_a_frame_is_known_for_the_whole_window_and_not_longer() -> None:
    """Across the turns of its generations a frame is remembered for the window; then it goes, and takes no memory."""
    window = FrameWindow(15 * MINUTE_MS)
    for minute in range(120):
        now = minute * MINUTE_MS
        window.add([(str(minute).encode(), now)])
        for age in range(16):
            if minute >= age:
                assert window.holds(str(minute - age).encode(), now), (minute, age)
        if minute > 15:
            assert not window.holds(str(minute - 16).encode(), now)
        assert len(window._young) + len(window._old) <= 2 * 15 + 1


def test_an_earlier_copy_is_the_same_frame() -> None:
    """A copy whose network time is a little earlier is the same frame, too."""
    window = FrameWindow(15 * MINUTE_MS)
    window.add([(b"frame", 100 * MINUTE_MS)])
    assert window.holds(b"frame", 86 * MINUTE_MS)
    assert not window.holds(b"frame", 84 * MINUTE_MS)

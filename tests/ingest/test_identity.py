"""What makes an uplink the same one."""

from ingest.identity import FrameWindow

MINUTE_MS = 60_000


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

"""What makes an uplink the same one: its deduplication_id, and its frame within the repeat window."""

import hashlib
from collections.abc import Iterable

from decoders.uplink import Uplink

UUID_DIGITS = 32


def identifier(uplink: Uplink) -> bytes:
    """The deduplication_id as stored: 16 bytes of the UUID, or `=` and its text when it is none."""
    text = uplink.deduplication_id
    digits = text.replace("-", "")
    if len(digits) == UUID_DIGITS:
        try:
            return bytes.fromhex(digits)
        except ValueError:
            pass
    return b"=" + text.encode()


def digest(uplink: Uplink) -> bytes:
    """The frame's identity: device, address, counter and payload."""
    head = f"{uplink.device.dev_eui}{uplink.dev_addr}:{uplink.f_cnt}:".encode()
    return hashlib.blake2b(head + uplink.payload, digest_size=16).digest()


class FrameWindow:
    """The frames of the repeat window, in two generations so that forgetting costs nothing."""

    def __init__(self, window_ms: int) -> None:
        self.window_ms = window_ms
        self._young: dict[bytes, int] = {}
        self._old: dict[bytes, int] = {}
        self._turn_ms = 0

    def holds(self, frame: bytes, ns_time_ms: int) -> bool:
        """Whether the same frame came within the window of this network server time."""
        before = self._young.get(frame)
        if before is None:
            before = self._old.get(frame)
        return before is not None and abs(ns_time_ms - before) <= self.window_ms

    def add(self, frames: Iterable[tuple[bytes, int]]) -> None:
        """Remember frames with their network server times."""
        for frame, ns_time_ms in frames:
            if ns_time_ms >= self._turn_ms:
                self._old, self._young = self._young, {}
                self._turn_ms = ns_time_ms + self.window_ms
            self._young[frame] = ns_time_ms

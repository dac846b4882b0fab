"""Telling later: frames of earlier readings, once a network answers again."""

from collections.abc import Callable
from random import Random
from typing import Protocol

from simulator.device import NS_PER_S, Device
from simulator.devices.transmitter import between
from simulator.event import Up

HISTORY_PAUSE_NS = (20 * NS_PER_S, 60 * NS_PER_S)
"""Before a frame of earlier readings; ours, so that a city that is back does not shout all at once."""

At = Callable[[int, Callable[[int], None]], None]
Uplink = Callable[[Device, Up | None], None]
Reserved = Callable[[Device], int]


class Counts(Protocol):
    """Frames of earlier readings."""

    history: int


def nothing(_: Device) -> int:
    """No bytes beside the payload."""
    return 0


class Telling:
    """Lets devices tell earlier readings, one frame at a time and while answers come.

    `at` does something at a time, `uplink` sends, `reserved` are the bytes of a frame that are not its payload's.
    A device's frames go out in the order in which they were made, and so do their answers come.
    """

    def __init__(self, rng: Random, counts: Counts, at: At, uplink: Uplink, reserved: Reserved = nothing) -> None:
        self._rng = rng
        self._counts = counts
        self._at = at
        self._uplink = uplink
        self._reserved = reserved
        self._due: set[str] = set()
        self._last: dict[str, int] = {}

    def answered(self, device: Device, up: Up, free_ns: int) -> None:
        """An answer to an uplink has come; from that time on the device may send again."""
        device.answered(up)
        dev_eui = device.identity.dev_eui
        if device.remembers and dev_eui not in self._due and up.f_cnt >= self._last.get(dev_eui, 0):
            self._due.add(dev_eui)
            pause_ns = between(self._rng, *HISTORY_PAUSE_NS)
            self._at(free_ns + pause_ns, lambda time_ns: self._tell(device, time_ns))

    def _tell(self, device: Device, time_ns: int) -> None:
        """The next frame of earlier readings, if there still are any."""
        dev_eui = device.identity.dev_eui
        self._due.discard(dev_eui)
        found = device.earlier(time_ns, self._reserved(device))
        if found is None:
            return
        up = device.history(found, time_ns)
        if up is not None:
            self._counts.history += 1
            self._last[dev_eui] = up.f_cnt
        self._uplink(device, up)

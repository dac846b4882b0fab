"""Simulated time against the wall clock."""

import threading
import time
from collections.abc import Iterable, Iterator

from simulator.device import NS_PER_S
from simulator.faults import Message

LONGEST_WAIT_S = 0.5


class Pace:
    """Lets simulated time pass at `speed` simulated seconds a second, from the first look on; 0 waits for nothing.

    `stop` ends everything that waits here; it may be set from a signal handler.
    """

    def __init__(self, start_ns: int, speed: float) -> None:
        self.stop = threading.Event()
        self._start_ns = start_ns
        self._speed = speed

    def follow(self, messages: Iterable[Message], end_ns: int | None) -> Iterator[Message]:
        """The messages, each at its time; then the silence that is left until `end_ns`."""
        began = time.monotonic()
        for message in messages:
            if not self._until(message.time_ns, began):
                return
            yield message
        if end_ns is not None:
            self._until(end_ns, began)

    def _until(self, time_ns: int, began: float) -> bool:
        """Wait until that simulated time; False when stopped."""
        if self._speed <= 0:
            return not self.stop.is_set()
        due = began + (time_ns - self._start_ns) / NS_PER_S / self._speed
        while not self.stop.is_set():
            left = due - time.monotonic()
            if left <= 0:
                return True
            self.stop.wait(min(left, LONGEST_WAIT_S))
        return False

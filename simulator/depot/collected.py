"""What vehicles say they emptied is empty in the simulated city: from the broker's feedback to its containers."""

import heapq
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Final

from rules import feedback
from rules.feedback import FeedbackError, StopFeedback
from simulator.device import NS_PER_MS

MOST_WAITING: Final = 10_000
Offer = Callable[[str, bytes], None]
"""Takes topic and payload of a message; may be called by another thread."""


class Collected:
    """Reports of served stops until simulated time has come to them, each once.

    `emptied` counts containers that were emptied by them, `refused` messages that are no feedback and stops that the
    city does not have.
    """

    topic_filter: Final = feedback.TOPIC_FILTER

    def __init__(self) -> None:
        self.emptied = 0
        self.refused = 0
        self._arrived: deque[tuple[str, bytes]] = deque(maxlen=MOST_WAITING)
        self._ahead: list[tuple[int, int, str]] = []
        self._order = count()
        self._known: dict[str, None] = {}

    def as_dict(self) -> dict[str, object]:
        """The counts as JSON."""
        return {"collected": {"emptied": self.emptied, "refused": self.refused}}

    def offer(self, topic: str, payload: bytes) -> None:
        """A message of the broker's has come; may be called by another thread."""
        self._arrived.append((topic, payload))

    def settle(self, time_ns: int, empty: Callable[[str], bool]) -> None:
        """Let containers be empty whose stops were served until then; `empty` tells whether the city has it."""
        while self._arrived:
            self._sort(*self._arrived.popleft())
        while self._ahead and self._ahead[0][0] <= time_ns:
            *_, place = heapq.heappop(self._ahead)
            if empty(place):
                self.emptied += 1
            else:
                self.refused += 1

    def _sort(self, topic: str, payload: bytes) -> None:
        vehicle = feedback.vehicle_of(topic)
        if vehicle is None:
            return
        try:
            given = feedback.parse(payload, vehicle)
        except FeedbackError:
            self.refused += 1
            return
        if given.data.result == "served" and self._is_new(given):
            if len(self._ahead) == MOST_WAITING:
                self.refused += 1
                return
            time_ns = given.data.time_ms * NS_PER_MS
            heapq.heappush(self._ahead, (time_ns, next(self._order), given.data.stop))

    def _is_new(self, given: StopFeedback) -> bool:
        """Whether it comes for the first time; the newest reports are remembered."""
        name = f"{given.source} {given.id}"
        if name in self._known:
            return False
        self._known[name] = None
        if len(self._known) > MOST_WAITING:
            del self._known[next(iter(self._known))]
        return True


def both(collected: Collected, other: Offer) -> Offer:
    """Where messages go of a client that hears feedback and something else, by their topics."""

    def offer(topic: str, payload: bytes) -> None:
        if feedback.vehicle_of(topic) is None:
            other(topic, payload)
        else:
            collected.offer(topic, payload)

    return offer

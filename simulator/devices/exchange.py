"""What follows an uplink between device and network server: the answer, repeats, and what is told later.

As ChirpStack 4.20 does it (`uplink/data.rs`): the first frame of a counter is an uplink, one that comes again is a log
event UPLINK_F_CNT_RETRANSMISSION, nothing else, and is not answered.
"""

from collections.abc import Callable
from random import Random
from typing import Protocol

from simulator.device import Device
from simulator.devices.answers import Log
from simulator.devices.telling import At, Telling, Uplink
from simulator.devices.transmitter import WINDOWS_NS
from simulator.event import Up

RETRANSMISSION = "UPLINK_F_CNT_RETRANSMISSION"
FLAGGED = "Uplink was flagged as re-transmission / frame-counter did not increment"


class Counts(Protocol):
    """Transmissions of a frame beyond its first, frames of earlier readings, confirmed uplinks that were given up."""

    repeated: int
    history: int
    unanswered: int


CanAnswer = Callable[[int], bool]


class Exchange:
    """Follows uplinks. `at` does something at a time, `uplink` sends, `can_answer` says whether answers go out then."""

    def __init__(self, rng: Random, counts: Counts, at: At, uplink: Uplink, can_answer: CanAnswer) -> None:
        self._counts = counts
        self._uplink = uplink
        self._can_answer = can_answer
        self._telling = Telling(rng, counts, at, uplink)

    def over(self, device: Device, up: Up, heard: Up | None, end_ns: int) -> Log | None:
        """A transmission is over, and gateways have of it what `heard` says; what is logged if it is a repeat."""
        new = heard is not None and device.received(heard)
        if device.asks:
            if heard is not None and new and self._can_answer(end_ns) and device.hears(heard):
                self._telling.answered(device, up, end_ns + WINDOWS_NS)
            else:
                self._unanswered(device, up, end_ns)
        if heard is None or new:
            return None
        context = {"deduplication_id": heard.deduplication_id, "f_cnt_up": str(heard.f_cnt)}
        return Log(device.identity, heard.time_ns, RETRANSMISSION, FLAGGED, context, "WARNING")

    def _unanswered(self, device: Device, up: Up, end_ns: int) -> None:
        again = device.unanswered(up, end_ns)
        if again is not None:
            self._counts.repeated += 1
            self._uplink(device, again)
        elif up.confirmed:
            self._counts.unanswered += 1

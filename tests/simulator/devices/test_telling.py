"""Frames of earlier readings: when they go out, how long they may be, and that no two are out at a time."""

from collections.abc import Callable
from random import Random

from simulator.device import Device
from simulator.devices.telling import HISTORY_PAUSE_NS, Telling
from simulator.event import Up
from tests.simulator.devices.single import MINUTE_NS, START_NS, device

MODEL = "milesight/em300-th"
FRAME = bytes.fromhex("0367fa00046870")


class Told:
    """What a device that has kept readings tells, and when it would do the next thing."""

    def __init__(self, reserved: int = 0, *, kept: int = 30) -> None:
        self.history = 0
        self.due: list[tuple[int, Callable[[int], None]]] = []
        self.sent: list[Up | None] = []
        self.device = device(MODEL)
        for number in range(kept):
            self.device._keep(85, FRAME, START_NS + number * MINUTE_NS)
        self.telling = Telling(Random(1), self, self._at, self._uplink, lambda _: reserved)

    def _at(self, time_ns: int, what: Callable[[int], None]) -> None:
        self.due.append((time_ns, what))

    def _uplink(self, _: Device, up: Up | None) -> None:
        self.sent.append(up)

    def report(self, minutes: int) -> Up:
        """A report of the device."""
        up = self.device.report(START_NS + minutes * MINUTE_NS)
        assert up is not None
        return up

    def answered(self, up: Up, minutes: int) -> None:
        """An answer."""
        self.telling.answered(self.device, up, START_NS + minutes * MINUTE_NS)

    def tell(self) -> Up:
        """What is due happens, which is a frame."""
        time_ns, what = self.due.pop()
        what(time_ns)
        up = self.sent[-1]
        assert up is not None
        return up


def test_after_an_answer_and_a_pause() -> None:
    """One frame, once, within the pause; the next one only when it is answered."""
    told = Told()
    first = told.report(100)
    told.answered(first, 101)
    told.answered(first, 101)
    ((time_ns, _),) = told.due
    assert HISTORY_PAUSE_NS[0] <= time_ns - START_NS - 101 * MINUTE_NS < HISTORY_PAUSE_NS[1]
    history = told.tell()
    assert (told.history, told.due, len(told.sent)) == (1, [], 1)
    told.answered(history, 103)
    assert set(told.tell().history).isdisjoint(history.history)
    assert told.history == 2


def test_no_two_at_a_time() -> None:
    """The answer to something older says nothing of the frame that is out; one to something newer ends the wait."""
    told = Told()
    first, second = told.report(100), told.report(101)
    told.answered(first, 101)
    history = told.tell()
    told.answered(second, 103)
    assert told.due == []
    told.answered(told.report(110), 110)
    assert told.tell().history == history.history


def test_room_for_commands() -> None:
    """A frame leaves the bytes free that its MAC commands need."""
    whole, less = Told(), Told(reserved=15)
    for each in (whole, less):
        each.device.link.spreading_factor = 12
        each.answered(each.report(100), 100)
    assert len(less.tell().data) <= 51 - 15 < len(whole.tell().data) <= 51


def test_nothing_to_tell() -> None:
    """Without earlier readings, or when they are told meanwhile, no frame goes out."""
    told = Told(kept=0)
    told.answered(told.report(100), 100)
    assert told.due == []
    told = Told(kept=1)
    told.answered(told.report(100), 100)
    assert told.device._memory is not None
    told.device._memory._kept.clear()
    time_ns, what = told.due.pop()
    what(time_ns)
    assert (told.sent, told.history) == ([], 0)

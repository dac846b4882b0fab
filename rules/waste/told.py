"""What crews and people tell of a container, beside its sensor: stops left out, and waste that lies beside it.

Each fact has its own time, so that reports in any order, and twice, lead to the same.
"""

from typing import NamedTuple

from rules.feedback import SkipReason
from rules.rule import TourFeedback


class Skip(NamedTuple):
    """The newest stop that was not served; `owed` when it had to be emptied then, and therefore still has to."""

    time_ms: int
    reason: SkipReason
    owed: bool


class Beside(NamedTuple):
    """Waste beside it, seen then; only an emptying after `until_ms` takes it along.

    `by_person` when it was told by somebody who does not know whether it had just been emptied.
    """

    time_ms: int
    until_ms: int
    by_person: bool = False


class Told(NamedTuple):
    """What holds of all that was told; `served_ms` is when a crew last emptied it."""

    skipped: Skip | None = None
    beside: Beside | None = None
    served_ms: int = 0


def hear(told: Told, given: TourFeedback, emptied_ms: int, same_ms: int, *, owed: bool) -> Told:
    """Take up a report; `emptied_ms` is the newest emptying, that of the report among them.

    A crew that emptied it and left waste beside it must come again: emptyings within `same_ms` are that one, seen by
    other clocks. A crew that looked in and found it not full owes nothing.
    """
    time_ms, served = given.time_ms, given.result == "served"
    if served:
        told = told._replace(served_ms=max(told.served_ms, time_ms))
    newest_ms = told.skipped.time_ms if told.skipped is not None else 0
    if given.reason is not None and time_ms > newest_ms:
        told = told._replace(skipped=Skip(time_ms, given.reason, owed and given.reason != "not_full"))
    until_ms = time_ms + same_ms if served else time_ms
    if given.side_waste and time_ms > (told.beside.time_ms if told.beside is not None else 0):
        told = told._replace(beside=Beside(time_ms, until_ms, given.result == "reported"))
    return ended(told, emptied_ms)


def ended(told: Told, emptied_ms: int, full_ms: int = 0) -> Told:
    """What still holds after an emptying; where a sensor saw it, `full_ms` is the last time it had not happened yet.

    Sensors speak every few hours: a person's report in between may be of what the crew left.
    """
    skipped, beside, served_ms = told
    if skipped is not None and skipped.time_ms <= max(emptied_ms, served_ms):
        skipped = None
    if beside is not None:
        after_ms = full_ms if beside.by_person else emptied_ms
        beside = None if beside.until_ms < after_ms or beside.time_ms < served_ms else beside
    return told if (skipped, beside) == told[:2] else told._replace(skipped=skipped, beside=beside)

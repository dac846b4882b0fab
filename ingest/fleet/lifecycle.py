"""What people say of devices and assets over time: planned, installed, active, in maintenance, retired.

Without a word of anybody a subject is active. Only what is active, and stands at an asset that is, counts in the ledger
and raises health events; the uplinks of all others are stored all the same.
"""

from bisect import insort
from collections.abc import Iterable
from enum import StrEnum
from operator import attrgetter
from typing import NamedTuple


class State(StrEnum):
    """What a device or an asset is meant to do."""

    PLANNED = "planned"
    INSTALLED = "installed"
    ACTIVE = "active"
    MAINTENANCE = "maintenance"
    RETIRED = "retired"


class LifecycleError(ValueError):
    """A change that cannot be made; the message says why."""


class Change(NamedTuple):
    """From `from_ms` on (ms since 1970, UTC) the subject (DevEUI or asset id) is in this state.

    Maintenance ends at `until_ms`; after it counts what was said before.
    """

    subject: str
    from_ms: int
    state: State
    until_ms: int | None = None


class Lifecycle:
    """The states of all subjects of which somebody said something."""

    def __init__(self, changes: Iterable[Change] = ()) -> None:
        self._changes: dict[str, list[Change]] = {}
        for change in changes:
            self.put(change)

    def put(self, change: Change) -> None:
        """Take a change; one of the same subject and time replaces the one before."""
        others = [known for known in self._changes.get(change.subject, ()) if known.from_ms != change.from_ms]
        insort(others, change, key=attrgetter("from_ms"))
        self._changes[change.subject] = others

    def state(self, subject: str, time_ms: int) -> State:
        """The subject's state at that time."""
        change = self.change(subject, time_ms)
        return change.state if change else State.ACTIVE

    def change(self, subject: str, time_ms: int) -> Change | None:
        """What was said last of the subject and holds at that time; None where nothing was."""
        for change in reversed(self._changes.get(subject, ())):
            over = change.until_ms is not None and change.until_ms <= time_ms
            if change.from_ms <= time_ms and not over:
                return change
        return None

    def counts(self, dev_eui: str, asset: str, time_ms: int) -> bool:
        """Whether the device and its asset (empty: none) are active at that time."""
        known = self._changes
        if dev_eui not in known and asset not in known:
            return True
        return self.state(dev_eui, time_ms) is State.ACTIVE is self.state(asset, time_ms)

    def turns_ms(self, dev_eui: str, asset: str, time_ms: int) -> int | None:
        """When after that time a word on the device or its asset begins or ends to hold; None for never."""
        known = self._changes
        if dev_eui not in known and asset not in known:
            return None
        changes = (*known.get(dev_eui, ()), *known.get(asset, ()))
        times = (at for change in changes for at in (change.from_ms, change.until_ms) if at is not None)
        return min((at for at in times if at > time_ms), default=None)

    def subjects(self) -> Iterable[str]:
        """Of whom somebody said something."""
        return self._changes.keys()


def examine(change: Change) -> None:
    """Raise LifecycleError where a change says what cannot be."""
    if (change.state is State.MAINTENANCE) != (change.until_ms is not None):
        needs = "needs an end" if change.state is State.MAINTENANCE else "has no end"
        raise LifecycleError(f"state {change.state} {needs} (--until)")
    if change.until_ms is not None and change.until_ms <= change.from_ms:
        raise LifecycleError("maintenance would end before it begins")

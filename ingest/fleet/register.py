"""The register of devices and assets: what people say of them, in the journal first and then in memory."""

import re
from collections.abc import Callable
from contextlib import closing

from ingest.audit import Action
from ingest.clock import Clock
from ingest.fleet import assignments, lifecycle, lifecycle_store
from ingest.fleet import store as fleet_store
from ingest.fleet.assignments import AssignmentError, Assignments
from ingest.fleet.lifecycle import Change, Lifecycle, LifecycleError, State
from ingest.journal import Journal
from ingest.journal_records import Assigned
from ingest.journal_schema import open_reader
from rules.city import City

DEV_EUI = re.compile("[0-9a-f]{16}")


class Register:
    """Made from the journal before anything runs, from then on changed here only; times are ms since 1970 (UTC).

    `on_change` is told the device or asset of which something else holds now.
    """

    def __init__(
        self, journal: Journal, city: City, clock: Clock, on_change: Callable[[str], None] = lambda _: None
    ) -> None:
        self._journal = journal
        self._city = city
        self._clock = clock
        self._on_change = on_change
        with closing(open_reader(journal.settings.path)) as connection:
            self.lifecycle = Lifecycle(lifecycle_store.changes(connection))
            self.assignments = Assignments(fleet_store.assignments(connection))

    def move(self, city: City) -> None:
        """Know the assets of this city from now on."""
        self._city = city

    async def set_state(
        self, subject: str, state: State, from_ms: int | None, until_ms: int | None, actor: str, reason: str
    ) -> Change:
        """Note the state of a device or asset from then (now without it) on, and who said so; raises LifecycleError."""
        if not DEV_EUI.fullmatch(subject) and subject not in self._city.assets:
            raise LifecycleError(f"{subject!r} is neither a DevEUI (16 hexadecimal digits) nor an asset of the city")
        now_ms = self._clock()
        change = Change(subject, now_ms if from_ms is None else from_ms, state, until_ms)
        lifecycle.examine(change)
        action = Action(actor, "devices set", subject, reason, _detail(change._asdict()))
        await self._journal.change(lifecycle_store.set_state(change), action, now_ms)
        self.lifecycle.put(change)
        self._on_change(subject)
        return change

    async def assign(self, dev_eui: str, asset: str, from_ms: int | None, actor: str, reason: str) -> Assigned:
        """Note where a device belongs from then (now without it) on, and who said so; raises AssignmentError."""
        if not DEV_EUI.fullmatch(dev_eui):
            raise AssignmentError(f"{dev_eui!r} is no DevEUI, expected 16 hexadecimal digits")
        now_ms = self._clock()
        word = Assigned(dev_eui, now_ms if from_ms is None else from_ms, asset, actor)
        assignments.examine(word, self._city)
        action = Action(actor, "devices assign", dev_eui, reason, _detail(word._asdict()))
        await self._journal.change(lifecycle_store.assign(word), action, now_ms)
        self.assignments.put(word)
        self._on_change(dev_eui)
        return word


def _detail(parts: dict[str, object]) -> str:
    """What was changed, beside the subject, as `key=value`."""
    shown = [(key, value) for key, value in parts.items() if key not in {"subject", "dev_eui", "source"}]
    return " ".join(f"{key}={value}" for key, value in shown if value is not None)

"""What becomes of plans, written into the journal together with what is said of it."""

import sqlite3
from collections.abc import Callable, Mapping

from ingest.audit import Action
from ingest.clock import Clock
from ingest.decisions.modes import Modes
from ingest.event_points import point_of
from ingest.journal import Journal
from ingest.journal_records import Batch, EventRow
from ingest.routes import store
from rules.asset import Asset
from rules.event import Event
from rules.waste.route.life import Change

Decide = Callable[[sqlite3.Connection, int], Change]
"""What happens, by what the journal holds and the time (ms since 1970); raises LifeError for what cannot be done."""


class Board:
    """Takes changes one after the other; `assets` are those of the city now."""

    def __init__(self, journal: Journal, modes: Modes, assets: Callable[[], Mapping[str, Asset]], clock: Clock) -> None:
        self._journal = journal
        self._modes = modes
        self._assets = assets
        self._clock = clock

    async def change(self, decide: Decide, action: Action | None = None) -> Change:
        """All of it with its events, and the row of who made it, in one commit; raises LifeError, JournalError."""
        now_ms = self._clock()
        batch = Batch(actions=[action] if action is not None else [])
        made = Change()

        def write(connection: sqlite3.Connection) -> None:
            nonlocal made
            made = decide(connection, now_ms)
            store.put(connection, made.plans)
            for event in made.events:
                self._file(event, batch, now_ms)

        await self._journal.commit(batch, now_ms, write)
        return made

    def _file(self, event: Event, batch: Batch, now_ms: int) -> None:
        row = EventRow.of(event, self._modes.status(event, now_ms))
        batch.events.append(row)
        told = point_of(event, row, self._assets())
        if told is not None:
            batch.lines[told[0]].append(told[1])

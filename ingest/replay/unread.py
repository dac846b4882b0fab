"""Raw messages that a replay has not read: what a part of it erases must not take their points along."""

import re
import sqlite3

from ingest import journal_raw
from ingest.journal_raw import LAST, Damaged

_EUI = re.compile(r"(?=([0-9a-f]{16}))")
"""Whatever a topic may name as DevEUI, whichever template it follows."""


class Unread:
    """The newest raw row with a message of each device, as far as it was asked for; every row is read once.

    A row that cannot be read may hold messages of any device.
    """

    def __init__(self) -> None:
        self._since = LAST
        self._up_to = 0
        self._damaged = 0
        self._newest: dict[str, int] = {}

    def holds(self, connection: sqlite3.Connection, dev_eui: str, read_up_to: int) -> bool:
        """Whether there may be a message of the device that was first written behind raw row `read_up_to`."""
        if read_up_to < self._since:
            self._since = self._up_to = read_up_to
            self._damaged = 0
            self._newest = {}
        self._catch_up(connection)
        return max(self._newest.get(dev_eui, 0), self._damaged) > read_up_to

    def _catch_up(self, connection: sqlite3.Connection) -> None:
        newest = journal_raw.newest(connection)
        if newest <= self._up_to:
            return
        for kept in journal_raw.read(connection, -LAST, LAST, self._note_damage, after=self._up_to, up_to=newest):
            for dev_eui in _EUI.findall(kept.message.topic.lower()):
                self._newest[dev_eui] = max(kept.origin, self._newest.get(dev_eui, 0))
        self._up_to = newest

    def _note_damage(self, row: Damaged) -> None:
        self._damaged = max(self._damaged, row.seq)

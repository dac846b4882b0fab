"""The first half of a replay: the raw messages of a span decoded again, their lines sorted by device."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from decoders.quantity import Privacy
from ingest import journal_raw
from ingest.answers import is_answer
from ingest.codecs.version import InForce, Version
from ingest.journal_raw import Damaged
from ingest.raw import Kept
from ingest.replay.choice import Choice
from ingest.replay.codecs import Codecs
from ingest.replay.correction import Change, Order
from ingest.replay.decode_again import Decoder, Line, Message, Undecodable
from ingest.replay.spool import Spool
from ingest.tour_feedback import is_feedback

DAY_MS = 86_400_000
AHEAD_MS = DAY_MS
"""How far a device's clock may run ahead of the network server's for its points to be found."""
NO_CODEC = "none"
Progress = Callable[[int], None]
"""Hears of the number of messages read so far."""


@dataclass(slots=True)
class Work:
    """What is known of a device in the span: its families before and after, its messages, why it must be left alone."""

    measurements: set[str] = field(default_factory=set)
    classes: set[Privacy] = field(default_factory=set)
    messages: int = 0
    undecodable: int = 0
    hopeless: str = ""


class Reading:
    """Decodes the devices that the order chooses into the spool; `read` again takes what was committed meanwhile.

    Who is chosen is settled by the first `read`: where a message decides, all are looked at before any is taken.
    `read_up_to` is the newest raw row read. The times of lines that came meanwhile are kept until they are `replaced`.
    With `whole` the lines that no codec changes (radio, joins) are there, too: for a copy elsewhere.
    """

    def __init__(self, decoder: Decoder, order: Order, in_force: InForce, spool: Spool, *, whole: bool) -> None:
        self.works: dict[str, Work] = {}
        self.damaged: list[Damaged] = []
        self.problems: list[str] = []
        self.changes: Counter[tuple[str, str]] = Counter()
        self.spool = spool
        self.read_up_to = 0
        self._late: dict[str, set[int]] | None = None
        self._first_ms: dict[str, int] = {}
        self._decoder = decoder
        self._order = order
        self._choice = Choice(order)
        self._in_force = in_force
        self._whole = whole

    def read(self, connection: sqlite3.Connection, progress: Progress | None = None) -> None:
        """Take the messages committed since the last call."""
        newest = journal_raw.newest(connection)
        if newest > self.read_up_to:
            codecs = Codecs(connection, self._decoder, self._in_force)
            if self._late is None and self._choice.by_message:
                self._choose(self._messages(connection, newest, progress), codecs)
            for kept in self._messages(connection, newest, progress, self.damaged.append):
                self._take(kept, codecs)
            self.read_up_to = newest
        self._late = {} if self._late is None else self._late

    def first_ms(self, dev_eui: str) -> int:
        """When the oldest message of a device came, or what it brought was measured, if that is earlier."""
        return self._first_ms[dev_eui]

    def late(self, dev_eui: str, from_ms: int) -> list[tuple[int, int]]:
        """The windows [from_ms, to_ms) with late lines of a device not replaced yet; a day between two at least."""
        windows: list[tuple[int, int]] = []
        for time_ms in sorted((self._late or {}).get(dev_eui, ())):
            if windows and time_ms - windows[-1][1] < DAY_MS:
                windows[-1] = (windows[-1][0], time_ms + 1)
            elif time_ms >= from_ms:
                windows.append((time_ms, time_ms + 1))
        return windows

    def replaced(self, dev_eui: str, from_ms: int, to_ms: int) -> None:
        """The lines of a device of [from_ms, to_ms), late ones too, have taken the place of what was there."""
        late = (self._late or {}).get(dev_eui)
        if late:
            late.difference_update([time_ms for time_ms in late if from_ms <= time_ms < to_ms])

    def all_changes(self) -> tuple[Change, ...]:
        """Which codec wrote the old points and which the new ones, by number of messages."""
        return tuple(
            Change(before=before, after=after, messages=count) for (before, after), count in self.changes.most_common()
        )

    def _messages(
        self,
        connection: sqlite3.Connection,
        newest: int,
        progress: Progress | None,
        damaged: Callable[[Damaged], None] = lambda _: None,
    ) -> Iterator[Kept]:
        from_ms = self._order.from_ms - AHEAD_MS
        found = journal_raw.read(connection, from_ms, journal_raw.LAST, damaged, after=self.read_up_to, up_to=newest)
        for number, kept in enumerate(found, start=1):
            if not is_answer(kept.message.topic) and not is_feedback(kept.message.topic):
                yield kept
            if progress is not None:
                progress(number)

    def _choose(self, messages: Iterator[Kept], codecs: Codecs) -> None:
        """Look which devices have a message that matches; only one measured outside the span must be decoded for it."""
        unknown: list[tuple[str, str]] = []
        for kept in messages:
            dev_eui = ""
            try:
                dev_eui = self._decoder.dev_eui(kept.message.topic)
                if self._choice.undecided(dev_eui) and self._matches(self._decoder.parse(kept.message), kept, codecs):
                    self._choice.add(dev_eui)
            except Undecodable as error:
                if dev_eui:
                    unknown.append((dev_eui, f"{kept.message.topic}: {error}"))
        self.problems += [problem for dev_eui, problem in unknown if not self._choice.holds(dev_eui)]

    def _matches(self, message: Message, kept: Kept, codecs: Codecs) -> bool:
        if not self._choice.matches(message, codecs.before(message, kept), codecs.after(message)):
            return False
        if self._within(message.time_ms):
            return True
        try:
            return any(self._within(measured.time_ms) for measured in self._decoder.measurements(message))
        except Undecodable:
            return False

    def _take(self, kept: Kept, codecs: Codecs) -> None:
        dev_eui = ""
        try:
            dev_eui = self._decoder.dev_eui(kept.message.topic)
            if not self._choice.holds(dev_eui):
                return
            message = self._decoder.parse(kept.message)
        except Undecodable as error:
            self.problems.append(f"{kept.message.topic}: {error}")
            if dev_eui and self._within(kept.message.ns_time_ms) and (error.hopeless or self._choice.by_message):
                self._leave(dev_eui, str(error))
            return
        before, after = codecs.before(message, kept), codecs.after(message)
        lines = self._lines(message, asked_for=self._choice.matches(message, before, after))
        times = [line.time_ms for line in lines]
        self._first_ms[dev_eui] = min(kept.message.ns_time_ms, *times, self._first_ms.get(dev_eui, journal_raw.LAST))
        if not lines and not self._within(message.time_ms):
            return
        work = self.works.setdefault(dev_eui, Work())
        work.classes |= {kept.message.privacy, self._decoder.route(message).self_privacy}
        work.measurements |= codecs.families(message.device, kept) | ({after.family} if after else set())
        work.messages += 1
        self.spool.add(dev_eui, lines)
        if self._late is not None:
            self._late.setdefault(dev_eui, set()).update(times)
        self._count(message, before, after)

    def _count(self, message: Message, before: Version | None, after: Version | None) -> None:
        if message.uplink is not None and message.uplink.f_port:
            names = [f"{version.id} {version.fingerprint}" if version else NO_CODEC for version in (before, after)]
            self.changes[names[0], names[1]] += 1

    def _lines(self, message: Message, *, asked_for: bool) -> list[Line]:
        found: list[Line] = []
        try:
            found = self._decoder.lines(message)
        except Undecodable as error:
            if self._within(message.time_ms):
                self._note_undecodable(message, error, asked_for=asked_for)
        else:
            if self._whole:
                found = [*found, *self._decoder.notice(message)]
        return [line for line in found if self._within(line.time_ms)]

    def _note_undecodable(self, message: Message, error: Undecodable, *, asked_for: bool) -> None:
        """Points that nobody asked to correct are not given up, either."""
        dev_eui = message.device.dev_eui
        self.works.setdefault(dev_eui, Work()).undecodable += 1
        self.problems.append(f"{dev_eui} at {message.time_ms}: {error}")
        if error.hopeless:
            self._leave(dev_eui, str(error))
        elif not asked_for:
            self._leave(
                dev_eui, f"a message of {message.time_ms} ms, which was not asked for, cannot be decoded: {error}"
            )

    def _leave(self, dev_eui: str, why: str) -> None:
        work = self.works.setdefault(dev_eui, Work())
        work.hopeless = work.hopeless or why

    def _within(self, time_ms: int) -> bool:
        return self._order.from_ms <= time_ms < self._order.to_ms

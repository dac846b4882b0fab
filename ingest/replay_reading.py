"""The first half of a replay: all raw messages of a span decoded again, their lines sorted by device."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from decoders.quantity import Privacy
from ingest import correction, journal_raw
from ingest.codec_version import InForce
from ingest.correction import Change, Correction, Order
from ingest.decode_again import Decoder, Line, Message, Undecodable
from ingest.journal_raw import Damaged
from ingest.raw import Kept
from ingest.replay_spool import Spool

AHEAD_MS = 86_400_000
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
    """Decodes what the order chooses; `read` again takes what was committed meanwhile.

    With `whole` the lines that no codec changes (radio, joins) are there, too: for a copy elsewhere.
    """

    def __init__(self, decoder: Decoder, order: Order, in_force: InForce, spool: Spool, *, whole: bool) -> None:
        self.works: dict[str, Work] = {}
        self.touched: set[str] = set()
        self.damaged: list[Damaged] = []
        self.problems: list[str] = []
        self.changes: Counter[tuple[str, str]] = Counter()
        self.messages = 0
        self._decoder = decoder
        self._order = order
        self._in_force = in_force
        self._spool = spool
        self._whole = whole
        self._row = 0
        self._corrections: Sequence[Correction] = ()
        self._versions: Mapping[str, InForce] = {}

    def read(self, connection: sqlite3.Connection, progress: Progress | None = None) -> set[str]:
        """Take the messages committed since the last call; returns the devices that have new lines."""
        self._corrections = [
            item for item in correction.listed(connection) if item.order.kind == "replay" and item.result
        ]
        self._versions = correction.versions(connection)
        self.touched = set()
        newest = journal_raw.newest(connection)
        from_ms = self._order.from_ms - AHEAD_MS
        kept = journal_raw.read(
            connection, from_ms, journal_raw.LAST, self.damaged.append, after=self._row, up_to=newest
        )
        for item in kept:
            self._take(item)
            self.messages += 1
            if progress is not None:
                progress(self.messages)
        self._row = newest
        return self.touched

    def all_changes(self) -> tuple[Change, ...]:
        """Which codec wrote the old points and which the new ones, by number of messages."""
        return tuple(
            Change(before=before, after=after, messages=count) for (before, after), count in self.changes.most_common()
        )

    def _take(self, kept: Kept) -> None:
        try:
            dev_eui = self._decoder.dev_eui(kept.message.topic)
            if self._order.devices and dev_eui not in self._order.devices:
                return
            message = self._decoder.parse(kept.message)
        except Undecodable as error:
            self.problems.append(f"{kept.message.topic}: {error}")
            return
        if self._order.application not in {"", message.device.application}:
            return
        codec = self._decoder.route(message).codec
        after = self._in_force.codecs.get(codec.id) if codec else None
        before = self._before(message, kept).of(message.device)
        if self._order.models and not {after and after.id, before and before.id} & set(self._order.models):
            return
        lines = self._lines(message)
        if not lines and not self._within(message.time_ms):
            return
        work = self.works.setdefault(dev_eui, Work())
        work.classes |= {kept.message.privacy, self._decoder.route(message).self_privacy}
        work.measurements |= {version.family for version in (before, after) if version}
        self._spool.add(dev_eui, lines)
        self.touched.add(dev_eui)
        work.messages += 1
        if message.uplink is not None and message.uplink.f_port:
            names = [f"{version.id} {version.fingerprint}" if version else NO_CODEC for version in (before, after)]
            self.changes[names[0], names[1]] += 1

    def _lines(self, message: Message) -> list[Line]:
        found: list[Line] = []
        try:
            found = self._decoder.lines(message)
        except Undecodable as error:
            if self._within(message.time_ms):
                work = self.works.setdefault(message.device.dev_eui, Work())
                work.undecodable += 1
                work.hopeless = work.hopeless or (str(error) if error.hopeless else "")
                self.problems.append(f"{message.device.dev_eui} at {message.time_ms}: {error}")
        else:
            if self._whole:
                found = [*found, *self._decoder.notice(message)]
        return [line for line in found if self._within(line.time_ms)]

    def _within(self, time_ms: int) -> bool:
        return self._order.from_ms <= time_ms < self._order.to_ms

    def _before(self, message: Message, kept: Kept) -> InForce:
        """What wrote the points of a message: the newest replay that covered them, else the service when it came."""
        digest = kept.codecs
        device = message.device
        for item in self._corrections:
            then = self._versions.get(item.order.codecs, self._in_force)
            version = then.of(device)
            model = version.id if version else ""
            if item.order.covers(device.dev_eui, model, device.application, message.time_ms):
                digest = item.order.codecs
                break
        return self._versions.get(digest, self._in_force)

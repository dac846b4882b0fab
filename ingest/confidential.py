"""Whose eyes it is for what rules conclude: as private as the data of the devices that the asset heard of.

An asset is as private as the strictest device that measured there within the days for which personal readings are kept;
that is kept beside the states of rules, which remember as long. Only figures about a lot are of many: at least five
spaces, and of personal sensors at least five (or none, and counters at the gates).
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from pydantic_core import from_json, to_json

from decoders.quantity import Privacy
from ingest.downlink import is_downlink
from rules.engine import Engine, StateRow
from rules.event import Event, LotState
from rules.parking import lot_state
from rules.parking.lot_config import MIN_OPEN_SPACES, LotConfig
from rules.point import Point

STATE, VERSION = "privacy", 1
"""Under which it is kept which assets heard of what, a row an asset."""
STATUS = "personal"
"""What an event is kept as that nobody outside may see."""
DAY_MS = 86_400_000
STEP_MS = 3_600_000
"""How exactly it is kept when something was heard: each step is a row written."""


class Heard(NamedTuple):
    """When an asset heard of data of a class last, ms since 1970 (UTC), 0 for never."""

    internal_ms: int = 0
    personal_ms: int = 0


NEVER = Heard()


def heard_by_asset(rows: Iterable[StateRow]) -> dict[str, Heard]:
    """What each asset heard of, found among the states of rules as they are kept."""
    return {row.subject: Heard(*from_json(row.body)) for row in rows if (row.rule, row.version) == (STATE, VERSION)}


def privacy_of(heard: Heard, time_ms: int, days: float) -> Privacy:
    """The class of an asset that heard this, where it counts for so many days."""
    since_ms = time_ms - round(days * DAY_MS)
    if heard.personal_ms > max(0, since_ms):
        return Privacy.PERSONAL
    return Privacy.INTERNAL if heard.internal_ms > max(0, since_ms) else Privacy.OPEN


def of_many(lot: LotConfig, privacy: Privacy, time_ms: int) -> bool:
    """Whether figures of a lot whose devices are of this class tell of so many spaces that they tell of nobody."""
    if lot.capacity < MIN_OPEN_SPACES:
        return False
    sensors = lot.sensors(time_ms)
    counted = lot.counters is not None and not sensors
    return privacy is not Privacy.PERSONAL or sensors >= MIN_OPEN_SPACES or counted


def status(event: Event, privacy: Privacy, otherwise: str) -> str:
    """What an event of this class is kept as: nothing personal goes out, but a command to the one device that acts."""
    return STATUS if privacy is Privacy.PERSONAL and not is_downlink(event.topic) else otherwise


class Confidential:
    """What each asset heard of; a batch works on a `Hearing`, which is merged after its commit."""

    def __init__(self, engine: Engine, days: float) -> None:
        self._days = days
        self._heard: dict[str, Heard] = {}
        self.take(engine)

    def take(self, engine: Engine) -> None:
        """Go by the rules and the city of this engine from now on."""
        self._engine = engine
        self._feeds: dict[str, set[str]] = {}
        self._lots: dict[str, LotConfig] = {}
        for asset in self._heard:
            self.map(asset)

    def restore(self, intact: Iterable[StateRow], damaged: Iterable[StateRow], now_ms: int) -> None:
        """Take up what was kept, among the states of rules; an asset whose row is damaged counts as personal."""
        self._heard |= heard_by_asset(intact)
        self._heard |= {row.subject: Heard(now_ms, now_ms) for row in damaged if row.rule == STATE}
        self.take(self._engine)

    def overlay(self) -> "Hearing":
        """A batch's view."""
        return Hearing(self)

    def merge(self, hearing: "Hearing") -> None:
        """Put in force what a committed batch heard."""
        self._heard |= hearing.changed

    def heard(self, asset: str) -> Heard:
        """When the asset heard of what."""
        return self._heard.get(asset, NEVER)

    def map(self, asset: str) -> None:
        """Note which assets the rules that hear of this asset are about, and the lot that it is."""
        for subject in self._engine.subjects_of(asset):
            about = subject.asset.id
            for fed in (about, *(follower.asset.id for follower in self._engine.followers_of(about))):
                self._feeds.setdefault(fed, set()).add(asset)
            if subject.rule.id == lot_state.ID and about == asset:
                self._lots[asset] = subject.config

    def of_event(self, event: Event) -> Privacy:
        """The class of an event, by what is in force."""
        return self.overlay().of_event(event)

    def sources(self, asset: str) -> Collection[str]:
        """The assets of which rules about this asset heard something that is not open."""
        return self._feeds.get(asset, ())

    def privacy(self, asset: str, heard: Heard, time_ms: int, *, figures: bool) -> Privacy:
        """The class of what is said of an asset that heard this, or of its `figures` as a whole."""
        found = privacy_of(heard, time_ms, self._days)
        lot = self._lots.get(asset) if figures else None
        return Privacy.OPEN if lot is not None and of_many(lot, found, time_ms) else found


class Hearing:
    """What a batch heard, beside what was heard before; `changed` is what its commit keeps."""

    def __init__(self, known: Confidential) -> None:
        self.changed: dict[str, Heard] = {}
        self._known = known

    def hear(self, asset: str, privacy: Privacy, time_ms: int) -> None:
        """A device of this class measured at the asset."""
        known, before = self._known, self._at(asset)
        if before is NEVER:
            known.map(asset)
        personal = privacy is Privacy.PERSONAL
        last_ms = before.personal_ms if personal else before.internal_ms
        if privacy is not Privacy.OPEN and time_ms >= last_ms + STEP_MS:
            self.changed[asset] = before._replace(**{"personal_ms" if personal else "internal_ms": time_ms})

    def of_event(self, event: Event) -> Privacy:
        """The class of an event; the state of a lot is its figures, and what follows it stands on nothing else."""
        about = event.subject
        if not self._known.sources(about):
            return Privacy.OPEN
        return self.of(about, event.time_ms, figures=type(event) is LotState)

    def of_point(self, point: Point) -> Privacy:
        """The class of a derived point: it is of figures."""
        about = dict(point.tags).get("asset", "")
        return max(point.privacy, self.of(about, point.time_ms, figures=True))

    def rows(self) -> list[StateRow]:
        """What the commit keeps."""
        return [StateRow(STATE, name, VERSION, to_json(heard).decode()) for name, heard in self.changed.items()]

    def of(self, about: str, time_ms: int, *, figures: bool) -> Privacy:
        """The class of what rules say about an asset, or of figures about it as a whole."""
        known, found = self._known, Privacy.OPEN
        for asset in known.sources(about):
            said = known.privacy(asset, self._at(asset), time_ms, figures=figures or asset != about)
            found = max(found, said)
        return found

    def _at(self, asset: str) -> Heard:
        return self.changed.get(asset) or self._known.heard(asset)

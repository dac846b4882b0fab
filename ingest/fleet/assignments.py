"""Where devices were when, if the city's file does not say: by a person's word, else by their tag `asset`."""

from bisect import insort
from collections.abc import Iterable, Sequence
from operator import attrgetter

from ingest.journal_records import Assigned
from rules.city import City

TAG = "tag"
BY_MACHINE = frozenset({"file", TAG})
"""Sources of assignments that are no person."""


class AssignmentError(ValueError):
    """An assignment that cannot be made; the message says why."""


class Assignments:
    """The dated assignments of the devices that have any; the others are where their tag says.

    A person's word holds from its time until the next one. A tag's holds from when it was first seen.
    """

    def __init__(self, assigned: Iterable[Assigned] = ()) -> None:
        self._words: dict[str, list[Assigned]] = {}
        self._tags: dict[str, list[Assigned]] = {}
        for word in assigned:
            self.put(word)

    def put(self, word: Assigned) -> None:
        """Take an assignment; one of the same device, kind of source and time replaces the one before."""
        kept = self._tags if word.source in BY_MACHINE else self._words
        others = [known for known in kept.get(word.dev_eui, ()) if known.valid_from_ms != word.valid_from_ms]
        insort(others, word, key=attrgetter("valid_from_ms"))
        kept[word.dev_eui] = others

    def place(self, dev_eui: str, time_ms: int, tag: str | None, fresh: Sequence[Assigned] = ()) -> str | None:
        """The asset that a person named for that time (empty: none), else the tag of then; `tag` is today's."""
        if not fresh and dev_eui not in self._words and dev_eui not in self._tags:
            return tag
        for word in reversed(self._words.get(dev_eui, ())):
            if word.valid_from_ms <= time_ms:
                return word.asset
        tags: list[Assigned] = [*self._tags.get(dev_eui, ()), *(word for word in fresh if word.dev_eui == dev_eui)]
        for word in reversed(tags):
            if word.valid_from_ms <= time_ms:
                return word.asset
        return tag

    def devices(self) -> Iterable[str]:
        """Of whom somebody said something."""
        return self._words.keys()

    def retagged(
        self, dev_eui: str, before: str, now: str, time_ms: int, fresh: Sequence[Assigned] = ()
    ) -> list[Assigned]:
        """The rows to keep for a changed tag, of which the first says where the device had been; `put` takes them."""
        known = dev_eui in self._tags or any(word.dev_eui == dev_eui for word in fresh)
        first = [] if known else [Assigned(dev_eui, 0, before, TAG)]
        return [*first, Assigned(dev_eui, time_ms, now, TAG)]


def examine(word: Assigned, city: City) -> None:
    """Raise AssignmentError for an asset that is not there, or a device that the city's file places elsewhere then."""
    if word.source in BY_MACHINE:
        raise AssignmentError(f"{word.source!r} is no name of a person")
    if word.asset and word.asset not in city.assets:
        raise AssignmentError(f"there is no asset {word.asset!r} in the city's file")
    for difference in city.differences({word.dev_eui: word.asset}, word.valid_from_ms):
        place = f"at {difference.file!r}" if difference.file else "nowhere"
        raise AssignmentError(f"the city's file places device {word.dev_eui} {place} then; it wins, so change it there")

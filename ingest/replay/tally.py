"""What a replay came to: points before and after, readings that changed, and remarks for people."""

from dataclasses import dataclass, field
from typing import NamedTuple

from ingest.replay.erasure import Erasure
from ingest.replay.read_back import CannotReadBack, Points, ReadBack, difference
from ingest.replay.spool import Slice


class Step(NamedTuple):
    """A slice of a device's span, and what is deleted before it is written."""

    dev_eui: str
    slice: Slice
    measurements: tuple[str, ...]
    erasures: tuple[Erasure, ...]


@dataclass(slots=True)
class Tally:
    """Counts of the steps so far; without `known` nobody could say what was there before."""

    known: bool = True
    before: int = 0
    after: int = 0
    readings: int = 0
    lines: int = 0
    remarks: list[str] = field(default_factory=list)

    async def look(self, step: Step, read_back: ReadBack) -> Points:
        """The points that a step will take away; none once they could not be read, which is remarked."""
        if not self.known:
            return {}
        try:
            points = await read_back(step.measurements, step.dev_eui, step.slice.from_ms, step.slice.to_ms)
        except CannotReadBack as error:
            self.known = False
            self.remarks.insert(0, f"what was there before is not known, so changes are not counted: {error}")
            return {}
        return _erased(points, step)

    def count(self, step: Step, before: Points) -> None:
        """Add a step that was taken."""
        self.lines += step.slice.total
        if self.known:
            change = difference(before, (line for lines in step.slice.lines.values() for line in lines))
            self.before += change.before
            self.after += change.after
            self.readings += change.readings

    def counts(self) -> dict[str, int | None]:
        """As they stand in the record; None where it cannot be known."""
        found = {"points_before": self.before, "points_after": self.after, "readings_changed": self.readings}
        return {"lines": self.lines, **{name: count if self.known else None for name, count in found.items()}}


def _erased(points: Points, step: Step) -> Points:
    """The points that the step's erasures meet."""
    found = {}
    for key, fields in points.items():
        name = key[0].partition(",")[0]
        if any(name in item.measurements and item.from_ms <= key[1] < item.to_ms for item in step.erasures):
            found[key] = fields
    return found

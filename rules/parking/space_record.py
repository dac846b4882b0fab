"""What is remembered of a lot's spaces from day to day, and how that is kept."""

from collections.abc import Mapping
from typing import NamedTuple

from pydantic import TypeAdapter

from rules.event_parking import SensorFault
from rules.parking.counters import Total, plain_totals
from rules.parts import Parts
from rules.rule import Json


class Space(NamedTuple):
    """A space: its newest remembered word, since when (0: unknown) it is as it is, and its changes of the day.

    `busy_at` and `full_at` are the lot's totals at its last change; `unseen` counts changes that no counter saw.
    """

    newest_ms: int
    occupied: bool
    since_ms: int
    changes: int = 0
    busy_at: float = 0.0
    full_at: float = 0.0
    unseen: float = 0.0


class Change(NamedTuple):
    """A change of a space that waits for what the counters saw."""

    dev_eui: str
    time_ms: int
    occupied: bool


class Gates(NamedTuple):
    """What the counters saw last: when a car came in and went out, and the changes that wait."""

    totals: dict[str, Total]
    entered_ms: int = 0
    left_ms: int = 0
    waiting: tuple[Change, ...] = ()


class Stays(NamedTuple):
    """What the day has so far: stays that ended, their ms, and those that passed the limit."""

    ended: int = 0
    total_ms: int = 0
    over: int = 0


class Suspect(NamedTuple):
    """A sensor and what is suspected of it."""

    dev_eui: str
    fault: SensorFault


class Days(NamedTuple):
    """The spaces of a lot; `taken` of them are, `peak` is the largest share of the day.

    `busy` adds up the changes of the median space of each day, `full` those of days on which the lot was full;
    `suspects` is what the newest event said.
    """

    spaces: Mapping[str, Space]
    day: tuple[int, int]
    taken: int
    peak: float
    stays: Stays
    busy: float
    full: float
    gates: Gates
    suspects: tuple[Suspect, ...]


STATE = TypeAdapter(Days)


def dump(days: Days) -> Json:
    """The state as JSON, each space a part of it."""
    totals, entered_ms, left_ms, waiting = days.gates
    return {
        **days._asdict(),
        "spaces": Parts(days.spaces, tuple),
        "stays": tuple(days.stays),
        "gates": {
            "totals": plain_totals(totals),
            "entered_ms": entered_ms,
            "left_ms": left_ms,
            "waiting": tuple([tuple(change) for change in waiting]),
        },
        "suspects": tuple([tuple(suspect) for suspect in days.suspects]),
    }


def read(kept: Json) -> Days:
    """The state from JSON."""
    return STATE.validate_python(kept)

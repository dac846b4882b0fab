"""What is remembered of a lot, and how that is kept."""

from collections.abc import Mapping
from typing import NamedTuple

from pydantic import TypeAdapter

from rules.event import LotBasis, LotLevel, LotReason
from rules.parking.counters import Counters, plain_totals
from rules.parts import Parts
from rules.rule import Json

NEVER_MS = 1 << 53


class Space(NamedTuple):
    """The newest used word of a space's sensor."""

    measured_ms: int
    occupied: bool


class Shown(NamedTuple):
    """What the newest event said; `occupied` is None where it gave no figures."""

    reason: LotReason
    level: LotLevel
    occupied: int | None
    valid_until_ms: int
    basis: LotBasis = "sensors"
    contradicting: bool = False


class Lot(NamedTuple):
    """What is remembered of a lot; `working` and `taken` count its spaces and are right until `recount_ms`.

    `history` are the last half hour's changes as (begin of five minutes in ms, spaces taken at their end).
    """

    spaces: Mapping[str, Space]
    heard_ms: int
    working: int
    taken: int
    recount_ms: int
    level: LotLevel
    shown: Shown | None
    counters: Counters | None = None
    history: tuple[tuple[int, int], ...] = ()


STATE = TypeAdapter(Lot)


def dump(lot: Lot) -> Json:
    """The state as JSON, each space a part of it, as [measured_ms, occupied]."""
    counters = lot.counters
    return {
        **lot._asdict(),
        "spaces": Parts(lot.spaces, tuple),
        "shown": lot.shown and lot.shown._asdict(),
        "counters": counters and {**counters._asdict(), "totals": plain_totals(counters.totals)},
    }


def read(kept: Json) -> Lot:
    """The state from JSON; one without counters and history, as the first version wrote it, is whole, too."""
    return STATE.validate_python(kept)

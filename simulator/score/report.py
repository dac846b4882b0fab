"""The score of a simulation, and what could not be scored."""

from dataclasses import asdict, dataclass

from simulator.score.alerts import AlertScore
from simulator.score.collection import CollectionScore
from simulator.score.fill import FillScore
from simulator.score.lots import LotScore
from simulator.score.plans import ChoiceScore


@dataclass(frozen=True, slots=True)
class Unscored:
    """What could not be scored, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Played:
    """What was played: the scenario's line, ISO times in UTC, `events` that the service published."""

    scenario: str
    seed: int
    begin: str
    end: str
    devices: int
    uplinks: int
    events: int


@dataclass(frozen=True, slots=True)
class Score:
    """All figures; None and empty where nothing could be scored, with the reason in `unscored`."""

    played: Played
    lots_together: LotScore | None
    lots: tuple[LotScore, ...]
    signal_plans: tuple[ChoiceScore, ...]
    green_waves: tuple[ChoiceScore, ...]
    alerts: tuple[AlertScore, ...]
    containers: FillScore | None
    collection: CollectionScore | None
    unscored: tuple[Unscored, ...]

    def as_dict(self) -> dict[str, object]:
        """As JSON."""
        return asdict(self)

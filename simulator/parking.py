"""What every sensor of a parking space has in common: the space, and the gate that its cars pass."""

from rules.city import Asset
from simulator.surroundings import Surroundings
from simulator.world import Moment

IN_GROUND_DB = 10.0
"""What ground and car take from a signal; ours."""
MS_PER_S = 1000
LONGEST_MIN = 660


class Parked:
    """One more space of the lot that an asset is, as the sensor in it sees it: how many cars came and left, too."""

    __slots__ = ("_awaited", "_gate", "_space", "_stood_ms", "came", "left")

    def __init__(self, around: Surroundings, asset: Asset) -> None:
        self._gate = around.gate(asset)
        self._space = around.space(asset)
        self._awaited: tuple[float, int] | None = None
        self.came = self.left = self._stood_ms = 0

    @property
    def occupied(self) -> bool:
        """Whether a car stands there."""
        return self._space.occupied

    @property
    def before_min(self) -> int:
        """How many whole minutes the state before lasted."""
        return self._space.before_min

    def occupied_s(self, now: Moment) -> float:
        """How long cars have stood there, the first one since it came."""
        return (self._stood_ms + (now.ms - self._space.since_ms if self.occupied else 0)) / MS_PER_S

    def until_change_s(self, now: Moment) -> float:
        """When the next car comes or leaves, 0 or less when it should have by now."""
        if self._awaited is None:
            self._awaited = self._space.until_change_s(now), now.ms
        seconds, from_ms = self._awaited
        return seconds - (now.ms - from_ms) / MS_PER_S

    def change(self, now: Moment) -> None:
        """It comes, or leaves, and passes the gate."""
        self._awaited = None
        if self.occupied:
            self._stood_ms += now.ms - self._space.since_ms
        self._space.change(now)
        self.came += self.occupied
        self.left += not self.occupied
        self._gate.passed(came=self.occupied)


def nwave_min(minutes: int) -> int | None:
    """A duration as Nwave's status can say it: steps of 1, 5 and 60 min, rounded down; None beyond 11 h."""
    if minutes >= LONGEST_MIN:
        return None
    step = 1 if minutes < 90 else 5 if minutes < 240 else 60  # noqa: PLR2004 - the format's own bounds
    return minutes - minutes % step

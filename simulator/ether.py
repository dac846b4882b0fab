"""Who is heard when several send at once.

Frames of one channel and one spreading factor that overlap in time disturb each other; other spreading factors do not.
At each gateway a frame survives where it is at least 6 dB stronger than every other one (the co-channel rejection of
Semtech's SX1276 data sheet; Bor et al., "Do LoRa Low-Power Wide-Area Networks Scale?", MSWiM 2016, §3).
"""

from collections.abc import Callable
from typing import NamedTuple

from simulator.radio import Transmission

CAPTURE_DB = 6.0

Listens = Callable[[str, int], bool]
"""Whether a gateway (its id) listens at a time in ns since 1970."""


def always(_gateway_id: str, _time_ns: int) -> bool:
    """Gateways that never fail."""
    return True


class OnAir(NamedTuple):
    """A frame on the air until `end_ns`; `drowned` are the gateways, by number, at which it is lost."""

    air: Transmission
    start_ns: int
    end_ns: int
    drowned: set[int]


class Ether:
    """All that is on the air. Frames begin in the order of time, and each is ended once."""

    def __init__(self, listens: Listens = always) -> None:
        self._listens = listens
        self._lanes: dict[tuple[int, int], list[OnAir]] = {}

    def listens(self, gateway_id: str, time_ns: int) -> bool:
        """Whether a gateway is up."""
        return self._listens(gateway_id, time_ns)

    def reaches(self, air: Transmission, begin_ns: int, end_ns: int) -> bool:
        """Whether anybody hears a frame that disturbs nobody and is not disturbed."""
        return any(
            self._listens(heard.gateway.gateway_id, begin_ns) and self._listens(heard.gateway.gateway_id, end_ns)
            for heard in air.heard
        )

    def begin(self, air: Transmission, start_ns: int, airtime: int) -> OnAir:
        """A frame begins; it lasts so many ns."""
        mine = OnAir(air, start_ns, start_ns + airtime, set())
        lane = self._lanes.setdefault((air.channel, air.spreading_factor), [])
        for other in lane:
            if other.end_ns > start_ns:
                _disturb(mine, other)
                _disturb(other, mine)
        lane.append(mine)
        return mine

    def end(self, ended: OnAir) -> frozenset[str]:
        """A frame ends; the ids of the gateways that have it."""
        air = ended.air
        lane = self._lanes[air.channel, air.spreading_factor]
        lane[:] = [other for other in lane if other is not ended]
        return frozenset(
            heard.gateway.gateway_id
            for heard in air.heard
            if heard.number not in ended.drowned
            and self._listens(heard.gateway.gateway_id, ended.start_ns)
            and self._listens(heard.gateway.gateway_id, ended.end_ns)
        )


def _disturb(mine: OnAir, other: OnAir) -> None:
    """Where the other frame is too strong for mine."""
    for heard in mine.air.heard:
        if mine.air.levels[heard.number] < other.air.levels[heard.number] + CAPTURE_DB:
            mine.drowned.add(heard.number)

"""A city's containers as everybody knows them: where they stand, what goes in. How they fill is `truth`, not here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple, TypeVar

from rules.asset import TIMEZONE, Asset
from rules.waste.due_config import ContainerConfig, configure
from rules.waste.evaluation.chance import Chance, Draw
from rules.waste.route.model import Depot, DisposalSite

CENTRES: Final = (
    (7.8195, 51.6785, 0.34),
    (7.902, 51.679, 0.11),
    (7.864, 51.63, 0.11),
    (7.752, 51.642, 0.11),
    (7.743, 51.67, 0.11),
    (7.748, 51.7, 0.11),
    (7.833, 51.708, 0.11),
)
"""Longitude, latitude and share of containers of Hamm's seven districts; the shares are a judgement."""
SPREAD: Final = (0.0145, 0.009)
"""Standard deviation around a centre in degrees, 1 km both ways: a judgement."""
MIX: Final = {"residual": 1.0}
"""Shares of the fractions; each has tours of its own."""
VOLUMES_L: Final = (1100, 2500, 3000, 4000)
SERVICE_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat")
UNLOAD_S: Final = 1200
T = TypeVar("T")


class Place(NamedTuple):
    """A container."""

    id: str
    longitude: float
    latitude: float
    fraction: str
    volume_l: int
    config: ContainerConfig


class Town(NamedTuple):
    """Containers, depot and disposal site."""

    places: tuple[Place, ...]
    depot: Depot
    site: DisposalSite
    timezone: str = TIMEZONE

    @property
    def fractions(self) -> tuple[str, ...]:
        """The fractions of its containers, sorted."""
        return tuple(sorted({place.fraction for place in self.places}))


def town(draw: Draw, containers: int, mix: Mapping[str, float] = MIX, timezone: str = TIMEZONE) -> Town:
    """So many containers around the centres of Hamm's districts, depot and site where the example city has them."""
    places = tuple(
        _place(draw(f"place/{number}"), f"container-{number:04}", mix, timezone) for number in range(1, containers + 1)
    )
    site = DisposalSite("site", 7.77, 51.685, frozenset(mix), UNLOAD_S)
    return Town(places, Depot("depot", 7.788, 51.672), site, timezone)


def place(
    id_: str,
    at: tuple[float, float],
    fraction: str,
    volume_l: int,
    timezone: str = TIMEZONE,
    properties: Mapping[str, object] = MappingProxyType({}),
) -> Place:
    """A container at a longitude and latitude, with the parameters that the rule takes; raises CityError."""
    given: dict[str, object] = {
        "fraction": fraction,
        "volume_l": volume_l,
        "service_days": list(SERVICE_DAYS),
    }
    asset = Asset(id_, "container", id_, given | dict(properties), (), *at, timezone=timezone)
    return Place(id_, *at, fraction, volume_l, configure(asset))


def _place(chance: Chance, id_: str, mix: Mapping[str, float], timezone: str) -> Place:
    centre = _chosen(chance.random(), {(longitude, latitude): share for longitude, latitude, share in CENTRES})
    at = chance.gauss(centre[0], SPREAD[0]), chance.gauss(centre[1], SPREAD[1])
    fraction = _chosen(chance.random(), mix)
    return place(id_, at, fraction, VOLUMES_L[chance.randrange(len(VOLUMES_L))], timezone)


def _chosen(at: float, shares: Mapping[T, float]) -> T:
    """The one in whose share of [0, 1) the number lies."""
    at *= sum(shares.values())
    for each, share in shares.items():
        at -= share
        if at < 0:
            return each
    return list(shares)[-1]

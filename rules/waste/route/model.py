"""What tours are planned from.

Lengths are whole metres, times whole seconds since local midnight of the day of service, loads whole kilograms and
litres as they lie loose in the container, money whole millionths of a euro. A vehicle's capacity in litres is what it
takes of loose waste, compaction included.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from rules.waste.words import Words, fraction_of

NO_WAY = -1
"""In a matrix: there is no way from here to there for this profile."""
DAY_S = 86_400
UNSERVED_COST = 10_000_000_000
"""What a mandatory stop left out costs in the objective: 10,000 euros, more than any tour."""

Kerb = Literal["right", "left", "any"]
Loader = Literal["right", "left", "rear"]
SIDES: Final[dict[str, Words]] = {"left": Words("links", "left"), "right": Words("rechts", "right")}


class RouteError(ValueError):
    """What cannot be planned; each line names the asset and what to change."""


@dataclass(frozen=True, slots=True)
class Depot:
    """Where vehicles begin and end their shift."""

    id: str
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class Start:
    """Where a vehicle that is under way is now."""

    id: str
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class DisposalSite:
    """Where a vehicle is emptied, whatever it holds; unloading begins within opening hours."""

    id: str
    longitude: float
    latitude: float
    fractions: frozenset[str]
    unload_s: int
    opens_s: int = 0
    closes_s: int = 2 * DAY_S


@dataclass(frozen=True, slots=True)
class Stop:
    """A container to be emptied; `prize` None is mandatory, else what leaving it out costs.

    `kerb` is the side it stands on in the direction of approach, `approach_deg` that direction (clockwise from north).
    Service begins within the window. A roll-off is exchanged: the vehicle brings an empty one and takes one a trip.
    """

    id: str
    longitude: float
    latitude: float
    fraction: str
    volume_l: int | None
    mass_kg: int
    service_s: int
    prize: int | None = None
    window_from_s: int = 0
    window_until_s: int = 2 * DAY_S
    kerb: Kerb = "any"
    approach_deg: int | None = None
    max_height_cm: int | None = None
    max_weight_kg: int | None = None
    roll_off: bool = False


class Capacity(NamedTuple):
    """What a vehicle takes of a fraction."""

    mass_kg: int
    volume_l: int


class Load(NamedTuple):
    """What a vehicle holds of a fraction."""

    mass_kg: int
    volume_l: int


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle on its shift; `profile` names its matrix.

    It ends the day with unloading at one of its disposal sites: the first, or one that is open whenever that one is. In
    between it may be emptied at any of them, at most `max_reloads` times; without disposal sites it is emptied in the
    depot, after the shift. `payload_kg` bounds all fractions together. A break shortens the shift by its length at the
    end, so it may be taken at any point of the tour whose windows allow it; it is not paid. `weight_kg` is what the
    vehicle weighs when full.

    A vehicle under way names its `start`, has its shift begin now, and gives what it still has of break and reloads.
    Its time runs from now on, going out is paid, and it has a tour whatever is planned. What it holds is `on_board`;
    more than it takes counts as full. With nothing on board and no stop it drives straight home.
    """

    id: str
    depot: str
    shift_from_s: int
    shift_until_s: int
    capacity: Mapping[str, Capacity]
    disposal_sites: tuple[str, ...] = ()
    break_s: int = 0
    max_reloads: int = 0
    payload_kg: int | None = None
    profile: str = ""
    height_cm: int = 0
    weight_kg: int = 0
    loader: Loader = "rear"
    roll_off: bool = False
    cost_fixed: int = 0
    cost_per_m: int = 1
    cost_per_s: int = 0
    start: str | None = None
    on_board: Mapping[str, Load] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """The place where its tour begins: where it is, or its depot."""
        return self.start or self.depot

    @property
    def is_empty(self) -> bool:
        """Whether nothing is on board."""
        return not any(any(load) for load in self.on_board.values())

    @property
    def going_out(self) -> int:
        """What it costs to have it drive at all: nothing more for one that is under way."""
        return 0 if self.start else self.cost_fixed

    @property
    def until_s(self) -> int:
        """When the vehicle must be back, its break taken off the shift."""
        return self.shift_until_s - self.break_s

    def obstacle(self, stop: Stop) -> Words | None:
        """Why this vehicle cannot serve the stop, None when it can; follows upon the vehicle's name."""
        return next(self._obstacles(stop), None)

    def _obstacles(self, stop: Stop) -> Iterator[Words]:
        room = self.capacity.get(stop.fraction)
        if room is None:
            yield Words(f"nimmt {fraction_of(stop.fraction).de} nicht mit", f"takes no {stop.fraction}")
        elif stop.mass_kg > room.mass_kg or (stop.volume_l or 0) > room.volume_l:
            yield Words(
                f"fasst {room.mass_kg} kg, {room.volume_l} l, im Behälter sind {stop.mass_kg} kg, {stop.volume_l} l",
                f"holds {room.mass_kg} kg, {room.volume_l} l, the container {stop.mass_kg} kg, {stop.volume_l} l",
            )
        if self.roll_off is not stop.roll_off:
            only = Words("fährt nur Abrollbehälter", "carries roll-offs only")
            yield only if self.roll_off else Words("kann keinen Abrollbehälter aufnehmen", "cannot lift a roll-off")
        if stop.max_height_cm is not None and self.height_cm > stop.max_height_cm:
            yield Words(
                f"ist {self.height_cm} cm hoch, erlaubt sind {stop.max_height_cm} cm",
                f"is {self.height_cm} cm high, {stop.max_height_cm} cm are allowed",
            )
        if stop.max_weight_kg is not None and self.weight_kg > stop.max_weight_kg:
            yield Words(
                f"wiegt {self.weight_kg} kg, erlaubt sind {stop.max_weight_kg} kg",
                f"weighs {self.weight_kg} kg, {stop.max_weight_kg} kg are allowed",
            )
        if {self.loader, stop.kerb} == {"left", "right"}:
            loads, stands = SIDES[self.loader], SIDES[stop.kerb]
            yield Words(
                f"lädt {loads.de}, der Behälter steht {stands.de}",
                f"loads on the {loads.en}, the container stands on the {stands.en}",
            )
        if self.payload_kg is not None and stop.mass_kg > self.payload_kg:
            yield Words(
                f"trägt {self.payload_kg} kg, im Behälter sind {stop.mass_kg} kg",
                f"carries {self.payload_kg} kg, the container holds {stop.mass_kg} kg",
            )


@dataclass(frozen=True, slots=True)
class Matrix:
    """Metres and seconds from place (row) to place, in the order of `Problem.places`; NO_WAY where there is none."""

    metres: tuple["array[int]", ...]
    seconds: tuple["array[int]", ...]


class Order(NamedTuple):
    """The stops of a vehicle in order, disposal sites in between; the way home goes without saying.

    So does the last unloading where it is at the first of the vehicle's sites; at another one the order ends with it.
    """

    vehicle: str
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is to be planned for a day.

    `previous` is the plan that is changed, and `cost_per_change` what it costs to take a stop from the vehicle that had
    it there, or to leave it out; `drivable` says whether a routing engine made the matrices.
    """

    depots: tuple[Depot, ...]
    sites: tuple[DisposalSite, ...]
    stops: tuple[Stop, ...]
    vehicles: tuple[Vehicle, ...]
    matrices: Mapping[str, Matrix]
    previous: tuple[Order, ...] = ()
    cost_per_change: int = 0
    drivable: bool = False
    starts: tuple[Start, ...] = ()

    @property
    def places(self) -> tuple[Depot | DisposalSite | Stop | Start, ...]:
        """What the rows of a matrix stand for."""
        return (*self.depots, *self.sites, *self.stops, *self.starts)

    def index(self) -> dict[str, int]:
        """Where a place stands in a matrix, by its id."""
        return {place.id: number for number, place in enumerate(self.places)}

    def planned(self) -> dict[str, str]:
        """Which vehicle of today had a stop in the previous plan."""
        today, stops = {vehicle.id for vehicle in self.vehicles}, {stop.id for stop in self.stops}
        previous = (order for order in self.previous if order.vehicle in today)
        return {place: order.vehicle for order in previous for place in order.places if place in stops}

    def remaining(self) -> tuple[Order, ...]:
        """The previous plan with vehicles, stops, sites and reloads of today, and without unloading of nothing."""
        previous = {order.vehicle: order.places for order in self.previous}
        free = {stop.id for stop in self.stops}
        orders = (Order(each.id, _remaining(each, previous.get(each.id, ()), free)) for each in self.vehicles)
        return tuple(order for order in orders if order.places)

    def change_m(self, vehicle: Vehicle) -> int:
        """The cost of a change as metres of this vehicle, for that is how the solver can be told."""
        return -(-self.cost_per_change // max(1, vehicle.cost_per_m))

    def loss(self, stop: Stop, planned: Mapping[str, str]) -> int:
        """What it costs to leave a stop out."""
        own = UNSERVED_COST if stop.prize is None else stop.prize
        return own + (self.cost_per_change if stop.id in planned else 0)


def _remaining(vehicle: Vehicle, had: Sequence[str], free: set[str]) -> tuple[str, ...]:
    """What of these places the vehicle can still visit; takes its stops from the free ones."""
    places: list[str] = []
    is_loaded, reloads = not vehicle.is_empty, vehicle.max_reloads
    for number, place in enumerate(had, 1):
        if place in free:
            free.remove(place)
            places.append(place)
            is_loaded = True
        elif is_loaded and place in vehicle.disposal_sites and (reloads or number == len(had)):
            places.append(place)
            is_loaded, reloads = False, reloads - 1
    return tuple(places)

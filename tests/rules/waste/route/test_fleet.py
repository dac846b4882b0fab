"""Vehicles, depots and disposal sites of a day, read from the city's features."""

from datetime import date

import pytest

from rules.asset import CityError
from rules.city import City
from rules.waste.route.crew import UnderWay, Wish, crew_of
from rules.waste.route.fleet import fleet_of, next_service_day, on_duty
from rules.waste.route.model import Capacity, DisposalSite, Load, RouteError, Vehicle
from rules.waste.route.service_day import ServiceDay
from tests.rules.waste.route.cities import city, container, depot, document, feature, site, vehicle

ZONE = "Europe/Berlin"
TUESDAY = ServiceDay(date(2026, 11, 24), ZONE)
SPRING, AUTUMN = ServiceDay(date(2026, 3, 29), ZONE), ServiceDay(date(2026, 10, 25), ZONE)
HOUR_S = 3600


def truck(**properties: object) -> Vehicle:
    """The vehicle on a Tuesday."""
    return fleet_of(city(depot(), site(), vehicle(**properties)), TUESDAY).vehicles[0]  # type: ignore[arg-type] # the tests' own shorthand


def dump(**properties: object) -> DisposalSite:
    """The disposal site on a Tuesday."""
    return fleet_of(city(depot(), site(**properties), vehicle()), TUESDAY).sites[0]  # type: ignore[arg-type] # the same


def test_a_vehicle_has_what_its_feature_says() -> None:
    """Each property lands in its place, in the units of planning."""
    found = truck(
        shift_from="05:30",
        shift_until="13:00",
        break_min=45,
        capacity={"paper": {"mass_kg": 8000, "volume_l": 50_000}, "glass": {"mass_kg": 7000, "volume_l": 20_000}},
        payload_kg=10_500,
        max_reloads=4,
        profile="truck_low",
        height_cm=355,
        weight_kg=18_000,
        loader="left",
        roll_off=True,
        cost_fixed_eur=55.5,
        cost_per_km_eur=1.25,
        cost_per_h_eur=36,
    )
    assert found == Vehicle(
        id="truck-1",
        depot="depot",
        shift_from_s=19_800,
        shift_until_s=46_800,
        capacity={"paper": Capacity(8000, 50_000), "glass": Capacity(7000, 20_000)},
        disposal_sites=("site",),
        break_s=2700,
        max_reloads=4,
        payload_kg=10_500,
        profile="truck_low",
        height_cm=355,
        weight_kg=18_000,
        loader="left",
        roll_off=True,
        cost_fixed=55_500_000,
        cost_per_m=1250,
        cost_per_s=10_000,
    )


def test_what_is_not_said_is_on_the_safe_side() -> None:
    """The greatest height and weight without a permit; without disposal sites no reloads."""
    found = truck()
    assert (found.height_cm, found.weight_kg, found.max_reloads) == (400, 40_000, 2)
    assert truck(disposal_sites=None).max_reloads == 0


@pytest.mark.parametrize(("until", "minutes"), [("12:00", 0), ("12:01", 30), ("15:30", 30), ("15:31", 45)], ids=str)
def test_the_break_is_the_least_that_the_law_wants(until: str, minutes: int) -> None:
    """None up to six hours, half an hour up to nine hours of work beside it, then three quarters."""
    assert truck(shift_from="06:00", shift_until=until).break_s == minutes * 60


def test_a_shift_over_midnight_ends_on_the_next_day() -> None:
    """22:00 to 06:00 are eight hours."""
    found = truck(shift_from="22:00", shift_until="06:00")
    assert (found.shift_from_s, found.shift_until_s) == (22 * HOUR_S, 30 * HOUR_S)


@pytest.mark.parametrize(("day", "hours"), [(TUESDAY, 6), (SPRING, 5), (AUTUMN, 7)], ids=["usual", "spring", "autumn"])
def test_times_are_what_has_passed_since_midnight(day: ServiceDay, hours: int) -> None:
    """06:00 comes an hour earlier after midnight on the last Sunday of March, an hour later on that of October."""
    fleet = fleet_of(city(depot(), site(opens="06:00", closes="06:01"), vehicle(shift_from="06:00")), day)
    assert fleet.vehicles[0].shift_from_s == fleet.sites[0].opens_s == hours * HOUR_S
    assert fleet.sites[0].closes_s == hours * HOUR_S + 60


def test_a_time_that_the_clock_shows_twice_or_never() -> None:
    """02:30 is its first run in autumn; in spring it is as long after midnight as on any day."""
    assert AUTUMN.second(150) == SPRING.second(150) == TUESDAY.second(150) == 9000
    assert (SPRING.second(1440), AUTUMN.second(1440)) == (23 * HOUR_S, 25 * HOUR_S)


def test_a_vehicle_without_a_position_stands_at_its_depot() -> None:
    """One with a position keeps its own."""
    place = city(depot(), site(), vehicle(), feature("truck-2", "vehicle", (7.9, 51.6), depot="depot"))
    assert (place.assets["truck-1"].longitude, place.assets["truck-1"].latitude) == (7.80, 51.67)
    assert place.assets["truck-2"].longitude == 7.9


@pytest.mark.parametrize("kind", ["container", "depot"])
def test_only_vehicles_may_have_no_position(kind: str) -> None:
    """Anything else without a geometry is refused by name."""
    with pytest.raises(CityError, match="'x': property 'geometry' is missing"):
        City.parse(document(feature("x", kind, None)))


@pytest.mark.parametrize("given", ["nowhere", None, 7, "site"])
def test_a_vehicle_without_position_and_depot_is_refused(given: object) -> None:
    """The error names the vehicle and the property."""
    with pytest.raises(CityError, match=r"'truck-1': property 'depot' .* the id of a depot"):
        City.parse(document(depot(), site(), vehicle(depot=given)))


def test_a_disposal_site_has_what_its_feature_says() -> None:
    """Opening hours, time to unload, fractions; without hours it is open, the next morning, too."""
    found = dump(unload_min=12.5, opens="07:00", closes="16:30", fractions=["paper"])
    assert (found.unload_s, found.opens_s, found.closes_s) == (750, 7 * HOUR_S, 16 * HOUR_S + 1800)
    assert found.fractions == {"paper"}
    assert (dump().opens_s, dump().closes_s, dump().unload_s) == (0, 48 * HOUR_S, 1200)


REFUSED: dict[str, tuple[dict[str, object], str]] = {
    "no capacity": ({"capacity": None}, "property 'capacity' is missing"),
    "capacity of nothing": ({"capacity": {}}, "property 'capacity' is {}"),
    "a capacity that is no object": ({"capacity": {"paper": 9000}}, "`mass_kg` and `volume_l`"),
    "half a capacity": ({"capacity": {"paper": {"mass_kg": 9000}}}, "`mass_kg` and `volume_l`"),
    "a third figure": ({"capacity": {"paper": {"mass_kg": 1, "volume_l": 1, "x": 1}}}, "`mass_kg` and `volume_l`"),
    "room for nothing": ({"capacity": {"paper": {"mass_kg": 0, "volume_l": 1}}}, "from 1 to"),
    "room that is a truth": ({"capacity": {"paper": {"mass_kg": True, "volume_l": 1}}}, "from 1 to"),
    "an unknown site": ({"disposal_sites": ["nowhere"]}, "'nowhere', expected the id of a disposal_site: site"),
    "a site that is none": ({"disposal_sites": ["depot"]}, "the id of a disposal_site"),
    "a site twice": ({"disposal_sites": ["site", "site"]}, "each of them once"),
    "sites that are no list": ({"disposal_sites": "site"}, "a list of texts"),
    "a shift that is no time": ({"shift_from": "6 o'clock"}, 'a time of day like "03:00"'),
    "a break as long as the shift": ({"shift_from": "06:00", "shift_until": "07:00", "break_min": 60}, "'break_min'"),
    "an unknown side": ({"loader": "top"}, "one of right, left, rear"),
    "no service day": ({"service_days": []}, "at least one day"),
    "an unknown day": ({"service_days": ["monday"]}, "a list of mon"),
    "a profile that leaves its place": ({"profile": "../admin"}, "'profile'"),
    "a height in m": ({"height_cm": 3.6}, "'height_cm' is 3.6, expected a whole number"),
    "a negative cost": ({"cost_per_km_eur": -1}, "'cost_per_km_eur'"),
    "a flag that is none": ({"roll_off": "yes"}, "true or false"),
}


@pytest.mark.parametrize(("properties", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_by_name(properties: dict[str, object], message: str) -> None:
    """The error names vehicle, property, value and what was expected."""
    with pytest.raises(CityError) as caught:
        truck(**properties)
    assert message in str(caught.value)
    assert "feature 'truck-1'" in str(caught.value)


@pytest.mark.parametrize("properties", [{"fractions": None}, {"fractions": []}, {"unload_min": -1}, {"opens": "25:00"}])
def test_a_site_that_cannot_be_is_refused_by_name(properties: dict[str, object]) -> None:
    """The same for disposal sites, once a vehicle needs them."""
    with pytest.raises(CityError, match=f"feature 'site': property '{next(iter(properties))}'"):
        dump(**properties)


def test_a_site_that_nobody_needs_may_be_incomplete() -> None:
    """It is not read."""
    fleet = fleet_of(city(depot(), site(), site("other", fractions=None), vehicle()), TUESDAY)
    assert [one.id for one in fleet.sites] == ["site"]


def test_who_works_on_a_day() -> None:
    """By weekday, and nobody on a public holiday; the next day with anybody is found behind them."""
    place = city(depot(), site(), vehicle(), vehicle("truck-2", service_days=["sat"]))
    days = {number: on_duty(place, ServiceDay(date(2026, 12, number), ZONE)) for number in (24, 25, 26, 27, 28)}
    assert days == {24: ("truck-1",), 25: (), 26: (), 27: (), 28: ("truck-1",)}  # 25th Friday, 26th Saturday
    assert next_service_day(place, date(2026, 12, 24), ZONE) == date(2026, 12, 28)
    assert next_service_day(city(depot()), date(2026, 12, 24), ZONE) is None


PAIR = {name: {"mass_kg": 9000, "volume_l": 30_000} for name in ("paper", "glass")}


def test_a_vehicle_is_taken_for_one_fraction() -> None:
    """It has the room of that fraction alone, and goes where that is taken; depots and sites nobody needs are out."""
    place = city(
        depot(),
        depot("other"),
        site("glassworks", fractions=["glass"]),
        site(),
        vehicle(capacity=PAIR, disposal_sites=["glassworks", "site"]),
        vehicle("truck-2", depot="other", capacity={"glass": PAIR["glass"]}),
    )
    crew = crew_of(place, TUESDAY, 0, Wish("paper"))
    assert [(one.id, set(one.capacity), one.disposal_sites) for one in crew.vehicles] == [
        ("truck-1", {"paper"}, ("site",))
    ]
    assert ([one.id for one in crew.depots], [one.id for one in crew.sites]) == (["depot"], ["site"])
    both = crew_of(place, TUESDAY, 0, Wish("glass"))
    assert [(one.id, one.disposal_sites) for one in both.vehicles] == [
        ("truck-1", ("glassworks", "site")),
        ("truck-2", ("site",)),
    ]


def test_a_site_that_refuses_the_fraction_stays_to_be_named() -> None:
    """A vehicle none of whose sites takes the fraction keeps them: the check says so, it does not unload nowhere."""
    place = city(depot(), site(fractions=["glass"]), vehicle())
    assert crew_of(place, TUESDAY, 0, Wish("paper")).vehicles[0].disposal_sites == ("site",)


def test_only_what_is_left_of_a_shift_is_planned() -> None:
    """At ten on the day itself nobody begins at six; a shift that is over, its break taken off, has no tour."""
    place = city(depot(), site(), vehicle(shift_until="12:00"), vehicle("truck-2", shift_until="15:00", break_min=30))
    at = TUESDAY.midnight_ms
    ten = crew_of(place, TUESDAY, at + 36_000_000, Wish("paper"))
    assert [(one.id, one.shift_from_s) for one in ten.vehicles] == [("truck-1", 36_000), ("truck-2", 36_000)]
    assert [one.id for one in crew_of(place, TUESDAY, at + 43_200_000, Wish("paper")).vehicles] == ["truck-2"]
    with pytest.raises(RouteError, match=r"no vehicle takes paper on 2026-11-24; .* truck-1, truck-2"):
        crew_of(place, TUESDAY, at + 52_200_000, Wish("paper"))


def test_named_vehicles_come_on_whatever_day() -> None:
    """A person who names a vehicle has called it in; one that dropped out stays out all the same."""
    place = city(depot(), site(), vehicle(service_days=["sat"]), vehicle("truck-2"))
    named = ("truck-1", "truck-2")
    assert [one.id for one in crew_of(place, TUESDAY, 0, Wish("paper")).vehicles] == ["truck-2"]
    assert [one.id for one in crew_of(place, TUESDAY, 0, Wish("paper", named)).vehicles] == ["truck-1", "truck-2"]
    assert [one.id for one in crew_of(place, TUESDAY, 0, Wish("paper", named, {"truck-2"})).vehicles] == ["truck-1"]


def test_a_vehicle_under_way_goes_on_from_where_it_is() -> None:
    """With what it holds, the break that is left and its reloads; one in the depot begins there."""
    place = city(depot(), site(), vehicle(break_min=30), vehicle("truck-2", break_min=30), container())
    ten_ms = TUESDAY.midnight_ms + 36_000_000
    there = {"truck-1": UnderWay("bin-1", Load(400, 3000), break_taken=True, max_reloads=1)}
    crew = crew_of(place, TUESDAY, ten_ms, Wish("paper", under_way=there))
    one, two = crew.vehicles
    (start,) = crew.starts
    assert (start.id, start.longitude, start.latitude) == (one.start, 7.81, 51.68)
    assert (one.on_board, one.break_s, one.max_reloads, one.shift_from_s) == (
        {"paper": Load(400, 3000)},
        0,
        1,
        36_000,
    )
    assert (two.start, two.on_board, two.break_s, two.max_reloads) == (None, {}, 1800, 2)


def test_a_vehicle_under_way_that_is_empty_keeps_its_day() -> None:
    """Nothing on board is nothing to unload; break and reloads are those of the day unless told."""
    place = city(depot(), site(), vehicle(break_min=30))
    (found,) = crew_of(place, TUESDAY, 0, Wish("paper", under_way={"truck-1": UnderWay("site")})).vehicles
    assert (found.on_board, found.break_s, found.max_reloads) == ({}, 1800, 2)


def test_where_a_vehicle_is_must_be_known() -> None:
    """Neither a place nor a vehicle that the city does not have."""
    place = city(depot(), site(), vehicle())
    with pytest.raises(RouteError, match="truck-1: was last at 'nowhere', expected a place of the city"):
        crew_of(place, TUESDAY, 0, Wish("paper", under_way={"truck-1": UnderWay("nowhere")}))
    with pytest.raises(RouteError, match="truck-9: no vehicle of the city"):
        crew_of(place, TUESDAY, 0, Wish("paper", under_way={"truck-9": UnderWay("depot")}))


@pytest.mark.parametrize(
    ("fraction", "only", "without", "message"),
    [
        ("residual", (), (), "no vehicle takes residual on 2026-11-24$"),
        ("residual", (), ("truck-1",), "no vehicle takes residual on 2026-11-24$"),
        ("paper", (), ("truck-1",), "no vehicle takes paper on 2026-11-24; .*truck-1"),
        ("paper", ("truck-9",), (), "truck-9: no vehicle of the city, expected one of truck-1"),
        ("", (), (), "no vehicle takes what has no fraction"),
    ],
)
def test_without_a_vehicle_there_is_no_tour(
    fraction: str, only: tuple[str, ...], without: tuple[str, ...], message: str
) -> None:
    """The error names the fraction and the day, or the vehicle that is unknown."""
    with pytest.raises(RouteError, match=message):
        crew_of(city(depot(), site(), vehicle(), container()), TUESDAY, 0, Wish(fraction, only, without))

"""The containers of a day: which are on the list, why, and with what load."""

from datetime import date, timedelta

import pytest

from rules.asset import CityError
from rules.city import City
from rules.rule import StateRow
from rules.waste.route.model import Stop
from rules.waste.route.service_day import ServiceDay
from rules.waste.route.stops import DueList, due_on, full_stop
from tests.rules.waste.route.cities import DAY_MS, HOUR_MS, MONDAY, city, container, depot, filling, small_city, states

ZONE = "Europe/Berlin"
FIRST = date(2026, 9, 14)
AUTUMN = ServiceDay(date(2026, 10, 25), ZONE)


def day(number: int) -> ServiceDay:
    """So many days after the Monday."""
    return ServiceDay(FIRST + timedelta(days=number), ZONE)


def due(place: City, rows: list[StateRow], number: int, now_ms: int) -> DueList:
    """The list of a day."""
    return due_on(place, rows, day(number), now_ms)


def stop(level: float = 50.0, on: ServiceDay | None = None, **properties: object) -> Stop:
    """The stop at a container that is emptied on every tour, at this level."""
    place = small_city(never_skip=True, forecast=False, service_days=["mon", "sun"], **properties)
    begin_ms = (on or day(0)).midnight_ms
    rows = states(place, ("bin-1", level, begin_ms - HOUR_MS))
    return due_on(place, rows, on or day(0), begin_ms).stops[0]


def test_a_stop_has_what_its_feature_says() -> None:
    """Each property lands in its place, in the units of planning."""
    found = stop(
        40,
        volume_l=2500,
        density_kg_per_m3=120,
        service_s=300,
        window_from="07:15",
        window_until="10:00",
        kerb="right",
        approach_deg=90,
        max_height_cm=360,
        max_weight_kg=18_000,
        roll_off=True,
    )
    assert found == Stop(
        id="bin-1",
        longitude=7.81,
        latitude=51.68,
        fraction="paper",
        volume_l=1000,
        mass_kg=120,
        service_s=300,
        prize=None,
        window_from_s=26_100,
        window_until_s=36_000,
        kerb="right",
        approach_deg=90,
        max_height_cm=360,
        max_weight_kg=18_000,
        roll_off=True,
    )


@pytest.mark.parametrize(
    ("properties", "seconds"),
    [
        ({"volume_l": 120}, 60),
        ({"volume_l": 240}, 60),
        ({"volume_l": 1100}, 120),
        ({"volume_l": 3000}, 240),
        ({"volume_l": None}, 240),
        ({"volume_l": 5000, "shape": "underground", "depth_mm": 2000, "shaft_mm": 500}, 360),
        ({"volume_l": 30_000, "roll_off": True}, 900),
    ],
)
def test_how_long_a_container_takes_follows_from_its_kind(properties: dict[str, object], seconds: int) -> None:
    """Litter bin, bin on wheels, depot container, underground, roll-off."""
    assert stop(**properties).service_s == seconds  # type: ignore[arg-type] # the tests' own shorthand


@pytest.mark.parametrize(("fraction", "kilograms"), [("glass", 225), ("paper", 145), ("residual", 82), ("corks", 100)])
def test_mass_follows_from_volume_and_fraction(fraction: str, kilograms: int) -> None:
    """A cubic metre of it as it lies loose."""
    assert stop(100, volume_l=1000, fraction=fraction).mass_kg == kilograms


def test_loads_are_rounded_up_and_never_nothing() -> None:
    """An empty container that is visited all the same is a litre, not a stop that the check refuses."""
    assert (stop(0).volume_l, stop(0).mass_kg) == (1, 1)
    assert (stop(33.34, volume_l=100).volume_l, stop(33.34, volume_l=100, density_kg_per_m3=29).mass_kg) == (34, 1)


def test_a_container_without_volume_is_left_for_the_check_to_name() -> None:
    """It is on the list, without a load."""
    assert stop(volume_l=None).volume_l is None


def test_windows_are_what_has_passed_since_midnight() -> None:
    """On the day with 25 hours ten o'clock is eleven hours after midnight; without a window it is open all day."""
    found = stop(on=AUTUMN, window_until="10:00")
    assert (found.window_from_s, found.window_until_s) == (0, 11 * 3600)
    assert (stop(on=AUTUMN).window_from_s, stop(on=AUTUMN).window_until_s) == (0, 49 * 3600)
    assert stop(window_from="22:00", window_until="04:00").window_until_s == 28 * 3600


@pytest.mark.parametrize(
    "properties",
    [
        {"density_kg_per_m3": 0},
        {"service_s": -1},
        {"service_s": 1.5},
        {"window_from": "ten"},
        {"window_until": 10},
        {"kerb": "north"},
        {"approach_deg": 360},
        {"max_height_cm": "low"},
        {"max_weight_kg": 18},
        {"roll_off": 1},
        {"volume_l": -3},
    ],
    ids=lambda properties: next(iter(properties)),
)
def test_what_cannot_be_is_refused_by_name(properties: dict[str, object]) -> None:
    """The error names container and property."""
    with pytest.raises(CityError, match=f"feature 'bin-1': property '{next(iter(properties))}' is "):
        stop(**properties)  # type: ignore[arg-type] # the tests' own shorthand


def test_a_full_container_is_on_the_list_of_its_next_tour_and_of_no_other_day() -> None:
    """Over the threshold on Monday afternoon: Tuesday's tour; nothing on Saturday, on which no tour goes."""
    place = small_city(forecast=False)
    now_ms = MONDAY + 16 * HOUR_MS
    rows = states(place, ("bin-1", 90.0, now_ms))
    assert [one.id for one in due(place, rows, 1, now_ms).stops] == ["bin-1"]
    assert due(place, rows, 0, now_ms).stops == ()
    assert due(place, rows, 5, now_ms).stops == ()
    why = due(place, rows, 1, now_ms).why["bin-1"]
    assert (why.obligation, why.reason, why.level) == ("mandatory", "over_threshold", 90.0)
    assert why.text_de == "Am Di 15.09. leeren: Füllstand 90 %, Grenze 80 %."
    assert why.text_en == "Empty on Tue 15 Sep: fill level 90 %, limit 80 %."


def test_a_container_that_need_not_be_emptied_is_on_no_list() -> None:
    """Ten percent are no reason."""
    place = small_city(forecast=False)
    rows = states(place, ("bin-1", 10.0, MONDAY))
    assert due(place, rows, 1, MONDAY + HOUR_MS).stops == ()


def test_today_is_over_after_its_tour() -> None:
    """At nine today's tour takes it, at four in the afternoon tomorrow's does."""
    place = small_city(forecast=False)
    rows = states(place, ("bin-1", 90.0, MONDAY + 8 * HOUR_MS))
    found = [[len(due(place, rows, number, MONDAY + hour * HOUR_MS).stops) for number in (0, 1)] for hour in (9, 16)]
    assert found == [[1, 1], [0, 1]]


def test_the_load_is_that_of_the_tour_where_it_can_be_foretold() -> None:
    """Ten percent a day: known as half full on Saturday, it is fuller when the tour begins on Monday at six."""
    place = small_city(fraction_rate_percent_per_day=10)
    rows = states(place, *filling("bin-1", 10, 5, first=5))
    now_ms = MONDAY + 5 * DAY_MS
    found = due(place, rows, 7, now_ms)
    level_l = found.stops[0].volume_l
    assert level_l is not None
    assert found.why["bin-1"].level == 52.5
    assert 70 < level_l / 30 < 85


def test_an_optional_container_has_its_prize_in_millionths_of_a_euro() -> None:
    """What leaving it out costs is what the rule says it is worth."""
    place = small_city(fraction_rate_percent_per_day=5)
    rows = states(place, *filling("bin-1", 6, 7, first=5))
    found = due(place, rows, 7, MONDAY + 7 * DAY_MS)
    why, prize = found.why["bin-1"], found.stops[0].prize
    assert (why.obligation, why.reason) == ("optional", "worthwhile")
    assert prize is not None
    assert 1_000_000 < prize < 48_000_000


def test_a_container_is_not_silent_because_a_day_lies_ahead() -> None:
    """Heard on Friday evening, it is planned for Monday by its level, three days on, though silence is two days."""
    place = small_city(forecast=False)
    now_ms = MONDAY + 4 * DAY_MS + 18 * HOUR_MS
    rows = states(place, ("bin-1", 90.0, now_ms))
    found = due(place, rows, 7, now_ms)
    assert found.why["bin-1"].level == 90.0
    assert found.stops[0].volume_l == 2700


def test_a_container_that_is_unknown_stays_in_its_cycle_and_counts_as_full() -> None:
    """Never heard of since Monday: on the Monday after it is on the list, full, and on no other day."""
    place = small_city()
    rows = states(place, until_ms=MONDAY)
    later = due(place, rows, 7, MONDAY + 6 * DAY_MS)
    assert [(one.id, one.volume_l, one.prize) for one in later.stops] == [("bin-1", 3000, None)]
    assert (later.why["bin-1"].reason, later.why["bin-1"].level) == ("fixed_cycle", None)
    assert due(place, rows, 4, MONDAY + 3 * DAY_MS).stops == due(place, rows, 8, MONDAY + 6 * DAY_MS).stops == ()


def test_a_level_of_last_week_is_no_level() -> None:
    """Heard a week ago and not since: the container counts as full, and no old level is shown."""
    place = small_city()
    rows = states(place, ("bin-1", 40.0, MONDAY))
    found = due(place, rows, 7, MONDAY + 6 * DAY_MS)
    assert (found.stops[0].volume_l, found.why["bin-1"].level) == (3000, None)


def test_a_tour_at_night_belongs_to_the_evening_on_which_it_begins() -> None:
    """Ten in the evening to six: on the list of each day, though the tour of the day before goes on at midnight."""
    place = small_city(forecast=False, service_from="22:00", service_until="06:00")
    rows = states(place, ("bin-1", 90.0, MONDAY + 12 * HOUR_MS))
    found = [due(place, rows, number, MONDAY + 13 * HOUR_MS) for number in range(6)]
    assert [len(one.stops) for one in found] == [1, 1, 1, 1, 1, 0]
    assert found[1].why["bin-1"].text_en.startswith("Empty on Tue 15 Sep: ")


def test_a_container_of_which_nothing_is_kept_is_new() -> None:
    """Its cycle begins now; one that is never skipped is on the list at once."""
    place = city(depot(), container(), container("bin-2", never_skip=True))
    assert [one.id for one in due(place, [], 1, MONDAY).stops] == ["bin-2"]


def test_a_state_that_cannot_be_read_is_told() -> None:
    """The container counts as new, with a warning that names it; other rules' states are no business here."""
    place = small_city(never_skip=True)
    rows = [StateRow("waste.collection_due", "bin-1", 2, "{"), StateRow("parking.lot_state", "lot", 9, "{")]
    found = due(place, rows, 1, MONDAY)
    assert [one.id for one in found.stops] == ["bin-1"]
    (warning,) = found.warnings
    assert warning.en.startswith("bin-1: what was known of it cannot be read: JSONDecodeError")
    assert warning.de.startswith("bin-1: was von ihm bekannt war, ist nicht lesbar: JSONDecodeError")


def test_fractions_with_the_most_to_do_come_first() -> None:
    """By their mandatory stops, then by name."""
    place = city(
        depot(),
        *(container(f"p{number}", never_skip=True) for number in range(2)),
        *(container(f"g{number}", fraction="glass", never_skip=True) for number in range(3)),
        container("a", fraction="artificial", never_skip=True),
        container("b", fraction="bulky", never_skip=True),
    )
    assert due(place, [], 1, MONDAY).fractions == ("glass", "paper", "artificial", "bulky")


def test_a_container_full() -> None:
    """What vehicles must be able to cope with, whatever the day; a fraction that is no text is refused."""
    place = city(depot(), container(), container("bin-2", fraction=7))
    found = full_stop(place.assets["bin-1"], day(0))
    assert (found.volume_l, found.mass_kg, found.prize) == (3000, 435, None)
    with pytest.raises(CityError, match="'bin-2': property 'fraction' is 7"):
        full_stop(place.assets["bin-2"], day(0))


def test_a_container_is_told_full_when_it_is_not_on_the_day_that_is_planned() -> None:
    """Planned ahead for Friday, one that is full on Wednesday is said to be full on Wednesday."""
    place = small_city(service_days=["fri"])
    rows = states(place, *filling("bin-1", 12, 8, MONDAY - 8 * DAY_MS))
    (why,) = due(place, rows, 4, MONDAY).why.values()
    assert "Am Fr 18.09. leeren" in why.text_de
    assert "voraussichtlich voll am Mo 14.09." in why.text_de


def test_fixed_cycles_have_their_share_of_every_tour() -> None:
    """A weekly container counts one in a week: a seventh a working day, three on Mondays; a fixed day counts whole."""
    weekly = small_city(cycle_days=7)
    shares = [due(weekly, [], number, MONDAY).fixed["paper"] for number in range(7)]
    assert shares == pytest.approx([3 / 7, *[1 / 7] * 4, 0.0, 0.0])
    two = city(container("a", cycle_days=2), container("b", fixed_days=["tue"]))
    assert [due(two, [], number, MONDAY).fixed["paper"] for number in range(3)] == pytest.approx([1.0, 1.5, 0.5])

"""The bus priority policy, driven through the engine, with a timetable made by hand."""

from datetime import date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.check_city import timetables
from rules.asset import Asset, CityError
from rules.city import City
from rules.event_traffic import BusPriorityPolicy, PriorityLevel
from rules.traffic.bus_config import BusConfig, configure
from rules.traffic.bus_priority import ORDER, RULE, level
from rules.traffic.refusal import refusals
from rules.traffic.timetable import Call, Feed, FeedError, attach, second_of_day, timetable_of
from tests.rules.traffic.town import HOUR, MINUTE, START, Play, asset, town

BERLIN = ZoneInfo("Europe/Berlin")
WEEK = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), "1")
SPAN = {"start_date": "20260101", "end_date": "20261231"}


def feed(*times: str, **changes: object) -> Feed:
    """A bus at stop A at each of these times, every day of 2026."""
    calls = tuple(Call(f"t{number}", "A", second_of_day(text)) for number, text in enumerate(times))
    parts: dict[str, object] = {
        "calls": calls,
        "services": {call.trip: "daily" for call in calls},
        "calendar": ({"service_id": "daily", **WEEK, **SPAN},),
        "exceptions": (),
        "parents": {},
    }
    return Feed(**{**parts, **changes})  # type: ignore[arg-type] # parts of a feed


EVERY_TEN = tuple(f"{hour}:{minute:02}:00" for hour in range(5, 23) for minute in range(0, 60, 10))


def road(**properties: object) -> Asset:
    """A corridor with bus stop A."""
    own = {"control_groups": ["group"], "bus_stops": ["A"], "capacity_vehicles_per_hour": 1000}
    return asset("road", "corridor", **{**own, **properties})


def play(timetable: Feed | None = None, **properties: object) -> Play:
    """A corridor with buses and half an hour of little traffic behind it."""
    assets = town(None, [road(**properties)])
    city = Play(attach(assets, timetable or feed(*EVERY_TEN), BERLIN), RULE)
    city.flow(35, 200, 150)
    return city


def levels(city: Play) -> list[str]:
    """What was asked for, renewals left out."""
    found: list[str] = [event.data.level for event in city.of(BusPriorityPolicy)]
    return found[:1] + [after for before, after in pairwise(found) if before != after]


def test_room_on_the_road_is_full_priority() -> None:
    """With load, buses an hour, texts, and half an hour of validity at most."""
    city = play()
    event = city.of(BusPriorityPolicy)[0]
    assert (event.data.level, event.data.buses_per_hour) == ("full", 6)
    assert event.data.load == pytest.approx(0.2, abs=0.02)
    assert event.topic == "stadtfunk/v1/traffic/corridor/road/bus-priority"
    assert event.valid_until_ms - event.time_ms == 15 * MINUTE
    assert event.data.text_de == "Road: Busbevorrechtigung: alle Busse."
    assert event.data.text_en == "Road: bus priority: all buses."


def test_a_filling_road_takes_priority_away() -> None:
    """Conditional above 65 % load, restricted above 90 %, and back when it empties."""
    city = play()
    city.flow(30, 700, 200)
    city.flow(20, 950, 200)
    assert levels(city) == ["full", "conditional", "restricted"]
    city.flow(40, 200, 200)
    assert levels(city)[-1] == "full"


def test_priority_comes_back_after_the_dwell_time() -> None:
    """A quarter of an hour after it was taken, though the road was free again after five minutes."""
    city = play()
    city.flow(5, 950, 200)
    city.flow(30, 100, 100)
    said = [(event.time_ms, event.data.level) for event in city.of(BusPriorityPolicy)]
    taken_ms = next(time_ms for time_ms, asked in said if asked == "conditional")
    given_ms = next(time_ms for time_ms, asked in said if time_ms > taken_ms and asked == "full")
    assert 15 * MINUTE <= given_ms - taken_ms <= 16 * MINUTE


def test_no_bus_no_priority() -> None:
    """Off is said once when the last bus has gone, and then nothing."""
    city = play(feed("14:50:00", "15:10:00"))
    city.flow(90, 200, 150)
    assert levels(city) == ["full", "off"]
    assert [event.data.level for event in city.of(BusPriorityPolicy)].count("off") == 1


def test_without_a_timetable_the_rule_is_off_and_says_so() -> None:
    """A line for `check`, and no request."""
    city = Play(town(None, [road()]), RULE)
    city.flow(60, 200, 150)
    assert city.events == []
    assert refusals(city.city) == [("road", "no timetable: bus priority stays off until a GTFS feed is given")]


def test_a_corridor_without_stops_wants_no_policy() -> None:
    """Neither a request nor a refusal."""
    city = Play(town(None, [road(bus_stops=[])]), RULE)
    assert refusals(city.city) == []


def test_old_news_ask_for_nothing() -> None:
    """Ten minutes after the last count the policy runs out."""
    city = play()
    heard_ms = city.now - 5 * MINUTE
    city.tick(60)
    assert all(event.time_ms <= heard_ms + 10 * MINUTE for event in city.of(BusPriorityPolicy))


def config() -> BusConfig:
    """The corridor's parameters."""
    return configure(attach(town(None, [road()]), feed(*EVERY_TEN), BERLIN)[-2])


@pytest.mark.parametrize(
    ("before", "load", "buses", "after"),
    [
        ("full", 0.64, 6, "full"),
        ("full", 0.66, 6, "conditional"),
        ("conditional", 0.56, 6, "conditional"),
        ("conditional", 0.54, 6, "full"),
        ("conditional", 0.89, 6, "conditional"),
        ("conditional", 0.91, 6, "restricted"),
        ("restricted", 0.81, 6, "restricted"),
        ("restricted", 0.79, 6, "conditional"),
        ("full", 0.1, 30, "conditional"),
        ("full", 0.1, 0, "off"),
        ("off", 0.95, 1, "restricted"),
    ],
)
def test_levels_are_left_with_hysteresis(before: PriorityLevel, load: float, buses: float, after: str) -> None:
    """Limits at 60 and 85 % load, ± 5; thirty buses an hour never get full priority."""
    assert level(config(), before, load, buses) == after


@given(st.sampled_from(ORDER), st.floats(0, 1.5), st.floats(0, 60))
def test_a_choice_is_stable(before: PriorityLevel, load: float, buses: float) -> None:
    """The same load leads to the same level from there: nothing flaps."""
    first = level(config(), before, load, buses)
    assert level(config(), first, load, buses) == first


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 1500), min_size=6, max_size=14))
def test_switches_are_four_an_hour_at_most(flows: list[int]) -> None:
    """Whatever the load."""
    city = play(dwell_s=60)
    for flow in flows:
        city.flow(10, flow, 100)
    events = city.of(BusPriorityPolicy)
    switches = [after.time_ms for before, after in pairwise(events) if before.data.level != after.data.level]
    assert all(later - earlier >= HOUR for earlier, later in zip(switches, switches[4:], strict=False))


def buses(timetable: Feed, begin: str, hours: float = 1) -> int:
    """Departures from that time on."""
    found = timetable_of(attach([road()], timetable, BERLIN)[0])
    assert found is not None
    begin_ms = round(datetime.fromisoformat(begin).timestamp() * 1000)
    return found.buses(begin_ms, begin_ms + round(hours * HOUR))


@pytest.mark.parametrize(
    ("begin", "expected"),
    [
        ("2026-03-29T08:00:00+02:00", 1),
        ("2026-10-25T08:00:00+01:00", 1),
        ("2026-09-22T01:00:00+02:00", 1),
        ("2026-09-22T09:00:00+02:00", 0),
        ("2026-12-31T08:00:00+01:00", 1),
        ("2027-01-01T08:00:00+01:00", 0),
        ("2027-01-01T01:00:00+01:00", 1),
    ],
)
def test_service_days_and_clock_changes(begin: str, expected: int) -> None:
    """08:10 is ten past eight on both changes' days; 25:10 belongs to the day before, also after the last day."""
    assert buses(feed("08:10:00", "25:10:00"), begin) == expected


@pytest.mark.parametrize("span", [("20260101", "20260920"), ("20260922", "20261231")])
def test_a_timetable_that_is_over_is_none(span: tuple[str, str]) -> None:
    """That no bus is in a feed of other days does not take priority from the buses that run."""
    calendar = ({"service_id": "daily", **WEEK, "start_date": span[0], "end_date": span[1]},)
    city = play(feed(*EVERY_TEN, calendar=calendar))
    city.answer("active", "full", subject="road", what="bus-priority", request_id="by-hand")
    city.flow(60, 200, 150)
    assert city.of(BusPriorityPolicy) == []


def test_the_check_tells_of_timetables_that_end() -> None:
    """Two weeks ahead, and when they are over; not before."""
    city = City(attach(town(None, [road()]), feed("08:00:00"), BERLIN))
    day_ms = 24 * HOUR
    end_ms = round(datetime(2026, 12, 31, 12, tzinfo=BERLIN).timestamp() * 1000)
    told = [[found.text for found in timetables(city, end_ms + days * day_ms)] for days in (-20, -3, 1)]
    span = "road: its timetable goes from 2026-01-01 to 2026-12-31"
    assert told == [
        [],
        [f"{span}: bus priority will be off after that"],
        [f"{span}: bus priority stays off until a newer GTFS feed is given"],
    ]


def test_exceptions_of_the_calendar() -> None:
    """A day removed has no bus, a day added has one."""
    exceptions = (
        {"service_id": "daily", "date": "20260921", "exception_type": "2"},
        {"service_id": "daily", "date": "20270105", "exception_type": "1"},
    )
    changed = feed("08:10:00", exceptions=exceptions)
    found = [buses(changed, f"{day}T08:00:00+02:00") for day in ("2026-09-21", "2026-09-22")]
    assert (found, buses(changed, "2027-01-05T08:00:00+01:00")) == ([0, 1], 1)
    timetable = timetable_of(attach([road()], changed, BERLIN)[0])
    assert timetable is not None
    assert timetable.last_day == date(2027, 1, 5)


def test_a_trip_counts_once_though_it_calls_at_several_stops() -> None:
    """Also at platforms within a station."""
    calls = (Call("t", "A", 8 * 3600), Call("t", "B1", 8 * 3600 + 600))
    twice = feed(calls=calls, services={"t": "daily"}, parents={"B1": "B"})
    found = timetable_of(attach([road(bus_stops=["A", "B"])], twice, BERLIN)[0])
    assert found is not None
    assert found.buses(START - 8 * HOUR, START) == 1


def test_feeds_that_cannot_be_used_are_refused() -> None:
    """Stops without a bus, times and dates that are none."""
    with pytest.raises(CityError, match="bus_stops"):
        attach([road(bus_stops=["Z"])], feed("08:00:00"), BERLIN)
    with pytest.raises(FeedError, match="hours:minutes:seconds"):
        second_of_day("8 Uhr")
    broken = feed("08:00:00", calendar=({"service_id": "daily", **WEEK, "start_date": "2026"},))
    with pytest.raises(FeedError, match="20260131"):
        attach([road()], broken, BERLIN)


def test_a_restart_changes_nothing() -> None:
    """State to JSON and back gives the same bytes."""
    runs = []
    for restarting in (False, True):
        city = play()
        for flow in (700, 950, 300, 200):
            city.flow(20, flow, 200)
            if restarting:
                city.restart()
        runs.append([event.payload() for event in city.events])
    assert runs[0] == runs[1]
    assert len(runs[0]) > 3

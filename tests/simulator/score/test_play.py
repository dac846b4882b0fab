"""A play against a service that says what it is told to, and what the score says of it."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from io import StringIO
from itertools import pairwise
from pathlib import Path
from threading import Event

import pytest
from rich.console import Console

from rules.city import City
from rules.event import instant
from rules.waste.route.distance import way
from simulator.depot.ground import Spot
from simulator.error import SimulatorError
from simulator.faults import Message
from simulator.play import Plan
from simulator.scenario.model import Scenario
from simulator.score.play import play
from simulator.score.report import Score
from simulator.score.table import show
from simulator.stage import Heard
from tests.rules.waste.route.cities import container
from tests.simulator.depot.driving import tour
from tests.simulator.score.collecting import BINS, DAY_NS, HOUR_NS, NIGHT_NS, heard, place
from tests.simulator.score.scenes import smaller

START_NS = 1_781_503_200_000_000_000
"""2026-06-15T08:00+02:00, a Monday."""
MINUTE_NS = 60_000_000_000
WATCHED = {"dev_eui": "025354464b0000ff", "model": "milesight/em400-mud"}
EXAMPLE = Path(__file__).parents[3] / "docs" / "events" / "parking.lot_state.v1.example.json"


class Player:
    """A service that says what a function of its time says, and notes what it got and when."""

    def __init__(self, says: Callable[[int], Iterable[Heard]] = lambda _: ()) -> None:
        self._says = says
        self.times: list[int] = []
        self.messages: list[tuple[int, Message]] = []

    def publish(self, message: Message) -> None:
        """Noted with the number of the step."""
        self.messages.append((len(self.times), message))

    def advance(self, time_ns: int) -> Iterable[Heard]:
        """It is that time."""
        self.times.append(time_ns)
        return self._says(time_ns)


def _play(folder: Path, player: Player, minutes: float, *kinds: str, stop: Event | None = None) -> Score:
    city = City.parse(smaller(kinds, folder).read_text())
    plan = Plan(seed=3, start_ns=START_NS, scenario=Scenario(title="a test"))
    return play(city, plan, START_NS + int(minutes * MINUTE_NS), player, stop=stop)


def _lot(time_ns: int, lot: str, state: str, free: int) -> Heard:
    event = json.loads(EXAMPLE.read_text())
    event |= {"time": instant(time_ns // 1_000_000).isoformat(), "subject": lot}
    event["data"] |= {"state": state, "free": free}
    return Heard(f"stadtfunk/v1/parking/lot/{lot}/state", json.dumps(event).encode())


def _why(score: Score) -> dict[str, str]:
    return {each.what: each.why for each in score.unscored}


def test_in_lock_step(tmp_path: Path) -> None:
    """Each message is published before the service is told that its time is over; the last step ends with the play."""
    player = Player()
    score = _play(tmp_path, player, 4.5, "lot")
    assert [(time_ns - START_NS) / MINUTE_NS for time_ns in player.times] == [1, 2, 3, 4, 4.5]
    assert len(player.messages) > 90
    for step, message in player.messages:
        assert (player.times[step - 1] if step else START_NS) <= message.time_ns < player.times[step]
    assert (score.played.devices, score.played.begin) == (90, "2026-06-15T06:00:00+00:00")
    assert score.played.end == "2026-06-15T06:04:30+00:00"
    assert 0 < score.played.uplinks < len(player.messages)


def test_lots_are_held_against_the_truth(tmp_path: Path) -> None:
    """A lot that is said to be full from the third minute on, and is not, was wrong since; by all that is free."""
    player = Player(
        lambda now_ns: [_lot(now_ns, "lot-bahnhof", "full", 0)] if now_ns == START_NS + 3 * MINUTE_NS else []
    )
    score = _play(tmp_path, player, 6, "lot")
    station, *others = score.lots
    assert (station.lot, station.right_pct, station.wrong_pct, station.unknown_pct) == ("lot-bahnhof", 0, 50, 50)
    assert station.free_error is not None
    assert 2 < station.free_error <= 40
    assert {each.unknown_pct for each in others} == {100}
    assert score.lots_together is not None
    assert score.lots_together.wrong_pct == 12.5
    assert score.played.events == 1


def test_what_is_not_simulated_is_said(tmp_path: Path) -> None:
    """A lot with fewer sensors than spaces is scored by what they stand for; kinds that are missing are named."""
    score = _play(tmp_path, Player(), 2, "lot")
    why = _why(score)
    assert why["lot-zentralhallen: the rest of its spaces"].startswith("only 24 of 60")
    assert "lot-santa-monica-platz: the rest of its spaces" not in why
    assert why["each container"] == "none has a simulated device"
    for kind in ("heavy_rain", "gauge", "heat", "ice", "gust", "noise", "air_quality", "queue"):
        assert f"{kind} alerts" in why
    assert (score.signal_plans, score.green_waves, score.alerts, score.containers) == ((), (), (), None)


def test_a_city_without_lots(tmp_path: Path) -> None:
    """There is no score of lots, which is said; the example's other kinds are scored."""
    score = _play(
        tmp_path, Player(), 70, "station", "gauge", "container", "detector", "junction", "control_group", "corridor"
    )
    why = _why(score)
    assert (score.lots, score.lots_together) == ((), None)
    assert why["each lot"] == "none has a simulated device"
    assert "corridor" in why["group-marker-allee-ostring"]
    assert [each.asset for each in score.signal_plans] == ["group-werler-strasse", "group-muensterstrasse"]
    assert [each.asset for each in score.green_waves] == ["corridor-marker-allee"]
    kinds = {each.kind: each.assets for each in score.alerts}
    assert kinds["heavy_rain"] == 1
    assert kinds["gauge"] == 2
    assert kinds["heat"] == 6
    assert kinds["air_quality"] == 3
    assert kinds["queue"] == 1
    assert "ice" not in kinds
    assert score.containers is not None
    assert score.containers.containers == 24
    assert "fill forecasts 1 d ahead" in why
    assert why["tropical nights"].endswith("0 of 0 whole nights were")


def test_alerts_that_nothing_speaks_for_are_false(tmp_path: Path) -> None:
    """An ice warning in June is false, at its own level, too; what begins in the last hour is open."""
    example = EXAMPLE.with_name("environment.alert.v1.example.json")

    def says(now_ns: int) -> Sequence[Heard]:
        if now_ns != START_NS + 10 * MINUTE_NS:
            return ()
        event = json.loads(example.read_text())
        event |= {"time": instant(now_ns // 1_000_000).isoformat(), "subject": "road-lippebruecke"}
        event["data"] |= {"kind": "ice", "level": 3}
        return [Heard("stadtfunk/v1/environment/ice/road-lippebruecke/alert", json.dumps(event).encode())]

    for minutes, false, still_open in ((60, 0, 1), (120, 1, 0)):
        score = _play(tmp_path, Player(says), minutes, "road_section")
        found = [(each.level, each.hit, each.false, each.open) for each in score.alerts]
        assert found == [(1, 0, false, still_open), (3, 0, false, still_open)]


def test_the_end_by_hand(tmp_path: Path) -> None:
    """What was played until then is scored; nothing at all is an error."""
    stop = Event()
    player = Player()

    def says(now_ns: int) -> Sequence[Heard]:
        if now_ns >= START_NS + 3 * MINUTE_NS:
            stop.set()
        return ()

    player = Player(says)
    assert _play(tmp_path, player, 60, "lot", stop=stop).played.end == "2026-06-15T06:03:00+00:00"
    with pytest.raises(SimulatorError, match="nothing was played"):
        _play(tmp_path, player, 60, "lot", stop=stop)


def test_tables_and_json_say_the_same(tmp_path: Path) -> None:
    """Each lot, kind and reason has its line; a figure that is not known is a dash, never 0."""
    score = _play(
        tmp_path, Player(), 3, "lot", "station", "container", "detector", "junction", "control_group", "corridor"
    )
    printed = StringIO()
    show(score, Console(width=150, file=printed))
    text = printed.getvalue()
    lines = {line.split()[0]: line.split()[1:] for line in text.splitlines() if line.strip()}
    assert lines["lot-bahnhof"] == ["0", "0", "100", "–", "0", "0", "–", "–", "–"]
    assert lines["heat"] == ["1", "6", "0", "0", "0", "0", "0", "–", "–"]
    assert lines["corridor-marker-allee"][3:5] == ["–", "–"]
    assert text.count("not scored: ") == len(score.unscored)
    found = json.loads(json.dumps(score.as_dict()))
    assert found["lots"][0]["accuracy_pct"] is None
    assert found["containers"]["horizons"][0] == {
        "days": 1,
        "forecasts": 0,
        "error_pp": None,
        "bias_pp": None,
        "unchanged_pp": None,
    }
    assert found["unscored"][0] == {"what": score.unscored[0].what, "why": score.unscored[0].why}


def test_tours_empty_the_containers_beside_fixed_rounds() -> None:
    """What the service planned is driven: the truck empties one container on the third day, and never the other.

    What it tells comes among the uplinks, in the order of time.
    """
    plan = Plan(seed=3, start_ns=NIGHT_NS, own_rounds=False)
    third = NIGHT_NS + 2 * DAY_NS
    event = tour(BINS[0], "site", day=tour().data.day + timedelta(days=2), at_ns=third + HOUR_NS)
    player = Player(lambda now_ns: [heard(event)] if now_ns == third + HOUR_NS else [])
    score = play(place(), plan, NIGHT_NS + 9 * DAY_NS, player, step_s=3600)
    assert score.collection is not None
    planned, fixed = score.collection.planned_tours, score.collection.fixed_rounds
    assert (planned.emptied, planned.tours, planned.skipped) == (1, 1, {})
    spots = (Spot(7.80, 51.67), Spot(7.81, 51.68), Spot(7.86, 51.69), Spot(7.80, 51.67))
    assert planned.km == round(sum(way(one, other)[0] for one, other in pairwise(spots)) / 1000, 1)
    assert fixed.emptied > 1
    assert fixed.tours is not None
    assert fixed.emptied >= fixed.tours > 0
    stops = [message for _, message in player.messages if message.topic.endswith("/stop")]
    assert [json.loads(message.payload)["data"]["stop"] for message in stops] == [BINS[0]]
    times = [message.time_ns for _, message in player.messages]
    assert times == sorted(times)
    printed = StringIO()
    show(score, Console(width=150, file=printed))
    lines = [line.split() for line in printed.getvalue().partition("Collection")[2].splitlines()]
    assert ["emptied", str(fixed.emptied), "1"] in lines
    assert ["km", f"{fixed.km:g}", f"{planned.km:g}"] in lines


def test_a_service_that_plans_nothing_lets_containers_overflow() -> None:
    """Nobody empties them but its tours; the fixed rounds go on."""
    plan = Plan(seed=3, start_ns=NIGHT_NS, own_rounds=False)
    score = play(place(), plan, NIGHT_NS + 9 * DAY_NS, Player(), step_s=100)
    assert score.collection is not None
    planned, fixed = score.collection.planned_tours, score.collection.fixed_rounds
    assert (planned.emptied, planned.tours, planned.km, planned.emptied_at_pct) == (0, 0, 0, None)
    assert planned.overflow_days > fixed.overflow_days
    assert planned.full_h > 24
    assert score.containers is not None
    assert score.containers.overflow_days >= planned.overflow_days


def test_collection_that_cannot_be_compared() -> None:
    """With rounds of the city's own nothing is; nor before the third day, or where no vehicle could do the rounds."""
    whole = Plan(seed=3, start_ns=NIGHT_NS)
    assert play(place(), whole, NIGHT_NS + DAY_NS, Player(), step_s=100).collection is None
    plan = Plan(seed=3, start_ns=NIGHT_NS, own_rounds=False)
    short = play(place(), plan, NIGHT_NS + 2 * DAY_NS, Player(), step_s=100)
    assert short.collection is None
    assert _why(short)["collection"].startswith("it counts from the third day on")
    textile = container("textile", fraction="textile", depth_mm=1500, devices=[{**WATCHED, "interval_s": 3600}])
    other = play(place(textile), plan, NIGHT_NS + 9 * DAY_NS, Player(), step_s=100)
    assert other.collection is not None
    assert (other.collection.fixed_rounds.tours, other.collection.fixed_rounds.km) == (None, None)
    assert "textile" in _why(other)["tours and km of the fixed rounds"]

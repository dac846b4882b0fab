"""The closed loop: who hears what when, and the whole of it through SUMO, a real broker and the real service."""

import importlib.util
import json
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from typing_extensions import override

from rules import answer
from rules.event import instant
from simulator.error import SimulatorError
from simulator.faults import Message
from simulator.stage import Heard, Stage
from simulator.sumo.arterial import GROUP, Arterial, Control, Demand, Passage, Run, city_text
from simulator.sumo.detectors import Detectors
from simulator.sumo.loop import Loop, Nerve, Switch, Task, play
from simulator.sumo.runs import play_all
from simulator.sumo.traffic_computer import Group, TrafficComputer

NS = 1_000_000_000
START_NS = 1_795_000_000 * NS
CYCLE_S = 30
JUNCTIONS = ("north", "south")
TOPIC = f"stadtfunk/v1/traffic/group/{GROUP}/signal-plan"
SUMO = pytest.mark.skipif(
    importlib.util.find_spec("libsumo") is None, reason="needs SUMO: pip install 'stadtfunk[sumo]'"
)


class Street(Arterial):
    """A road without traffic, whose schedule has plan 1 and from the 600th second on plan 2."""

    def __init__(self) -> None:
        self.start_ns, self.end_ns = START_NS, START_NS + 900 * NS
        self.plans = ("1", "2", "3")
        self.second = 0
        self.switched: list[tuple[int, str]] = []

    @override
    def step(self) -> int:
        self.second += 1
        return START_NS + self.second * NS

    @override
    def counts(self) -> Sequence[Passage]:
        return [Passage(f"at-{self.second}", 1, "car", 10.0)]

    @override
    def switch(self, plan: str) -> None:
        self.switched.append((self.second, plan))

    @override
    def cycle_position_s(self) -> float:
        return float(self.second % CYCLE_S)

    @override
    def locally(self, time_ns: int) -> str:
        return "1" if time_ns < START_NS + 600 * NS else "2"


class Played(Stage):
    """A stage that notes what it is given, and says what the test wants at a second."""

    def __init__(self, says: dict[int, Heard] | None = None) -> None:
        self.says = says or {}
        self.at: list[int] = []
        self.published: list[tuple[int, Message]] = []
        self.sent: list[tuple[int, str, bytes]] = []

    @override
    def publish(self, message: Message) -> None:
        self.published.append((len(self.at), message))

    @override
    def send(self, topic: str, payload: bytes) -> None:
        self.sent.append((len(self.at), topic, payload))

    @override
    def advance(self, time_ns: int) -> list[Heard]:
        second = (time_ns - START_NS) // NS
        self.at.append(second)
        return [self.says[second]] if second in self.says else []


class Told(Detectors):
    """Detectors that note what passed, and send a message each seven seconds."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    @override
    def passed(self, passages: Any) -> None:
        self.seen += [passage.detector for passage in passages]

    @override
    def messages(self, end_ns: int) -> Any:
        if (end_ns - START_NS) // NS % 7 == 0:
            yield end_ns


def _request(plan: str, at_s: int, lasts_s: int = 600) -> Heard:
    issued_ms = START_NS // 1_000_000 + at_s * 1000
    issued, until = (instant(issued_ms + s * 1000).isoformat() for s in (0, lasts_s))
    wish = {"plan": plan, "junctions": [*JUNCTIONS], "sequence": at_s, "issued_at": issued, "valid_until": until}
    event = {"id": f"at-{at_s}", "type": "city.stadtfunk.traffic.signal_plan_requested.v1", "subject": GROUP}
    return Heard(TOPIC, json.dumps({**event, "data": wish}).encode())


def _computer() -> TrafficComputer:
    return TrafficComputer(Group(GROUP, JUNCTIONS, frozenset({"1", "2", "3"})), "1", 60)


def _loop(stage: Played | None) -> tuple[Street, Loop, Told]:
    street, told = Street(), Told()
    nerve = None if stage is None else Nerve(told, stage, START_NS)
    return street, Loop(street, _computer(), nerve), told


def test_without_stadtfunk_the_schedule_runs() -> None:
    """Without the service the local schedule is followed, at the end of the cycle."""
    street, loop, _ = _loop(None)
    for _ in range(900):
        loop.second()
    assert street.switched == [(600, "2")]
    assert loop.plans == [Switch(0, "1"), Switch(600, "2")]


def test_a_request_reaches_the_road_and_its_answers_the_service() -> None:
    """What the service asks for is switched at the end of the cycle; each answer is sent at once."""
    stage = Played({100: _request("3", 100)})
    street, loop, _ = _loop(stage)
    for _ in range(125):
        loop.second()
    assert street.switched == [(120, "3")]
    told = [(after, answer.parse(payload).data) for after, topic, payload in stage.sent if topic == f"{TOPIC}/status"]
    assert [(after, data.request_id, data.status) for after, data in told] == [
        (0, "local-schedule", "active"),
        (10, "at-100", "accepted"),
        (12, "at-100", "active"),
    ]


def test_the_service_looks_every_ten_seconds() -> None:
    """Time goes on for the service in steps of ten seconds, after what was published until then."""
    stage = Played()
    _, loop, told = _loop(stage)
    for _ in range(35):
        loop.second()
    assert stage.at == [10, 20, 30]
    assert [steps for steps, _ in stage.published] == [0, 1, 2, 2, 3]
    assert told.seen == [f"at-{second}" for second in range(1, 36)]


def _busy_city() -> str:
    """The arterial's city, decided about after ten minutes, with a usual plan too weak for the usual traffic."""
    city = json.loads(city_text(Control.FIXED))
    for feature in city["features"]:
        if feature["id"] == GROUP:
            properties = feature["properties"]
            properties["coverage_window_min"] = 10
            for plan in properties["plans"]:
                if plan["number"] == 2:
                    plan["serves_inbound"] = plan["serves_outbound"] = 300
    return json.dumps(city)


@SUMO
@pytest.mark.xdist_group("sumo")
def test_front_door() -> None:
    """Through SUMO, broker and service a plan is asked for, switched to and answered, and again the same way."""
    task = Task(Run(Demand.UNSCHEDULED_PEAK, 1, Control.FIXED), stadtfunk=True, span_s=1080, city=_busy_city())
    one, other = play_all([task, task], lambda _number, _share: None, threading.Event(), 2)
    assert one == other
    assert one.answers["active"] >= 2
    assert one.answers["accepted"] >= 1
    assert len(one.plans) >= 2
    assert one.plans[1].plan != "2"
    assert int(str(one.uplinks["unique"])) >= 8
    assert one.uplinks["dead_letters"] == dict.fromkeys(("unknown_profile", "decode", "event", "spoofed"), 0)


def test_a_given_city_has_the_schedule_of_the_control() -> None:
    """With one plan all day there is one in the file, whether it is the arterial's own or another one."""
    own = city_text(Control.TIME_OF_DAY)
    assert city_text(Control.TIME_OF_DAY, own) == own
    assert city_text(Control.FIXED, own) == city_text(Control.FIXED)
    assert city_text(Control.FIXED, own) != own


@SUMO
@pytest.mark.xdist_group("sumo")
def test_the_road_follows_the_schedule_of_the_city() -> None:
    """A city whose schedule names another plan begins with that one, as the service does."""
    city = json.loads(city_text(Control.TIME_OF_DAY))
    for feature in city["features"]:
        if feature["id"] == GROUP:
            feature["properties"]["schedule"] = [{"days": "Mo-Su", "from": "00:00", "plan": 3}]
    run = Run(Demand.UNSCHEDULED_PEAK, 1, Control.TIME_OF_DAY)
    ran = play(Task(run, stadtfunk=False, span_s=20, city=json.dumps(city)), lambda _share: None)
    assert [switch.plan for switch in ran.plans] == ["3"]


@SUMO
@pytest.mark.xdist_group("sumo")
def test_a_city_without_the_group() -> None:
    """A city file that does not declare the arterial's control group is an error that names it."""
    text = json.dumps({"type": "FeatureCollection", "features": []})
    task = Task(Run(Demand.UNSCHEDULED_PEAK, 1, Control.FIXED), stadtfunk=False, span_s=10, city=text)
    with pytest.raises(SimulatorError, match=f"no control group {GROUP}"):
        play(task, lambda _share: None)


@SUMO
@pytest.mark.xdist_group("sumo")
def test_a_service_that_cannot_start() -> None:
    """Where the service refuses its city, its reason is the error."""
    city = json.loads(city_text(Control.FIXED))
    for feature in city["features"]:
        if feature["id"] == GROUP:
            feature["properties"]["plans"] = "none"
    task = Task(Run(Demand.UNSCHEDULED_PEAK, 1, Control.FIXED), stadtfunk=True, span_s=10, city=json.dumps(city))
    with pytest.raises(SimulatorError, match=r"service of the stage cannot go on: .*group-arterial.*plans"):
        play(task, lambda _share: None)


@SUMO
@pytest.mark.xdist_group("sumo")
def test_a_run_that_is_stopped() -> None:
    """Whoever watches ends a run by raising, and hears how far it is before."""
    shares: list[float] = []

    def watch(share: float) -> None:
        shares.append(share)
        if len(shares) == 2:
            raise SimulatorError("enough")

    task = Task(Run(Demand.UNSCHEDULED_PEAK, 1, Control.FIXED), stadtfunk=False, span_s=100)
    with pytest.raises(SimulatorError, match="enough"):
        play(task, watch)
    assert shares == [0.1, 0.2]

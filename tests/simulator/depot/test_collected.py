"""What vehicles emptied is empty in the simulated city, once, when its time has come."""

import json
from io import StringIO
from random import Random

import pytest

from simulator.depot import collected
from simulator.depot.collected import Collected, both
from simulator.depot.report import Confirmed, Stopped, message
from simulator.device import NS_PER_MS
from simulator.devices.downlinks import Downlinks
from simulator.files import read_city
from simulator.play import Plan
from simulator.playing import Heard, Show, city_of_events
from simulator.publish import FilePublisher
from simulator.surroundings import Surroundings
from simulator.world import Calendar
from tests.simulator.depot.driving import MINUTE, SHIFT, TRUCK, town


class Bins:
    """A city with one container, and how often it was emptied."""

    def __init__(self) -> None:
        self.emptied: list[str] = []

    def empty(self, name: str) -> bool:
        """Empty it, if it is there."""
        self.emptied.append(name)
        return name == "bin-0"


def offer(place: Collected, report: Stopped | Confirmed) -> None:
    """The report comes from the broker."""
    note = message(report)
    place.offer(note.topic, note.payload)


def test_a_served_stop_empties_its_container_when_its_time_comes() -> None:
    """Not before, once however often it comes, in the order of time; skipped stops empty nothing."""
    heard, bins = Collected(), Bins()
    for report in (
        Stopped(SHIFT + MINUTE, TRUCK, "bin-0"),
        Stopped(SHIFT, TRUCK, "bin-9"),
        Stopped(SHIFT, TRUCK, "bin-0", "blocked"),
        Stopped(SHIFT + MINUTE, TRUCK, "bin-0"),
    ):
        offer(heard, report)
    heard.settle(SHIFT - 1, bins.empty)
    assert bins.emptied == []
    heard.settle(SHIFT + MINUTE - 1, bins.empty)
    assert bins.emptied == ["bin-9"]
    heard.settle(SHIFT + MINUTE, bins.empty)
    heard.settle(SHIFT + 2 * MINUTE, bins.empty)
    assert (bins.emptied, heard.emptied, heard.refused) == (["bin-9", "bin-0"], 1, 1)
    offer(heard, Stopped(SHIFT + 3 * MINUTE, TRUCK, "bin-0"))
    heard.settle(SHIFT + 3 * MINUTE, bins.empty)
    assert heard.emptied == 2


def test_what_is_no_feedback_is_counted() -> None:
    """Garbage on a vehicle's topic; a message of another topic is none of its business."""
    heard, bins = Collected(), Bins()
    heard.offer(f"stadtfunk/v1/waste/vehicle/{TRUCK}/stop", b"{")
    heard.offer("application/a/device/b/command/down", b"{")
    heard.settle(SHIFT, bins.empty)
    assert (heard.refused, bins.emptied) == (1, [])


def test_it_remembers_the_newest_reports_only() -> None:
    """Memory is bounded: after so many others a report counts again."""
    heard, bins = Collected(), Bins()
    for number in range(collected.MOST_WAITING + 1):
        offer(heard, Stopped(SHIFT + number, TRUCK, "bin-0"))
        heard.settle(SHIFT + number, bins.empty)
    assert heard.emptied == collected.MOST_WAITING + 1
    for time_ns in (SHIFT + 1, SHIFT):
        offer(heard, Stopped(time_ns, TRUCK, "bin-0"))
    heard.settle(SHIFT + MINUTE, bins.empty)
    assert heard.emptied == collected.MOST_WAITING + 2


@pytest.mark.parametrize("told", [True, False], ids=["collected", "own-rounds"])
def test_a_simulation_counts_what_vehicles_emptied(capsys: pytest.CaptureFixture[str], *, told: bool) -> None:
    """Beside its other counts, and only where containers are emptied in this way."""
    heard = Collected()
    offer(heard, Stopped(SHIFT, TRUCK, "container-oststrasse-1"))
    offer(heard, Stopped(SHIFT, TRUCK, "bin-9"))
    plan = Plan(seed=1, start_ns=SHIFT, own_rounds=not told)
    show = Show(plan, 0, SHIFT + 10 * MINUTE, None, as_json=True, quiet=True)
    city_of_events(
        FilePublisher(StringIO()), Heard(Downlinks(), heard if told else None), read_city(None), None, None, show
    )
    counts = json.loads(capsys.readouterr().out)
    assert counts.get("collected") == ({"emptied": 1, "refused": 1} if told else None)


def test_messages_are_sorted_by_their_topics() -> None:
    """Feedback to the containers, everything else to who was there before."""
    heard, bins = Collected(), Bins()
    others: list[str] = []
    take = both(heard, lambda topic, _: others.append(topic))
    for report in (Stopped(SHIFT, TRUCK, "bin-0"), Confirmed(SHIFT, TRUCK, "e1")):
        note = message(report)
        take(note.topic, note.payload)
    heard.settle(SHIFT, bins.empty)
    assert (bins.emptied, others) == (["bin-0"], [f"stadtfunk/v1/waste/vehicle/{TRUCK}/route/status"])


def test_a_container_of_the_simulated_city_is_empty() -> None:
    """What its sensor sees falls, and the truth counts one collection more; nobody else's container is touched."""
    calendar = Calendar("Europe/Berlin")
    start = calendar.at(SHIFT // NS_PER_MS)
    around = Surroundings(Random(1), start)
    place = town()
    bins = {name: around.bin(place.assets[name]) for name in ("bin-0", "bin-1")}
    before = {name: made.fill for name, made in bins.items()}
    assert min(before.values()) > 0.05
    heard = Collected()
    offer(heard, Stopped(SHIFT + MINUTE, TRUCK, "bin-0"))
    now = calendar.at((SHIFT + MINUTE) // NS_PER_MS)
    heard.settle(SHIFT + MINUTE, lambda name: around.empty(name, now))
    assert (bins["bin-0"].fill <= 0.05, bins["bin-0"].rounds, heard.emptied) == (True, 1, 1)
    assert (bins["bin-1"].fill >= before["bin-1"], bins["bin-1"].rounds) == (True, 0)
    offer(heard, Stopped(SHIFT + MINUTE, TRUCK, "bin-9"))
    heard.settle(SHIFT + MINUTE, lambda name: around.empty(name, now))
    assert (heard.emptied, heard.refused) == (1, 1)


def test_reports_of_a_far_time_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that find no place are refused; the others wait for their time."""
    monkeypatch.setattr(collected, "MOST_WAITING", 2)
    heard, bins = Collected(), Bins()
    for number in range(3):
        offer(heard, Stopped(SHIFT + number * MINUTE, TRUCK, "bin-0"))
        heard.settle(SHIFT - 1, bins.empty)
    assert (bins.emptied, heard.refused) == ([], 1)
    heard.settle(SHIFT + MINUTE, bins.empty)
    assert heard.emptied == 2

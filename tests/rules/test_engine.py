"""The engine: overlays, wake-ups, kept state, isolation, determinism; with small rules and with the shipped city."""

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.asset import Asset, CityError
from rules.catalog import RULES
from rules.city import City
from rules.engine import Engine, Overlay
from rules.event import LotState
from rules.point import Point
from rules.rule import Answered, Input, Json, Observation, Outputs, Rule, StateRow, Tick

START = 1_790_000_000_000
SHIPPED = City.parse((Path(__file__).parents[2] / "deploy" / "city" / "hamm.geojson").read_text(encoding="utf-8"))


class Count(NamedTuple):
    """State of the test rule: the sum of what was heard, ticks had, when it wants the next one."""

    heard: float = 0
    ticks: int = 0
    wake_ms: int | None = None


def step(name: str, count: Count, given: Input) -> tuple[Count, Outputs]:
    """Adds what it hears, wakes so many ms later; raises on 13, forgets nothing on 0."""
    point = Point(name, (), (("now", given.now_ms),), given.now_ms)
    if not isinstance(given, Observation):
        return Count(count.heard, count.ticks + 1), Outputs(points=(point,))
    value = given.readings[0].value
    if value == 13:
        raise ArithmeticError("thirteen")
    if value == 0:
        return count, Outputs()
    return Count(count.heard + value, count.ticks, given.now_ms + int(value)), Outputs(points=(point,))


def load(_name: str, version: int, kept: Json) -> Count | None:
    """The state again; a fresh start from another version."""
    if version != 2 or not isinstance(kept, dict):
        return None
    return Count(float(kept["heard"]), int(kept["ticks"]), kept["wake_ms"])


COUNTING = Rule(
    id="test.counting",
    version=2,
    kind="station",
    configure=lambda asset: str(asset.properties.get("label", asset.id)),
    initial=lambda _name: Count(),
    step=step,
    wake=lambda _name, count: count.wake_ms,
    dump=lambda count: count._asdict(),
    load=load,
)
TWIN = replace(COUNTING, id="test.twin")


def station(id_: str, **properties: object) -> Asset:
    """A station."""
    return Asset(id_, "station", id_, properties, (), 7.8, 51.6)


def engine(*ids: str, rules: tuple[Rule[str, Count], ...] = (COUNTING,), label: str = "same") -> Engine:
    """An engine of stations with the test rule."""
    return Engine(City([station(id_, label=f"{id_}-{label}") for id_ in ids]), rules)


def heard(asset: str, value: float, at: int) -> Observation:
    """An observation of that value."""
    return Observation("d", "d", asset, at, at, (Reading(Quantity.CO2, value),), f"{asset}-{at}")


def commit(target: Engine, *inputs: Input) -> Overlay:
    """Give these inputs in one overlay and merge it."""
    overlay = give(target, *inputs)
    target.merge(overlay)
    return overlay


def give(target: Engine, *inputs: Input) -> Overlay:
    """Give these inputs in one overlay."""
    overlay = target.overlay()
    for item in inputs:
        if isinstance(item, Tick):
            overlay.tick(item)
        elif isinstance(item, Observation):
            overlay.observe(item)
        elif isinstance(item, Answered):
            overlay.answer(item)
        else:
            overlay.stop(item)
    return overlay


def counts(target: Engine) -> list[Count]:
    """The states of the stations."""
    return list(target._states)


def names(overlay: Overlay) -> list[str]:
    """Whose points came out, in order."""
    return [point.measurement.removesuffix("-same") for point in overlay.points]


def picture(target: Engine) -> tuple[object, ...]:
    """Everything an engine remembers."""
    wakes = tuple(target._wakes)
    return target.now_ms, target.tick_ms, target.generation, tuple(target._states), wakes, tuple(target._heap)


def test_rule_ids_are_unique() -> None:
    """Two rules of one id, or one that takes the engine's own, are refused."""
    with pytest.raises(ValueError, match="must be unique"):
        engine("a", rules=(COUNTING, COUNTING))
    with pytest.raises(ValueError, match="must be unique"):
        engine("a", rules=(replace(COUNTING, id="engine"),))


def test_wrong_properties_name_the_rule() -> None:
    """A lot without capacity is refused with rule, feature and property."""
    lot = Asset("lot-a", "lot", "A", {}, (), 7.8, 51.6)
    with pytest.raises(CityError, match=r"rule parking\.lot_state: feature 'lot-a': property 'capacity' is missing"):
        Engine(City([lot]), RULES)


def test_only_the_rules_of_the_asset_are_asked() -> None:
    """Other assets' state stays, unknown assets do nothing but move time."""
    target = engine("a", "b")
    overlay = commit(target, heard("b", 5, START), heard("nowhere", 7, START + 1))
    assert counts(target) == [Count(), Count(5, 0, START + 5)]
    assert names(overlay) == ["b"]
    assert target.now_ms == START + 1


def test_a_dropped_overlay_leaves_no_trace() -> None:
    """What is not merged never was: states, wake-ups, time, and what the next overlay does."""
    target, other = engine("a", "b"), engine("a", "b")
    for each in (target, other):
        commit(each, heard("a", 5, START), heard("b", 9, START))
    before = picture(target)
    dropped = give(target, heard("a", 100, START + 1), Tick(START + 60), heard("b", 3, START + 61), Tick(START + 100))
    assert dropped.dirty()
    assert len(dropped.points) == 4
    assert picture(target) == before
    again = [commit(each, Tick(START + 5), heard("a", 1, START + 6), Tick(START + 20)) for each in (target, other)]
    assert again[0].points == again[1].points
    assert picture(target) == picture(other)


def test_an_overlay_is_merged_once_and_only_into_its_own_state() -> None:
    """A second merge, one made beside a merged one, or one of another engine is refused."""
    target = engine("a")
    beside, overlay = target.overlay(), commit(target, heard("a", 5, START))
    for wrong in (overlay, beside, engine("a").overlay()):
        with pytest.raises(ValueError, match="cannot be merged"):
            target.merge(wrong)
    assert counts(target) == [Count(5, 0, START + 5)]


def test_wake_ups_come_in_order_of_time_then_asset_and_only_when_due() -> None:
    """A tick runs what is due up to it, each subject once."""
    target = engine("a", "b", "c", "d")
    commit(target, heard("a", 30, START), heard("b", 20, START), heard("c", 20, START), heard("d", 31, START))
    assert names(commit(target, Tick(START + 19))) == []
    assert names(commit(target, Tick(START + 30))) == ["b", "c", "a"]
    assert names(commit(target, Tick(START + 30), Tick(START + 31), Tick(START + 90))) == ["d"]


def test_within_an_overlay_wake_ups_are_the_newest() -> None:
    """Postponed ones do not come at their old time, new ones come, in the overlay and after its merge."""
    target = engine("a", "b")
    commit(target, heard("a", 10, START))
    overlay = give(target, heard("a", 10, START + 5), heard("b", 2, START + 5), Tick(START + 10))
    assert names(overlay)[2:] == ["b"]
    target.merge(overlay)
    assert names(commit(target, Tick(START + 14))) == []
    assert names(commit(target, Tick(START + 15))) == ["a"]


@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from("abcde"), st.integers(1, 60), st.integers(0, 20)), max_size=80)
)
def test_batching_changes_nothing(plan: list[tuple[bool, str, int, int]]) -> None:
    """The same inputs in one overlay or in one each: the same states, wake-ups and points."""
    inputs: list[Input] = []
    at = START
    for is_tick, name, value, gap in plan:
        at += gap
        inputs.append(Tick(at) if is_tick else heard(name, value, at))
    one, each = engine(*"abcde"), engine(*"abcde")
    points = commit(one, *inputs).points
    assert points == [point for item in inputs for point in commit(each, item).points]
    assert picture(one)[3:5] == picture(each)[3:5]
    assert one.now_ms == each.now_ms


def test_the_heap_of_wake_ups_stays_bounded() -> None:
    """Ten thousand postponements of ten wake-ups leave no ten thousand entries."""
    target = engine(*"abcdefghij")
    for at in range(START, START + 10_000):
        commit(target, heard("abcdefghij"[at % 10], 50_000, at))
    assert len(target._heap) <= 2 * 10 + 64
    assert len(names(commit(target, Tick(START + 70_000)))) == 10


def test_only_changed_subjects_are_kept() -> None:
    """Rows for what changed, plus rule time; nothing for an input that changed nothing."""
    target = engine("a", "b", "c")
    overlay = give(target, heard("b", 5, START), heard("c", 0, START))
    rows = overlay.dirty()
    target.merge(overlay)
    assert [(row.rule, row.subject, row.version) for row in rows] == [("test.counting", "b", 2), ("engine", "", 1)]
    assert json.loads(rows[0].body)["state"] == {"heard": 5.0, "ticks": 0, "wake_ms": START + 5}
    assert give(target, heard("c", 0, START)).dirty() == []


def test_an_equal_state_is_not_kept_again() -> None:
    """A rule that builds an equal state anew writes nothing."""
    target = engine("a", rules=(replace(COUNTING, step=lambda _name, count, _given: (Count(*count), Outputs())),))
    commit(target, Tick(START))
    assert give(target, heard("a", 5, START)).dirty() == []


def test_states_wake_ups_and_time_survive_being_kept() -> None:
    """An engine loaded from the rows goes on exactly like the one that wrote them."""
    target, again = engine("a", "b"), engine("a", "b")
    overlay = give(target, Tick(START - 5), heard("a", 30, START), heard("b", 20, START))
    rows = overlay.dirty()
    target.merge(overlay)
    assert again.load(rows) == []
    assert (again.now_ms, again.tick_ms) == (target.now_ms, target.tick_ms) == (START, START - 5)
    assert counts(again) == counts(target)
    assert [names(commit(each, Tick(START + 25))) for each in (target, again)] == [["b"], ["b"]]


def test_changed_parameters_wake_the_subject() -> None:
    """A subject whose properties changed while the service was down is due at the first tick, the others are not."""
    target = engine("a")
    rows = give(target, heard("a", 3_000, START)).dirty()
    same, changed = engine("a"), engine("a", label="new")
    for each in (same, changed):
        each.load(rows)
    assert commit(same, Tick(START + 1)).points == []
    assert len(commit(changed, Tick(START + 1)).points) == 1
    assert counts(changed)[0].heard == 3_000


def test_kept_rows_that_do_not_fit_start_fresh() -> None:
    """Another version and a removed asset are left alone, broken rows are reported; the rest is taken up."""
    target = engine("a", "b", "c", "d")
    body = json.dumps({"config": "", "state": {"heard": 1, "ticks": 0, "wake_ms": None}})
    rows = [
        StateRow("test.counting", "a", 1, body),
        StateRow("test.counting", "b", 2, "{"),
        StateRow("test.counting", "c", 2, '{"config": "", "state": {"heard": "x"}}'),
        StateRow("test.counting", "d", 2, body),
        StateRow("test.counting", "gone", 2, body),
    ]
    failures = target.load(rows)
    assert [(failure.subject, failure.cause) for failure in failures] == [("b", "load"), ("c", "load")]
    assert counts(target) == [Count(), Count(), Count(), Count(1)]


def test_a_rule_that_raises_keeps_its_state_and_stops_no_other() -> None:
    """The failure names rule, subject and cause; the twin rule, the neighbour and later inputs go on."""
    fragile = replace(TWIN, id="test.robust", step=lambda _name, count, _given: (count._replace(ticks=9), Outputs()))
    target = engine("a", "b", rules=(COUNTING, fragile))
    commit(target, heard("a", 5, START))
    overlay = commit(target, heard("a", 13, START + 1), heard("b", 5, START + 1), heard("a", 2, START + 2))
    assert overlay.failures == [("test.counting", "a", f"a-{START + 1}", "ArithmeticError: thirteen")]
    assert counts(target)[0] == Count(7, 0, START + 4)
    assert counts(target)[1].ticks == 9
    assert names(overlay) == ["b", "a"]


def test_a_state_that_cannot_be_kept_is_not_merged() -> None:
    """A rule whose dump raises stays where it was, and its neighbours are kept."""

    def fragile(count: Count) -> Json:
        if count.heard == 5:
            raise ArithmeticError("five")
        return count._asdict()

    target = engine("a", "b", rules=(replace(COUNTING, dump=fragile),))
    overlay = give(target, heard("a", 5, START), heard("b", 6, START))
    assert [row.subject for row in overlay.dirty()] == ["b", ""]
    target.merge(overlay)
    assert counts(target) == [Count(), Count(6, 0, START + 6)]
    assert overlay.failures[0].cause == "dump"


def test_rule_time_never_goes_back() -> None:
    """Inputs of older network server time and late ticks are judged at the newest time seen."""
    target = engine("a")
    overlay = commit(target, heard("a", 1, START), heard("a", 1, START - 500), Tick(START - 9))
    assert [point.time_ms for point in overlay.points] == [START, START]
    assert target.now_ms == START


def test_rule_time_does_not_go_back_to_the_ticks_either() -> None:
    """A first tick hours behind the network server leaves rule time where it is."""
    target = engine("a")
    commit(target, heard("a", 1, START), Tick(START - 7_200_000), heard("a", 1, START + 1))
    assert target.now_ms == START


def test_a_network_server_clock_that_runs_away_moves_time_by_an_hour_at_most() -> None:
    """After a year's leap ticks of the true time soon rule again, and honest sensors are heard at once."""
    target = engine("a")
    leap = heard("a", 1, START + 365 * 86_400_000)
    commit(target, Tick(START), leap)
    assert target.now_ms == START + 3_600_000
    assert not leap._replace(now_ms=target.now_ms).usable(0)
    commit(target, Tick(START + 3_600_001))
    assert target.now_ms == START + 3_600_001


def test_of_events_with_one_id_the_newest_goes_out() -> None:
    """Two measurements of one uplink that change a lot give one event: what holds after both."""
    target = Engine(SHIPPED, RULES)
    devices = [device.dev_eui for device in SHIPPED.assets["lot-maximilianpark"].devices]
    overlay = target.overlay()
    for index, dev_eui in enumerate(devices):
        readings = (Reading(Quantity.OCCUPIED, float(index % 2)),)
        overlay.observe(Observation(dev_eui, "", "lot-maximilianpark", START, START, readings, "one uplink"))
    (event,) = (event for event in overlay.events if isinstance(event, LotState))
    assert (event.data.occupied, event.data.free) == (4, 4)


def test_events_keep_the_order_of_their_making() -> None:
    """An event that replaces one with its id goes to the end: on its topic it is the newest."""
    target = Engine(SHIPPED, RULES)
    overlay = target.overlay()
    for number, cause in enumerate("xyxyxyx"):
        dev_eui = SHIPPED.assets["lot-maximilianpark"].devices[number].dev_eui
        readings = (Reading(Quantity.OCCUPIED, float(number < 3)),)
        overlay.observe(Observation(dev_eui, "", "lot-maximilianpark", START, START, readings, cause))
    shown = [event.data for event in overlay.events if isinstance(event, LotState)]
    assert [round(data.coverage * 8) for data in shown] == [6, 7]


def trace(seed: int, length: int) -> list[Input]:
    """A seeded day of the shipped city: parking, bins, ticks, late and early measurements, silences."""
    rng = random.Random(seed)
    lots = [(a.id, d.dev_eui) for a in SHIPPED.assets.values() if a.kind == "lot" for d in a.devices]
    bins = [(a.id, d.dev_eui) for a in SHIPPED.assets.values() if a.kind == "container" for d in a.devices]
    inputs: list[Input] = []
    at = START
    for number in range(length):
        at += rng.choice((10, 2_000, 9_000, 9_000, 1_000_000 if rng.random() < 0.05 else 500))
        if rng.random() < 0.3:
            inputs.append(Tick(at))
            continue
        lot = rng.random() < 0.8
        asset, dev_eui = rng.choice(lots if lot else bins)
        quantity, value = (
            (Quantity.OCCUPIED, float(rng.random() < 0.8)) if lot else (Quantity.DISTANCE, rng.random() * 1500)
        )
        measured = at - rng.choice((0, 0, 0, 1_000, 600_000, -60_000, -600_000))
        readings = (Reading(quantity, value),)
        inputs.append(Observation(dev_eui, dev_eui, asset, measured, at, readings, f"cause-{number}"))
    return inputs


def played(
    inputs: list[Input], batch: int, *, restart: bool = False
) -> tuple[list[bytes], list[Point], dict[str, str]]:
    """Events, points and kept rows of a trace in batches; optionally with a fresh engine loaded for each batch."""
    target, rows = Engine(SHIPPED, RULES), dict[tuple[str, str], StateRow]()
    events: dict[str, bytes] = {}
    points: list[Point] = []
    for begin in range(0, len(inputs), batch):
        if restart:
            target = Engine(SHIPPED, RULES)
            assert target.load(rows.values()) == []
        overlay = give(target, *inputs[begin : begin + batch])
        assert overlay.failures == []
        rows |= {(row.rule, row.subject): row for row in overlay.dirty()}
        events |= {event.id: event.payload() for event in overlay.events}
        points += overlay.points
        target.merge(overlay)
    return list(events.values()), points, {f"{rule} {subject}": row.body for (rule, subject), row in rows.items()}


def test_the_same_trace_gives_the_same_bytes() -> None:
    """Run again, in other batches, or restarted before every batch: bit-identical events, points and states."""
    inputs = trace(1, 3000)
    first = played(inputs, 50)
    assert len(first[0]) > 500
    for other in (played(inputs, 50), played(inputs, 7), played(inputs, 50, restart=True)):
        assert other == first


def test_event_time_never_goes_back_for_a_subject() -> None:
    """Consumers drop what is older than the last of its topic; none of ours is, and each begins before its end."""
    target, newest = Engine(SHIPPED, RULES), dict[str, int]()
    for item in trace(2, 2000):
        for event in commit(target, item).events:
            assert newest.get(event.topic, 0) <= event.time_ms <= event.valid_until_ms
            newest[event.topic] = event.time_ms
    assert len(newest) > 25


def test_two_ticks_at_one_rule_time_are_two_causes() -> None:
    """While rule time is ahead, each tick names its own time as the cause: events of two ticks never share an id."""
    causes: list[tuple[str, int]] = []

    def listen(name: str, count: Count, given: Input) -> tuple[Count, Outputs]:
        if isinstance(given, Tick):
            causes.append((given.cause, given.now_ms))
        return step(name, count._replace(wake_ms=0), given)

    target = engine("a", rules=(replace(COUNTING, step=listen, wake=lambda _name, _count: 0),))
    commit(target, heard("a", 1, START), Tick(START - 20_000))
    commit(target, Tick(START - 10_000))
    assert causes == [(str(START - 20_000), START), (str(START - 10_000), START)]

"""A rule without code in the engine: raised, held, cleared, silent where nothing is known."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.asset import Asset, Assignment, CityError
from rules.event import Event
from rules.event_custom import CustomCondition, DownlinkRequested
from rules.rule import Answered
from tests.rules.custom.scene import DEVICE, HOUR, MINUTE, OTHER, T0, Scene, rule, said, station

RAISED, UPDATED, CLEARED = ("raised", "measured"), ("updated", "measured"), ("cleared", "measured")
NO_DATA, SCHEDULE = ("cleared", "no_data"), ("cleared", "schedule")
WIND = {"pm10": "ug/m3", "wind_speed": "m/s"}
PLAIN = {"text_de": "Staub", "text_en": "Dust"}
VALVE = {"device": OTHER, "f_port": 2, "payload": "0101", "valid_s": 600}


def condition(events: list[Event]) -> CustomCondition:
    """The one condition among events."""
    (found,) = [event for event in events if isinstance(event, CustomCondition)]
    return found


def test_a_condition_is_raised_once_and_cleared_once() -> None:
    """At the limit it does not hold; what changed is said, what did not is not."""
    scene = Scene.of(rule())
    assert [said(scene.hear(minute, pm10=value)) for minute, value in enumerate((50.0, 50.1, 80.0, 50.0, 40.0))] == [
        [],
        [RAISED],
        [],
        [CLEARED],
        [],
    ]


def test_an_event_says_what_it_stands_on() -> None:
    """Value, unit, threshold, window, readings, coverage, age and devices; figures in texts as each language writes."""
    scene = Scene.of(
        rule(
            when='avg("pm10", "1h") > 50.0 && wind_speed < 2.0',
            units=WIND,
            hysteresis={"pm10": 5.0},
            severity="severe",
            annotate=True,
            text_de="{name}: {avg_pm10_1h} bei {wind_speed}",
            text_en="{name}: {avg_pm10_1h} with {wind_speed}",
        )
    )
    scene.hear(0, pm10=60.25)
    scene.hear(30, pm10=60.25)
    event = condition(scene.hear(40, OTHER, wind_speed=1.5))
    assert event.topic == "stadtfunk/v1/custom/dust/st-1/state"
    assert (event.data.text_de, event.data.text_en) == ("Markt: 60,2 bei 1,5", "Markt: 60.2 with 1.5")
    assert (event.data.severity, event.data.annotate, event.data.rule) == ("severe", True, "custom.dust")
    dust, wind = event.data.evidence
    assert dust.model_dump(exclude={"newest_at"}) == {
        "quantity": "avg(pm10)",
        "value": 60.25,
        "unit": "ug/m3",
        "window_s": 3600.0,
        "threshold": 50.0,
        "hysteresis": 5.0,
        "n_samples": 2,
        "coverage_pct": 66.7,
        "age_s": 600.0,
        "sources": (DEVICE,),
    }
    assert (wind.quantity, wind.threshold, wind.hysteresis, wind.sources) == ("wind_speed", 2.0, None, (OTHER,))


def test_hysteresis_and_until_end_a_condition_later() -> None:
    """With hysteresis it ends beyond the eased limit; with `until` when that is true, before which none begins."""
    eased = Scene.of(rule(hysteresis={"pm10": 5.0}))
    assert [said(eased.hear(n, pm10=value)) for n, value in enumerate((51.0, 46.0, 45.0, 46.0))] == [
        [RAISED],
        [],
        [CLEARED],
        [],
    ]
    until = Scene.of(rule(until="pm10 < 30.0 || wind_speed > 5.0", units=WIND))
    assert said(until.hear(0, pm10=51.0, wind_speed=6.0)) == []
    assert said(until.hear(1, pm10=51.0, wind_speed=1.0)) == [RAISED]
    assert said(until.hear(2, pm10=31.0)) == []
    assert said(until.hear(3, wind_speed=6.0)) == [CLEARED]


def test_it_must_hold_and_be_over_for_a_while() -> None:
    """The clock alone raises it when the time is up; what interrupts starts anew; the same when it ends."""
    scene = Scene.of(rule(for_s=600, clear_for_s=300))
    assert said(scene.hear(0, pm10=60.0)) == []
    assert said(scene.hear(5, pm10=40.0)) == []
    assert said(scene.hear(6, pm10=60.0)) == []
    assert said(scene.ticks(7, 15)) == []
    event = condition(scene.tick(16))
    assert event.data.since is not None
    assert event.time_ms == T0 + 16 * MINUTE
    assert said(scene.hear(17, pm10=40.0)) == []
    assert said(scene.hear(20, pm10=60.0)) == []
    assert said(scene.hear(21, pm10=40.0)) == []
    assert said(scene.ticks(22, 25)) == []
    assert said(scene.tick(26)) == [CLEARED]


def test_old_values_end_it_and_never_raise_it() -> None:
    """An hour after the newest value it is cleared for want of data; a value that old raises nothing."""
    scene = Scene.of(rule(clear_for_s=3600))
    assert said(scene.hear(0, pm10=60.0)) == [RAISED]
    assert said(scene.ticks(1, 59)) == []
    assert said(scene.tick(60)) == [NO_DATA]
    assert said(scene.ticks(61, 300, 10)) == []
    late = Scene.of(rule())
    late.tick(61)
    assert said(late.hear(0, pm10=60.0, late=61)) == []


def test_what_is_not_known_neither_raises_nor_clears() -> None:
    """A quantity that was never heard, a window that is hardly covered: nothing; what is raised stays for `fresh_s`."""
    scene = Scene.of(rule(when="pm10 > 50.0 && wind_speed < 2.0", units=WIND, **PLAIN))
    assert said(scene.hear(0, pm10=60.0)) == []
    assert said(scene.hear(1, wind_speed=1.0)) == [RAISED]
    assert said(scene.hear(50, pm10=60.0)) == [UPDATED]
    assert said(scene.ticks(51, 60)) == []
    assert said(scene.tick(61)) == [NO_DATA]
    window = Scene.of(rule(when='avg("pm10", "1h") > 50.0', **PLAIN))
    assert [said(window.hear(n, pm10=60.0)) for n in (0, 20, 29)] == [[], [], []]
    assert said(window.hear(30, pm10=60.0)) == [RAISED]
    bold = Scene.of(rule(when='avg("pm10", "1h") > 50.0', coverage=0, **PLAIN))
    assert said(bold.hear(0, pm10=60.0)) == [RAISED]


def test_a_window_that_runs_dry_holds_until_values_are_old() -> None:
    """No reading in ten minutes leaves an average unknown, but the state stands while the last value is fresh."""
    scene = Scene.of(rule(when='avg("pm10", "10m") > 50.0', coverage=0, fresh_s=1800, **PLAIN))
    assert said(scene.hear(0, pm10=60.0)) == [RAISED]
    assert said(scene.ticks(1, 29)) == []
    assert said(scene.tick(30)) == [NO_DATA]


def test_time_alone_changes_what_a_window_says() -> None:
    """Readings that leave the window clear the condition without a new one."""
    scene = Scene.of(
        rule(when='sum("precipitation", "1h") > 10.0', units={"precipitation": "mm"}, fresh_s=7200, **PLAIN)
    )
    scene.hear(-60, precipitation=0.0)
    assert said(scene.hear(0, precipitation=8.0)) == []
    assert said(scene.hear(20, precipitation=4.0)) == [RAISED]
    found = [(minute, each) for minute in range(21, 70) for each in said(scene.tick(minute))]
    assert [each for _, each in found if each != UPDATED] == [CLEARED]
    (minute,) = [minute for minute, each in found if each == CLEARED]
    assert 60 <= minute <= 63


def test_age_speaks_of_a_sensor_that_is_silent() -> None:
    """A value's age is known however old it is, and grows without readings."""
    scene = Scene.of(rule(when='age("pm10") > 7200.0', **PLAIN))
    assert said(scene.ticks(0, 10)) == []
    scene.hear(0, pm10=1.0)
    found = [(minute, each) for minute in range(1, 200) for each in said(scene.tick(minute))]
    assert found[0] == (121, RAISED)
    soon = Scene.of(rule(when='age("pm10") > 600.0', **PLAIN))
    soon.hear(0, pm10=1.0)
    assert condition(soon.ticks(1, 11)).valid_until_ms == T0 + 71 * MINUTE
    assert {each for _, each in found[1:]} <= {UPDATED}
    assert said(scene.hear(200, pm10=1.0)) == [CLEARED]


def test_known_asks_for_a_fresh_value() -> None:
    """`known` is true or false, never unknown."""
    scene = Scene.of(rule(when='pm10 > 50.0 && (!known("wind_speed") || wind_speed < 2.0)', units=WIND, **PLAIN))
    assert said(scene.hear(0, pm10=60.0)) == [RAISED]
    assert said(scene.hear(1, wind_speed=3.0)) == [CLEARED]
    assert said(scene.hear(50, pm10=60.0)) == []
    assert said(scene.ticks(51, 60)) == []
    assert said(scene.tick(61)) == [RAISED]


def test_outside_its_hours_it_is_over() -> None:
    """At the end of its hours it is cleared with that reason; when they begin it is looked at by the clock."""
    scene = Scene.of(rule(schedule={"from": "12:10", "to": "12:30"}))
    assert said(scene.hear(0, pm10=60.0)) == []
    assert said(scene.ticks(1, 9)) == []
    assert said(scene.tick(10)) == [RAISED]
    assert said(scene.ticks(11, 29)) == []
    event = condition(scene.tick(30))
    assert (event.data.status, event.data.reason) == SCHEDULE
    assert event.data.text_en == "Outside its hours: Particles 60 at Markt"


def test_the_hours_are_those_of_the_asset() -> None:
    """The asset's time zone counts: noon in Hamm is before eight in Azores."""
    scene = Scene.of(rule(schedule={"from": "12:00"}), assets=(station(timezone="Atlantic/Azores"),))
    assert said(scene.hear(0, pm10=60.0)) == []
    assert said(scene.hear(120, pm10=60.0)) == [RAISED]


def test_doubtful_values_count_only_where_asked_for() -> None:
    """A doubtful value is passed over unless the rule says `doubtful`."""
    assert said(Scene.of(rule()).hear(0, doubtful_pm10=60.0)) == []
    assert said(Scene.of(rule(doubtful=True)).hear(0, doubtful_pm10=60.0)) == [RAISED]


def test_late_readings_reopen_nothing() -> None:
    """What was measured before the newest value of that device changes neither value nor window."""
    scene = Scene.of(rule(when='pm10 > 50.0 || max("pm10", "1h") > 50.0', coverage=0, **PLAIN))
    scene.hear(10, pm10=1.0)
    assert said(scene.hear(5, pm10=90.0, late=6)) == []
    assert said(scene.hear(7, OTHER, pm10=90.0, late=6)) == [RAISED]


def test_a_clock_that_runs_ahead_is_not_believed() -> None:
    """A measurement from the future is passed over."""
    assert said(Scene.of(rule()).hear(10, pm10=90.0, late=-5)) == []


def test_the_newest_of_several_devices_counts() -> None:
    """And of two channels the one that is named."""
    scene = Scene.of(rule())
    scene.hear(0, pm10=40.0)
    assert said(scene.hear(1, OTHER, pm10=60.0)) == [RAISED]
    assert said(scene.hear(2, pm10=40.0)) == [CLEARED]
    line = rule(when='value("fill_level/line2") > 80.0', units={"fill_level": "%"}, **PLAIN)
    lines = Scene.of(line)
    assert said(lines.hear(0, fill_level__line1=90.0)) == []
    assert said(lines.hear(1, fill_level__line2=90.0)) == [RAISED]


def test_a_silent_device_counts_in_a_window_as_long_as_its_readings_do() -> None:
    """A window of hours remembers a device that was last heard hours ago, though its values are no news any more."""
    scene = Scene.of(rule(when='max("pm10", "6h") > 50.0 && count("pm10", "6h") > 3.0', coverage=0, **PLAIN))
    scene.hear(0, OTHER, pm10=60.0)
    assert [said(scene.hear(minute, pm10=1.0)) for minute in (120, 240, 300)] == [[], [], [RAISED]]
    assert said(scene.hear(361, pm10=1.0)) == [CLEARED]


def test_an_event_is_renewed_while_it_holds_and_never_outlives_its_values() -> None:
    """It is valid for `valid_s`, and not longer than the values are fresh."""
    scene = Scene.of(rule(valid_s=1800, fresh_s=3600))
    events = [event for n in range(0, 121, 10) for event in scene.hear(n, pm10=60.0)]
    assert said(events[:1]) == [RAISED]
    assert {tuple(each) for each in said(events[1:])} == {UPDATED}
    assert all(one.valid_until_ms > other.time_ms for one, other in pairwise(events))
    assert all(event.valid_until_ms == event.time_ms + 1800 * 1000 for event in events)
    old = Scene.of(rule(when="pm10 > 50.0 && wind_speed < 2.0", units=WIND, **PLAIN))
    old.hear(0, pm10=60.0)
    assert condition(old.hear(30, wind_speed=1.0)).valid_until_ms == T0 + HOUR
    either = Scene.of(rule(when="pm10 > 50.0 || wind_speed < 2.0", units=WIND, **PLAIN))
    either.hear(0, wind_speed=3.0)
    assert condition(either.hear(70, pm10=60.0)).valid_until_ms == T0 + 130 * MINUTE


def test_time_alone_renews_an_event() -> None:
    """With half of its validity left, while the value is fresh."""
    scene = Scene.of(rule(valid_s=600, fresh_s=1200))
    assert said(scene.hear(0, pm10=60.0)) == [RAISED]
    renewed = [minute for minute in range(1, 20) if said(scene.tick(minute)) == [UPDATED]]
    assert renewed == [5, 10]
    assert said(scene.tick(20)) == [NO_DATA]


def test_a_rule_is_about_its_subjects_alone() -> None:
    """Other assets of the kind have no such rule."""
    assets = (station("st-1"), Asset("st-2", "station", "", {}, (), 0, 0))
    scene = Scene.of(rule(subjects=["st-2"], text_en="{asset}"), assets=assets)
    assert said(scene.hear(0, pm10=60.0)) == []
    assert condition(scene.hear(1, asset="st-2", pm10=60.0)).data.text_en == "st-2"


def test_downlinks_are_requested_when_it_begins_and_ends() -> None:
    """Each once, valid as long as set, with the evidence; without `event` nothing else is said."""
    scene = Scene.of(
        rule(
            downlink=VALVE,
            downlink_clear={"model": "acme/one", "f_port": 3, "payload": "00", "confirmed": True},
            event=False,
        )
    )
    (begun,) = scene.hear(0, pm10=60.0)
    assert scene.hear(30, pm10=60.0) == []
    (ended,) = scene.hear(40, pm10=40.0)
    assert isinstance(begun, DownlinkRequested)
    assert isinstance(ended, DownlinkRequested)
    assert (begun.data.dev_eui, begun.data.f_port, begun.data.payload, begun.data.confirmed) == (
        OTHER,
        2,
        "0101",
        False,
    )
    assert (ended.data.dev_eui, ended.data.f_port, ended.data.payload, ended.data.confirmed) == (DEVICE, 3, "00", True)
    assert begun.valid_until_ms - begun.time_ms == 600_000
    assert begun.data.evidence[0].value == 60.0
    assert ended.data.sequence > begun.data.sequence
    assert begun.id != ended.id


def test_no_downlink_is_requested_for_want_of_data() -> None:
    """Nothing is told to act by silence."""
    scene = Scene.of(rule(downlink=VALVE, downlink_clear=VALVE))
    assert len(scene.hear(0, pm10=60.0)) == 2
    events = scene.ticks(1, 70)
    assert said(events) == [NO_DATA]
    assert len(events) == 1


def test_a_downlink_goes_to_the_device_of_that_time() -> None:
    """By codec: the device assigned now; none while there is none; an asset without or with two of them is refused."""
    then, later = T0 + 10 * MINUTE, T0 + 20 * MINUTE
    changed = Asset(
        "st-1",
        "station",
        "",
        {},
        (Assignment(DEVICE, "acme/one", None, then), Assignment(OTHER, "acme/one", later, None)),
        0,
        0,
    )
    definition = rule(downlink={"model": "acme/one", "f_port": 1, "payload": ""}, event=False)
    found = []
    for minute in (5, 15, 25):
        scene = Scene.of(definition, assets=(changed,))
        found.append(
            [event.data.dev_eui for event in scene.hear(minute, pm10=60.0) if isinstance(event, DownlinkRequested)]
        )
    assert found == [[DEVICE], [], [OTHER]]
    for devices in ((), (Assignment(DEVICE, "acme/one"), Assignment(OTHER, "acme/one"))):
        with pytest.raises(CityError, match="acme/one"):
            Scene.of(definition, assets=(Asset("st-1", "station", "", {}, devices, 0, 0),))


def test_answers_are_nothing_to_it() -> None:
    """An answer to some request changes no state."""
    scene = Scene.of(rule())
    (subject,) = scene.engine.subjects_of("st-1")
    state = scene.engine.state(subject.order)
    given = Answered("st-1", "x", "active", None, T0)
    assert subject.rule.step(subject.config, state, given) == (state, ((), ()))


FULL = {
    "when": 'pm10 > 50.0 && (max("wind_speed", "10m") < 4.0 || delta("pm10", "1h") > 5.0)',
    "units": WIND,
    "hysteresis": {"pm10": 5.0},
    "for_s": 120,
    "clear_for_s": 60,
    "downlink": VALVE,
    **PLAIN,
}
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["hear", "other", "tick"]),
        st.floats(0, 12, allow_nan=False).map(lambda value: round(value, 2)),
        st.sampled_from([20.0, 46.0, 49.0, 52.0, 80.0]),
        st.sampled_from([0.5, 3.0, 9.0]),
    ),
    max_size=60,
)


def run(scene: Scene, steps: list[tuple[str, float, float, float]], minute: float = 0) -> tuple[list[bytes], float]:
    """What came of steps, as bytes, and the minute they ended at."""
    found: list[bytes] = []
    for kind, wait, dust, wind in steps:
        minute = round(minute + wait, 2)
        if kind == "tick":
            events = scene.tick(minute)
        else:
            events = scene.hear(minute, DEVICE if kind == "hear" else OTHER, pm10=dust, wind_speed=wind)
        found += [event.payload() for event in events]
    return found, minute


@given(STEPS, st.integers(0, 60))
def test_the_same_trace_gives_the_same_bytes_also_over_a_restart(
    steps: list[tuple[str, float, float, float]], cut: int
) -> None:
    """Run again, and run with the states kept and taken up in the middle: not one byte differs."""
    whole, _ = run(Scene.of(rule(**FULL)), steps)
    assert run(Scene.of(rule(**FULL)), steps)[0] == whole
    first = Scene.of(rule(**FULL))
    begun, minute = run(first, steps[:cut])
    second = first.restarted(rule(**FULL))
    rest, _ = run(second, steps[cut:], minute)
    assert begun + rest == whole


@given(STEPS)
def test_no_event_stands_on_old_values(steps: list[tuple[str, float, float, float]]) -> None:
    """Whatever comes: what is raised or requested has fresh values behind it, and raised and cleared take turns."""
    scene = Scene.of(rule(**FULL, fresh_s=600, coverage=0))
    payloads, _ = run(scene, steps)
    turns = []
    for event in map(json.loads, payloads):
        data = event["data"]
        if data.get("status") == "raised" or "payload" in data:
            assert all(each["value"] is None or each["age_s"] < 600 for each in data["evidence"])
            assert any(each["value"] is not None for each in data["evidence"])
        turns += [data["status"]] if data.get("status") in {"raised", "cleared"} else []
    assert turns == ["raised", "cleared"] * (len(turns) // 2) + ["raised"] * (len(turns) % 2)


def test_a_changed_threshold_keeps_what_is_known() -> None:
    """The condition is looked at with the next tick, on the windows as they were."""
    changes: dict[str, Any] = {"coverage": 0, **PLAIN}
    first = Scene.of(rule(when='avg("pm10", "1h") > 50.0', **changes))
    for minute in (0, 10, 20):
        assert said(first.hear(minute, pm10=40.0)) == []
    second = first.restarted(rule(when='avg("pm10", "1h") > 30.0', **changes))
    event = condition(second.tick(21))
    assert (event.data.status, event.data.evidence[0].n_samples, event.data.evidence[0].value) == ("raised", 3, 40.0)


def test_a_changed_expression_begins_its_new_windows_empty() -> None:
    """What both read is kept, what only the new one reads begins with nothing, what none reads any more is gone."""
    first = Scene.of(rule(when='max("pm10", "1h") > 50.0 || wind_speed > 5.0', units=WIND, coverage=0, **PLAIN))
    assert said(first.hear(0, pm10=60.0, wind_speed=1.0)) == [RAISED]
    second = first.restarted(rule(when='max("pm10", "2h") > 50.0 || pm10 > 70.0', coverage=0, **PLAIN))
    assert said(second.tick(1)) == []
    assert said(second.hear(2, pm10=60.0)) == []
    assert said(second.hear(3, pm10=40.0)) == []
    (subject,) = second.engine.subjects_of("st-1")
    assert list(second.engine.state(subject.order).held) == ["pm10"]


def test_a_state_of_another_version_begins_afresh() -> None:
    """What another form of state means is not guessed."""
    first = Scene.of(rule())
    first.hear(0, pm10=60.0)
    rows = [row._replace(version=0) if row.rule == "custom.dust" else row for row in first.rows.values()]
    second = Scene.of(rule())
    assert second.engine.load(rows) == []
    assert said(second.hear(1, pm10=60.0)) == [RAISED]


def test_a_subject_that_is_none_any_more_keeps_no_state() -> None:
    """A rule restricted to others forgets what it knew."""
    first = Scene.of(rule())
    first.hear(0, pm10=60.0)
    second = first.restarted(rule(subjects=["st-9"]))
    assert second.ticks(1, 70) == []

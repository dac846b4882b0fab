"""What rules remember of an uplink for one another: never an answer to another question."""

from collections.abc import Mapping
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.measurement import Reading
from rules.asset import Asset
from rules.rule import AnyRule, Json, Observation
from rules.traffic import approach, count, green_wave, signal_plan
from rules.traffic.approach import FlowConfig, Lane, flow_config, hear
from rules.traffic.count import UNHEARD, Heard, take
from rules.traffic.detector_config import DetectorConfig, configure
from tests.rules.traffic.town import COUNT, HOUR, MINUTE, SPEED, START, TOTAL, Play, detector, town

CONFIGS = [configure(detector("d")), configure(detector("d", counter_wraps_at=256, stuck_after=2))]
FLOWS = [
    flow_config(detector("d", **more), [each]) for each in CONFIGS for more in ({}, {"smoothing": 0.3}, {"fresh_s": 60})
]
NARROW = flow_config(detector("d", coverage_window_min=5), CONFIGS[:1])


class Uplink(NamedTuple):
    """Minutes since the beginning, how late it comes, what it counts."""

    minute: int
    late: int
    total: bool
    value: int


UPLINKS = st.lists(
    st.builds(Uplink, st.integers(0, 30), st.sampled_from([0, 0, 0, 60]), st.booleans(), st.integers(0, 300)),
    min_size=1,
    max_size=12,
)


def said(uplink: Uplink) -> Observation:
    """The observation."""
    now = START + uplink.minute * MINUTE
    readings = (Reading(TOTAL if uplink.total else COUNT, float(uplink.value)), Reading(SPEED, 40.0))
    return Observation("dev-d", "", "d", now - uplink.late * MINUTE, now, readings, "c", now)


def forget() -> None:
    """As if nothing was asked before."""
    count._newest[0] = approach._newest[0] = None


@given(UPLINKS, st.lists(st.integers(0, 2), min_size=12, max_size=12))
def test_a_count_is_that_of_the_detector_and_of_what_was_heard(uplinks: list[Uplink], order: list[int]) -> None:
    """Asked in any order, with other parameters and other pasts: what a fresh question gives."""
    pasts: list[tuple[DetectorConfig, Heard]] = [(CONFIGS[0], UNHEARD), (CONFIGS[1], UNHEARD), (CONFIGS[0], UNHEARD)]
    for number, uplink in enumerate(uplinks):
        given_ = said(uplink)
        for index in range(order[number], order[number] + 3):
            config, heard = pasts[index % 3]
            found = take(config, heard, given_)
            forget()
            assert found == take(config, heard, given_)
            assert (found[0] is heard) == (take(config, heard, given_)[0] is heard)
            take(config, heard, given_)
            if index % 3 != 2 or number % 2:
                pasts[index % 3] = (config, found[0])


@given(UPLINKS)
def test_lanes_are_those_of_the_parameters_and_of_what_was_heard(uplinks: list[Uplink]) -> None:
    """Junction, group and corridor may smooth differently, and may have begun at different times."""
    configs: list[FlowConfig] = [*FLOWS, NARROW]
    pasts: list[Mapping[str, Mapping[str, Lane]]] = [{} for _ in configs]
    for number, uplink in enumerate(uplinks):
        given_ = said(uplink)
        remembered = [hear(config, past, given_) for config, past in zip(configs, pasts, strict=True)]
        for config, past, found in zip(configs, pasts, remembered, strict=True):
            forget()
            fresh = hear(config, past, given_)
            assert fresh == found
            assert (fresh is past) == (found is past)
        slow = pasts[number % 3]
        pasts = list(remembered)
        pasts[number % 3] = slow


def test_an_uplink_that_tells_nothing_gives_back_what_was_given() -> None:
    """Also where another rule asked before with an equal past that is another object: rules go by identity."""
    late = said(Uplink(0, 60, total=False, value=9))
    one, other = Heard(START, 4.0, 1, START, {}), Heard(START, 4.0, 1, START, {})
    assert take(CONFIGS[0], one, late)[0] is one
    assert take(CONFIGS[0], other, late)[0] is other


@pytest.mark.parametrize("rule", [signal_plan.RULE, green_wave.RULE], ids=lambda rule: rule.id)
def test_lanes_of_detectors_that_are_not_heard_are_forgotten(rule: AnyRule) -> None:
    """A state of before, or of a city file with other detectors, is taken up without them."""
    road = Asset("road", "corridor", "Road", {"control_groups": ["group"]}, (), 7.8, 51.6)
    city = Play(town(None, [road]), rule)
    lane: Json = [[START, 4.0, 1, START, {}], 48.0, None, START, 31]
    kept: dict[str, Json] = {
        "lanes": {"in": {"dev-in": lane}, "exit": {"dev-exit": lane}},
        "control": [],
        "next_ms": START + HOUR,
    }
    config = rule.configure(city.city.assets["group" if rule is signal_plan.RULE else "road"])
    state = rule.load(config, rule.version, {**kept, "why": "", "told_ms": 0})
    assert state is not None
    assert state.lanes.keys() == {"in"}

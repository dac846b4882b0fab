"""Which plan the traffic wants: tables of situations, and that nothing goes round in circles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.traffic.link import link
from rules.traffic.plan_config import PlanConfig, Side, configure
from rules.traffic.plan_target import Load, is_slow, overriding, side, target
from tests.rules.traffic.town import town

CONFIG: PlanConfig = configure(link(town())[-1])


@pytest.mark.parametrize(
    ("before", "inbound", "outbound", "after"),
    [
        ("balanced", 630, 370, "balanced"),
        ("balanced", 650, 350, "inbound"),
        ("inbound", 570, 430, "inbound"),
        ("inbound", 550, 450, "balanced"),
        ("balanced", 370, 630, "balanced"),
        ("balanced", 350, 650, "outbound"),
        ("outbound", 430, 570, "outbound"),
        ("inbound", 350, 650, "outbound"),
        ("inbound", 250, 40, "balanced"),
        ("balanced", 0, 0, "balanced"),
    ],
)
def test_a_direction_is_favoured_with_hysteresis(before: Side, inbound: float, outbound: float, after: Side) -> None:
    """From 64 % on, until less than 56 %; never below 300 vehicles an hour."""
    assert side(CONFIG, before, Load(inbound, outbound)) == after


@pytest.mark.parametrize(
    ("current", "inbound", "outbound", "wanted"),
    [
        ("2", 999, 300, "2"),
        ("2", 1001, 300, "3"),
        ("2", 300, 1001, "4"),
        ("3", 801, 300, "3"),
        ("3", 799, 300, "2"),
        ("2", 301, 301, "2"),
        ("2", 299, 299, "1"),
        ("1", 499, 499, "1"),
        ("1", 501, 400, "2"),
        ("1", 1200, 400, "3"),
        ("3", 800, 1500, "4"),
        ("2", 1700, 300, "3"),
        ("3", 1700, 300, "3"),
    ],
)
def test_plans_are_left_with_hysteresis(current: str, inbound: float, outbound: float, wanted: str) -> None:
    """Up when 100 more come than the plan serves, also two levels at once; down with 100 to spare."""
    assert target(CONFIG, CONFIG.plans[current], Load(inbound, outbound)).number == wanted


@given(st.sampled_from("1234"), st.floats(0, 2500), st.floats(0, 2500))
def test_still_traffic_comes_to_rest(current: str, inbound: float, outbound: float) -> None:
    """From any plan a few steps lead to one that the same traffic keeps."""
    load, plan = Load(inbound, outbound), CONFIG.plans[current]
    for _ in range(4):
        plan = target(CONFIG, plan, load)
    assert target(CONFIG, plan, load) is plan


@pytest.mark.parametrize(
    ("current", "wanted", "slow"),
    [("2", "3", False), ("1", "2", False), ("3", "2", True), ("3", "4", True), ("4", "3", True), ("2", "1", True)],
)
def test_only_more_is_fast(current: str, wanted: str, slow: bool) -> None:
    """Heavier plans at once; lighter ones and the other direction after the dwell time."""
    assert is_slow(CONFIG.plans[current], CONFIG.plans[wanted]) is slow


@pytest.mark.parametrize(
    ("scheduled", "wanted", "runs"),
    [("2", "1", "2"), ("2", "3", "3"), ("3", "4", "4"), ("3", "2", "3"), ("3", "3", "3")],
)
def test_overrides_are_for_more_or_for_another_direction(scheduled: str, wanted: str, runs: str) -> None:
    """Never for less."""
    assert overriding(CONFIG.plans[scheduled], CONFIG.plans[wanted]).number == runs

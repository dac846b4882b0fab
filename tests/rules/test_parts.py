"""States that are kept in parts: what is written of them, and that all of it comes back."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.asset import Asset
from rules.city import City
from rules.engine import Engine, Overlay
from rules.layered import put
from rules.parts import SEPARATOR, Parts
from rules.rule import NOTHING, Input, Json, Observation, Outputs, Rule, StateRow

START = 1_790_000_000_000


class Newest(NamedTuple):
    """State of the test rule: the newest value by device, and how many there were; a negative one forgets a device."""

    values: Mapping[str, tuple[float]]
    heard: int


def step(_config: str, newest: Newest, given: Input) -> tuple[Newest, Outputs]:
    """Keeps the value of a device."""
    if not isinstance(given, Observation):
        return newest, NOTHING
    value = given.readings[0].value
    if value < 0:
        return Newest({key: old for key, old in newest.values.items() if key != given.dev_eui}, newest.heard), NOTHING
    return Newest(put(newest.values, given.dev_eui, (value,)), newest.heard + (value > 100)), NOTHING


def load(_config: str, version: int, kept: Json) -> Newest | None:
    """The state again; a fresh start from another version."""
    if version != 1 or not isinstance(kept, dict):
        return None
    return Newest({key: (value[0],) for key, value in kept["values"].items()}, kept["heard"])


RULE = Rule(
    id="test.newest",
    version=1,
    kind="station",
    configure=lambda asset: asset.id,
    initial=lambda _config: Newest({}, 0),
    step=step,
    wake=lambda _config, _newest: None,
    dump=lambda newest: {"values": Parts(newest.values, tuple), "heard": newest.heard},
    load=load,
)
CITY = City([Asset("a", "station", "A", {}, (), 7.8, 51.6)])
WHOLE = replace(RULE, dump=lambda newest: {"values": dict(newest.values), "heard": newest.heard})
"""The rule as it was before its state had parts."""


class Kept:
    """An engine and what is kept of it."""

    def __init__(self, rule: Rule[str, Newest] = RULE, rows: Iterable[StateRow] = ()) -> None:
        self.engine = Engine(CITY, [rule])
        self.rows = {(row.rule, row.subject): row for row in rows}
        self.now = START
        if self.rows:
            assert self.engine.load(self.rows.values()) == []

    def hear(self, *values: tuple[str, float]) -> dict[str, str]:
        """A batch of values by device; the rows that it wrote, by the part's key, empty for the one of the rest."""
        overlay: Overlay = self.engine.overlay()
        for dev_eui, value in values:
            self.now += 1
            readings = (Reading(Quantity.AIR_TEMPERATURE, float(value)),)
            overlay.observe(Observation(dev_eui, dev_eui, "a", self.now, self.now, readings, str(self.now)))
        rows = overlay.dirty()
        assert overlay.failures == []
        self.engine.merge(overlay)
        self.rows |= {(row.rule, row.subject): row for row in rows}
        return {row.subject.rpartition(SEPARATOR)[2]: row.body for row in rows if row.rule == RULE.id}

    @property
    def state(self) -> Newest:
        """The state of the only subject."""
        state: Newest = self.engine.state(0)
        return state


def test_only_the_part_that_changed_is_written() -> None:
    """The first time with the rest; then a part alone; nothing for a value that is the same."""
    kept = Kept()
    assert kept.hear(("x", 1), ("y", 2)).keys() == {"x", "y", "a"}
    assert kept.hear(("x", 3)) == {"x": "[3.0]"}
    assert kept.hear(("x", 3)) == {}
    written = kept.hear(("x", 200))
    assert written.keys() == {"x", "a"}
    assert json.loads(written["a"])["rest"] == {"heard": 1}


def test_a_part_that_is_gone_is_emptied() -> None:
    """And does not come back with the next start."""
    kept = Kept()
    kept.hear(("x", 1), ("y", 2))
    assert kept.hear(("x", -1)) == {"x": "null"}
    assert Kept(rows=kept.rows.values()).state == Newest({"y": (2.0,)}, 0)


def test_after_a_start_only_the_part_that_changes_is_written() -> None:
    """What was taken up from the rows is as it is kept."""
    kept = Kept()
    kept.hear(("x", 1), ("y", 2))
    assert Kept(rows=kept.rows.values()).hear(("x", 3)).keys() == {"x"}


def test_parts_of_another_version_than_the_rest_are_not_taken_up() -> None:
    """They were left behind by a version that kept its state in other parts."""
    kept = Kept()
    kept.hear(("x", 1), ("y", 2))
    place = RULE.id, f"a{SEPARATOR}values{SEPARATOR}y"
    kept.rows[place] = kept.rows[place]._replace(version=7)
    assert Kept(rows=kept.rows.values()).state == Newest({"x": (1.0,)}, 0)


@given(st.lists(st.lists(st.tuples(st.sampled_from("abcdefghijklmnopqrstuvwxyz"), st.integers(-1, 200)), max_size=40)))
def test_what_is_kept_comes_back(batches: list[list[tuple[str, int]]]) -> None:
    """After every batch an engine loaded from the rows has the state of the one that wrote them."""
    kept = Kept()
    for batch in batches:
        kept.hear(*batch)
        if kept.rows:
            assert Kept(rows=kept.rows.values()).state == kept.state


def test_a_state_in_one_row_is_taken_up_and_written_in_parts() -> None:
    """As a version before parts kept it: nothing is lost, and the first change writes all of it anew."""
    old = Kept(WHOLE)
    old.hear(("x", 1), ("y", 2))
    assert [row.subject for row in old.rows.values() if row.rule == RULE.id] == ["a"]
    kept = Kept(rows=old.rows.values())
    assert kept.state == old.state
    assert kept.hear(("z", 3)).keys() == {"x", "y", "z", "a"}
    assert Kept(rows=kept.rows.values()).state == kept.state
    assert kept.hear(("z", 4)).keys() == {"z"}


@pytest.mark.parametrize("damage", ["gone", "of another version"])
def test_parts_without_their_rest_are_emptied(damage: str) -> None:
    """Where the rest is lost the subject starts afresh: its old parts do not come back, now or later."""
    kept = Kept()
    kept.hear(("x", 1), ("y", 2))
    rest = kept.rows.pop((RULE.id, "a"))
    if damage != "gone":
        kept.rows[RULE.id, "a"] = rest._replace(version=7)
    fresh = Kept(rows=kept.rows.values())
    assert fresh.state == Newest({}, 0)
    written = fresh.hear(("y", 5))
    assert (written["x"], written["y"]) == ("null", "[5.0]")
    assert Kept(rows=fresh.rows.values()).state == Newest({"y": (5.0,)}, 0)


def test_a_dropped_batch_is_written_with_the_next() -> None:
    """Parts are compared with what was merged, not with what was shown to a commit that failed."""
    kept = Kept()
    kept.hear(("x", 1))
    overlay = kept.engine.overlay()
    readings = (Reading(Quantity.AIR_TEMPERATURE, 7.0),)
    overlay.observe(Observation("x", "x", "a", START + 9, START + 9, readings, "lost"))
    assert len(overlay.dirty()) > 1
    assert kept.hear(("y", 2)).keys() == {"y"}
    assert kept.hear(("x", 7)).keys() == {"x"}

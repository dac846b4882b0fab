"""The words of the outputs."""

import string
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.routes.output import words
from ingest.routes.output.words import plain
from rules.event_route import RouteStatus
from rules.waste.due_config import FRACTIONS
from rules.waste.route.model import DAY_S
from rules.waste.route.solution import Kind, Reason
from rules.waste.words import FRACTION_NAMES, Words
from tests.ingest.routes.output.plans import NASTY, small


def every_text() -> list[Words]:
    """All texts of the table."""
    found: list[Words] = []
    for value in vars(words).values():
        if isinstance(value, Words):
            found.append(value)
        elif isinstance(value, dict):
            found += [text for text in value.values() if isinstance(text, Words)]
        elif isinstance(value, tuple):
            found += [text for text in value if isinstance(text, Words)]
    return found


def test_all_is_said_in_both_languages_with_the_same_gaps() -> None:
    """Neither side is empty, and what is filled in goes into both."""
    texts = every_text()
    assert len(texts) > 60
    for text in texts:
        assert text.de
        assert text.en
        gaps = [[gap for _, gap, _, _ in string.Formatter().parse(side) if gap is not None] for side in text]
        assert gaps[0] == gaps[1]


def test_every_reason_kind_and_status_has_words() -> None:
    """None that the plan can have is missing."""
    assert set(words.LEFT_OUT) == set(get_args(Reason))
    assert set(words.KIND) == set(get_args(Kind))
    assert set(words.STATUS) == set(get_args(RouteStatus))
    assert set(FRACTION_NAMES) == set(FRACTIONS)


def test_the_title_is_the_solutions_own() -> None:
    """English titles say what the solution says; without an engine German ones say that nobody drives by it."""
    for drivable in (True, False):
        plan = small(drivable=drivable)
        assert words.title(plan).en == plan.solution.title
    assert words.title(small()).de == "Reihenfolge der Halte, nicht zum Fahren"


def test_a_heading_tells_what_which_day_and_whether_it_holds() -> None:
    """Title, fraction, day and status; a fraction without a word of ours stands as it is."""
    plan = small(drivable=True, status="confirmed")
    assert words.heading(plan, "de") == "Touren: Papier, Di 24.11.2026 (bestätigt)"
    assert words.heading(plan, "en") == "Tours: paper, Tue 24 Nov 2026 (confirmed)"
    assert "Elektro<>" in words.heading(small(fraction="Elektro<>"), "de")


@pytest.mark.parametrize(
    ("midnight_ms", "second", "clock"),
    [
        (1_795_474_800_000, 6 * 3600, "06:00"),
        (1_795_474_800_000, DAY_S + 60, "00:01 +1"),
        (1_774_738_800_000, 6 * 3600, "07:00"),
        (1_792_879_200_000, 6 * 3600, "05:00"),
    ],
    ids=["winter", "next day", "clocks go forward", "clocks go back"],
)
def test_times_are_those_of_the_citys_clocks(midnight_ms: int, second: int, clock: str) -> None:
    """Seconds since midnight are no hours of the clock on the days when it changes; the next day is marked."""
    days = {1_774_738_800_000: "2026-03-29", 1_792_879_200_000: "2026-10-25"}
    plan = small()
    plan = small(midnight_ms=midnight_ms, day=plan.day.fromisoformat(days.get(midnight_ms, "2026-11-24")))
    assert words.clock(plan, second) == clock


@given(st.text())
def test_plain_text_can_stand_in_every_form(text: str) -> None:
    """One line, in UTF-8, without control characters; what was harmless is as it was."""
    got = plain(text)
    assert len(got) == len(text)
    assert got.encode().decode() == got
    assert got.splitlines() in ([], [got])
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in got)
    assert plain(got) == got


def test_plain_keeps_letters_and_signs() -> None:
    """Umlauts, markup and emoji are the forms' business."""
    assert plain("Käfig <b>🗑️</b> =1+1") == "Käfig <b>🗑️</b> =1+1"
    assert plain(NASTY).endswith("'A'  \N{REPLACEMENT CHARACTER}")
    assert plain("\ud800\ufdd0\U0001ffff") == "\N{REPLACEMENT CHARACTER}" * 3

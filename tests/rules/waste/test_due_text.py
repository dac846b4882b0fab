"""What drivers are told, for every reason."""

from typing import get_args

import pytest

from rules.event_waste import DueReason, FillOddity, Obligation
from rules.waste.days import Tour
from rules.waste.due import Judgement
from rules.waste.due_config import configure
from rules.waste.due_text import ODD, REASONS, WHAT, text_of
from rules.waste.fill import Fill
from tests.rules.waste.bins import DAY, HOUR, START, asset

NOW = START + 20 * HOUR
TOUR = Tour(START + DAY + 6 * HOUR, START + DAY + 15 * HOUR)
AFTER = Tour(START + 2 * DAY + 6 * HOUR, START + 2 * DAY + 15 * HOUR)
FILL = Fill(measured_ms=NOW - 3 * DAY, level=61.4, emptied_ms=NOW - 9 * DAY)


def told(reason: DueReason, obligation: Obligation = "mandatory", fill: Fill = FILL) -> tuple[str, str]:
    """The text of a judgement."""
    setting = configure(asset(side_waste_at="2026-09-13T10:00:00+02:00", cycle_days=7))
    return text_of(setting, Judgement(obligation, reason, TOUR, AFTER), fill, fill.emptied_ms or START, NOW)


@pytest.mark.parametrize(
    ("reason", "german", "english"),
    [
        ("over_threshold", "war über 80 % und wurde nicht geleert, Füllstand 61 %", "was above 80 % and not emptied"),
        ("too_long", "seit 9 Tagen nicht geleert, Füllstand 61 %", "not emptied for 9 days, fill level 61 %"),
        ("fixed_day", "fester Leerungstag, Füllstand 61 %", "fixed day, fill level 61 %"),
        ("side_waste", "am So 13.09. wurde Abfall daneben gemeldet", "waste beside it was reported on Sun 13 Sep"),
        ("never_skip", "wird auf jeder Tour geleert", "is emptied on every tour"),
        (
            "fixed_cycle",
            "seit 3 Tagen kein Füllstand, deshalb alle 7 Tage",
            "no fill level for 3 days, therefore every 7",
        ),
        ("silent", "war fällig, danach: seit 3 Tagen kein Füllstand", "was due, after that: no fill level for 3 days"),
    ],
)
def test_a_reason_names_what_was_seen_and_when(reason: DueReason, german: str, english: str) -> None:
    """Behind what is to be done and on which day, in both languages."""
    text = told(reason)
    assert text[0].startswith(f"Am Di 15.09. leeren: {german}")
    assert text[1].startswith(f"Empty on Tue 15 Sep: {english}")


def test_nothing_to_do_names_no_day() -> None:
    """And says how it is known that it was emptied."""
    assert told("below_threshold", "none") == ("Nicht leeren: Füllstand 61 %.", "Do not empty: fill level 61 %.")
    german, english = told("emptied", "none")
    assert german == "Nicht leeren: am Sa 05.09. dem Füllstand nach geleert, Füllstand 61 %."
    assert english == "Do not empty: emptied by its fill level on Sat 05 Sep, fill level 61 %."
    assert "am Sa 05.09. geleert" in told("emptied", "none", FILL._replace(confirmed=True))[0]
    assert "fester Turnus noch nicht um" in told("silent", "none")[0]


def test_one_day_is_one_day() -> None:
    """And nothing measured is no number of days."""
    assert "seit einem Tag nicht geleert" in told("too_long", fill=Fill(emptied_ms=NOW - DAY))[0]
    assert "noch nie ein Füllstand gemessen" in told("fixed_cycle", fill=Fill())[0]
    assert "Füllstand unbekannt" in told("fixed_day", fill=Fill())[0]


def test_every_word_has_its_text() -> None:
    """Reasons, obligations and oddities, all that there are; an oddity stands behind the reason."""
    assert set(REASONS) == set(get_args(DueReason))
    assert set(WHAT) == set(get_args(Obligation))
    assert set(ODD) == set(get_args(FillOddity))
    assert told("fixed_day", fill=FILL._replace(odd="bag"))[0].endswith("(kurz verdeckt, vermutlich ein Sack).")

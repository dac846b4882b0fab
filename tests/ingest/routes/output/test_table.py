"""The table of a plan in the terminal."""

import io
import re

import pytest
from rich.console import Console

from ingest.routes.output.table import route_table
from ingest.routes.output.words import Language
from rules.waste.route.day_plan import DayPlan
from rules.waste.route.evaluate import evaluate
from tests.ingest.routes.output.plans import made, small

TIME = re.compile(r"\d\d:\d\d")


def shown(plan: DayPlan, language: Language) -> list[str]:
    """The table's lines as they are printed."""
    console = Console(width=250, file=io.StringIO(), record=True)
    console.print(route_table(plan, language))
    return console.export_text().splitlines()


def cells(line: str) -> list[str]:
    """The cells of a line."""
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_every_halt_has_a_line_in_order() -> None:
    """Vehicle, number, container, reason, level, load and arrival; then what is on no tour, mandatory ones first."""
    lines = [cells(line) for line in shown(small(drivable=True), "de") if line.startswith("│")]
    assert lines[0] == [
        "Wagen 1",
        "1",
        "bin-1",
        "Am Di 24.11. leeren: Füllstand 60 %, Grenze 80 %.",
        "60 %",
        "60 kg, 1000 l",
        "07:00",
    ]
    assert [line[:2] for line in lines[:8]] == [["Wagen 1", str(number)] for number in (1, 2, 3, 4, 5)] + [
        ["truck-2", str(number)] for number in (1, 2, 3)
    ]
    assert [line[2] for line in lines] == [
        "bin-1",
        "Müllverbrennung",
        "=Käfig & <b>\"Söhne\"</b>, [red]Tor[/] 'A'  \N{REPLACEMENT CHARACTER}",
        "Müllverbrennung",
        "Betriebshof",
        "bin-3",
        "Müllverbrennung",
        "Betriebshof",
        "Alt",
        "bin-4",
    ]
    assert lines[1][3:] == ["entladen", "-", "0 kg, 0 l", "07:13"]
    assert lines[8][3] == "nicht planbar (Volumen unbekannt)"
    assert lines[9][3].startswith("der Weg lohnt sich heute nicht; Am Di 24.11. leeren: Füllstand 42 %")


@pytest.mark.parametrize("language", ["de", "en"])
def test_without_an_engine_there_are_no_times_anywhere(language: Language) -> None:
    """The title says what it is, arrivals are -, lengths are estimates, nothing looks like a time."""
    text = "\n".join(shown(small(drivable=False), language))
    title = {"de": "Reihenfolge der Halte, nicht zum Fahren", "en": "Order of stops, not for driving"}[language]
    assert title in text
    assert not TIME.search(text)
    assert {"de": "(geschätzt)", "en": "(estimated)"}[language] in text
    drivable = "\n".join(shown(small(drivable=True), language))
    assert title not in drivable
    assert TIME.search(drivable)


def test_status_and_reason_are_below() -> None:
    """Why a fallback came out and which vehicles stay, in the language asked for."""
    changed = {"status": "fallback", "status_reason": ("Planung brach ab", "planning [ended]")}
    german, english = ("\n".join(shown(small(**changed), language)) for language in ("de", "en"))  # type: ignore[arg-type] # both are languages
    assert "Ersatz: die letzte bestätigte Tour" in german
    assert "Planung brach ab" in german
    assert "truck-3: bleibt im Depot" in german
    assert "fallback: the last confirmed tour" in english
    assert "planning [ended]" in english
    assert "truck-3: stays in the depot" in english


def test_a_level_that_nobody_knows_is_said() -> None:
    """A silent sensor shows no figure."""
    plan = small()
    silent = {name: why._replace(level=None) for name, why in plan.why.items()}
    assert cells(next(line for line in shown(small(why=silent), "en") if "bin-1" in line))[4] == "unknown"


def test_a_day_without_tours_says_so() -> None:
    """Nobody goes out, and all stands among what is on no tour."""
    of = small().problem
    text = "\n".join(shown(made(of, evaluate(of, ())), "de"))
    assert "Heute fährt kein Fahrzeug." in text
    assert text.count("Auf keiner Tour") == len(of.stops)

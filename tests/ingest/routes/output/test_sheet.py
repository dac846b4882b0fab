"""The tour sheet of a plan."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from ingest.routes.output.sheet import sheet
from ingest.routes.output.words import Language
from rules.waste.route.day_plan import DayPlan
from rules.waste.route.evaluate import evaluate
from rules.waste.words import Words
from tests.ingest.routes.output.plans import NASTY, made, small, solved

TIME = re.compile(r"\d\d:\d\d")
VOID = {"meta", "input", "br"}


class Reader(HTMLParser):
    """Elements that are closed in order, their attributes, and texts by element."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """It ends: the last one that was opened."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text of the innermost element."""
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data.strip()))

    def all_of(self, tag: str) -> list[str]:
        """The texts directly in elements of this name."""
        return [text for element, text in self.texts if element == tag]

    def count(self, tag: str, **attributes: str) -> int:
        """How many elements have these attributes."""
        return sum(name == tag and attributes.items() <= found.items() for name, found in self.seen)


def read(plan: DayPlan, language: Language = "de") -> Reader:
    """The sheet, which is well formed."""
    reader = Reader()
    reader.feed(sheet(plan, language))
    reader.close()
    assert reader.open == []
    return reader


def test_each_vehicle_has_a_page_with_its_halts() -> None:
    """A section for each vehicle and one for what is on no tour; a box to tick for each halt."""
    found = read(small(drivable=True))
    assert found.count("section") == 3
    assert found.count("input", type="checkbox") == 5 + 3
    assert found.all_of("h2") == ["Wagen 1: 2 Behälter, 19,4 km", "truck-2: 1 Behälter, 13,1 km", "Für das Depot"]
    assert found.all_of("h1") == ["Touren: Papier, Di 24.11.2026 (Vorschlag, noch nicht bestätigt)"] * 3
    assert "break-after: page" in sheet(small(), "de")
    assert "size: A4" in sheet(small(), "de")


def test_a_halt_says_why_and_what_holds_there() -> None:
    """Reason, level, window, side, approach, height, weight, arrival, and room to write why it was not emptied."""
    found = read(small(drivable=True))
    cells = [text.replace("\N{NO-BREAK SPACE}", " ") for text in found.all_of("td")]
    for text in (
        "Am Di 24.11. leeren: Füllstand 60 %, Grenze 80 %.",
        "60 %",
        "Pflicht",
        "wenn es passt",
        "Beginn 07:00 bis 10:00",
        "Beginn ab 06:00",
        "steht rechts",
        "Anfahrt Richtung Osten",
        "Höhe bis 3,80 m",
        "Gewicht bis 18,5 t",
        "07:40",
        "Müllverbrennung",
        "Betriebshof",
        "entladen",
        "zurück zum Depot",
    ):
        assert text in cells
    assert found.count("td", **{"class": "skipped"}) == 3
    assert "nicht geleert, weil" in found.all_of("th")
    assert "bin-2" in found.all_of("small")


def test_notes_tell_of_shift_break_and_departure() -> None:
    """Only the vehicle that has a break is told of one."""
    notes = read(small(drivable=True)).all_of("li")
    assert notes.count("Schicht 06:00 bis 14:00") == 2
    assert "Abfahrt spätestens 06:56" in notes
    assert [note for note in notes if "30 min Pause" in note and "um so viel später" in note]
    assert sum("Pause" in note for note in notes) == 1


@pytest.mark.parametrize("language", ["de", "en"])
def test_without_an_engine_each_page_says_that_nobody_drives_by_it(language: Language) -> None:
    """Title, warning, no column of arrivals, and no time but windows and the shift."""
    found = read(small(drivable=False), language)
    title = {"de": "Reihenfolge der Halte, nicht zum Fahren", "en": "Order of stops, not for driving"}[language]
    assert all(title in text for text in found.all_of("h1"))
    assert len([text for tag, text in found.texts if tag == "p" and ("Routenplaner" in text or "routing" in text)]) == 3
    assert not {"Ankunft", "Arrival"} & set(found.all_of("th"))
    allowed = ("Schicht", "shift", "Beginn", "begin")
    assert [text for _, text in found.texts if TIME.search(text) and not text.startswith(allowed)] == []


def test_names_are_escaped_wherever_they_stand() -> None:
    """A name full of markup is text: in cells, labels, headings, reasons, warnings."""
    evil = '</title><script>alert("1")</script><img src=x onerror=1>&amp;'
    plan = small(
        names={name: f"{evil}{name}" for name in ("depot", "site", "bin-1", "bin-x", "truck-1")},
        districts={"bin-1": evil},
        fraction=evil,
        id=evil,
        warnings=(Words(evil, evil),),
        status_reason=(evil, evil),
    )
    plan = replace(plan, why={name: why._replace(text_de=evil) for name, why in plan.why.items()})
    found = read(plan)
    assert {"script", "img"} & {tag for tag, _ in found.seen} == set()
    assert not [name for _, attributes in found.seen for name in attributes if name.startswith("on")]
    assert found.count("title") == 1
    labels = [attributes.get("aria-label") for tag, attributes in found.seen if tag == "input"]
    assert labels[0] == f"1 {evil}bin-1"
    assert f"{evil}bin-1" in found.all_of("td")


def test_nothing_comes_from_outside() -> None:
    """No address, no script, no import; the policy forbids what might slip in."""
    text = sheet(small(drivable=True, names={"bin-2": NASTY}), "de")
    assert not re.findall(r"(?:src|href)=|url\(|@import|<script|<link|https?://", text)
    assert "default-src 'none'" in text


def test_the_depots_page_has_the_warnings_and_what_is_on_no_tour() -> None:
    """Drivers are spared both; a plan without either has no such page."""
    found = read(small(drivable=True, warnings=(Words("Wege werden nicht behalten", "ways are not kept"),)))
    assert found.all_of("h3") == ["Auf keiner Tour"]
    assert found.all_of("li")[-1] == "Wege werden nicht behalten"
    assert found.all_of("li").count("Wege werden nicht behalten") == 1
    plan = small(drivable=True)
    plan = replace(plan, solution=replace(plan.solution, unserved=()))
    assert "Für das Depot" not in read(plan).all_of("h2")
    assert "Für das Depot" in read(replace(plan, warnings=(Words("W", "w"),))).all_of("h2")


def test_status_and_reason_of_a_fallback_are_on_each_page() -> None:
    """Whoever holds one sheet knows that it is none of today's plans."""
    changed = {"status": "fallback", "status_reason": ("Planung brach ab", "planning ended")}
    found = read(small(drivable=True, **changed), "en")
    assert all("fallback: the last confirmed tour" in text for text in found.all_of("h1"))
    assert found.all_of("p").count("planning ended") == 3


def test_what_a_tour_violates_is_said() -> None:
    """A fixed tour that does not keep today's windows warns whoever drives it."""
    plan = small(drivable=True)
    first = replace(
        plan.solution.tours[0], violations=(Words("Fahrzeug truck-1: zu spät <1>", "vehicle 'truck-1': is late <1>"),)
    )
    plan = replace(plan, solution=replace(plan.solution, tours=(first, *plan.solution.tours[1:])))
    assert "Achtung: Fahrzeug truck-1: zu spät <1>" in read(plan).all_of("li")
    assert "Attention: vehicle 'truck-1': is late <1>" in read(plan, "en").all_of("li")


def test_a_day_without_tours_is_a_page() -> None:
    """It says that nobody goes out, and lists what waits."""
    of = small().problem
    found = read(made(of, evaluate(of, ())))
    assert found.all_of("h2") == ["Heute fährt kein Fahrzeug.", "Für das Depot"]
    assert found.count("tr") == 1 + len(of.stops)


def test_long_tours_say_on_each_sheet_of_paper_whose_they_are() -> None:
    """The repeated head of the table has vehicle, day and title."""
    plan = solved(1)
    found = read(plan, "en")
    whose = [text for text in found.all_of("th") if "Tue 24 Nov 2026" in text]
    assert len(whose) == len(plan.solution.tours)
    assert all("not for driving" in text for text in whose)

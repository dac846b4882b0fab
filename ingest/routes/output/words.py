"""What the outputs of a plan say to people, in German and English: all of it stands here."""

import unicodedata
from datetime import UTC, date, datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from rules.event_route import RouteStatus
from rules.waste.due_text import DAYS_DE, DAYS_EN, Text
from rules.waste.route.day_plan import DayPlan, Why
from rules.waste.route.solution import Kind, Reason, Visit
from rules.waste.route.words import Words, fraction_of

Language = Literal["de", "en"]

TITLE: Final = Text("Touren", "Tours")
NOT_FOR_DRIVING: Final = Text("Reihenfolge der Halte, nicht zum Fahren", "Order of stops, not for driving")
STATUS: Final[dict[RouteStatus, Text]] = {
    "proposed": Text("Vorschlag, noch nicht bestätigt", "proposed, not confirmed yet"),
    "confirmed": Text("bestätigt", "confirmed"),
    "fallback": Text("Ersatz: die letzte bestätigte Tour", "fallback: the last confirmed tour"),
    "withdrawn": Text("zurückgezogen, nicht fahren", "withdrawn, do not drive"),
}
KIND: Final[dict[Kind, Text]] = {
    "stop": Text("leeren", "empty"),
    "unload": Text("entladen", "unload"),
    "home": Text("zurück zum Depot", "back to the depot"),
}
LEFT_OUT: Final[dict[Reason, Text]] = {
    "invalid": Text("nicht planbar", "cannot be planned"),
    "no_vehicle": Text("kein Fahrzeug kann ihn leeren", "no vehicle can empty it"),
    "no_room": Text(
        "muss geleert werden, aber kein Fahrzeug hat noch Platz oder Zeit",
        "must be emptied, but no vehicle has room or time left",
    ),
    "not_worth_it": Text("der Weg lohnt sich heute nicht", "the way is not worth it today"),
    "not_planned": Text("eine frühere Tour springt ein", "an earlier tour stands in"),
}
EXPLAINED: Final[frozenset[Reason]] = frozenset({"invalid", "no_vehicle", "not_planned"})
"""Whose detail says more than these words."""

VEHICLE: Final = Text("Fahrzeug", "Vehicle")
NUMBER: Final = Text("Nr.", "No.")
CONTAINER: Final = Text("Behälter", "Container")
WHY: Final = Text("Warum", "Why")
LEVEL: Final = Text("Füllstand", "Level")
LOAD: Final = Text("Ladung danach", "Load after")
ARRIVAL: Final = Text("Ankunft", "Arrival")
DONE: Final = Text("erledigt", "done")
REMARKS: Final = Text("Hinweise", "Remarks")
SKIPPED: Final = Text("nicht geleert, weil", "not emptied, because")
NOT_SERVED: Final = Text("Auf keiner Tour", "On no tour")
FOR_THE_DEPOT: Final = Text("Für das Depot", "For the depot")
NO_TOUR: Final = Text("Heute fährt kein Fahrzeug.", "No vehicle goes out today.")
STAYS: Final = Text("bleibt im Depot", "stays in the depot")
STOPS: Final = Text("Behälter", "containers")
ONE_STOP: Final = Text("Behälter", "container")
STRAIGHT_WAY: Final = Text("geschätzt", "estimated")
DEPOT: Final = Text("Depot", "Depot")
SITE: Final = Text("Entsorgungsanlage", "Disposal site")
START: Final = Text("Start", "Start")
DEPARTS: Final = Text("Abfahrt spätestens {}", "departs at {} at the latest")
MANDATORY: Final = Text("Pflicht", "mandatory")
OPTIONAL: Final = Text("wenn es passt", "if it fits")
SHIFT: Final = Text("Schicht {} bis {}", "shift {} to {}")
BREAK: Final = Text(
    "{} min Pause sind eingeplant; sie passt überall, wo danach kein Zeitfenster verpasst wird",
    "a break of {} min is planned in; it fits wherever no time window is missed after it",
)
LATER: Final = Text("nach der Pause gelten die Zeiten um so viel später", "after it all times are later by as much")
NEVER_DRIVE: Final = Text(
    "Kein Routenplaner war beteiligt: Einbahnstraßen, Brücken und Sperrungen sind nicht berücksichtigt, Zeiten werden "
    "nicht versprochen.",
    "No routing engine took part: one-way streets, bridges and closures are not considered, no times are promised.",
)
BETWEEN: Final = Text("Beginn {} bis {}", "begin {} to {}")
FROM: Final = Text("Beginn ab {}", "begin from {} on")
UNTIL: Final = Text("Beginn bis {}", "begin until {}")
SIDE: Final = {"right": Text("steht rechts", "on the right"), "left": Text("steht links", "on the left")}
APPROACH: Final = Text("Anfahrt Richtung {}", "approach heading {}")
COMPASS: Final = (
    Text("Norden", "north"),
    Text("Nordosten", "northeast"),
    Text("Osten", "east"),
    Text("Südosten", "southeast"),
    Text("Süden", "south"),
    Text("Südwesten", "southwest"),
    Text("Westen", "west"),
    Text("Nordwesten", "northwest"),
)
HEIGHT: Final = Text("Höhe bis {} m", "height up to {} m")
WEIGHT: Final = Text("Gewicht bis {} t", "weight up to {} t")
ROLL_OFF: Final = Text("Wechsel: einen leeren mitbringen", "exchange: bring an empty one")
UNKNOWN_LEVEL: Final = Text("unbekannt", "unknown")
PLAN: Final = Text("Plan", "Plan")
WARNING: Final = Text("Achtung", "Attention")
NORTH: Final = Text("N", "N")
MANDATORY_STOP: Final = Text("muss geleert werden", "must be emptied")
OPTIONAL_STOP: Final = Text("wird mitgenommen", "taken along")
UNDER_WAY: Final = Text("Standort des Fahrzeugs", "where the vehicle is")
MAP: Final = Text("Karte der Touren: {}", "Map of the tours: {}")
MAP_STREETS: Final = Text("Linien folgen den Straßen.", "Lines follow the streets.")
MAP_STRAIGHT: Final = Text(
    "Linien sind gerade Verbindungen, keine Straßen.", "Lines are straight connections, no streets."
)
MAP_MIXED: Final = Text(
    "Linien folgen den Straßen, wo sie bekannt sind; die übrigen sind gerade Verbindungen.",
    "Lines follow the streets where they are known; the others are straight connections.",
)
MAP_NORTH: Final = Text("Norden ist oben.", "North is up.")
COMPASS_STEP_DEG: Final = 360 // len(COMPASS)


def said(text: Text | Words, language: Language) -> str:
    """A text in a language."""
    return text.de if language == "de" else text.en


def title(plan: DayPlan) -> Text:
    """What may be done with the plan; the English one is the solution's own."""
    return TITLE if plan.solution.drivable else NOT_FOR_DRIVING


def heading(plan: DayPlan, language: Language) -> str:
    """Title, fraction, day and status in one line."""
    fraction = said(fraction_of(plan.fraction), language)
    status = said(STATUS[plan.status], language)
    return plain(f"{said(title(plan), language)}: {fraction}, {day(plan.day, language)} ({status})")


def day(given: date, language: Language) -> str:
    """A date with its weekday."""
    if language == "de":
        return f"{DAYS_DE[given.weekday()]} {given:%d.%m.%Y}"
    return f"{DAYS_EN[given.weekday()]} {given:%d %b %Y}"


def clock(plan: DayPlan, second: int) -> str:
    """A time of the plan on the city's clocks; +1 for one on the next day."""
    local = datetime.fromtimestamp(plan.time_ms(second) / 1000, UTC).astimezone(ZoneInfo(plan.timezone))
    later = (local.date() - plan.day).days
    return f"{local:%H:%M} {later:+d}" if later else f"{local:%H:%M}"


def level(why: Why, language: Language) -> str:
    """The newest known fill level."""
    return said(UNKNOWN_LEVEL, language) if why.level is None else f"{why.level:.0f} %"


def load(visit: Visit) -> str:
    """What the vehicle holds when it leaves."""
    return f"{visit.load_kg} kg, {visit.load_l} l"


def number(value: float, digits: int, language: Language) -> str:
    """A figure with the decimal mark of the language."""
    text = f"{value:.{digits}f}"
    return text.replace(".", ",") if language == "de" else text


def plain(text: str) -> str:
    """Text in one line without what XML, terminals and files in UTF-8 cannot have or would act upon."""
    return "".join(_harmless(letter) for letter in text)


def _harmless(letter: str) -> str:
    category, code = unicodedata.category(letter), ord(letter)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    no_character = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF  # noqa: PLR2004 - Unicode's own
    return "\N{REPLACEMENT CHARACTER}" if category == "Cs" or no_character else letter

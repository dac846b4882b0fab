"""What the outputs of a plan say to people, in German and English: all of it stands here."""

import unicodedata
from datetime import UTC, date, datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from rules.event_route import RouteStatus
from rules.waste.due_text import DAYS_DE, DAYS_EN
from rules.waste.route.day_plan import DayPlan, Why
from rules.waste.route.solution import Kind, Reason, Visit
from rules.waste.words import Words, fraction_of

Language = Literal["de", "en"]

TITLE: Final = Words("Touren", "Tours")
NOT_FOR_DRIVING: Final = Words("Reihenfolge der Halte, nicht zum Fahren", "Order of stops, not for driving")
STATUS: Final[dict[RouteStatus, Words]] = {
    "proposed": Words("Vorschlag, noch nicht bestätigt", "proposed, not confirmed yet"),
    "confirmed": Words("bestätigt", "confirmed"),
    "fallback": Words("Ersatz: die letzte bestätigte Tour", "fallback: the last confirmed tour"),
    "withdrawn": Words("zurückgezogen, nicht fahren", "withdrawn, do not drive"),
}
KIND: Final[dict[Kind, Words]] = {
    "stop": Words("leeren", "empty"),
    "unload": Words("entladen", "unload"),
    "home": Words("zurück zum Depot", "back to the depot"),
}
LEFT_OUT: Final[dict[Reason, Words]] = {
    "invalid": Words("nicht planbar", "cannot be planned"),
    "no_vehicle": Words("kein Fahrzeug kann ihn leeren", "no vehicle can empty it"),
    "no_room": Words(
        "muss geleert werden, aber kein Fahrzeug hat noch Platz oder Zeit",
        "must be emptied, but no vehicle has room or time left",
    ),
    "not_worth_it": Words("der Weg lohnt sich heute nicht", "the way is not worth it today"),
    "not_planned": Words("eine frühere Tour springt ein", "an earlier tour stands in"),
}
EXPLAINED: Final[frozenset[Reason]] = frozenset({"invalid", "no_vehicle", "not_planned"})
"""Whose detail says more than these words."""

VEHICLE: Final = Words("Fahrzeug", "Vehicle")
NUMBER: Final = Words("Nr.", "No.")
CONTAINER: Final = Words("Behälter", "Container")
WHY: Final = Words("Warum", "Why")
LEVEL: Final = Words("Füllstand", "Level")
LOAD: Final = Words("Ladung danach", "Load after")
ARRIVAL: Final = Words("Ankunft", "Arrival")
DONE: Final = Words("erledigt", "done")
REMARKS: Final = Words("Hinweise", "Remarks")
SKIPPED: Final = Words("nicht geleert, weil", "not emptied, because")
NOT_SERVED: Final = Words("Auf keiner Tour", "On no tour")
FOR_THE_DEPOT: Final = Words("Für das Depot", "For the depot")
NO_TOUR: Final = Words("Heute fährt kein Fahrzeug.", "No vehicle goes out today.")
STAYS: Final = Words("bleibt im Depot", "stays in the depot")
STOPS: Final = Words("Behälter", "containers")
ONE_STOP: Final = Words("Behälter", "container")
STRAIGHT_WAY: Final = Words("geschätzt", "estimated")
DEPOT: Final = Words("Depot", "Depot")
SITE: Final = Words("Entsorgungsanlage", "Disposal site")
START: Final = Words("Start", "Start")
DEPARTS: Final = Words("Abfahrt spätestens {}", "departs at {} at the latest")
MANDATORY: Final = Words("Pflicht", "mandatory")
OPTIONAL: Final = Words("wenn es passt", "if it fits")
SHIFT: Final = Words("Schicht {} bis {}", "shift {} to {}")
BREAK: Final = Words(
    "{} min Pause sind eingeplant; sie passt überall, wo danach kein Zeitfenster verpasst wird",
    "a break of {} min is planned in; it fits wherever no time window is missed after it",
)
LATER: Final = Words("nach der Pause gelten die Zeiten um so viel später", "after it all times are later by as much")
NEVER_DRIVE: Final = Words(
    "Kein Routenplaner war beteiligt: Einbahnstraßen, Brücken und Sperrungen sind nicht berücksichtigt, Zeiten werden "
    "nicht versprochen.",
    "No routing engine took part: one-way streets, bridges and closures are not considered, no times are promised.",
)
BETWEEN: Final = Words("Beginn {} bis {}", "begin {} to {}")
FROM: Final = Words("Beginn ab {}", "begin from {} on")
UNTIL: Final = Words("Beginn bis {}", "begin until {}")
SIDE: Final = {"right": Words("steht rechts", "on the right"), "left": Words("steht links", "on the left")}
APPROACH: Final = Words("Anfahrt Richtung {}", "approach heading {}")
COMPASS: Final = (
    Words("Norden", "north"),
    Words("Nordosten", "northeast"),
    Words("Osten", "east"),
    Words("Südosten", "southeast"),
    Words("Süden", "south"),
    Words("Südwesten", "southwest"),
    Words("Westen", "west"),
    Words("Nordwesten", "northwest"),
)
HEIGHT: Final = Words("Höhe bis {} m", "height up to {} m")
WEIGHT: Final = Words("Gewicht bis {} t", "weight up to {} t")
ROLL_OFF: Final = Words("Wechsel: einen leeren mitbringen", "exchange: bring an empty one")
UNKNOWN_LEVEL: Final = Words("unbekannt", "unknown")
PLAN: Final = Words("Plan", "Plan")
WARNING: Final = Words("Achtung", "Attention")
NORTH: Final = Words("N", "N")
MANDATORY_STOP: Final = Words("muss geleert werden", "must be emptied")
OPTIONAL_STOP: Final = Words("wird mitgenommen", "taken along")
UNDER_WAY: Final = Words("Standort des Fahrzeugs", "where the vehicle is")
MAP: Final = Words("Karte der Touren: {}", "Map of the tours: {}")
MAP_STREETS: Final = Words("Linien folgen den Straßen.", "Lines follow the streets.")
MAP_STRAIGHT: Final = Words(
    "Linien sind gerade Verbindungen, keine Straßen.", "Lines are straight connections, no streets."
)
MAP_MIXED: Final = Words(
    "Linien folgen den Straßen, wo sie bekannt sind; die übrigen sind gerade Verbindungen.",
    "Lines follow the streets where they are known; the others are straight connections.",
)
MAP_NORTH: Final = Words("Norden ist oben.", "North is up.")
COMPASS_STEP_DEG: Final = 360 // len(COMPASS)


def said(text: Words, language: Language) -> str:
    """A text in a language."""
    return text.de if language == "de" else text.en


def title(plan: DayPlan) -> Words:
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
    """Words in one line without what XML, terminals and files in UTF-8 cannot have or would act upon."""
    return "".join(_harmless(letter) for letter in text)


def _harmless(letter: str) -> str:
    category, code = unicodedata.category(letter), ord(letter)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    no_character = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF  # noqa: PLR2004 - Unicode's own
    return "\N{REPLACEMENT CHARACTER}" if category == "Cs" or no_character else letter

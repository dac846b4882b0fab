"""What the event of a tour says to people, in German and English."""

from collections.abc import Sequence
from typing import Final

from rules.event_route import RouteStatus
from rules.waste.due_text import DAYS_DE, DAYS_EN
from rules.waste.route.record import PlanRecord, TourRecord
from rules.waste.words import Words, fraction_of, joined

LONGEST: Final = 600
"""Characters of a text in an event."""
STATUS: Final[dict[RouteStatus, Words]] = {
    "proposed": Words("Vorschlag, gilt erst nach Bestätigung", "Proposed, holds once it is confirmed"),
    "confirmed": Words("Bestätigt", "Confirmed"),
    "fallback": Words("Ersatz", "Fallback"),
    "withdrawn": Words("Zurückgezogen", "Withdrawn"),
}
IN_FORCE: Final = Words(
    "Vorschlag; bis zu seiner Bestätigung gilt die bestätigte Tour weiter",
    "Proposed; until it is confirmed the confirmed tour holds",
)
TOGETHER: Final = Words("nur zusammen mit {} zu bestätigen", "to be confirmed only together with {}")
NOT_DRIVABLE: Final = Words(" Reihenfolge der Halte, nicht zum Fahren.", " Order of stops, not for driving.")


def text_of(plan: PlanRecord, tour: TourRecord, *, in_force: bool, confirm_with: Sequence[str] = ()) -> Words:
    """What is planned for the vehicle, what the depot said, and what that means."""
    what, status = _what(plan, tour), IN_FORCE if in_force and tour.status == "proposed" else STATUS[tour.status]
    if confirm_with:
        status = joined([status, _together(plan, confirm_with)])
    reason = tour.reason
    if tour.rejected:
        reason = Words(f"abgelehnt: {tour.rejected}", f"rejected: {tour.rejected}")
    streets = Words() if plan.drivable or not tour.visits or tour.status == "withdrawn" else NOT_DRIVABLE
    return Words(
        clipped(f"{what.de} {_sentence(status.de, reason.de)}{streets.de}"),
        clipped(f"{what.en} {_sentence(status.en, reason.en)}{streets.en}"),
    )


def day_of(plan: PlanRecord) -> Words:
    """The plan's day as people write it."""
    number = plan.day.weekday()
    return Words(f"{DAYS_DE[number]} {plan.day:%d.%m.%Y}", f"{DAYS_EN[number]} {plan.day:%d %b %Y}")


def clipped(text: str) -> str:
    """As much of it as an event holds."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _together(plan: PlanRecord, vehicles: Sequence[str]) -> Words:
    names = ", ".join(plan.names.get(vehicle, vehicle) for vehicle in vehicles)
    return Words(TOGETHER.de.format(names), TOGETHER.en.format(names))


def _sentence(status: str, reason: str) -> str:
    return f"{status}: {reason.removesuffix('.')}." if reason else f"{status}."


def _what(plan: PlanRecord, tour: TourRecord) -> Words:
    name, day, stops = plan.names.get(tour.vehicle, tour.vehicle), day_of(plan), tour.stops
    fraction = fraction_of(plan.fraction)
    german, english = f"{name}, {day.de}, {fraction.de}", f"{name}, {day.en}, {fraction.en}"
    if tour.status == "withdrawn":
        return Words(f"{german}:", f"{english}:")
    if not stops:
        return Words(f"{german}: keine Tour.", f"{english}: no tour.")
    must = len(set(stops).intersection(plan.mandatory))
    length, many = f"{tour.metres / 1000:.1f} km", len(stops) > 1
    return Words(
        f"{german}: {len(stops)} {'Halte' if many else 'Halt'}, davon {must} Pflicht, {length.replace('.', ',')}.",
        f"{english}: {len(stops)} {'stops' if many else 'stop'}, {must} of them mandatory, {length}.",
    )

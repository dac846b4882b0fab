"""The event type of planned tours; base, evidence and house rules of all events in rules/event.py.

What is planned for a vehicle and a day. The depot decides: a plan is proposed until it is confirmed, and the last
confirmed tour stands in its place (`fallback`) when nothing could be planned.
"""

from datetime import date
from typing import Literal, Self

from pydantic import AwareDatetime, Field, NonNegativeFloat, NonNegativeInt, model_validator

from rules.event import TOPIC_ROOT, Decision, Event, Part, topic_safe

RouteStatus = Literal["proposed", "confirmed", "fallback", "withdrawn"]
HaltKind = Literal["stop", "unload", "home"]
LeftOutReason = Literal["invalid", "no_vehicle", "no_room", "not_worth_it", "not_planned"]


class Halt(Part):
    """One halt of a tour, in the order of driving."""

    place: str = Field(min_length=1, description="id of the container, disposal site or depot in the city file")
    kind: HaltKind = Field(description="stop: empty a container; unload: at a disposal site; home: back at the depot")
    mandatory: bool = Field(default=False, description="true for a container that must be emptied on this tour")
    arrival: AwareDatetime | None = Field(None, description="expected; null where no routing engine knows the streets")
    load_mass: NonNegativeFloat = Field(description="kg on the vehicle when it leaves")
    load_volume: NonNegativeFloat = Field(description="l on the vehicle when it leaves, loose")
    text_de: str = Field("", max_length=600, description="why it is visited, in German")
    text_en: str = Field("", max_length=600, description="why it is visited, in English")


class LeftOut(Part):
    """A container that is due and on no tour of the day."""

    place: str = Field(min_length=1, description="id of the container")
    reason: LeftOutReason
    text: str = Field("", max_length=600, description="the same as `text_en`, for readers from before there were both")
    text_de: str = Field("", max_length=600, description="what stands against it, in German")
    text_en: str = Field("", max_length=600, description="what stands against it, in English")


class RoutePlannedData(Decision):
    """A vehicle's tour; without `drivable` it is an order of stops, nobody drives by it and no arrival is promised."""

    plan: str = Field("", description="id of the plan; the tours of one plan belong together")
    status: RouteStatus
    day: date = Field(description="in the city's calendar")
    fraction: str = Field(description="what is collected")
    drivable: bool = Field(description="true when distances come from a routing engine")
    departs: AwareDatetime | None = Field(None, description="latest start; null without a routing engine")
    halts: tuple[Halt, ...] = Field(description="in the order of driving; empty for a vehicle that stays")
    distance: NonNegativeInt = Field(description="m, the way home included")
    fixed_distance: NonNegativeInt | None = Field(
        None,
        description="m, an estimate of the same if every container were emptied in its fixed cycle; null where unknown",
    )
    duration: NonNegativeInt | None = Field(None, description="s from start to end; null without a routing engine")
    left_out: tuple[LeftOut, ...] = Field(
        (),
        description="what is due and on no tour of the day: all of it in the event of the vehicle `left_out_in` alone; "
        "in that of a withdrawn tour what it leaves behind; empty says nothing in any other event",
    )
    left_out_in: str | None = Field(
        None, description="id of the vehicle whose newest event for this day and fraction says what is on no tour"
    )
    confirmed_at: AwareDatetime | None = Field(None, description="when the depot confirmed it")
    in_force: str | None = Field(
        None, description="id of the event of a confirmed tour that holds until this one is confirmed"
    )
    confirm_with: tuple[str, ...] = Field(
        (),
        description="ids of the vehicles whose tours have to be confirmed with this one, for stops move between them",
    )
    text_de: str = Field("", max_length=600, description="for people, in German")
    text_en: str = Field("", max_length=600, description="for people, in English")

    @model_validator(mode="after")
    def _promises_nothing(self) -> Self:
        times = [self.departs, self.duration, *(halt.arrival for halt in self.halts)]
        if not self.drivable and any(time is not None for time in times):
            raise ValueError("times in a tour that is not drivable: departs, duration and arrivals must be null")
        return self


class RoutePlanned(Event):
    """A tour was planned, confirmed, replaced or withdrawn; retained. The subject is the vehicle."""

    retained = True
    acting = False
    type: Literal["city.stadtfunk.waste.route_planned.v1"] = "city.stadtfunk.waste.route_planned.v1"
    data: RoutePlannedData

    @property
    def topic(self) -> str:
        """The MQTT topic it is published on."""
        return f"{TOPIC_ROOT}/waste/vehicle/{topic_safe(self.subject)}/route"

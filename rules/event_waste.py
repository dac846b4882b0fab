"""The event types of waste; base, evidence and house rules of all events in rules/event.py."""

from typing import Literal

from pydantic import AwareDatetime, Field, NonNegativeFloat, NonNegativeInt, PositiveInt

from rules.event import TOPIC_ROOT, Decision, Event, Part, topic_safe
from rules.feedback import SkipReason

DueReason = Literal[
    "over_threshold",
    "below_threshold",
    "emptied",
    "silent",
    "forecast_full",
    "too_long",
    "fixed_day",
    "side_waste",
    "never_skip",
    "fixed_cycle",
    "worthwhile",
    "skipped",
]
Obligation = Literal["none", "optional", "mandatory"]
FillOddity = Literal["tilted", "lid_open", "held_rise", "implausible_rise", "held_drop", "bag"]


class FillForecast(Part):
    """When the container will be full, and what was learned of it; the model has a version of its own."""

    model_version: PositiveInt = Field(description="version of how it is learned and foretold")
    full_p05: AwareDatetime = Field(description="full before this with a chance of 5 %")
    full_p50: AwareDatetime = Field(description="full before this with a chance of 50 %")
    full_p95: AwareDatetime = Field(description="full before this with a chance of 95 %; at most 120 days ahead")
    risk: float = Field(ge=0, le=1, description="chance that it is full before the end of the tour after the next one")
    fill_rate: NonNegativeFloat = Field(description="% a day on a mean weekday")
    weekday_factors: tuple[float, ...] = Field(description="of the rate, Monday first; a public holiday is a Sunday")
    cycles: NonNegativeInt = Field(description="stretches of five days or more behind the rate")
    errors: NonNegativeInt = Field(description="errors of earlier forecasts behind the interval")


class SkippedStop(Part):
    """A tour came and did not empty it."""

    time: AwareDatetime = Field(description="when, by the vehicle's clock")
    reason: SkipReason


class ContainerDueData(Decision):
    """Whether a container has to be emptied; with a silent sensor `due` is the last known, or its fixed cycle's."""

    due: bool = Field(description="true when it must be emptied on the next tour")
    reason: DueReason
    fill_level: float | None = Field(ge=0, le=100, description="%; null while the sensor is silent")
    threshold: float = Field(ge=0, le=100, description="% from which on it is due where there is no forecast")
    since: AwareDatetime | None = Field(description="since when it is due; null when not due")
    obligation: Obligation = Field("none", description="mandatory as `due` is; optional: to be taken where it pays")
    prize_eur: NonNegativeFloat | None = Field(None, description="what an optional visit is worth; else null")
    fraction: str = Field("", description="what is collected in it; empty where the city file does not say")
    next_tour: AwareDatetime | None = Field(None, description="begin of the next tour that can take it")
    tour_after: AwareDatetime | None = Field(None, description="begin of the one after that")
    last_emptied: AwareDatetime | None = Field(None, description="newest emptying that was seen; null for none yet")
    emptying_confirmed: bool = Field(default=False, description="true when a tilt or a tour spoke for that emptying")
    skipped: SkippedStop | None = Field(None, description="newest stop not served; null once it was emptied after that")
    odd: FillOddity | None = Field(None, description="why the sensor's newest word is not taken as it is")
    forecast: FillForecast | None = Field(None, description="null where it is switched off, or too little is known")
    text_de: str = Field("", max_length=600, description="for people, in German")
    text_en: str = Field("", max_length=600, description="for people, in English")


class ContainerDue(Event):
    """A container is due for collection, or no longer; retained."""

    retained = True
    acting = False
    type: Literal["city.stadtfunk.waste.container_due.v1"] = "city.stadtfunk.waste.container_due.v1"
    data: ContainerDueData

    @property
    def topic(self) -> str:
        """The MQTT topic it is published on."""
        return f"{TOPIC_ROOT}/waste/container/{topic_safe(self.subject)}/due"


FireSign = Literal["hot", "heating_up", "sensor_alarm"]


class ContainerAlertData(Decision):
    """Signs of a fire in a container; one reading is enough, so it may be wrong."""

    kind: Literal["fire"] = "fire"
    status: Literal["raised", "updated", "cleared"]
    reason: Literal["measured", "no_data"] = Field(
        description="no_data: it ended because nothing is heard any more, which does not say that it is out"
    )
    severity: Literal["warning", "severe"] = Field(description="severe: absolute heat, or two signs at once")
    signs: tuple[FireSign, ...] = Field(description="what speaks for it; empty once it is cleared")
    temperature: float | None = Field(description="°C; null where no temperature was heard")
    since: AwareDatetime | None = Field(description="when it was raised; null once it is cleared")
    text_de: str = Field(max_length=600, description="for people, in German")
    text_en: str = Field(max_length=600, description="for people, in English")


class ContainerAlert(Event):
    """A container may be burning, or no longer; retained. Beside its collection, on a topic of its own."""

    retained = True
    acting = False
    type: Literal["city.stadtfunk.waste.container_alert.v1"] = "city.stadtfunk.waste.container_alert.v1"
    data: ContainerAlertData

    @property
    def topic(self) -> str:
        """The MQTT topic it is published on."""
        return f"{TOPIC_ROOT}/waste/container/{topic_safe(self.subject)}/alert"

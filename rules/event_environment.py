"""The event types of the environment; base, evidence and house rules of all events in rules/event.py."""

from typing import Literal

from pydantic import AwareDatetime, Field

from rules.event import TOPIC_ROOT, Decision, Event, topic_safe

AlertKind = Literal["air_quality", "heat", "heavy_rain", "gust", "gauge", "ice", "noise", "tree_watering"]
AlertStatus = Literal["raised", "updated", "cleared"]
AlertReason = Literal["measured", "no_data"]


class EnvironmentalAlertData(Decision):
    """A level of something in the environment; 0 while there is nothing to say, or nothing is known any more."""

    kind: AlertKind
    status: AlertStatus = Field(description="raised from level 0, updated (another level, or a renewal), cleared")
    reason: AlertReason = Field(description="no_data: it ended because nothing usable is heard any more")
    level: int = Field(ge=0, le=4, description="0 none, 1 lowest, 4 highest; what each means belongs to the kind")
    previous_level: int = Field(ge=0, le=4, description="level of the event before")
    since: AwareDatetime | None = Field(description="when it was raised; null once it is cleared")
    indicative: bool = Field(description="true for simple sensors: orientation, no proof")
    incomplete: bool = Field(description="true when something that belongs to the decision was not measured")
    contradicting: bool = Field(description="true when devices at the same place differ more than they should")
    official_warning: Literal[False] = Field(
        default=False, description="always false: these are the city's own measurements"
    )
    text_de: str = Field(max_length=600, description="for people, in German")
    text_en: str = Field(max_length=600, description="for people, in English")


class EnvironmentalAlert(Event):
    """Something in the environment is worth saying, or no longer; retained. One topic for each kind and place."""

    retained = True
    acting = False
    type: Literal["city.stadtfunk.environment.alert.v1"] = "city.stadtfunk.environment.alert.v1"
    data: EnvironmentalAlertData

    @property
    def topic(self) -> str:
        """The MQTT topic it is published on."""
        return f"{TOPIC_ROOT}/environment/{self.data.kind}/{topic_safe(self.subject)}/alert"

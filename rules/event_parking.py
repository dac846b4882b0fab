"""Event types of parking beside the state of a lot: guidance of a zone, suspicion of a lot's sensors."""

from typing import Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt

from rules.event import TOPIC_ROOT, Decision, Event, LotTrend, Part, Request, RequestData, topic_safe
from rules.request_health import RequestHealthData

Advice = Literal["recommend", "divert", "closed", "unknown"]
GuidanceReason = Literal["guided", "all_full", "no_news"]


class LotAdvice(Part):
    """What drivers are told of a lot; figures are null while nothing recent is known of it."""

    lot: str = Field(description="id of the lot")
    advice: Advice
    free: NonNegativeInt | None = Field(description="spaces a driver can find")
    occupancy: float | None = Field(ge=0, le=1, description="occupied / capacity")
    trend: LotTrend | None = Field(description="change of the last half hour")
    age_s: NonNegativeFloat | None = Field(description="s since the newest reading behind it")


class ParkingGuidanceData(RequestData):
    """Where drivers are sent; after `valid_until` the signs show nothing of it."""

    reason: GuidanceReason
    recommend: tuple[str, ...] = Field(description="ids of lots to send drivers to, in the order of preference")
    divert_from: tuple[str, ...] = Field(description="ids of lots to send nobody to: full, nearly so, or closed")
    lots: tuple[LotAdvice, ...] = Field(description="every lot of the zone, in the order of preference")
    text_de: str = Field(description="for people, in German")
    text_en: str = Field(description="for people, in English")


class GuidanceHealthData(RequestHealthData):
    """Whether the signs of a zone show what is asked for."""


class GuidanceHealth(Event):
    """The signs of a zone do not answer, refuse, or report a fault, or no longer; retained."""

    retained = True
    acting = False
    type: Literal["city.stadtfunk.parking.guidance_health.v1"] = "city.stadtfunk.parking.guidance_health.v1"
    data: GuidanceHealthData

    @property
    def topic(self) -> str:
        """The MQTT topic it is published on."""
        return f"{TOPIC_ROOT}/parking/zone/{topic_safe(self.subject)}/guidance/health"


class ParkingGuidance(Request):
    """Guidance of a zone's parking signs; never retained."""

    type: Literal["city.stadtfunk.parking.guidance.v1"] = "city.stadtfunk.parking.guidance.v1"
    data: ParkingGuidanceData

    @property
    def topic(self) -> str:
        """The MQTT topic it is published on."""
        return f"{TOPIC_ROOT}/parking/zone/{topic_safe(self.subject)}/guidance"


SensorFault = Literal["stuck_occupied", "stuck_free", "contradicts_counters"]


class SuspectSensor(Part):
    """A sensor that somebody should look at; no times, for they would tell of a car."""

    dev_eui: str
    fault: SensorFault


class SensorSuspicionData(Decision):
    """Which space sensors of a lot do not behave as their neighbours; judged once a day."""

    state: Literal["ok", "suspicious"]
    suspects: tuple[SuspectSensor, ...] = Field(description="by dev_eui")
    sensors: NonNegativeInt = Field(description="sensors heard on the day")
    text_de: str = Field(description="for people, in German")
    text_en: str = Field(description="for people, in English")


class SensorSuspicion(Event):
    """Suspicion of dead space sensors in a lot, or its end; retained."""

    retained = True
    acting = False
    type: Literal["city.stadtfunk.parking.sensor_suspicion.v1"] = "city.stadtfunk.parking.sensor_suspicion.v1"
    data: SensorSuspicionData

    @property
    def topic(self) -> str:
        """The MQTT topic it is published on."""
        return f"{TOPIC_ROOT}/parking/lot/{topic_safe(self.subject)}/sensors"

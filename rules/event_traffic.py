"""Events about traffic: what was measured, and what a traffic computer is asked to do."""

from typing import Literal

from pydantic import AwareDatetime, Field, NonNegativeFloat, PositiveInt

from rules.event import TOPIC_ROOT, Decision, Event, Part, Request, RequestData, topic_safe
from rules.request_health import RequestHealthData

ROOT = f"{TOPIC_ROOT}/traffic"
MeasuredQuality = Literal["good", "estimated", "doubtful", "implausible", "stuck", "reset", "contradicting"]
DetectorRole = Literal["demand", "queue", "exit"]


class MeasuredClass(Part):
    """The vehicles of one class of the detector."""

    name: str = Field(description="class as the detector names it")
    count: NonNegativeFloat
    speed: NonNegativeFloat | None = Field(description="mean speed in km/h; null where nobody drove or it is not told")


class TrafficMeasuredData(Decision):
    """The vehicles that a detector counted in an interval."""

    interval_begin: AwareDatetime
    interval_end: AwareDatetime
    count: NonNegativeFloat | None = Field(description="vehicles of all classes; null where a counter began again")
    flow: NonNegativeFloat | None = Field(description="vehicles an hour")
    speed: NonNegativeFloat | None = Field(description="mean speed in km/h")
    classes: tuple[MeasuredClass, ...]
    quality: MeasuredQuality = Field(description="decisions may stand on good and estimated")
    age_s: NonNegativeFloat = Field(description="s from the end of the interval to this event")
    role: DetectorRole | None
    approach: str = Field(description="what the traffic approaches; counts of its lanes add up")
    lane: PositiveInt = Field(description="number of the first lane counted, from the kerb")
    lanes: PositiveInt = Field(description="lanes counted together")
    distance_m: NonNegativeFloat | None = Field(description="m upstream of the stop line")


class TrafficMeasured(Event):
    """What a detector measured in its newest interval; retained."""

    retained = True
    acting = False
    type: Literal["city.stadtfunk.traffic.measured.v1"] = "city.stadtfunk.traffic.measured.v1"
    data: TrafficMeasuredData

    @property
    def topic(self) -> str:
        """The MQTT topic it is published on."""
        return f"{ROOT}/detector/{topic_safe(self.subject)}/measured"


class QueueWarningData(Decision):
    """Whether vehicles queue at a detector."""

    state: Literal["raised", "cleared"]
    reason: Literal["slow", "flowing", "no_news"]
    speed: NonNegativeFloat | None = Field(description="mean speed of the newest interval in km/h")
    since: AwareDatetime | None = Field(description="end of the first slow interval; null when cleared")
    approach: str
    text_de: str
    text_en: str


class QueueWarning(Event):
    """Vehicles queue at a detector, or no longer; retained."""

    retained = True
    acting = False
    type: Literal["city.stadtfunk.traffic.queue_warning.v1"] = "city.stadtfunk.traffic.queue_warning.v1"
    data: QueueWarningData

    @property
    def topic(self) -> str:
        """The MQTT topic it is published on."""
        return f"{ROOT}/detector/{topic_safe(self.subject)}/queue"


class SignalPlanRequestedData(RequestData):
    """Which signal plan all junctions of a control group should run."""

    plan: str = Field(description="number of the programme in the supply data of every junction of the group")
    plan_name: str
    reason: Literal["responsive", "schedule"] = Field(description="by traffic, or back to the plan of the time of day")
    reported: str | None = Field(description="plan that the group reported last; null when it is not known")
    scheduled: str | None = Field(description="plan of the time of day; null without a schedule")
    junctions: tuple[str, ...] = Field(description="ids of the junctions: all of them or none")
    text_de: str
    text_en: str


class SignalPlanRequested(Request):
    """A recommendation: controllers keep their intergreens and minimum greens, and their local plan without renewal."""

    type: Literal["city.stadtfunk.traffic.signal_plan_requested.v1"] = "city.stadtfunk.traffic.signal_plan_requested.v1"
    data: SignalPlanRequestedData

    @property
    def topic(self) -> str:
        """The MQTT topic it is published on."""
        return f"{ROOT}/group/{topic_safe(self.subject)}/signal-plan"


Programme = Literal["inbound", "outbound", "balanced", "off"]


class GroupPlan(Part):
    """The signal plan that a control group runs in a coordination programme."""

    group: str
    plan: str


class GreenWaveRequestedData(RequestData):
    """Which coordination programme a corridor should run; `off` leaves its groups to their local schedules."""

    programme: Programme
    plans: tuple[GroupPlan, ...] = Field(description="all groups of the corridor or, when off, none")
    reported: str | None = Field(description="programme that the corridor reported last")
    speed: NonNegativeFloat | None = Field(description="progression speed in km/h, where the programme's is known")
    text_de: str
    text_en: str


class GreenWaveRequested(Request):
    """A recommendation for all control groups of a corridor together."""

    type: Literal["city.stadtfunk.traffic.green_wave_requested.v1"] = "city.stadtfunk.traffic.green_wave_requested.v1"
    data: GreenWaveRequestedData

    @property
    def topic(self) -> str:
        """The MQTT topic it is published on."""
        return f"{ROOT}/corridor/{topic_safe(self.subject)}/green-wave"


PriorityLevel = Literal["full", "conditional", "restricted", "off"]


class BusPriorityPolicyData(RequestData):
    """How much priority buses should get; the request for a single bus is the business of bus and controller."""

    level: PriorityLevel = Field(description="full, only late buses, only where it costs nothing, none")
    reported: str | None = Field(description="level that the corridor reported last")
    buses_per_hour: NonNegativeFloat = Field(description="departures by the timetable")
    load: NonNegativeFloat = Field(description="flow / capacity of the busier direction")
    text_de: str
    text_en: str


class BusPriorityPolicy(Request):
    """The policy of a corridor."""

    type: Literal["city.stadtfunk.traffic.bus_priority_policy.v1"] = "city.stadtfunk.traffic.bus_priority_policy.v1"
    data: BusPriorityPolicyData

    @property
    def topic(self) -> str:
        """The MQTT topic it is published on."""
        return f"{ROOT}/corridor/{topic_safe(self.subject)}/bus-priority"


class ControlHealthData(RequestHealthData):
    """Whether what is asked for is carried out."""


class ControlHealth(Event):
    """What carries out requests about a group or corridor does not answer, refuses, or reports a fault; retained."""

    retained = True
    acting = False
    type: Literal["city.stadtfunk.traffic.control_health.v1"] = "city.stadtfunk.traffic.control_health.v1"
    data: ControlHealthData

    @property
    def topic(self) -> str:
        """The MQTT topic it is published on; the last level is the rule's word for what was asked."""
        what = self.data.rule.rpartition(".")[2].replace("_", "-")
        place = "group" if what == "signal-plan" else "corridor"
        return f"{ROOT}/{place}/{topic_safe(self.subject)}/{what}/health"


EVENT_TYPES: tuple[type[Event], ...] = (
    TrafficMeasured,
    QueueWarning,
    SignalPlanRequested,
    GreenWaveRequested,
    BusPriorityPolicy,
    ControlHealth,
)
"""The events of this domain."""

"""The event types of rules without code; base, evidence and house rules of all events in rules/event.py."""

from typing import Literal

from pydantic import AwareDatetime, Field

from rules.event import TOPIC_ROOT, Decision, Event, Request, RequestData, topic_safe

Severity = Literal["info", "warning", "severe"]
ConditionStatus = Literal["raised", "updated", "cleared"]
ConditionReason = Literal["measured", "no_data", "schedule"]
MAX_DOWNLINK_BYTES = 222
"""The largest payload that any data rate of EU868 carries, without repeaters (LoRaWAN Regional Parameters 2-1.0.4)."""


class CustomConditionData(Decision):
    """Whether the condition that a city wrote holds for an asset."""

    status: ConditionStatus = Field(description="raised, updated (a renewal), cleared")
    reason: ConditionReason = Field(description="why it ended, or measured: readings decided")
    severity: Severity = Field(description="as the rule's author sees it")
    expression: str = Field(max_length=2000, description="the condition, in the Common Expression Language")
    since: AwareDatetime | None = Field(description="when it was raised; null once it is cleared")
    annotate: bool = Field(default=False, description="true when Grafana is to keep it as an annotation")
    text_de: str = Field(max_length=600, description="for people, in German")
    text_en: str = Field(max_length=600, description="for people, in English")


class CustomCondition(Event):
    """A condition began or ended; retained. One topic for each rule and asset."""

    retained = True
    acting = False
    type: Literal["city.stadtfunk.custom.condition.v1"] = "city.stadtfunk.custom.condition.v1"
    data: CustomConditionData

    @property
    def topic(self) -> str:
        """The MQTT topic it is published on."""
        return f"{TOPIC_ROOT}/custom/{topic_safe(_name(self.data.rule))}/{topic_safe(self.subject)}/state"


class DownlinkRequestedData(RequestData):
    """What a device is to be sent."""

    dev_eui: str = Field(pattern="^[0-9a-f]{16}$", description="the device")
    f_port: int = Field(ge=1, le=223, description="application port")
    payload: str = Field(
        pattern="^([0-9a-f]{2})*$", max_length=2 * MAX_DOWNLINK_BYTES, description="bytes as hexadecimal digits"
    )
    confirmed: bool = Field(description="whether the device has to acknowledge it")


class DownlinkRequested(Request):
    """A downlink to a device; its id is the id of the queue item in ChirpStack.

    The topic is the one it is kept under; ChirpStack gets it as a command on the command topic of the device.
    """

    type: Literal["city.stadtfunk.custom.downlink.v1"] = "city.stadtfunk.custom.downlink.v1"
    data: DownlinkRequestedData

    @property
    def topic(self) -> str:
        """The topic under which it is kept."""
        return f"{TOPIC_ROOT}/custom/{topic_safe(_name(self.data.rule))}/{topic_safe(self.subject)}/downlink"


DownlinkOutcome = Literal["rejected", "sent", "acknowledged", "not_acknowledged", "expired", "failed", "unanswered"]


class DownlinkReportedData(Decision):
    """What became of a downlink."""

    request_id: str = Field(description="id of the request, and of the queue item in ChirpStack")
    requested_by: str = Field(description="id of the rule that requested it")
    dev_eui: str = Field(pattern="^[0-9a-f]{16}$", description="the device")
    status: DownlinkOutcome = Field(
        description="rejected: it never went out; sent: a gateway took it; acknowledged or not: by the device, of a"
        " confirmed one; expired: it waited too long; failed: ChirpStack gave it up; unanswered: no gateway took it"
    )
    reason: str = Field(max_length=600, description="why, where there is something to say")


class DownlinkReported(Event):
    """What became of a downlink; not retained, the newest need not be the last word on an older one.

    The subject is that of the request.
    """

    retained = False
    acting = False
    type: Literal["city.stadtfunk.custom.downlink_status.v1"] = "city.stadtfunk.custom.downlink_status.v1"
    data: DownlinkReportedData

    @property
    def topic(self) -> str:
        """The MQTT topic it is published on."""
        rule, subject = topic_safe(_name(self.data.requested_by)), topic_safe(self.subject)
        return f"{TOPIC_ROOT}/custom/{rule}/{subject}/downlink/status"


def _name(rule: str) -> str:
    return rule.partition(".")[2]

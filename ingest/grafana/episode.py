"""What events mean for annotations: an episode begins, gets worse, ends. Pure: no clock, no Grafana."""

from collections.abc import Callable
from enum import Enum, auto
from typing import Literal, NamedTuple

from ingest.grafana.client import New
from rules.event import EPOCH, MILLISECOND, TOPIC_ROOT, Event
from rules.event_custom import CustomCondition
from rules.event_environment import EnvironmentalAlert

CUSTOM, ENVIRONMENT = f"{TOPIC_ROOT}/custom/", f"{TOPIC_ROOT}/environment/"
TOPICS = (f"{CUSTOM}*/state", f"{ENVIRONMENT}*/alert")
"""The topics of the events that may be kept, as SQLite's GLOB reads them."""
WEIGHTS = {"info": 1, "warning": 2, "severe": 3}
SEVERITY = "severity"
TAG_BYTES = 80
"""Of a tag's value: Grafana takes 100 characters, and 500 bytes for all tags of an annotation."""
Language = Literal["de", "en"]


class Said(NamedTuple):
    """An event as annotations see it; `weight` is 0 when there is nothing to keep (any more), else grows with severity.

    `raised`: what it says began with it. `begin_ms` is when that was, `time_ms` the time of the event.
    """

    topic: str
    event_id: str
    time_ms: int
    begin_ms: int
    weight: int
    raised: bool
    text: str
    tags: tuple[str, ...]

    @property
    def new(self) -> New:
        """The annotation that an episode begins with."""
        return New(self.begin_ms, self.text, self.tags)


class Episode(NamedTuple):
    """What an annotation is open for: the event it began with (empty: Grafana refused it), the most it weighed."""

    event_id: str
    weight: int


class Step(Enum):
    """What is to be done."""

    NOTHING = auto()
    BEGIN = auto()
    WORSEN = auto()
    END = auto()


def read(topic: str, payload: bytes, language: Language, least_level: int, district_of: Callable[[str], str]) -> Said:
    """An event of one of the `TOPICS`; raises ValueError for bytes that are none."""
    if topic.startswith(CUSTOM):
        return _condition(CustomCondition.model_validate_json(payload), language, district_of)
    return _alert(EnvironmentalAlert.model_validate_json(payload), language, least_level, district_of)


def step(said: Said, episode: Episode | None) -> Step:
    """What an event asks for, given what is open on its topic."""
    if not said.weight:
        return Step.NOTHING if episode is None else Step.END
    if episode is None or (said.raised and episode.event_id != said.event_id):
        return Step.BEGIN
    return Step.WORSEN if said.weight > episode.weight and episode.event_id else Step.NOTHING


def event_tag(event_id: str) -> str:
    """The tag by which an annotation is found again."""
    return f"event:{event_id}"


def worsened(tags: tuple[str, ...], said: Said) -> tuple[str, ...]:
    """An annotation's tags with the severity of a later event; those that people gave it stay."""
    severity = next(tag for tag in said.tags if tag.startswith(f"{SEVERITY}:"))
    return (*(tag for tag in tags if not tag.startswith(f"{SEVERITY}:")), severity)


def _condition(event: CustomCondition, language: Language, district_of: Callable[[str], str]) -> Said:
    data = event.data
    kept = data.status != "cleared" and (data.annotate or data.severity == "severe")
    begin_ms = event.time_ms if data.since is None else (data.since - EPOCH) // MILLISECOND
    text = data.text_de if language == "de" else data.text_en
    weight = WEIGHTS[data.severity] if kept else 0
    tags = _tags(event, data.severity, district_of)
    return Said(event.topic, event.id, event.time_ms, begin_ms, weight, data.status == "raised", text, tags)


def _alert(event: EnvironmentalAlert, language: Language, least: int, district_of: Callable[[str], str]) -> Said:
    data = event.data
    kept = data.status != "cleared" and data.level >= least
    missed = None if data.previous_level < least else data.since
    begin_ms = event.time_ms if missed is None else (missed - EPOCH) // MILLISECOND
    text = data.text_de if language == "de" else data.text_en
    weight = data.level if kept else 0
    tags = _tags(event, f"level {data.level}", district_of)
    return Said(event.topic, event.id, event.time_ms, begin_ms, weight, data.status == "raised", text, tags)


def _tags(event: Event, severity: str, district_of: Callable[[str], str]) -> tuple[str, ...]:
    district = district_of(event.subject)
    named = {"rule": event.data.rule, "asset": event.subject, "district": district, SEVERITY: severity}
    return ("stadtfunk", *(f"{key}:{_cut(value)}" for key, value in named.items() if value), event_tag(event.id))


def _cut(value: str) -> str:
    return value.encode()[:TAG_BYTES].decode(errors="ignore")

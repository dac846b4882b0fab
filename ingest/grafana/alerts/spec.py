"""What an alert rule is made of, before it is built."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from ingest.grafana.dashboards.spec import Organisation, Text

Severity = Literal["critical", "warning"]
HOUR, DAY = 3600, 86_400


class Question(NamedTuple):
    """One InfluxQL query over the last `span_s` seconds; of each series that it gives the last value counts."""

    ask: str
    span_s: int
    source: Organisation = "internal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert rule: it fires for each series whose value is above `above` (or below `below`) for `lasts` long.

    `questions` are named A, B, …; `formula` says what is compared where it is not A alone, with the values as `$A`.
    `kinds` are assets of the city without which it makes no sense. `name` is the runbook's, and part of the uid.
    """

    name: str
    title: Text
    summary: Text
    questions: tuple[Question, ...]
    above: float | None = None
    below: float | None = None
    formula: str = ""
    lasts: str = "5m"
    severity: Severity = "warning"
    kinds: tuple[str, ...] = ()
    dashboard: str = "service"

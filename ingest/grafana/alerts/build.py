"""The alert rules as Grafana takes them: over its HTTP API, and from the files of its provisioning.

Sources: Grafana's documentation, "Alerting provisioning HTTP API" (ProvisionedAlertRule, AlertRuleGroup,
MuteTimeInterval, Route, EmbeddedContactPoint) and "Use configuration files to provision alerting resources".
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from ingest.grafana.alerts.environment import ENVIRONMENT
from ingest.grafana.alerts.operation import OPERATION
from ingest.grafana.alerts.spec import Alert, Question
from ingest.grafana.dashboards.spec import Language, said
from ingest.grafana.dashboards.target import SOURCES

Json = dict[str, Any]
ALERTS: Final[tuple[Alert, ...]] = (*OPERATION, *ENVIRONMENT)
GROUP: Final = "stadtfunk"
"""Name of the rule group, of the contact point and of the label that every alert carries."""
EVERY_S: Final = 60
EXPRESSION: Final = "__expr__"
NIGHT: Final = "stadtfunk-night"
"""The mute timing, an example: what is no more than a warning waits until the morning."""
DOCS: Final = "${STADTFUNK_DOCS_URL}"
"""Where the documentation is read, in files: `deploy/up` puts it in, for Grafana leaves annotations as they are."""
FILE: Final = Path("stadtfunk.yaml")
CONTACT_FILE: Final = Path("stadtfunk-contact.yaml")
HEAD: Final = "# Written by `stadtfunk provision grafana --build-alerting`; change it there.\n"


class Receiver(NamedTuple):
    """Where alerts go: the address of a webhook, or of a mailbox."""

    kind: str
    address: str

    def settings(self) -> Json:
        """As Grafana takes it."""
        return {"url": self.address} if self.kind == "webhook" else {"addresses": self.address}


def alerts(kinds: Collection[str] | None = None) -> tuple[Alert, ...]:
    """Those that make sense in a city with assets of these kinds; all of them where that is not known."""
    return tuple(each for each in ALERTS if kinds is None or not each.kinds or set(each.kinds) & set(kinds))


def rule(alert: Alert, language: Language, docs: str = DOCS) -> Json:
    """One rule, without the folder and the group that it stands in."""
    other: Language = "en" if language == "de" else "de"
    where = f"runbooks/{alert.name}"
    return {
        "uid": f"{GROUP}-{alert.name}",
        "title": said(alert.title, language),
        "condition": "CONDITION",
        "data": data(alert),
        "noDataState": "Alerting",
        "execErrState": "Alerting",
        "for": alert.lasts,
        "annotations": {
            "summary": said(alert.summary, language),
            f"summary_{other}": said(alert.summary, other),
            "dashboard": f"/d/{GROUP}-{alert.dashboard}-{language}",
            "runbook": f"docs/{where}.md",
            **({"runbook_url": f"{docs.rstrip('/')}/{where}.html"} if docs else {}),
        },
        "labels": {GROUP: "alert", "severity": alert.severity},
    }


def data(alert: Alert) -> list[Json]:
    """The queries, the last value of each series, the formula where there is one, and the comparison."""
    letters = "ABCDEFG"[: len(alert.questions)]
    found = [_asked(question, letter) for question, letter in zip(alert.questions, letters, strict=True)]
    found += [_worked(f"LAST_{each}", "reduce", each, reducer="last") for each in letters]
    compared = "LAST_A"
    if alert.formula:
        compared = "RESULT"
        expression = alert.formula
        for each in letters:
            expression = expression.replace(f"${each}", f"${{LAST_{each}}}")
        found.append(_worked(compared, "math", expression))
    kind, limit = ("gt", alert.above) if alert.above is not None else ("lt", alert.below)
    condition = {"evaluator": {"type": kind, "params": [limit]}}
    found.append(_worked("CONDITION", "threshold", compared, conditions=[condition]))
    return found


def _asked(question: Question, letter: str) -> Json:
    model = {
        "refId": letter,
        "query": question.ask,
        "rawQuery": True,
        "resultFormat": "time_series",
        "intervalMs": 60_000,
        "maxDataPoints": 5000,
    }
    span = {"from": question.span_s, "to": 0}
    return {"refId": letter, "relativeTimeRange": span, "datasourceUid": SOURCES[question.source], "model": model}


def _worked(name: str, kind: str, expression: str, **more: object) -> Json:
    source = {"type": EXPRESSION, "uid": EXPRESSION}
    model = {"refId": name, "type": kind, "datasource": source, "expression": expression, **more}
    return {"refId": name, "relativeTimeRange": {"from": 0, "to": 0}, "datasourceUid": EXPRESSION, "model": model}


def mute_timing(timezone: str) -> Json:
    """The night."""
    times = [{"start_time": "00:00", "end_time": "06:00"}, {"start_time": "22:00", "end_time": "24:00"}]
    return {"name": NIGHT, "time_intervals": [{"times": times, "location": timezone}]}


def contact_point(receiver: Receiver) -> Json:
    """The contact point of all our alerts."""
    return {"uid": GROUP, "name": GROUP, "type": receiver.kind, "settings": receiver.settings()}


def route() -> Json:
    """Our branch of the tree of notification policies: warnings wait for the morning, what is critical does not."""
    return {
        "receiver": GROUP,
        "object_matchers": [[GROUP, "=", "alert"]],
        "group_by": ["grafana_folder", "alertname"],
        "group_wait": "30s",
        "group_interval": "5m",
        "repeat_interval": "4h",
        "routes": [
            {"receiver": GROUP, "object_matchers": [["severity", "=", "warning"]], "mute_time_intervals": [NIGHT]}
        ],
    }


def files(
    language: Language, folder: str, timezone: str, receiver: Receiver | None = None, docs: str = DOCS
) -> dict[Path, str]:
    """The files for Grafana's provisioning: rules and mute timing; where they go, if that is known."""
    group = {
        "orgId": 1,
        "name": GROUP,
        "folder": folder,
        "interval": f"{EVERY_S}s",
        "rules": [rule(each, language, docs) for each in ALERTS],
    }
    timing = {"orgId": 1, **mute_timing(timezone)}
    found = {FILE: _yaml({"apiVersion": 1, "groups": [group], "muteTimes": [timing]})}
    if receiver is not None:
        point = {"uid": GROUP, "type": receiver.kind, "settings": receiver.settings()}
        contact = {"orgId": 1, "name": GROUP, "receivers": [point]}
        tree = {"orgId": 1, "receiver": GROUP, "group_by": ["grafana_folder", "alertname"], "routes": [route()]}
        found[CONTACT_FILE] = _yaml({"apiVersion": 1, "contactPoints": [contact], "policies": [tree]})
    return found


def _yaml(content: Json) -> str:
    return HEAD + yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=1000)

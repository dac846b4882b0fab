"""An alert rule evaluated as Grafana does it: queries, the last value of each series, a formula, a comparison.

Source: Grafana's documentation, "Queries and conditions" and "Write expression queries": series are told apart by their
labels, a formula joins those whose labels fit, an empty answer is "no data".
"""

import json
import re
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any, Literal

from tests.doubles.influxd import Database

Labels = frozenset[tuple[str, str]]
Series = dict[Labels, float]
State = Literal["firing", "normal"]
FORMULA = re.compile(r"\$\{(\w+)\} / \$\{(\w+)\}")


def evaluate(server: Database, buckets: Mapping[str, str], rule: Mapping[str, Any], now_ms: int) -> dict[Labels, State]:
    """The state of each instance at this time; where nothing was found one without labels, as NoData has it."""
    found: dict[str, Series] = {}
    for step in rule["data"]:
        model, name = step["model"], step["refId"]
        if step["datasourceUid"] != "__expr__":
            assert model["rawQuery"], model
            assert model["resultFormat"] == "time_series", model
            span = step["relativeTimeRange"]
            times = f"time >= {now_ms - span['from'] * 1000}ms AND time <= {now_ms - span['to'] * 1000}ms"
            found[name] = _asked(server, buckets[step["datasourceUid"]], model["query"].replace("$timeFilter", times))
        elif model["type"] == "reduce":
            assert model["reducer"] == "last"
            found[name] = found[model["expression"]]
        elif model["type"] == "math":
            found[name] = _divided(found, model["expression"])
        else:
            assert model["type"] == "threshold"
            found[name] = _compared(found[model["expression"]], model["conditions"][0]["evaluator"])
    condition = found[rule["condition"]]
    if not condition:
        return {frozenset(): "firing" if rule["noDataState"] == "Alerting" else "normal"}
    return {labels: "firing" if value else "normal" for labels, value in condition.items()}


def firing(server: Database, buckets: Mapping[str, str], rule: Mapping[str, Any], now_ms: int) -> set[Labels]:
    """The instances that fire."""
    return {labels for labels, state in evaluate(server, buckets, rule, now_ms).items() if state == "firing"}


def _asked(server: Database, bucket: str, query: str) -> Series:
    """The last value of each series by its labels; two with the same ones are what Grafana refuses."""
    asked = urllib.parse.urlencode({"q": query, "db": bucket, "epoch": "ms"})
    headers = {"Authorization": f"Token {server.token}"} if server.token else {}
    request = urllib.request.Request(f"{server.url}/query?{asked}", headers=headers)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - the same
        (result,) = json.load(answer)["results"]
    assert "error" not in result, (query, result)
    found: Series = {}
    for series in result.get("series", ()):
        assert len(series["columns"]) == 2, query
        labels = frozenset((key, value) for key, value in series.get("tags", {}).items() if value)
        assert labels not in found, f"duplicate labels {set(labels)}: {query}"
        value = series["values"][-1][1]
        if value is not None:
            found[labels] = float(value)
    return found


def _divided(found: Mapping[str, Series], expression: str) -> Series:
    """Each of the one over each of the other whose labels are within its own, or the other way round."""
    match = FORMULA.fullmatch(expression)
    assert match is not None, expression
    one, other = (found[name] for name in match.groups())
    pairs = [(a, b) for a in one for b in other if a <= b or b <= a]
    return {a | b: one[a] / other[b] for a, b in pairs if other[b]}


def _compared(values: Series, evaluator: Mapping[str, Any]) -> Series:
    (limit,) = evaluator["params"]
    above = {"gt": True, "lt": False}[evaluator["type"]]
    return {labels: float(value > limit if above else value < limit) for labels, value in values.items()}

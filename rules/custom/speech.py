"""What a rule says: the events of a condition, the downlinks, evidence and texts."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from rules.custom.config import CustomConfig, target
from rules.custom.definition import CustomRule, Downlink
from rules.custom.reading import Held, found
from rules.custom.state import Standing
from rules.custom.term import Term
from rules.environment.alert import evidence
from rules.event import SOURCE_ROOT, Event, Evidence, event_id, instant
from rules.event_custom import (
    ConditionReason,
    ConditionStatus,
    CustomCondition,
    CustomConditionData,
    DownlinkRequested,
    DownlinkRequestedData,
)
from rules.rule import Input

VERSION = 1
"""Of all rules without code: counts changes of how they decide and of the form of their state."""
UNKNOWN = "–"
MAX_TEXT = 600
CLEARED = ("Beendet: ", "Over: ")
NO_DATA = ("Keine aktuellen Werte: ", "No recent values: ")
OFF_SCHEDULE = ("Außerhalb der Zeiten: ", "Outside its hours: ")


class Turn(NamedTuple):
    """A change of the condition: what becomes of it, why, on which values (by variable) and readings."""

    status: ConditionStatus
    reason: ConditionReason
    standing: Standing
    values: Mapping[str, float | bool]
    held: Held


def events(config: CustomConfig, turn: Turn, given: Input) -> tuple[Event, ...]:
    """The events that a change is worth: the condition's, and downlinks where it began or ended on readings."""
    said: list[Event] = []
    rule = config.definition
    stands_on = tuple(_evidence(config, turn, given.now_ms))
    if rule.event:
        said.append(_condition(config, turn, given, stands_on))
    downlink = {"raised": rule.downlink, "cleared": rule.downlink_clear}.get(turn.status)
    if downlink is not None and turn.reason != "no_data":
        device = target(downlink, config.asset, given.now_ms)
        if device is not None:
            said.append(_downlink(config, downlink, device, given, stands_on))
    return tuple(said)


def _condition(config: CustomConfig, turn: Turn, given: Input, stands_on: tuple[Evidence, ...]) -> CustomCondition:
    rule, standing = config.definition, turn.standing
    text_de, text_en = _texts(config, turn)
    return CustomCondition(
        id=event_id(rule.id, config.asset.id, "condition", given.cause),
        source=f"{SOURCE_ROOT}/{rule.id}",
        subject=config.asset.id,
        time=instant(given.now_ms),
        data=CustomConditionData(
            rule=rule.id,
            rule_version=VERSION,
            valid_until=instant(standing.valid_until_ms),
            evidence=stands_on,
            status=turn.status,
            reason=turn.reason,
            severity=rule.severity,
            expression=rule.when,
            since=instant(standing.raised_ms) if standing.raised_ms else None,
            annotate=rule.annotate,
            text_de=text_de,
            text_en=text_en,
        ),
    )


def _downlink(
    config: CustomConfig, downlink: Downlink, device: str, given: Input, stands_on: tuple[Evidence, ...]
) -> DownlinkRequested:
    rule = config.definition
    return DownlinkRequested(
        id=event_id(rule.id, config.asset.id, "downlink", given.cause),
        source=f"{SOURCE_ROOT}/{rule.id}",
        subject=config.asset.id,
        time=instant(given.now_ms),
        data=DownlinkRequestedData(
            rule=rule.id,
            rule_version=VERSION,
            valid_until=instant(given.now_ms + downlink.valid_s * 1000),
            evidence=stands_on,
            issued_at=instant(given.now_ms),
            dev_eui=device,
            f_port=downlink.f_port,
            payload=downlink.payload,
            confirmed=downlink.confirmed,
        ),
    )


def _evidence(config: CustomConfig, turn: Turn, now_ms: int) -> Iterator[Evidence]:
    rule = config.definition
    for term, read in zip(config.condition.terms, config.condition.reads, strict=True):
        behind = found(config, turn.held, term, now_ms)
        compared = config.condition.comparison(term)
        value = turn.values.get(read.variable)
        yield evidence(
            term.shown,
            None if value is None else float(value),
            term.unit,
            behind.newest_ms,
            now_ms,
            n_samples=behind.n_samples,
            window_ms=term.window_ms or None,
            threshold=compared.threshold if compared else None,
            hysteresis=_hysteresis(rule, term) if compared else None,
            coverage=behind.coverage,
            sources=behind.sources,
        )


def _hysteresis(rule: CustomRule, term: Term) -> float | None:
    return rule.hysteresis.get(term.key.quantity.field) if term.in_quantity else None


def _texts(config: CustomConfig, turn: Turn) -> tuple[str, str]:
    """The text in German and in English, with figures in the place of names in braces."""
    rule, asset = config.definition, config.asset
    before = ("", "")
    if turn.status == "cleared":
        before = {"no_data": NO_DATA, "schedule": OFF_SCHEDULE}.get(turn.reason, CLEARED)
    names = {"name": (asset.name or asset.id)[:100], "asset": asset.id[:100]}
    for term, read in zip(config.condition.terms, config.condition.reads, strict=True):
        names[term.placeholder] = _shown(turn.values.get(read.variable))
    german = names | {key: text.replace(".", ",") for key, text in names.items() if key not in {"name", "asset"}}
    return (
        f"{before[0]}{rule.text_de.format_map(german)}"[:MAX_TEXT],
        f"{before[1]}{rule.text_en.format_map(names)}"[:MAX_TEXT],
    )


def _shown(value: float | bool | None) -> str:
    return UNKNOWN if value is None else f"{value:.1f}".removesuffix(".0")

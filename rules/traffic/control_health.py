"""The event that says that requests are not carried out."""

from rules.event_traffic import ControlHealth
from rules.request_health import RENEWAL_MS, VALIDITY_MS, Finding, Texts, body
from rules.rule import Answered, Input
from rules.traffic.control import Control, ControlConfig

TEXTS: Texts = {
    None: ("Anforderungen werden beantwortet.", "Requests are answered."),
    "no_answer": (
        "Auf die letzte Anforderung kam keine Antwort. Die Anlagen laufen nach ihrem örtlichen Plan.",
        "The last request was not answered. Controllers run their local schedule.",
    ),
    "rejected": ("Die letzte Anforderung wurde abgelehnt.", "The last request was rejected."),
    "fault": (
        "Eine Anlage meldet eine Störung. Bis auf Weiteres wird nichts angefordert.",
        "A controller reports a fault. Nothing is requested until further notice.",
    ),
}


def due_ms(control: Control) -> int | None:
    """When a problem that lasts is said again."""
    return control.shown_until_ms - RENEWAL_MS if control.shown else None


def say(
    config: ControlConfig, control: Control, given: Input, rule: tuple[str, int], asset: str
) -> tuple[Control, tuple[ControlHealth, ...]]:
    """Say a problem that came or went or that has to be said again; `rule` is its id and version."""
    due = due_ms(control)
    if control.problem == control.shown and (due is None or given.now_ms < due):
        return control, ()
    until_ms = given.now_ms + VALIDITY_MS
    control = control._replace(shown=control.problem, shown_until_ms=until_ms)
    return control, (_event(config, control, given, rule, asset),)


def _event(config: ControlConfig, control: Control, given: Input, rule: tuple[str, int], asset: str) -> ControlHealth:
    asked = control.asked
    finding = Finding(
        control.problem,
        control.problem_ms,
        asked.programme if asked else None,
        asked.id if asked else None,
        control.reported_ms,
        config.answer_timeout_ms,
        int(isinstance(given, Answered)),
        control.shown_until_ms,
    )
    return ControlHealth.model_validate(body(rule, asset, finding, TEXTS, given.now_ms, given.cause))

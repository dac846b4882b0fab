"""The event that says that requests are not carried out."""

from collections.abc import Mapping

from rules.event import SOURCE_ROOT, event_id, instant
from rules.event_traffic import ControlHealth
from rules.rule import Answered, Input
from rules.traffic.control import Control, ControlConfig, Problem

VALIDITY_MS = 24 * 3_600_000
RENEWAL_MS = VALIDITY_MS // 4
TEXTS: Mapping[Problem | None, tuple[str, str]] = {
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
    problem, asked = control.problem, control.asked
    german, english = TEXTS[problem]
    waited_s = max(0, given.now_ms - control.problem_ms) / 1000
    evidence = {
        "quantity": "answer_age",
        "value": waited_s,
        "unit": "s",
        "window_s": None,
        "threshold": config.answer_timeout_ms / 1000,
        "hysteresis": None,
        "n_samples": int(isinstance(given, Answered)),
        "newest_at": instant(control.reported_ms) if control.reported_ms else None,
        "age_s": max(0, given.now_ms - control.reported_ms) / 1000 if control.reported_ms else None,
        "sources": (),
    }
    return ControlHealth.model_validate(
        {
            "id": event_id(rule[0], asset, "health", given.cause),
            "source": f"{SOURCE_ROOT}/{rule[0]}",
            "subject": asset,
            "time": instant(given.now_ms),
            "data": {
                "rule": rule[0],
                "rule_version": rule[1],
                "valid_until": instant(control.shown_until_ms),
                "evidence": (evidence,) if problem else (),
                "state": "problem" if problem else "ok",
                "problem": problem,
                "asked": asked.programme if asked else None,
                "request_id": asked.id if asked else None,
                "since": instant(control.problem_ms) if problem else None,
                "text_de": german,
                "text_en": english,
            },
        }
    )

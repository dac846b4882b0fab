"""What is to be done in a Grafana: plain descriptions, and the requests that each stands for."""

import difflib
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from ingest.grafana.provision.http import Grafana

MARK: Final = "stadtfunk"
"""What is ours carries it, with a digest of what was written."""
DIGITS: Final = 16
MAX_DIFF_LINES: Final = 200


class Step(NamedTuple):
    """One thing to do in an organisation; `edited`: somebody changed by hand what would be overwritten.

    `diff` shows what is there against what would be.
    """

    organisation: str
    what: str
    take: Callable[[Grafana], None]
    edited: bool = False
    diff: tuple[str, ...] = ()

    def describe(self) -> str:
        """One line for people."""
        return f"{self.organisation}: {self.what}"


class Plan(NamedTuple):
    """What is to be done, and what people should know."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()

    @property
    def edited(self) -> tuple[Step, ...]:
        """What somebody changed by hand."""
        return tuple(step for step in self.steps if step.edited)


class Finding(NamedTuple):
    """What was found of one thing: the step it needs, or none; a note for people, or an empty one."""

    step: Step | None = None
    note: str = ""


RIGHT: Final = Finding()
"""It is as it should be."""


def plan_of(findings: Iterable[Finding]) -> Plan:
    """All that was found, in its order."""
    found = tuple(findings)
    steps = tuple(each.step for each in found if each.step is not None)
    return Plan(steps, tuple(each.note for each in found if each.note))


def digest(content: object) -> str:
    """A name for exactly this content."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def differences(there: object, wanted: object, name: str) -> tuple[str, ...]:
    """What changes from what is there to what is wanted, as a unified diff of JSON."""
    before, after = (
        json.dumps(each, ensure_ascii=False, indent=1, sort_keys=True).splitlines() for each in (there, wanted)
    )
    lines = list(difflib.unified_diff(before, after, f"{name} (in Grafana)", f"{name} (wanted)", n=2, lineterm=""))
    if len(lines) > MAX_DIFF_LINES:
        lines[MAX_DIFF_LINES:] = [f"... {len(lines) - MAX_DIFF_LINES} more lines"]
    return tuple(lines)


def within(wanted: object, there: object) -> Any:  # noqa: ANN401 - JSON of any shape
    """What is there, reduced to the keys that are wanted: programs add keys of their own, which mean nothing here."""
    if isinstance(wanted, Mapping) and isinstance(there, Mapping):
        return {key: within(value, there[key]) for key, value in wanted.items() if key in there}
    if isinstance(wanted, list) and isinstance(there, list) and len(wanted) == len(there):
        return [within(one, other) for one, other in zip(wanted, there, strict=True)]
    return there

"""What `stadtfunk check` found, one line each."""

from typing import Literal, NamedTuple


class Finding(NamedTuple):
    """One line of the check."""

    level: Literal["ok", "warning", "error"]
    subject: str
    text: str


def line(finding: Finding) -> str:
    """A finding as people read it."""
    mark = {"ok": "ok     ", "warning": "warning", "error": "error  "}[finding.level]
    return f"{mark}  {finding.subject}: {finding.text}"

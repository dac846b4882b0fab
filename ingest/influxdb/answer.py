"""What an answer of InfluxDB to a write means: whose fault it is and what to do.

Source: answers recorded from 1.8.10, 2.7.12 and 2.8.0, and the write handlers of 1.8.10. 1.8 says `{"error": …}`, 2.x
`{"code": …, "message": …}`; a proxy in front says whatever it likes.
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import NamedTuple

MAX_REASON = 300
MAX_WAIT_S = 3600.0
BAD_REQUEST, TOO_LARGE, UNPROCESSABLE, SERVER_ERROR = 400, 413, 422, 500

_LINE_FAULT = re.compile(r"unable to parse|partial write|dropped|conflict|retention polic|max key size|out of range")
_REQUEST_FAULT = re.compile(r"\borg\b|\borgID\b|organization|bucket|database is required|precision|authoriz")
_NO_ORGANISATION = re.compile(r"provide either orgID or org\b")
_DROPPED = re.compile(r"dropped=(\d+)")
_ADVICE = {
    401: "set influxdb.token (1.8: user:password)",
    403: "give the token (1.8: the user) the right to do that",
    404: "create it (stadtfunk provision influxdb) or correct influxdb.url, bucket and organisation",
    408: "InfluxDB is slow",
    429: "InfluxDB asks for fewer writes",
    507: "InfluxDB's disk is full",
}


class Fault(Enum):
    """Why a write was not taken."""

    LINES = auto()
    """One or more of the lines: look for them."""
    SIZE = auto()
    """The body is too large: halve it."""
    STRANGE = auto()
    """The server failed on these bytes; nobody knows whose fault that is until it lasts."""
    SERVER = auto()
    """Server, settings or the way between: the same bytes come again."""


class Answer(NamedTuple):
    """A write that was not taken: `message` as the server gave it, `reason` on one line with what to do.

    `dropped` is how many lines the server says it left out, None when it does not say.
    """

    fault: Fault
    reason: str
    message: str = ""
    dropped: int | None = None
    retry_after_s: float | None = None


def read(status: int, headers: Mapping[str, str], body: bytes | str | None) -> Answer:
    """The meaning of an answer that is not 204."""
    message = _message(body)
    fault = _fault(status, message)
    advice = _advice(status, message)
    reason = one_line(f"{status} {message}") + (f"; {advice}" if advice else "")
    dropped = _DROPPED.findall(message)
    return Answer(fault, reason, message, int(dropped[-1]) if dropped else None, _retry_after(headers))


def named(message: str, lines: Iterable[bytes]) -> dict[bytes, str]:
    """Those of the lines that the message quotes as unreadable, each with the reason given."""
    quotes = message.split("unable to parse '")[1:]
    if not quotes:
        return {}
    by_text = {line.decode(errors="replace").lstrip(): line for line in lines}
    parts = [quote.rpartition("': ") for quote in quotes]
    return {
        by_text[text]: one_line(_DROPPED.sub("", f"unable to parse: {why}"))
        for text, _, why in parts
        if text in by_text
    }


def one_line(text: str) -> str:
    """Text for a log: no newlines, bounded length."""
    return " ".join(text.split())[:MAX_REASON]


def _message(body: bytes | str | None) -> str:
    text = body.decode(errors="replace") if isinstance(body, bytes) else body or ""
    try:
        said = json.loads(text)
    except ValueError:
        return text
    if not isinstance(said, dict):
        return text
    message = said.get("message") or said.get("error")
    return str(message) if message else text


def _advice(status: int, message: str) -> str:
    if 300 <= status < 400:  # noqa: PLR2004 - redirections
        return "set influxdb.url to where InfluxDB answers"
    if status == BAD_REQUEST and _NO_ORGANISATION.search(message):
        return "set influxdb.organisation"
    return _ADVICE.get(status, "")


def _fault(status: int, message: str) -> Fault:
    if status == TOO_LARGE:
        return Fault.SIZE
    if status in {BAD_REQUEST, UNPROCESSABLE}:
        if _LINE_FAULT.search(message):
            return Fault.LINES
        return Fault.SERVER if _REQUEST_FAULT.search(message) else Fault.STRANGE
    return Fault.STRANGE if status == SERVER_ERROR else Fault.SERVER


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, given as such or as a date; a date counts from the answer's own, else from now."""
    given = headers.get("Retry-After", "").strip()
    if given.isdecimal():
        return min(float(given), MAX_WAIT_S)
    until = _date(given)
    if until is None:
        return None
    waited_s = (until - (_date(headers.get("Date", "")) or datetime.now(UTC))).total_seconds()
    return min(max(waited_s, 0.0), MAX_WAIT_S)


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)

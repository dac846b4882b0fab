"""The audit table as a file: one JSON object a line, which anybody can check without us.

Each line has number, time_ms, actor, action, subject, reason, detail, `previous` and `hash` (hexadecimal). How a hash
is computed stands in `ingest.audit`; `previous` is the hash of the row before, so that an excerpt can be checked, too.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import chain

from pydantic import BaseModel, ConfigDict, ValidationError

from ingest.audit import GENESIS, Action, Check, Head, Row


class ExportError(ValueError):
    """A line that is no row of an export; the message names the line."""


class ExportedRow(BaseModel):
    """One line of an export."""

    model_config = ConfigDict(extra="forbid", strict=True)

    number: int
    time_ms: int
    actor: str
    action: str
    subject: str
    reason: str
    detail: str
    previous: str
    hash: str

    def row(self) -> Row:
        """As the chain takes it; raises ValueError."""
        action = Action(self.actor, self.action, self.subject, self.reason, self.detail)
        return Row(self.number, self.time_ms, action, bytes.fromhex(self.hash))

    def head(self) -> Head:
        """What stands before it; raises ValueError."""
        return Head(self.number - 1, bytes.fromhex(self.previous))


def lines(rows: Iterable[Row], since_ms: int = 0) -> Iterator[str]:
    """The rows since then, each as its line; `rows` begin with row 1."""
    previous = GENESIS
    for row in rows:
        if row.time_ms >= since_ms:
            yield json.dumps(as_dict(row) | {"previous": previous.hex(), "hash": row.hash.hex()}, ensure_ascii=False)
        previous = row.hash


def as_dict(row: Row) -> dict[str, str | int]:
    """What a row says, without its hash."""
    return {"number": row.number, "time_ms": row.time_ms, **row.action._asdict()}


def check(text: Iterable[str], noted: Head | None = None) -> Check:
    """Walk along an export from its first line; raises ExportError for what is no row."""
    rows = _read(text)
    first = next(rows, None)
    if first is None:
        return Check(noted=noted)
    begin, row = first
    if row.number == 1 and begin.hash != GENESIS:
        return Check(noted=noted, bad=1)
    return Check(begin, noted).feed(chain([row], (row for _, row in rows)))


def _read(text: Iterable[str]) -> Iterator[tuple[Head, Row]]:
    for number, line in enumerate(text, 1):
        if line.strip():
            try:
                exported = ExportedRow.model_validate_json(line)
                yield exported.head(), exported.row()
            except (ValidationError, ValueError) as error:
                raise ExportError(f"line {number} is no row of an audit export: {_first(error)}") from error


def _first(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        item = error.errors()[0]
        return f"{'.'.join(map(str, item['loc'])) or 'line'}: {item['msg']}"
    return str(error)

"""What a single row of the journal can say about itself: whether it is as it was written."""

import hashlib
from collections.abc import Mapping

from ingest.journal_schema import CHECKED, checksum
from ingest.sqlite_rows import Value

Row = dict[str, Value]

CHECKED_1: Mapping[str, tuple[str, ...]] = {"points": ("body",), "event": ("payload",), "state": ("body",)}
"""Schema version 1: the columns that a row's checksum covers."""
WITHDRAWN = "withdrawn"
"""Of an event that makes something act."""
WORDS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("event", "status"): (
        "pending",
        "published",
        "superseded",
        "expired_unpublished",
        "damaged",
        "off",
        "shadow",
        "waiting",
        "backlog",
        WITHDRAWN,
        "rejected",
        "personal",
    ),
    ("dead_letter", "status"): ("open", "retried", "discarded"),
}
"""Columns with a closed vocabulary; any other word is damage and is taken for the first, which forgets nothing.

But a request of which nobody knows what became must not go out.
"""
BODIES = ("body", "payload")
LONGEST_MESSAGE = 268_435_455
"""Bytes that MQTT can carry."""


def checked(version: int) -> Mapping[str, tuple[str, ...]]:
    """What checksums cover in a journal of this schema version, by table."""
    return CHECKED_1 if version == 1 else CHECKED


def row_checksum(row: Row, columns: tuple[str, ...]) -> int:
    """The checksum of these values of a row; a float is none that a checked column holds."""
    return checksum(*(str(value) if isinstance(value, float) else value for value in map(row.__getitem__, columns)))


def misfit(table: str, row: Row, covered: Mapping[str, tuple[str, ...]]) -> bytes | None:
    """The bytes of a row that is not as it was written; None for one that is, or that nothing protects."""
    columns = covered.get(table)
    if columns is not None and "crc" in row:
        fits = row_checksum(row, columns) == row["crc"]
    elif table == "dead_letter":
        fits = _digest_fits(row)
    else:
        return None
    return None if fits else _body(row)


def settled(table: str, row: Row) -> Row:
    """The row, with words that nobody wrote replaced."""
    for (name, column), words in WORDS.items():
        if name == table and row.get(column) not in words:
            row = {**row, column: WITHDRAWN if row.get("acting") else words[0]}
    return row


def _digest_fits(row: Row) -> bool:
    """Whether source and payload are those of the digest; of a longer message only its head is there to be judged."""
    payload, source, length = row["payload"], row["source"], row["length"]
    if not isinstance(payload, bytes) or not isinstance(source, str) or not isinstance(length, int):
        return False
    if len(payload) < length <= LONGEST_MESSAGE:
        return True
    return hashlib.blake2b(source.encode() + b"\0" + payload, digest_size=16).digest() == row["digest"]


def _body(row: Row) -> bytes:
    for name in BODIES:
        if name in row:
            return _bytes(row[name])
    return b"\0".join(_bytes(value) for value in row.values())


def _bytes(value: Value) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()

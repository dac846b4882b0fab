"""What became of containers on tours, as the states of their rule in the journal say: there at every restart."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Final

from ingest.journal_schema import checksum
from rules.feedback import SkipReason
from rules.waste.collection_due import RULE, Container, restored

IN_VAIN: Final[frozenset[SkipReason]] = frozenset({"not_full", "damaged", "wrong_content"})
"""Why a stop was skipped to which it is no use to go again that day."""
_STATES = "SELECT rule, subject, version, body, crc FROM state WHERE rule = ?"


def served(connection: sqlite3.Connection, from_ms: int, to_ms: int) -> frozenset[str]:
    """The containers whose newest emptying lies in [from_ms, to_ms), told by a vehicle or seen by the sensor."""
    return frozenset(name for name, state in _containers(connection) if from_ms <= state.fill.emptied_ms < to_ms)


def skipped(connection: sqlite3.Connection, from_ms: int, to_ms: int) -> Mapping[str, SkipReason]:
    """The containers that a vehicle did not empty in [from_ms, to_ms) and that were not emptied since, and why."""
    found = {name: state.told.skipped for name, state in _containers(connection)}
    return {name: skip.reason for name, skip in found.items() if skip is not None and from_ms <= skip.time_ms < to_ms}


def done(connection: sqlite3.Connection, from_ms: int, to_ms: int) -> frozenset[str]:
    """The containers to which no tour goes again until then: emptied, or skipped for what an hour does not change."""
    left = skipped(connection, from_ms, to_ms)
    return served(connection, from_ms, to_ms) | {name for name, why in left.items() if why in IN_VAIN}


def _containers(connection: sqlite3.Connection) -> Iterator[tuple[str, Container]]:
    """The states of all containers; one that cannot be read is as if it were not there, as it is for the rule."""
    for rule, subject, version, body, crc in connection.execute(_STATES, (RULE.id,)):
        if checksum(rule, subject, version, body) == crc:
            state = restored(version, json.loads(body)["state"])
            if state is not None:
                yield subject, state

"""All devices as people see them: what was heard of them, joined with what people said."""

import sqlite3
from collections.abc import Iterator
from typing import Any, NamedTuple

from ingest import downlink_store
from ingest.fleet import lifecycle_store
from ingest.fleet import store as fleet_store
from ingest.fleet.assignments import Assignments
from ingest.fleet.lifecycle import Lifecycle, State
from ingest.fleet.register import DEV_EUI
from rules.city import City

DOWNLINKS = 10
"""The newest downlinks to a device, which are shown with it."""
SILENT_AFTER = 2.5
"""Learned intervals without an uplink after which a device counts as silent."""
UNHEARD: dict[str, Any] = {
    "name": "",
    "model": "",
    "application": "",
    "tag_asset": "",
    "first_ms": None,
    "last_ms": None,
    "interval_s": None,
    "problems": [],
}


class Words(NamedTuple):
    """What people said, and the city they said it of."""

    lifecycle: Lifecycle
    assignments: Assignments
    city: City

    @classmethod
    def read(cls, connection: sqlite3.Connection, city: City) -> "Words":
        """From the journal."""
        changes = Lifecycle(lifecycle_store.changes(connection))
        return cls(changes, Assignments(fleet_store.assignments(connection)), city)

    def device(self, heard: dict[str, Any], now_ms: int) -> dict[str, Any]:
        """A device as lists show it: `state` and `asset` now, `counts`, `silent`, a `note` where one should look."""
        dev_eui = str(heard["dev_eui"])
        place = self.city.asset_of(
            dev_eui, now_ms, self.assignments.place(dev_eui, now_ms, str(heard["tag_asset"] or ""))
        )
        asset = place.id if place else ""
        change = self.lifecycle.change(dev_eui, now_ms)
        return {
            **heard,
            "asset": asset,
            "state": (change.state if change else State.ACTIVE).value,
            "until_ms": change.until_ms if change else None,
            "asset_state": self.lifecycle.state(asset, now_ms).value if asset else "",
            "counts": self.lifecycle.counts(dev_eui, asset, now_ms),
            "silent": _silent(heard, now_ms),
            "note": self._note(dev_eui, heard["last_ms"]),
        }

    def _note(self, dev_eui: str, last_ms: int | None) -> str:
        if last_ms is None:
            return "never heard"
        state = self.lifecycle.state(dev_eui, last_ms)
        return f"sends though {state}" if state in {State.RETIRED, State.PLANNED} else ""


def listed(connection: sqlite3.Connection, city: City, now_ms: int) -> Iterator[dict[str, Any]]:
    """Every device that was heard, or of which somebody said something."""
    words = Words.read(connection, city)
    mentioned = {subject for subject in words.lifecycle.subjects() if DEV_EUI.fullmatch(subject)}
    mentioned.update(words.assignments.devices())
    for heard in fleet_store.devices(connection):
        mentioned.discard(heard["dev_eui"])
        yield words.device(heard, now_ms)
    for dev_eui in sorted(mentioned):
        yield words.device({"dev_eui": dev_eui, **UNHEARD}, now_ms)


def shown(connection: sqlite3.Connection, city: City, dev_eui: str, now_ms: int) -> dict[str, Any] | None:
    """One device with all that was said of it, `states` and `assignments`, and its newest `downlinks`.

    None when nothing is known of it.
    """
    words = Words.read(connection, city)
    heard = fleet_store.device(connection, dev_eui)
    states = [change._asdict() for change in lifecycle_store.changes(connection) if change.subject == dev_eui]
    places = [word._asdict() for word in fleet_store.assignments(connection) if word.dev_eui == dev_eui]
    if heard is None and not states and not places:
        return None
    found = words.device(heard or {"dev_eui": dev_eui, **UNHEARD}, now_ms)
    downlinks = downlink_store.of_device(connection, dev_eui, DOWNLINKS)
    return {**found, "states": states, "assignments": places, "downlinks": downlinks}


def _silent(heard: dict[str, Any], now_ms: int) -> bool:
    last_ms, interval_s = heard["last_ms"], heard["interval_s"]
    if "silent" in heard["problems"]:
        return True
    return last_ms is not None and interval_s is not None and now_ms - last_ms > SILENT_AFTER * interval_s * 1000

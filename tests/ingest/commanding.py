"""A rule that commands devices, for lots: a space that says it is occupied is answered by a downlink.

What is sent where stands in the lot's property `command`. Run as a program, it is a service with this rule.
"""

import asyncio
import json
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest
import structlog

from decoders.quantity import Quantity
from ingest import app
from ingest.clock import wall_clock
from ingest.journal import Journal
from ingest.mqtt_out import Publisher
from ingest.settings import load
from rules.asset import Asset
from rules.catalog import RULES
from rules.event import SOURCE_ROOT, event_id, instant
from rules.event_custom import DownlinkRequested
from rules.rule import Input, Json, Observation, Outputs, Rule
from tests.ingest.uplinks import CITY

ID = "custom.test_valve"
TOPIC = "stadtfunk/v1/custom/test_valve/lot-markt/downlink"
REPORTS = f"{TOPIC}/status"
VALID_MS = 600_000
COMMAND: dict[str, Any] = {"f_port": 10, "payload": "01ff", "confirmed": True, "valid_ms": VALID_MS}


class Wish(NamedTuple):
    """What is sent: to `dev_eui`, or without one to the device that was heard."""

    dev_eui: str
    f_port: int
    payload: str
    confirmed: bool
    valid_ms: int


def request(asset: str, wish: Wish, given: Observation) -> DownlinkRequested:
    """The request that follows from a measurement."""
    now = instant(given.now_ms)
    return DownlinkRequested.model_validate(
        {
            "id": event_id(ID, asset, "downlink", given.cause),
            "source": f"{SOURCE_ROOT}/{ID}",
            "subject": asset,
            "time": now,
            "data": {
                "rule": ID,
                "rule_version": 1,
                "valid_until": instant(given.now_ms + wish.valid_ms),
                "issued_at": now,
                "evidence": (),
                "dev_eui": wish.dev_eui or given.dev_eui,
                "f_port": wish.f_port,
                "payload": wish.payload,
                "confirmed": wish.confirmed,
            },
        }
    )


def configure(asset: Asset) -> tuple[str, Wish]:
    """The asset's id, and what it sends."""
    command = {**COMMAND, "dev_eui": "", **dict(asset.properties.get("command") or {})}  # type: ignore[call-overload]
    return asset.id, Wish(**command)


def step(config: tuple[str, Wish], measured_ms: int, given: Input) -> tuple[int, Outputs]:
    """A request for each usable measurement that says occupied."""
    asset, wish = config
    if not isinstance(given, Observation) or not given.usable(measured_ms):
        return measured_ms, Outputs()
    occupied = any(quantity is Quantity.OCCUPIED and value for quantity, value, _ in given.readings)
    return given.time_ms, Outputs((request(asset, wish, given),) if occupied else ())


def load_state(_config: tuple[str, Wish], _version: int, kept: Json) -> int:
    """The state again."""
    assert isinstance(kept, int)
    return kept


COMMANDING = Rule(
    id=ID,
    version=1,
    kind="lot",
    configure=configure,
    initial=lambda _config: 0,
    step=step,
    wake=lambda _config, _state: 0,
    dump=lambda state: state,
    load=load_state,
)


def city_text(**command: Any) -> str:  # noqa: ANN401 - any part of a wish
    """The small city, with another command of its lot."""
    city = json.loads(json.dumps(CITY))
    city["features"][0]["properties"]["command"] = command
    return json.dumps(city)


@pytest.fixture
def commanding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Services of this test have the rule, too."""
    monkeypatch.setattr(app, "RULES", (*RULES, COMMANDING))


def main(config: str, stage: str, ahead_s: str) -> None:
    """Run a service with the rule until SIGTERM, by a clock so far ahead.

    At `stage` (`publish`, `note` or none) it goes no further.
    """
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    publish, note = Publisher.publish, Journal.events_done

    async def before(self: Publisher, topic: str, payload: bytes, **how: Any) -> None:  # noqa: ANN401 - as `publish`
        if topic.endswith("/command/down"):
            await asyncio.Event().wait()
        await publish(self, topic, payload, **how)

    async def behind(self: Journal, *what: Any) -> None:  # noqa: ANN401 - as `events_done`
        if what[4]:
            await asyncio.Event().wait()
        await note(self, *what)

    with ExitStack() as patches:
        patches.enter_context(patch.object(app, "RULES", (*RULES, COMMANDING)))
        if stage == "publish":
            patches.enter_context(patch.object(Publisher, "publish", before))
        if stage == "note":
            patches.enter_context(patch.object(Journal, "events_done", behind))
        asyncio.run(serve(Path(config), int(ahead_s) * 1000))


async def serve(config: Path, ahead_ms: int) -> None:
    """The service until SIGTERM."""
    service = app.Service(load(config), clock=lambda: wall_clock() + ahead_ms)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, service.stop)
    await service.run()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The service as a stage for simulations: a broker of its own, and a clock that whoever plays on it moves on.

A child process, `python -m ingest.stage`, that is spoken to in lines of JSON. It is told `{"city", "start_ms",
"settings"}` and answers `{"host", "port"}` of its broker. Each `{"to_ms", "messages"}` then lets time pass: once so
many messages were received in all, everything is committed and the rules have ticked at `to_ms`, what they had to say
is with the broker, followed by an empty message on the topic REACHED, and the answer is `{"at_ms"}`. A mistake is
answered with `{"error"}` and ends it, as does the end of the input. Simulated uplinks are accepted and may act.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ingest.app import Service
from ingest.broker import BrokerError, DemoBroker, demo_broker
from ingest.clock import SteppedClock
from ingest.journal_schema import JournalError
from ingest.mqtt_error import PublishFailed
from ingest.settings import Settings, SettingsError, given
from ingest.store_schema import StoreError
from ingest.telemetry import configure_logging

REACHED = "stadtfunk-stage/reached"
HOST = "127.0.0.1"
CONNECT_S = 15.0
ARRIVE_S = 60.0
"""Seconds until messages that the broker has must have been received."""
STEP_S = 100.0
"""Seconds that a step may take."""
END_S = 20.0
LOOK_S = 0.002
TOURS_MS = 60_000
"""Simulated time between looks after tours: a service that runs by itself looks as often."""


class StageError(Exception):
    """The stage cannot go on."""


def settings_for(folder: Path, port: int, order: Mapping[str, Any]) -> Settings:
    """Settings of a service on a stage; what the order says is laid over them. Raises ValueError, SettingsError."""
    own: dict[str, dict[str, Any]] = {
        "mqtt": {"host": HOST, "port": port, "client_id": "stadtfunk-stage"},
        "city": {"file": order["city"]},
        "journal": {"path": folder / "journal.db", "batch_wait_s": 0.001},
        "store": {"path": folder / "store.db"},
        "http": {"enabled": False},
        "routes": {"seconds": 2},
        "simulation": {"accept": True, "acting": True, "start_ms": order["start_ms"]},
        "telemetry": {"log_level": "error", "heartbeat_s": 0},
    }
    for section, values in order.get("settings", {}).items():
        own[section] = {**own.get(section, {}), **values}
    return given(**own)


class Stage:
    """One service on one broker, moved on step by step."""

    def __init__(self, service: Service, clock: SteppedClock) -> None:
        self._service = service
        self._clock = clock
        self._looked_ms = clock()

    def problems(self) -> dict[str, str]:
        """What keeps the service from its work."""
        return self._service.problems()

    async def connected(self, serving: asyncio.Task[None]) -> None:
        """Wait until the service has its broker; from now on events wait for `advance`. Raises StageError."""
        service = self._service
        try:
            async with asyncio.timeout(CONNECT_S):
                while not (service.subscriber.connected and service.publisher.connected):
                    if serving.done():
                        serving.result()
                    await asyncio.sleep(LOOK_S)
                await service.outbox.turn.acquire()
        except TimeoutError:
            raise StageError(f"the service does not reach its broker: {service.problems()}") from None

    async def advance(self, to_ms: int, messages: int) -> None:
        """Let time pass; raises StageError when messages do not arrive."""
        service = self._service
        try:
            async with asyncio.timeout(ARRIVE_S):
                while service.subscriber.received < messages:  # noqa: ASYNC110 - the counter tells nobody
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            had = service.subscriber.received
            raise StageError(f"{had} of {messages} messages arrived within {ARRIVE_S:g} s") from None
        await service.pipeline.finish()
        self._clock.set(to_ms)
        await service.pipeline.reach(to_ms)
        await self._look_after_tours(to_ms)
        service.outbox.turn.release()
        while service.pipeline.waiting or not await service.outbox.idle():
            await asyncio.sleep(LOOK_S)
            await service.pipeline.finish()
        await service.outbox.turn.acquire()
        await service.publisher.publish(REACHED, b"", retain=False, expiry_s=None, content_type=None)

    async def _look_after_tours(self, to_ms: int) -> None:
        tours = self._service.tours
        while not await tours.heard():  # noqa: ASYNC110 - nor does the journal
            await asyncio.sleep(LOOK_S)
        if to_ms - self._looked_ms >= TOURS_MS:
            self._looked_ms = to_ms
            await tours.look()


async def _serve(folder: Path) -> None:
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    order = await lines.readline()
    if order:
        async with demo_broker() as broker:
            await _play(folder, broker, json.loads(order), lines)


async def _play(folder: Path, broker: DemoBroker, order: dict[str, Any], lines: asyncio.StreamReader) -> None:
    settings = settings_for(folder, broker.port, order)
    configure_logging(settings.telemetry)
    clock = SteppedClock(order["start_ms"])
    service = Service(settings, clock)
    serving = asyncio.create_task(service.run())
    stage = Stage(service, clock)
    try:
        await stage.connected(serving)
        _say(host=HOST, port=broker.port)
        line = await lines.readline()
        while line:
            line = await _step(stage, json.loads(line), lines, serving)
    finally:
        service.stop()
        await asyncio.wait([serving], timeout=END_S)


async def _step(stage: Stage, order: dict[str, Any], lines: asyncio.StreamReader, serving: asyncio.Task[None]) -> bytes:
    """Let time pass and say so; the next order. Raises StageError when the service or whoever plays is gone."""
    step = asyncio.create_task(stage.advance(order["to_ms"], order["messages"]))
    following = asyncio.create_task(lines.readline())
    done, _ = await asyncio.wait({step, following, serving}, timeout=STEP_S, return_when=asyncio.FIRST_COMPLETED)
    if step not in done:
        step.cancel()
        following.cancel()
        raise StageError(f"the service cannot go on: {stage.problems()}")
    await step
    _say(at_ms=order["to_ms"])
    return await following


def _say(**words: object) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Serve until the input ends; 1 when something went wrong, which was said."""
    try:
        with tempfile.TemporaryDirectory(prefix="stadtfunk-stage-") as folder:
            asyncio.run(_serve(Path(folder)))
    except (StageError, BrokerError, SettingsError, StoreError, JournalError, PublishFailed, ValueError) as error:
        _say(error=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

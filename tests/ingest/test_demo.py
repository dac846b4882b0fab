"""The demo as its users start it, and the balance it is judged by."""

import asyncio
import io
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from rich.console import Console

from ingest.answers import read
from ingest.broker import EmbeddedBroker, Mosquitto
from ingest.demo import Balance, morning_ms
from ingest.demo_consumer import Controllers
from ingest.demo_view import Snapshot, view

STADTFUNK = [str(Path(sys.executable).with_name("stadtfunk"))]
EMBEDDED = [
    sys.executable,
    "-c",
    "import ingest.broker; ingest.broker.mosquitto_program = lambda: None; from ingest.cli import main; main()",
]
WAIT_S = 60
EVEN = Balance(
    sent=10,
    stored=6,
    in_store=6,
    duplicates=1,
    dead_letters={"decode": 2, "event": 1},
    intended_duplicates=1,
    intended_dead_letters={"event": 1, "decode": 2},
    events=4,
)


@asynccontextmanager
async def demo(program: list[str], *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A demo in a process group of its own, as a terminal starts it."""
    process = await asyncio.create_subprocess_exec(
        *(*program, "demo", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ended(process: asyncio.subprocess.Process) -> tuple[int | None, bytes, bytes]:
    """Exit code, output and errors."""
    async with asyncio.timeout(WAIT_S):
        output, errors = await process.communicate()
    return process.returncode, output, errors


@pytest.mark.parametrize(
    "program",
    [pytest.param(STADTFUNK, marks=pytest.mark.mosquitto), EMBEDDED],
    ids=["mosquitto", "embedded broker"],
)
async def test_it_ends_by_itself_with_a_balanced_report(program: list[str]) -> None:
    """Exit 0, nothing but the report on standard output, and every count of it as intended and not zero."""
    async with demo(program, "--for", "4", "--json") as process:
        code, output, errors = await ended(process)
    assert (code, errors.decode()) == (0, "")
    report: dict[str, Any] = json.loads(output)
    assert report["mistakes"] == []
    letters = report["dead_letters"]
    assert report["sent"] == report["stored"] + report["duplicates"] + sum(letters.values())
    assert report["stored"] == report["in_store"] > 0
    assert report["duplicates"] == report["intended_duplicates"] > 0
    assert letters == report["intended_dead_letters"]
    assert {"unknown_profile", "decode", "event", "spoofed"} >= letters.keys() > set()
    assert report["events"] > 0


async def test_half_an_hour_of_the_morning_shows_every_domain() -> None:
    """Traffic measured and a plan asked for, guidance that its signs answer, what the road says: all in the summary."""
    async with demo(EMBEDDED, "--for", "14", "--speed", "180") as process:
        code, output, errors = await ended(process)
    assert code == 0, (output, errors)
    lines = [line for line in errors.decode().splitlines() if "topics with events" in line]
    kinds = ("traffic.measured", "traffic.signal_plan_requested", "parking.guidance", "parking.lot_state")
    assert all(re.search(rf"[1-9]\d* {re.escape(kind)}\b", lines[-1]) for kind in kinds), lines[-1]


async def test_controllers_answer_each_request(broker: Mosquitto | EmbeddedBroker) -> None:
    """Once, with its id, the plan and its own time; an empty message takes it back."""
    controllers = Controllers("127.0.0.1", broker.port)
    topic = "stadtfunk/v1/traffic/group/g1/signal-plan"
    answering = asyncio.create_task(controllers.run())
    time = "2026-11-23T06:18:15+00:00"
    request = {"id": "r1", "time": time, "data": {"plan": "3", "reason": "responsive"}}
    async with (
        asyncio.timeout(WAIT_S),
        aiomqtt.Client("127.0.0.1", broker.port, protocol=aiomqtt.ProtocolVersion.V5) as client,
    ):
        await client.subscribe(f"{topic}/status", qos=1)
        while not controllers.running:
            await client.publish(topic, json.dumps(request), qos=1)
            await asyncio.sleep(0.1)
        message = await anext(client.messages)
        assert isinstance(message.payload, bytes)
        answered = read(f"{topic}/status", message.payload)
        assert answered is not None
        assert (answered.subject, answered.request_id, answered.status, answered.plan) == ("g1", "r1", "active", "3")
        assert answered.time_ms == 1_795_414_695_000
        assert controllers.running == {topic: "3"}
        while controllers.running:
            await client.publish(topic, b"", qos=1)
            await asyncio.sleep(0.1)
    answering.cancel()
    await asyncio.wait([answering])


@pytest.mark.parametrize(
    ("now", "begin"),
    [
        ("2026-11-23T23:59:00+01:00", "2026-11-23T07:00:00+01:00"),
        ("2026-11-28T00:01:00+01:00", "2026-11-27T07:00:00+01:00"),
        ("2026-03-29T12:00:00+02:00", "2026-03-27T07:00:00+01:00"),
        ("2026-10-25T02:30:00+01:00", "2026-10-23T07:00:00+02:00"),
    ],
)
def test_it_begins_in_the_morning_of_a_working_day(now: str, begin: str) -> None:
    """Today's, at weekends Friday's, across both clock changes."""
    instant, expected = (int(datetime.fromisoformat(text).timestamp()) * 1000 for text in (now, begin))
    assert morning_ms(instant, "Europe/Berlin") == expected


def test_the_view_shows_lots_traffic_plans_and_places() -> None:
    """Each with its figures; of a plan, whether it goes out."""
    measured = {"flow": 672.0, "speed": 40.4, "quality": "good"}
    plan = {"plan": "3", "plan_name": "Früh", "reason": "responsive"}
    lot = {"state": "free", "free": 20, "occupied": 20, "capacity": 40}
    newest = [
        event("parking.lot_state", "lot-a", lot),
        event("traffic.measured", "detector-a", measured),
        event("traffic.signal_plan_requested", "group-a", plan, "shadow"),
    ]
    now = Snapshot(0.0, 9, 1.5, 7, 1, 1, 0, newest, newest[:1], {"gauge-a": {"gauge_level_cm": 87.6}})
    console = Console(file=io.StringIO(), width=120)
    console.print(view(now))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert re.search(r"lot-a +free +20 +20 +40", text)
    assert re.search(r"detector-a +672 +40 +good", text)
    assert re.search(r"group-a +3 Früh +responsive +shadow", text)
    assert re.search(r"gauge-a +level cm 87\.6", text)
    assert now.line().endswith(
        "3 topics with events: 1 parking.lot_state, 1 traffic.measured, 1 traffic.signal_plan_requested"
    )


def event(kind: str, subject: str, data: dict[str, Any], status: str = "published") -> dict[str, Any]:
    """An event as the view gets it."""
    about = {"type": f"city.stadtfunk.{kind}.v1", "time": "2026-11-23T07:00:00Z"}
    return {**about, "subject": subject, "data": data, "status": status}


async def test_ctrl_c_ends_it_with_a_report() -> None:
    """Without `--for` it runs until the terminal's SIGINT reaches the whole process group; report and exit 0."""
    async with demo(EMBEDDED, "--devices", "20") as process:
        assert process.stderr is not None
        async with asyncio.timeout(WAIT_S):
            while not re.match(rb"[1-9]\d* uplinks", await process.stderr.readline()):
                assert not process.stderr.at_eof()
        os.killpg(process.pid, signal.SIGINT)
        code, output, errors = await ended(process)
    assert code == 0, errors
    assert re.match(r"[1-9]\d* uplinks sent = [1-9]\d* stored \+ \d+ duplicates \+ \d+ dead letters; ", output.decode())
    assert "does not add up" not in output.decode()
    assert b"Traceback" not in errors


async def test_what_does_not_add_up_fails() -> None:
    """With a store that holds nothing the exit code is 1 and the claim is named beside the report."""
    cheating = EMBEDDED[-1].replace("from", "import ingest.demo; ingest.demo.count_stored = lambda *_: 0; from")
    async with demo([*EMBEDDED[:-1], cheating], "--for", "2") as process:
        code, output, _ = await ended(process)
    assert code == 1
    assert re.search(r"^does not add up: stored = in the store: [1-9]\d* ≠ 0$", output.decode(), re.MULTILINE)


def test_an_even_balance_has_no_mistakes() -> None:
    """The order of the reasons does not matter."""
    assert EVEN.mistakes() == []


@pytest.mark.parametrize(
    ("changes", "mistakes"),
    [
        ({"sent": 11}, ["sent = stored + duplicates + dead letters: 11 ≠ 10"]),
        ({"in_store": 5}, ["stored = in the store: 6 ≠ 5"]),
        ({"in_store": 7}, ["stored = in the store: 6 ≠ 7"]),
        ({"intended_duplicates": 2}, ["duplicates = intended: 1 ≠ 2"]),
        (
            {"intended_dead_letters": {"decode": 1, "event": 2}},
            ["dead letters = intended: {'decode': 2, 'event': 1} ≠ {'decode': 1, 'event': 2}"],
        ),
        (
            {"stored": 5, "in_store": 5},
            ["sent = stored + duplicates + dead letters: 10 ≠ 9"],
        ),
        (
            {"stored": 5, "duplicates": 2},
            ["stored = in the store: 5 ≠ 6", "duplicates = intended: 2 ≠ 1"],
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_each_imbalance_is_named(changes: dict[str, Any], mistakes: list[str]) -> None:
    """The claim that fails and both figures; what still holds is not named."""
    assert EVEN._replace(**changes).mistakes() == mistakes


def test_a_silent_simulator_is_a_mistake() -> None:
    """Nothing sent, nothing stored adds up, and still shows nothing."""
    nothing = Balance(0, 0, 0, 0, {}, 0, {}, 0)
    assert nothing.mistakes() == ["the simulator sent nothing"]


def test_the_report_names_every_reason() -> None:
    """One line of sums, one line for each reason of dead letters."""
    assert EVEN.text().splitlines() == [
        "10 uplinks sent = 6 stored + 1 duplicates + 3 dead letters; 4 events",
        "  dead letters, decode: 2",
        "  dead letters, event: 1",
    ]

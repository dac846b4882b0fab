"""The example consumer that acts: a process, a real broker, requests as the service publishes them."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiomqtt

from ingest.broker import EmbeddedBroker, Mosquitto
from rules.answer import About, about, parse
from rules.event_traffic import SignalPlanRequested

PROGRAM = Path(__file__).parents[2] / "docs" / "examples" / "controller.py"
WAIT_S = 30
V5 = aiomqtt.ProtocolVersion.V5
TOPIC = "stadtfunk/v1/traffic/group/group-1/signal-plan"


def request(sequence: int, plan: str, age_s: int = 0) -> SignalPlanRequested:
    """A request for a plan, decided so long ago and valid for a minute from then on."""
    time = datetime.now(UTC) - timedelta(seconds=age_s)
    data = {
        "rule": "traffic.signal_plan",
        "rule_version": 1,
        "valid_until": time + timedelta(minutes=1),
        "evidence": (),
        "sequence": sequence,
        "issued_at": time,
        "plan": plan,
        "plan_name": "",
        "reason": "responsive",
        "reported": None,
        "scheduled": None,
        "junctions": (),
        "text_de": "",
        "text_en": "",
    }
    about_it = {"id": f"request-{sequence}", "source": "/stadtfunk/rules/traffic.signal_plan", "subject": "group-1"}
    return SignalPlanRequested.model_validate({**about_it, "time": time, "data": data})


async def test_requests_are_carried_out_or_refused_and_answered(broker: Mosquitto | EmbeddedBroker) -> None:
    """Valid: active; expired, or an unknown plan: refused; older, repeated, broken: no answer; empty: the schedule."""
    words = ("--port", str(broker.port), "--plans", "1,2")
    process = await asyncio.create_subprocess_exec(
        sys.executable, PROGRAM, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(WAIT_S), aiomqtt.Client("127.0.0.1", broker.port, protocol=V5) as client:
            await client.subscribe(f"{TOPIC}/status", qos=1)
            answers: list[aiomqtt.Message] = []
            while not answers:
                await client.publish(TOPIC, request(1, "1").payload(), qos=1)
                try:
                    async with asyncio.timeout(0.5):
                        answers.append(await anext(client.messages))
                except TimeoutError:
                    continue
            sent = [request(1, "2"), request(3, "7"), request(2, "2"), request(4, "2", age_s=120), request(5, "2")]
            for payload in (b"{", b"[]", *(item.payload() for item in sent), b"", request(6, "1").payload()):
                await client.publish(TOPIC, payload, qos=1)
            while len(answers) < 5:
                answers.append(await anext(client.messages))
            said: list[str] = []
            while not said or said.count(f"{TOPIC}: runs its schedule") == 0 or not said[-1].endswith("runs 1"):
                said.append((await process.stdout.readline()).decode().rstrip())
    finally:
        process.kill()
        await process.communicate()
    read = [parse(bytes(message.payload)) for message in answers if isinstance(message.payload, bytes)]
    assert about(str(answers[0].topic)) == About("group-1", "signal-plan")
    assert [(item.data.request_id, item.data.status, item.data.plan) for item in read] == [
        ("request-1", "active", "1"),
        ("request-3", "rejected", "1"),
        ("request-4", "expired", "1"),
        ("request-5", "active", "2"),
        ("request-6", "active", "1"),
    ]
    assert sum("no request" in line for line in said) == 2

"""The example of a vehicle's computer: a process, a real broker, feedback as the service reads it."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import aiomqtt
import pytest

from ingest import tour_feedback
from ingest.broker import EmbeddedBroker, Mosquitto
from rules.feedback import SkipReason
from rules.rule import TourFeedback

PROGRAM = Path(__file__).parents[2] / "docs" / "examples" / "telematics.py"
WAIT_S = 60
V5 = aiomqtt.ProtocolVersion.V5


async def told(broker: Mosquitto | EmbeddedBroker, *words: str) -> TourFeedback:
    """What the service hears when the program is run with these words."""
    async with asyncio.timeout(WAIT_S), aiomqtt.Client("127.0.0.1", broker.port, protocol=V5) as client:
        await client.subscribe("stadtfunk/v1/waste/vehicle/+/stop", qos=1)
        process = await asyncio.create_subprocess_exec(sys.executable, PROGRAM, *words, "--port", str(broker.port))
        assert await process.wait() == 0
        message = await anext(client.messages)
    found = tour_feedback.read(str(message.topic), bytes(message.payload or b""))
    assert found is not None
    return found


async def test_it_tells_what_became_of_a_stop(broker: Mosquitto | EmbeddedBroker) -> None:
    """Vehicle, stop, result and figures, at a time of now that the service takes."""
    found = await told(broker, "truck-1", "served", "container-1", "--fill-level", "80", "--mass", "41.5")
    assert (found.vehicle, found.stop, found.result, found.reason) == ("truck-1", "container-1", "served", None)
    assert (found.fill_level, found.mass, found.side_waste) == (80.0, 41.5, False)
    assert tour_feedback.untimely(found, round(datetime.now(UTC).timestamp() * 1000)) == ""
    found = await told(broker, "truck-1", "skipped", "container-1", "--reason", "blocked", "--side-waste")
    assert (found.result, found.reason, found.mass, found.side_waste) == ("skipped", "blocked", None, True)


@pytest.mark.parametrize("words", [("served", "c", "--reason", "other"), ("skipped", "c"), ("lost", "c")])
async def test_what_makes_no_sense_is_refused_before_it_connects(words: tuple[str, ...]) -> None:
    """A reason belongs to what was skipped; there is no third result."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, PROGRAM, "truck-1", *words, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    complaint = await process.stderr.read()
    assert (await process.wait(), b"error: " in complaint) == (2, True)


def test_it_knows_every_reason() -> None:
    """The program's list is the contract's."""
    text = PROGRAM.read_text(encoding="utf-8")
    assert all(f'"{reason}"' in text for reason in get_args(SkipReason))

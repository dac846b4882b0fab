"""Bad input through the front door: a dead letter each, the neighbours stored, another try once the codec exists."""

import json
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from ingest.broker import Mosquitto
from tests.faults.harness import PROGRAM, Installation, service
from tests.ingest.uplinks import LOT_DEVICES, NOW, event, occupied, topic

BAD = {
    "unknown_profile": json.dumps(
        event(f_cnt=1, time_ms=NOW - 1000, profile="Acme bin", payload=occupied(yes=True))
    ).encode(),
    "event (broken JSON)": b'{"deduplicationId": ',
    "event (wrong base64)": json.dumps(event(f_cnt=2, data="?!")).encode(),
    "decode (too short)": json.dumps(event(f_cnt=3, payload=b"", f_port=2)).encode(),
    "spoofed": json.dumps(event(LOT_DEVICES[1], f_cnt=4)).encode(),
    "event (1 MB of garbage)": b"\xfe" * 1_000_000,
}


def command(installation: Installation, *words: str) -> tuple[int, list[dict[str, Any]]]:
    """Run `stadtfunk dead-letters … --json`."""
    answer = subprocess.run(
        [*PROGRAM, "dead-letters", *words, "-c", str(installation.settings), "--json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return answer.returncode, json.loads(answer.stdout)


async def publish(port: int, payloads: Sequence[bytes]) -> None:
    """Publish on the first device's topic."""
    async with aiomqtt.Client("127.0.0.1", port) as client:
        for payload in payloads:
            await client.publish(topic(LOT_DEVICES[0]), payload, qos=1)


@pytest.mark.mosquitto
async def test_each_is_kept_and_its_neighbours_are_stored(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """Six kinds of bad input, good uplinks between them; retry fails without the codec and succeeds with it."""
    installation = Installation(tmp_path, mosquitto.port)
    good = [json.dumps(event(f_cnt=100 + number, time_ms=NOW + number)).encode() for number in range(len(BAD))]
    mixed = [payload for pair in zip(BAD.values(), good, strict=True) for payload in pair]
    async with service(installation) as running:
        await running.connected()
        await publish(mosquitto.port, mixed)
        await running.handled(len(mixed))
        await running.settled(len(good))
        code, letters = command(installation, "list")
        assert code == 0
        assert [letter["reason"] for letter in reversed(letters)] == [name.split()[0] for name in BAD]
        assert letters[0]["length"] == 1_000_000
        unknown = letters[-1]["id"]
        code, answers = command(installation, "retry", str(unknown), "--reason", "is it there yet?")
        assert code == 1
        assert "Acme bin" in answers[0]["error"]
        code, answers = command(installation, "discard", str(letters[0]["id"]), "--reason", "garbage")
        assert (code, answers[0]["error"]) == (0, None)
        await running.end(signal.SIGTERM)
    with installation.settings.open("a") as file:
        file.write('"Acme bin" = "bosch/tps110"\n')
    async with service(installation) as running:
        await running.connected()
        code, answers = command(installation, "retry", "--all", "--kind", "unknown_profile")
        assert (code, answers) == (0, [{"id": unknown, "error": None}])
        await running.settled(len(good) + 1)
        await running.end(signal.SIGTERM)
    audited = installation.journal_rows("SELECT action, subject, reason FROM audit ORDER BY number")
    assert [row[0] for row in audited] == ["dead-letters retry", "dead-letters discard", "dead-letters retry"]
    assert audited[0][2] == "is it there yet?"


@pytest.mark.mosquitto
async def test_retry_works_while_no_service_runs(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """Without a running service the command opens the journal itself; the points go out with the next start."""
    installation = Installation(tmp_path, mosquitto.port)
    async with service(installation) as running:
        await running.connected()
        await publish(mosquitto.port, [BAD["unknown_profile"]])
        await running.handled(1)
        await running.end(signal.SIGTERM)
    with installation.settings.open("a") as file:
        file.write('"Acme bin" = "bosch/tps110"\n')
    code, answers = command(installation, "retry", "--all")
    assert (code, answers) == (0, [{"id": 1, "error": None}])
    async with service(installation) as running:
        await running.connected()
        await running.settled(1)
        await running.end(signal.SIGTERM)
    assert command(installation, "list") == (0, [])

"""`stadtfunk status` and `/api/v1/ledger`: what the journal says, with a service and without one."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ingest.broker import Mosquitto
from ingest.token_file import token_path
from tests.faults.harness import Installation, Running, Traffic, service
from tests.ingest.uplinks import LOT_DEVICES

PROGRAM = str(Path(sys.executable).with_name("stadtfunk"))
UPLINKS = 40


def status(installation: Installation, *words: str) -> tuple[int, str]:
    """Exit code and output of the command."""
    answer = subprocess.run(
        [PROGRAM, "status", "-c", str(installation.settings), *words],
        capture_output=True,
        text=True,
        timeout=60,
        env=dict(os.environ),
        check=False,
    )
    return answer.returncode, answer.stdout + answer.stderr


async def ledger(running: Running, query: str = "", *, token: bool = True) -> tuple[int, Any]:
    """Status and JSON of the route."""
    access = json.loads(token_path(running.installation.journal).read_text())
    headers = {"Authorization": f"Bearer {access['token']}"} if token else {}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{running.url}/api/v1/ledger{query}") as answer,
    ):
        return answer.status, await answer.json()


@pytest.mark.mosquitto
async def test_the_ledger_is_told_by_command_and_route(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """Twice two uplinks of twenty devices: the same sums in JSON, in the table, over HTTP, after the end."""
    installation = Installation(tmp_path, mosquitto.port)
    async with service(installation) as running:
        await running.connected()
        await Traffic(mosquitto.port).burst(UPLINKS)
        await running.handled(UPLINKS)
        code, found = await ledger(running)
        assert code == 200
        assert found["totals"]["received"] == found["totals"]["stored"] == UPLINKS
        assert found["rows"] == found["now"]["known"] == len(LOT_DEVICES)
        assert [row["id"] for row in found["gateways"]] == ["0016c001f153a14c", "all"]
        assert found["gateways"][0]["uplinks"] == UPLINKS
        code, text = await asyncio.to_thread(status, installation, "--json")
        assert code == 0
        told = json.loads(text)
        assert told["running"]
        assert told["service"]["totals"]["stored"] == UPLINKS
        assert told["ledger"]["totals"] == found["totals"]
        await running.end(signal.SIGTERM)
    code, text = await asyncio.to_thread(status, installation, "--devices")
    assert code == 0
    assert "service    not running" in text
    assert f"{UPLINKS} received, " in text
    assert f"{UPLINKS} stored" in text
    assert all(device in text for device in LOT_DEVICES)


@pytest.mark.mosquitto
async def test_the_ledger_of_one_device_and_of_other_days(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """One device's rows only; a day without uplinks is empty; what makes no sense is refused."""
    installation = Installation(tmp_path, mosquitto.port)
    async with service(installation) as running:
        await running.connected()
        await Traffic(mosquitto.port).burst(UPLINKS)
        await running.handled(UPLINKS)
        _, found = await ledger(running, f"?device={LOT_DEVICES[3]}")
        assert [(row["id"], row["stored"]) for row in found["devices"]] == [(LOT_DEVICES[3], 2)]
        _, found = await ledger(running, "?from=2026-01-01&to=2026-01-02")
        assert (found["rows"], found["totals"]["received"]) == (0, 0)
        _, found = await ledger(running, "?limit=5")
        assert (found["rows"], len(found["devices"]), found["totals"]["stored"]) == (20, 5, UPLINKS)
        assert (await ledger(running, token=False))[0] == 401
        assert (await ledger(running, "?device=nonsense"))[0] == 422
        assert (await ledger(running, "?from=yesterday"))[0] == 422
    code, text = await asyncio.to_thread(status, installation, "--day", "gestern")
    assert code == 2
    assert "gestern" in text


async def test_a_problem_is_said_and_fails(tmp_path: Path) -> None:
    """Without a broker the command names it and exits 1; without a journal it says so in one line."""
    installation = Installation(tmp_path, 1)
    code, text = await asyncio.to_thread(status, installation)
    assert code == 1
    assert text.count("\n") == 1
    assert "does not exist" in text
    async with service(installation):
        async with asyncio.timeout(30):
            while not token_path(installation.journal).exists():
                await asyncio.sleep(0.05)
        code, text = await asyncio.to_thread(status, installation)
    assert code == 1
    assert "problem    mqtt: " in text

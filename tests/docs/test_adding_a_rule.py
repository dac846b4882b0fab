"""docs/adding-a-rule.md as its reader follows it, in a city whose container is out in the frost."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.settings import load
from tests.docs import house
from tests.docs.follow import ROOT, Reader, steps
from tests.docs.house import BIN_DEVICE, MINUTE_MS, House
from tests.ingest.bench import running
from tests.ingest.uplinks import message

PAGE = ROOT / "docs" / "adding-a-rule.md"
COPIED = ("rules", "tests/rules")
LINKED = ("tests/ingest", "tests/doubles", "tests/samples")


async def frost(folder: Path) -> None:
    """Two hours of -3 °C in the container, the last of them just now."""
    now_ms = house.now_ms()
    payload = bytes.fromhex("0175640367e2ff0482e803050000")
    async with running(load(folder / "stadtfunk.toml"), now_ms) as bench:
        for number in range(13):
            at_ms = now_ms - (120 - 10 * number) * MINUTE_MS
            told = message(
                dev_eui=BIN_DEVICE, payload=payload, f_port=85, f_cnt=number, time_ms=at_ms, profile=house.BIN_PROFILE
            )
            await bench.send(told)


@pytest.mark.timeout(300)
def test_the_page_can_be_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step of the page does what the page says; what it adds passes the project's own checks."""
    monkeypatch.chdir(tmp_path)
    house.furnish(tmp_path)
    asyncio.run(frost(tmp_path))
    reader = Reader(tmp_path, COPIED, House(tmp_path).meant)
    for name in LINKED:
        (tmp_path / name).symlink_to(ROOT / name)
    for step in steps(PAGE):
        reader.follow(step)
    added = [step.subject for step in steps(PAGE) if step.subject.endswith(".py") and step.kind == "file"]
    for check in (["ruff", "check"], ["ruff", "format", "--check"]):
        done = subprocess.run([sys.executable, "-m", *check, *added], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_the_page_has_its_steps() -> None:
    """The marks are found: each command has an outcome that is checked."""
    kinds = [step.kind for step in steps(PAGE)]
    assert kinds.count("run") == kinds.count("expect") + kinds.count("fail") >= 6
    assert (kinds.count("file"), kinds.count("append"), kinds.count("edit")) == (5, 1, 4)

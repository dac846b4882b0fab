"""`provision chirpstack`, against a double of its gRPC interface."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.doubles.chirpstack_login import ChirpStackLogin, chirpstack_login

PASSWORD = "a-long-one-of-its-own"


@pytest.fixture
async def double() -> AsyncIterator[ChirpStackLogin]:
    """A new ChirpStack."""
    async with chirpstack_login() as found:
        yield found


async def run(folder: Path, port: int, *words: str, password: str = PASSWORD) -> tuple[int, str, str]:
    """Exit code, output and errors of the command."""
    (folder / "password").write_text(password + "\n")
    (folder / "stadtfunk.toml").write_text(f'[journal]\npath = "{folder}/journal.db"\n')
    command = ["provision", "chirpstack", "-c", str(folder / "stadtfunk.toml"), "--host", f"127.0.0.1:{port}"]
    program = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).with_name("stadtfunk")), *command),
        *("--password-file", str(folder / "password"), *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, errors = await asyncio.wait_for(program.communicate(), 60)
    assert program.returncode is not None
    return program.returncode, said.decode(), errors.decode()


async def test_the_first_password_is_replaced_once(double: ChirpStackLogin, tmp_path: Path) -> None:
    """A dry run changes nothing, the first run the password, the second nothing; the password is never shown."""
    code, said, _ = await run(tmp_path, double.port, "--dry-run", "--json")
    assert (code, json.loads(said), double.changes) == (0, {"administrator": "would change"}, 0)
    code, said, _ = await run(tmp_path, double.port)
    assert (code, said, double.password) == (0, "administrator's password: changed\n", PASSWORD)
    code, said, _ = await run(tmp_path, double.port, "--json")
    assert (code, json.loads(said), double.changes) == (0, {"administrator": "nothing to do"}, 1)
    assert PASSWORD not in said


async def test_what_cannot_be_done_is_one_line(double: ChirpStackLogin, tmp_path: Path) -> None:
    """Another password already, a server that is ill, one that is not there, a password that is too short."""
    double.password = "somebody-was-here"
    code, _, errors = await run(tmp_path, double.port)
    assert (code, errors.count("\n")) == (1, 1)
    assert "neither the given nor the first password of 'admin' fits" in errors
    double.down = True
    code, _, errors = await run(tmp_path, double.port)
    assert (code, errors.count("\n")) == (1, 1)
    assert "INTERNAL: connection to the database lost" in errors
    code, _, errors = await run(tmp_path, 9)
    assert (code, errors.count("\n")) == (1, 1)
    assert "UNAVAILABLE" in errors
    code, _, errors = await run(tmp_path, double.port, password="admin")
    assert (code, errors.count("\n")) == (1, 1)
    assert "at least 8 characters" in errors
    assert double.password == "somebody-was-here"

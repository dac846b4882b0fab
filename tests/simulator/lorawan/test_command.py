"""`simulate --to chirpstack` where it cannot work: wrong words, brokers that refuse."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner, Result

from simulator.cli import group

CONNECT_ACCEPTED = bytes.fromhex("2003000000")
NOT_AUTHORIZED = 0x87


def run(*words: str) -> Result:
    """The command, as typed."""
    return CliRunner().invoke(group(), ["--to", "chirpstack", "--for", "1s", "--devices", "1", *words])


@contextmanager
def broker(reason: int) -> Iterator[int]:
    """A broker that lets everybody in and answers each subscription with this reason; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=talk, args=(listening, reason), daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(20)
        assert not thread.is_alive()


def talk(listening: socket.socket, reason: int) -> None:
    """MQTT 5 with one client, as far as the subscription."""
    connection, _ = listening.accept()
    with connection:
        connection.settimeout(20)
        while received := connection.recv(4096):
            if received[0] == 0x10:
                connection.sendall(CONNECT_ACCEPTED)
            elif received[0] == 0x82:
                connection.sendall(bytes((0x90, 4, *received[2:4], 0, reason)))


@pytest.mark.parametrize(
    "words", [("--out", "x"), ("--faults",), ("--speed", "0"), ("--region-prefix", "eu#"), ("--confirmed", "101")]
)
def test_wrong_usage(words: tuple[str, ...]) -> None:
    """What frames cannot have, and a prefix that begins no topic, is exit code 2 and named."""
    result = run(*words)
    assert result.exit_code == 2
    assert words[0] in result.stderr


def test_no_broker() -> None:
    """A broker that is not there: exit code 1, one line, and counts of nothing."""
    result = run("--port", "1", "--json", "--test-broker")
    assert result.exit_code == 1
    assert result.stderr.startswith("stadtfunk: error: cannot reach broker 127.0.0.1:1")
    assert '"frames": 0' in result.stdout


def test_commands_may_not_be_read() -> None:
    """An account that may not read what gateways are told is told so, and no device joins in vain."""
    with broker(NOT_AUTHORIZED) as port:
        result = run("--port", str(port), "--test-broker")
    assert result.exit_code == 1
    assert "refuses the subscription eu868/gateway/+/command/#: Not authorized" in result.stderr
    assert result.stderr.count("\n") == 1

"""The proxy does what its plan says, to the byte."""

import asyncio
import contextlib

import pytest

from tests.doubles.tcp_proxy import PASS, Plan, proxied

WAIT_S = 10.0


class Echo:
    """A server that says everything back, and remembers it."""

    def __init__(self) -> None:
        self.heard = bytearray()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until the client ends."""
        try:
            while data := await reader.read(1000):
                self.heard += data
                writer.write(data)
            writer.close()
        except OSError:
            writer.close()


async def told(plan: Plan, words: bytes, *, end: bool) -> tuple[bytes, bytes, int]:
    """What comes back through a proxy, what the server heard, and the faults that the proxy counted."""
    echo = Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    async with server, proxied(server.sockets[0].getsockname()[1], lambda: plan) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(words)
        if end:
            writer.write_eof()
        back = b""
        try:
            async with asyncio.timeout(WAIT_S if end or (plan.then == "cut" and plan is not PASS) else 0.5):
                while data := await reader.read(1000):
                    back += data
        except (OSError, TimeoutError):
            pass
        writer.close()
        return back, bytes(echo.heard), proxy.faults


@pytest.mark.parametrize(
    ("plan", "back", "heard", "faults"),
    [
        (PASS, b"abcdefgh", b"abcdefgh", 0),
        (Plan(delay_s=0.05), b"abcdefgh", b"abcdefgh", 0),
        (Plan(down=3), b"abc", b"abcdefgh", 1),
        (Plan(down=0), b"", b"abcdefgh", 1),
        (Plan(up=5, then="stall"), b"", b"abcde", 1),
        (Plan(answer=b"no"), b"no", b"", 1),
    ],
    ids=["pass", "slow", "cut the answer", "swallow the answer", "half open", "answer instead"],
)
async def test_bytes_go_as_far_as_the_plan_says(plan: Plan, back: bytes, heard: bytes, faults: int) -> None:
    """So many bytes reach either side, and the fault is counted."""
    got, reached, counted = await told(plan, b"abcdefgh", end=plan.then == "cut")
    assert reached == heard
    assert counted == faults
    assert got in {back, back[:0]} if plan.down else got == back


async def test_cut_all_ends_what_stands() -> None:
    """Every open connection is reset, and the next one is served."""
    echo = Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    async with server, proxied(server.sockets[0].getsockname()[1]) as proxy:
        for number in range(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            writer.write(b"x")
            assert await reader.read(1) == b"x"
            proxy.cut_all()
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read(1) == b""
            writer.close()
            assert proxy.connections == number + 1

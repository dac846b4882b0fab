"""A TCP proxy on loopback that does what networks do: cut, stall, slow down; or answers in the server's place."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of one connection; bytes count from its beginning.

    `up` and `down` are the bytes let through to the server and to the client before it ends as `then` says: `cut`
    resets both sides, `stall` keeps them open and silent. `delay_s` passes before every piece. `answer` goes to the
    client in the server's place whenever a request seems complete; the server hears nothing.
    """

    up: int | None = None
    down: int | None = None
    then: Literal["cut", "stall"] = "cut"
    delay_s: float = 0
    answer: bytes | None = None


PASS = Plan()


class Tap(Protocol):
    """Somebody who listens to one connection."""

    def up(self, data: bytes) -> None:
        """The client sent this, and it is on its way to the server."""
        ...

    def down(self, data: bytes) -> None:
        """The server sent this, and it is on its way to the client."""
        ...


class TcpProxy:
    """One proxied port; `plan` is asked for each new connection, and may be changed at any time."""

    def __init__(
        self, target: int, plan: Callable[[], Plan] | None = None, tap: Callable[[], Tap] | None = None
    ) -> None:
        self.target = target
        self.plan: Callable[[], Plan] = plan or (lambda: PASS)
        self.port = 0
        self.connections = 0
        self.faults = 0
        self._tap = tap
        self._open: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()

    def cut_all(self) -> None:
        """Reset every connection that stands."""
        for writer in self._open:
            writer.transport.abort()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client in a task of its own."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def end(self) -> None:
        """Reset every connection and wait until nothing of them runs."""
        for task in self._serving:
            task.cancel()
        if self._serving:
            await asyncio.wait(self._serving)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        plan = self.plan()
        with self._held(writer):
            if plan.answer is not None:
                await self._answer(reader, writer, plan.answer)
                return
            try:
                server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.target)
            except OSError:
                return
            with self._held(server_writer):
                await self._between((reader, writer), (server_reader, server_writer), plan)

    async def _between(
        self,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        plan: Plan,
    ) -> None:
        tap = self._tap() if self._tap else None
        directions = [
            asyncio.create_task(self._carry(client[0], server[1], plan.up, plan.delay_s, tap.up if tap else None)),
            asyncio.create_task(self._carry(server[0], client[1], plan.down, plan.delay_s, tap.down if tap else None)),
        ]
        try:
            for first in asyncio.as_completed(directions):
                if await first:
                    self.faults += 1
                    if plan.then == "stall":
                        directions[0].cancel()
                        directions[1].cancel()
                        await self._until_gone(client[0])
                    return
        finally:
            for task in directions:
                task.cancel()
            await asyncio.wait(directions)

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        limit: int | None,
        delay_s: float,
        tap: Callable[[bytes], None] | None,
    ) -> bool:
        """Carry one direction; True when its limit was reached, False when somebody closed, which is passed on."""
        left = limit
        try:
            while data := await reader.read(CHUNK):
                if delay_s:
                    await asyncio.sleep(delay_s)
                passing = data if left is None else data[:left]
                if tap is not None:
                    tap(passing)
                writer.write(passing)
                await writer.drain()
                if left is not None:
                    left -= len(passing)
                    if len(passing) < len(data) or left == 0:
                        return True
            writer.write_eof()
        except OSError:
            writer.transport.abort()
        return False

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytes) -> None:
        """Answer each request by these bytes; a request counts as complete when nothing of it comes for a moment."""
        self.faults += 1
        with contextlib.suppress(OSError):
            while await reader.read(CHUNK):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        while await reader.read(CHUNK):
                            pass
                writer.write(answer)
                await writer.drain()

    @staticmethod
    async def _until_gone(reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while await reader.read(CHUNK):
                pass

    @contextlib.contextmanager
    def _held(self, writer: asyncio.StreamWriter) -> Iterator[None]:
        """Known as open, so that it can be cut; reset at the end."""
        self._open.add(writer)
        try:
            yield
        finally:
            self._open.discard(writer)
            writer.transport.abort()


@asynccontextmanager
async def proxied(
    target: int, plan: Callable[[], Plan] | None = None, tap: Callable[[], Tap] | None = None
) -> AsyncIterator[TcpProxy]:
    """A proxy in front of a port of loopback for as long as the context lasts."""
    proxy = TcpProxy(target, plan, tap)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.end()

"""ChirpStack's gRPC interface as far as provisioning needs it: calls with a token, and errors in words.

ProvisionError      ChirpStack cannot be brought to what is wanted; the message says which call and why
"""

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import NamedTuple, TypeVar

import grpc
from google.protobuf.message import Message

from simulator.error import SimulatorError

TIMEOUT_S = 20.0
PAGE = 500
REFUSED = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)
DUPLICATE = ("duplicate key", "unique constraint")
Answer = TypeVar("Answer")


class ProvisionError(SimulatorError):
    """ChirpStack cannot be brought to what is wanted."""


class Access(NamedTuple):
    """Where ChirpStack's interface is, and what opens it; `ca_file` alone turns on TLS, too."""

    address: str
    token: str
    tls: bool = False
    ca_file: Path | None = None

    def channel(self) -> grpc.aio.Channel:
        """A connection; raises ProvisionError for a file of no use."""
        if not self.tls and self.ca_file is None:
            return grpc.aio.insecure_channel(self.address)
        try:
            roots = None if self.ca_file is None else self.ca_file.read_bytes()
        except OSError as error:
            raise ProvisionError(f"certificates to trust ({self.ca_file}): {error.strerror}") from error
        return grpc.aio.secure_channel(self.address, grpc.ssl_channel_credentials(roots))


class Client:
    """Calls with a token."""

    def __init__(self, access: Access) -> None:
        self._address = access.address
        self._metadata = (("authorization", f"Bearer {access.token}"),)

    async def call(self, method: Callable[..., Awaitable[Answer]], request: object) -> Answer:
        """The answer; raises ProvisionError."""
        try:
            return await self._ask(method, request)
        except grpc.aio.AioRpcError as error:
            raise self._error(request, error) from error

    async def find(self, method: Callable[..., Awaitable[Answer]], request: object) -> Answer | None:
        """The answer, None where ChirpStack has no such thing; raises ProvisionError."""
        try:
            return await self._ask(method, request)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return None
            raise self._error(request, error) from error

    async def create(self, method: Callable[..., Awaitable[Answer]], request: object) -> Answer | None:
        """The answer, None where ChirpStack has such a thing already; raises ProvisionError."""
        try:
            return await self._ask(method, request)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.ALREADY_EXISTS or _duplicate(error):
                return None
            raise self._error(request, error) from error

    async def _ask(self, method: Callable[..., Awaitable[Answer]], request: object) -> Answer:
        return await method(request, metadata=self._metadata, timeout=TIMEOUT_S)

    def _error(self, request: object, error: grpc.aio.AioRpcError) -> ProvisionError:
        what = type(request).__name__.removesuffix("Request")
        where = f"chirpstack {self._address}: {what}"
        if error.code() in REFUSED:
            return ProvisionError(f"{where}: the API token is not accepted ({error.details() or error.code().name})")
        return ProvisionError(f"{where}: {error.code().name}: {error.details()}")


def _duplicate(error: grpc.aio.AioRpcError) -> bool:
    """Some versions hand on the words of PostgreSQL or SQLite."""
    words = (error.details() or "").lower()
    return error.code() is grpc.StatusCode.INTERNAL and any(known in words for known in DUPLICATE)


def changed(found: Message, wanted: Message, owned: Iterable[str] = ()) -> bool:
    """Put what is wanted into what was found, with tags of others kept; whether that changed anything.

    `owned` names plain fields that are ours even where nothing, zero or false is wanted, which a merge passes over.
    """
    before = found.SerializeToString(deterministic=True)
    for name in owned:
        setattr(found, name, getattr(wanted, name))
    found.MergeFrom(wanted)
    return found.SerializeToString(deterministic=True) != before

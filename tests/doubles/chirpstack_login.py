"""ChirpStack's interface as far as administrators log in and change passwords, over gRPC on loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import grpc
from chirpstack_api import api
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[Message, Message]

TOKEN = "a.jwt.token"
USER = "7a9f0f4e-7a2c-4f4e-9b1e-0d4a3c1f9e11"


class ChirpStackLogin(api.InternalServiceServicer, api.UserServiceServicer):  # type: ignore[misc]  # no stubs
    """Knows one administrator; `down` makes every call fail as a server that has lost its database does."""

    def __init__(self) -> None:
        self.password = "admin"
        self.changes = 0
        self.down = False
        self.port = 0

    async def Login(self, request: api.LoginRequest, context: "Context") -> api.LoginResponse:  # noqa: N802 - gRPC's name
        """A token for the right password."""
        if self.down:
            await context.abort(grpc.StatusCode.INTERNAL, "connection to the database lost")
        if (request.email, request.password) != ("admin", self.password):
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "Invalid username or password")
        return api.LoginResponse(jwt=TOKEN)

    async def Profile(self, _request: Empty, context: "Context") -> api.ProfileResponse:  # noqa: N802 - gRPC's name
        """Who is logged in."""
        await self._known(context)
        return api.ProfileResponse(user=api.User(id=USER, email="admin", is_admin=True))

    async def UpdatePassword(  # noqa: N802 - gRPC's name
        self, request: api.UpdateUserPasswordRequest, context: "Context"
    ) -> Empty:
        """A new password, for who is logged in."""
        await self._known(context)
        if request.user_id != USER:
            await context.abort(grpc.StatusCode.NOT_FOUND, "Object does not exist")
        self.password = request.password
        self.changes += 1
        return Empty()

    async def _known(self, context: "Context") -> None:
        if ("authorization", f"Bearer {TOKEN}") not in tuple(context.invocation_metadata() or ()):
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "missing token")


@asynccontextmanager
async def chirpstack_login() -> AsyncIterator[ChirpStackLogin]:
    """The server on a free port, for as long as the context lasts."""
    double = ChirpStackLogin()
    server = grpc.aio.server()
    api.add_InternalServiceServicer_to_server(double, server)
    api.add_UserServiceServicer_to_server(double, server)
    double.port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield double
    finally:
        await server.stop(None)

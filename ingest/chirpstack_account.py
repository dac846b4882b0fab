"""ChirpStack's administrator, over its gRPC interface."""

from typing import Final, Literal

import grpc
from chirpstack_api import api
from google.protobuf.empty_pb2 import Empty

ADMINISTRATOR: Final = "admin"
BEGINNING: Final = "admin"
"""Name and password in ChirpStack's first migration."""
TIMEOUT_S = 20.0
WRONG_LOGIN = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)
Outcome = Literal["changed", "would change", "nothing to do"]


class AccountError(Exception):
    """Why the password could not be replaced."""


async def replace_password(host: str, password: str, *, dry_run: bool) -> Outcome:
    """Put this password in the place of the first one; raises AccountError."""
    async with grpc.aio.insecure_channel(host) as channel:
        try:
            return await _replace(channel, host, password, dry_run=dry_run)
        except grpc.aio.AioRpcError as error:
            raise AccountError(f"chirpstack {host}: {error.code().name}: {error.details()}") from error


async def _replace(channel: grpc.aio.Channel, host: str, password: str, *, dry_run: bool) -> Outcome:
    if await _login(channel, password) is not None:
        return "nothing to do"
    token = await _login(channel, BEGINNING)
    if token is None:
        raise AccountError(f"chirpstack {host}: neither the given nor the first password of {ADMINISTRATOR!r} fits")
    if dry_run:
        return "would change"
    metadata = (("authorization", f"Bearer {token}"),)
    profile = await api.InternalServiceStub(channel).Profile(Empty(), metadata=metadata, timeout=TIMEOUT_S)
    request = api.UpdateUserPasswordRequest(user_id=profile.user.id, password=password)
    await api.UserServiceStub(channel).UpdatePassword(request, metadata=metadata, timeout=TIMEOUT_S)
    return "changed"


async def _login(channel: grpc.aio.Channel, password: str) -> str | None:
    """The token of a session, None where the password is wrong."""
    request = api.LoginRequest(email=ADMINISTRATOR, password=password)
    try:
        answer = await api.InternalServiceStub(channel).Login(request, timeout=TIMEOUT_S)
    except grpc.aio.AioRpcError as error:
        if error.code() in WRONG_LOGIN:
            return None
        raise
    return str(answer.jwt)

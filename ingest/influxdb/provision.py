"""`provision influxdb`: compare what a server has with what the settings ask for, and take the steps between."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from ingest.influxdb.downsampling import Downsampling
from ingest.influxdb.http import InfluxHttp, place
from ingest.influxdb.provision_1 import Influx1
from ingest.influxdb.provision_2 import Influx2
from ingest.influxdb.provision_plan import (
    ADMINISTRATOR,
    ChangeAccess,
    CreateAccess,
    Found,
    Plan,
    ProvisionError,
    Step,
    Wanted,
    steps,
)
from ingest.influxdb.search import ServerFault
from ingest.influxdb.version import UnknownVersion, Version, detect
from ingest.settings import InfluxSettings

CANNOT_3 = (
    "is 3 Core, where nothing can be provisioned from here: it creates databases at the first write, has no continuous "
    "queries or tasks, and sets retention and tokens by its own command (influxdb3 create database, create token)"
)


class Server(Protocol):
    """A server of one version."""

    def text(self, downsampling: Downsampling) -> str:
        """A downsampling as this server writes it; after `found` only."""
        ...

    async def found(self, wanted: Wanted) -> Found:
        """What is there of what is wanted; raises ServerFault."""
        ...

    async def apply(self, step: Step) -> str | None:
        """Take a step; a new token when there is one. Raises ServerFault."""
        ...


class Provisioner:
    """A server and the one plan for it: what `--dry-run` shows is what `run` does."""

    def __init__(self, server: Server, where: str, plan: Plan) -> None:
        self.plan = plan
        self._server = server
        self._where = where

    async def run(
        self,
        on_step: Callable[[Step], None],
        on_token: Callable[[str, str], None],
        on_done: Callable[[Sequence[Step]], None] | None = None,
    ) -> None:
        """Take all steps; raises ProvisionError at the first that fails, and a second run goes on from there.

        `on_step` hears of each step taken, `on_token` of name and secret of each access made, `on_done` at the end, or
        before the error, of all steps that were taken.
        """
        taken: list[Step] = []
        try:
            for step in self.plan.steps:
                token = await self._take(step)
                taken.append(step)
                if token is not None and isinstance(step, CreateAccess | ChangeAccess):
                    on_token(step.access.name, token)
                on_step(step)
        finally:
            if on_done is not None and taken:
                on_done(taken)

    async def _take(self, step: Step) -> str | None:
        try:
            return await self._server.apply(step)
        except ServerFault as fault:
            raise ProvisionError(f"InfluxDB at {self._where}: {step.describe()}: {_reason(fault)}") from fault


@asynccontextmanager
async def provisioner(settings: InfluxSettings, wanted: Wanted, token: str | None = None) -> AsyncIterator[Provisioner]:
    """Look at the server with `token` (else the settings' one); raises ProvisionError when that cannot be done."""
    if settings.url is None:
        raise ProvisionError("influxdb.url is not set: there is no InfluxDB to provision")
    where = place(settings)
    try:
        version = await detect(settings, token)
        if not version.can_provision:
            raise ProvisionError(f"InfluxDB at {where} {CANNOT_3}")
        async with InfluxHttp(settings, token) as http, InfluxHttp(settings, "") as anonymous:
            server: Server = (
                Influx1(http, anonymous) if version is Version.V1_8 else Influx2(http, settings.organisation)
            )
            found = await _found(server, wanted, where)
            yield Provisioner(server, where, Plan(tuple(steps(wanted, found, server.text)), found.notes))
    except (ServerFault, UnknownVersion) as error:
        raise ProvisionError(f"InfluxDB at {where}: {error}") from error


async def _found(server: Server, wanted: Wanted, where: str) -> Found:
    try:
        return await server.found(wanted)
    except ServerFault as fault:
        raise ProvisionError(f"InfluxDB at {where}: {_reason(fault)}") from fault


def _reason(fault: ServerFault) -> str:
    """With what to do about a lack of rights, which 2.x may say of a task with 500."""
    lacks_rights = fault.reason.startswith(("401", "403")) or "unauthorized" in fault.reason
    return f"{fault.reason}; {ADMINISTRATOR}" if lacks_rights else fault.reason

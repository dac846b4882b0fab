"""What is wanted, brought into ChirpStack: looked for first, created where it is missing, changed where it differs.

A second run changes nothing. Nothing is deleted, and nothing is taken from another tenant or application.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

import grpc
from chirpstack_api import api

from simulator.lorawan.end_device import Session
from simulator.provision.client import PAGE, Access, Answer, Client, ProvisionError, changed
from simulator.provision.messages import (
    activation_of,
    application_of,
    device_of,
    gateway_of,
    keys_of,
    profile_of,
    same_session,
    tenant_of,
)
from simulator.provision.wanted import Profile, Registered, Wanted
from simulator.radio import Gateway

AT_ONCE = 16
OWNED_OF_PROFILE = ("supports_otaa", "supports_class_b", "supports_class_c")
OWNED_OF_DEVICE = ("is_disabled", "skip_fcnt_check")
"""Switches that are off for some or all of what is simulated, and put off again."""
NEW = ""
"""The id of something that a dry run would have created."""


class Step(NamedTuple):
    """Something that was done, or would be."""

    action: Literal["create", "update", "activate"]
    kind: str
    name: str


class Line(Protocol):
    """One line of a list: what it is called, and by which id ChirpStack knows it; EUIs are ids."""

    name: str
    id: str
    gateway_id: str
    dev_eui: str


class Page(Protocol):
    """Some lines of a list, and how many there are."""

    result: Sequence[Line]
    total_count: int


class Listing(Protocol):
    """A request for some lines."""

    limit: int
    offset: int


class Created(Protocol):
    """What ChirpStack answers."""

    id: str


class Registry:
    """ChirpStack below one tenant. `on_step` hears of each step, in a dry run of each that would be taken."""

    def __init__(
        self, channel: grpc.aio.Channel, client: Client, on_step: Callable[[Step], None], *, dry_run: bool
    ) -> None:
        self._client = client
        self._on_step = on_step
        self._dry_run = dry_run
        self._tenants = api.TenantServiceStub(channel)
        self._applications = api.ApplicationServiceStub(channel)
        self._profiles = api.DeviceProfileServiceStub(channel)
        self._gateways = api.GatewayServiceStub(channel)
        self._devices = api.DeviceServiceStub(channel)

    async def tenant(self, name: str) -> str:
        """The id of the tenant of this name, or with this id."""
        if _is_uuid(name):
            found = await self._client.find(self._tenants.Get, api.GetTenantRequest(id=name))
            if found is None:
                raise ProvisionError(f"there is no tenant {name}")
            return name
        there = await self._one("tenant", name, self._tenants.List, api.ListTenantsRequest(search=name))
        if there is not None:
            return there
        request = api.CreateTenantRequest(tenant=tenant_of(name))
        return await self._create("tenant", name, self._tenants.Create, request)

    async def application(self, tenant: str, name: str) -> str:
        """The id of the tenant's application of this name."""
        there = None
        if tenant != NEW:
            request = api.ListApplicationsRequest(search=name, tenant_id=tenant)
            there = await self._one("application", name, self._applications.List, request)
        if there is not None:
            return there
        request = api.CreateApplicationRequest(application=application_of(tenant, name))
        return await self._create("application", name, self._applications.Create, request)

    async def profile(self, tenant: str, profile: Profile) -> str:
        """The id of the tenant's device profile, with the codec in its tag."""
        there = None
        if tenant != NEW:
            request = api.ListDeviceProfilesRequest(search=profile.name, tenant_id=tenant, tenant_only=True)
            there = await self._one("device profile", profile.name, self._profiles.List, request)
        wanted = profile_of(tenant, profile)
        if there is None:
            request = api.CreateDeviceProfileRequest(device_profile=wanted)
            return await self._create("device profile", profile.name, self._profiles.Create, request)
        found = (await self._client.call(self._profiles.Get, api.GetDeviceProfileRequest(id=there))).device_profile
        if changed(found, wanted, OWNED_OF_PROFILE):
            request = api.UpdateDeviceProfileRequest(device_profile=found)
            await self._do(Step("update", "device profile", profile.name), self._profiles.Update, request)
        return there

    async def gateways(self, tenant: str, wanted: Iterable[Gateway]) -> None:
        """All gateways."""
        known = set()
        if tenant != NEW:
            lines = await self._all(self._gateways.List, api.ListGatewaysRequest(tenant_id=tenant))
            known = {line.gateway_id for line in lines}
        await _together(self._gateway(tenant, gateway, known) for gateway in wanted)

    async def devices(
        self, applications: dict[str, str], profiles: dict[str, str], wanted: Iterable[Registered]
    ) -> None:
        """All devices with keys, each in its application."""
        known: dict[str, set[str]] = {}
        for name, application in applications.items():
            request = api.ListDevicesRequest(application_id=application)
            lines = [] if application == NEW else await self._all(self._devices.List, request)
            known[name] = {line.dev_eui for line in lines}
        await _together(
            self._device(
                applications[device.identity.application],
                profiles[device.profile],
                device,
                there=device.identity.dev_eui in known[device.identity.application],
            )
            for device in wanted
        )

    async def _gateway(self, tenant: str, gateway: Gateway, known: set[str]) -> None:
        wanted = gateway_of(tenant, gateway)
        if gateway.gateway_id not in known:
            request = api.CreateGatewayRequest(gateway=wanted)
            await self._new("gateway", gateway.gateway_id, self._gateways.Create, request, "tenant")
            return
        request = api.GetGatewayRequest(gateway_id=gateway.gateway_id)
        found = (await self._client.call(self._gateways.Get, request)).gateway
        if changed(found, wanted):
            step = Step("update", "gateway", gateway.gateway_id)
            await self._do(step, self._gateways.Update, api.UpdateGatewayRequest(gateway=found))

    async def _device(self, application: str, profile: str, device: Registered, *, there: bool) -> None:
        dev_eui, wanted = device.identity.dev_eui, device_of(application, profile, device)
        if not there:
            request = api.CreateDeviceRequest(device=wanted)
            await self._new("device", dev_eui, self._devices.Create, request, "application")
        else:
            found = (await self._client.call(self._devices.Get, api.GetDeviceRequest(dev_eui=dev_eui))).device
            if changed(found, wanted, OWNED_OF_DEVICE):
                request = api.UpdateDeviceRequest(device=found)
                await self._do(Step("update", "device", dev_eui), self._devices.Update, request)
        if device.session is not None:
            await self._activate(dev_eui, device.session, there=there)
        else:
            await self._keys(dev_eui, keys_of(device), there=there)

    async def _keys(self, dev_eui: str, wanted: api.DeviceKeys, *, there: bool) -> None:
        found = None
        if there:
            found = await self._client.find(self._devices.GetKeys, api.GetDeviceKeysRequest(dev_eui=dev_eui))
        if found is None:
            request = api.CreateDeviceKeysRequest(device_keys=wanted)
            await self._new("keys", dev_eui, self._devices.CreateKeys, request, "device")
        elif found.device_keys.nwk_key != wanted.nwk_key:
            request = api.UpdateDeviceKeysRequest(device_keys=wanted)
            await self._do(Step("update", "keys", dev_eui), self._devices.UpdateKeys, request)

    async def _activate(self, dev_eui: str, session: Session, *, there: bool) -> None:
        wanted = activation_of(dev_eui, session)
        if there:
            request = api.GetDeviceActivationRequest(dev_eui=dev_eui)
            found = await self._client.find(self._devices.GetActivation, request)
            if found is not None and same_session(found.device_activation, wanted):
                return
        request = api.ActivateDeviceRequest(device_activation=wanted)
        await self._do(Step("activate", "device", dev_eui), self._devices.Activate, request)

    async def _one(self, kind: str, name: str, listing: Callable[..., Awaitable[Page]], request: Listing) -> str | None:
        """The id of what has exactly this name; ChirpStack's search finds parts of names, too."""
        found = [line.id for line in await self._all(listing, request) if line.name == name]
        if len(found) > 1:
            raise ProvisionError(f"there are {len(found)} of the name {name!r}, expected one {kind}")
        return found[0] if found else None

    async def _all(self, listing: Callable[..., Awaitable[Page]], request: Listing) -> list[Line]:
        """All pages of a list."""
        lines: list[Line] = []
        while True:
            request.limit, request.offset = PAGE, len(lines)
            page = await self._client.call(listing, request)
            lines += page.result
            if not page.result or len(lines) >= page.total_count:
                return lines

    async def _create(self, kind: str, name: str, method: Callable[..., Awaitable[Created]], request: object) -> str:
        answer = await self._do(Step("create", kind, name), method, request)
        return NEW if answer is None else answer.id

    async def _new(
        self, kind: str, name: str, method: Callable[..., Awaitable[object]], request: object, elsewhere: str
    ) -> None:
        """Create what has an id of its own; where it exists all the same it is somebody else's."""
        if not self._dry_run and await self._client.create(method, request) is None:
            raise ProvisionError(f"{kind} {name} exists in another {elsewhere}; nothing there is changed")
        self._on_step(Step("create", kind, name))

    async def _do(self, step: Step, method: Callable[..., Awaitable[Answer]], request: object) -> Answer | None:
        answer = None if self._dry_run else await self._client.call(method, request)
        self._on_step(step)
        return answer


async def provision(wanted: Wanted, access: Access, on_step: Callable[[Step], None], *, dry_run: bool) -> None:
    """Bring ChirpStack to what is wanted; raises ProvisionError."""
    async with access.channel() as channel:
        registry = Registry(channel, Client(access), on_step, dry_run=dry_run)
        tenant = await registry.tenant(wanted.tenant)
        applications = {name: await registry.application(tenant, name) for name in wanted.applications}
        profiles = {profile.name: await registry.profile(tenant, profile) for profile in wanted.profiles}
        await registry.gateways(tenant, wanted.gateways)
        await registry.devices(applications, profiles, wanted.devices)


async def _together(steps: Iterable[Coroutine[object, object, None]]) -> None:
    """A few at a time; the first failure ends them all."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(step: Coroutine[object, object, None]) -> None:
        async with room:
            await step

    try:
        async with asyncio.TaskGroup() as group:
            for step in steps:
                group.create_task(one(step))
    except* ProvisionError as failures:
        raise failures.exceptions[0] from None


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False

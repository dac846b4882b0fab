"""ChirpStack's interface as far as a city is entered into it, over gRPC on loopback; it keeps what it is told.

As ChirpStack 4.20 does: ids of tenants, applications and profiles are its own, whatever is sent; lists are found by
parts of names without regard to case, and in pages; EUIs that are there are ALREADY_EXISTS (in some versions INTERNAL,
with the database's words), those that are not are NOT_FOUND, and a missing or wrong token is UNAUTHENTICATED.
"""

# ruff: noqa: N802 - gRPC's names

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from struct import pack, unpack
from typing import TYPE_CHECKING, Protocol, TypeVar
from uuid import UUID, uuid4

import grpc
from chirpstack_api import api
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[Message, Message]

TOKEN = "an.api.key"
Line = TypeVar("Line", bound="Named")


class Page(Protocol):
    """What every list is asked with."""

    limit: int
    offset: int
    search: str


class Named(Protocol):
    """What every list finds things by."""

    name: str


class State:
    """What is kept, and how often each method was called."""

    def __init__(self) -> None:
        self.tenants: dict[str, api.Tenant] = {}
        self.applications: dict[str, api.Application] = {}
        self.profiles: dict[str, api.DeviceProfile] = {}
        self.gateways: dict[str, api.Gateway] = {}
        self.devices: dict[str, api.Device] = {}
        self.keys: dict[str, api.DeviceKeys] = {}
        self.activations: dict[str, api.DeviceActivation] = {}
        self.calls: Counter[str] = Counter()
        self.in_the_databases_words = False
        self.port = 0

    @property
    def changes(self) -> Counter[str]:
        """How often something was changed."""
        return Counter(
            {name: number for name, number in self.calls.items() if ".Get" not in name and ".List" not in name}
        )

    def everything(self) -> list[bytes]:
        """All that is kept, to compare."""
        kept: list[dict[str, Message]] = [
            self.tenants, self.applications, self.profiles, self.gateways, self.devices, self.keys, self.activations
        ]  # fmt: skip
        return [found[name].SerializeToString(deterministic=True) for found in kept for name in sorted(found)]


class Service:
    """One of ChirpStack's services: checks the token, counts."""

    def __init__(self, state: State) -> None:
        self.state = state

    async def begin(self, context: "Context", name: str) -> None:
        """Who calls what."""
        self.state.calls[f"{type(self).__name__}.{name}"] += 1
        if ("authorization", f"Bearer {TOKEN}") not in tuple(context.invocation_metadata() or ()):
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "invalid token")

    async def known(self, context: "Context", kept: dict[str, Message], name: str) -> None:
        """Nothing of this name is NOT_FOUND."""
        if name not in kept:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"Object does not exist (id: {name})")

    async def new(self, context: "Context", kept: dict[str, Message], name: str) -> None:
        """Something of this name is ALREADY_EXISTS."""
        if name in kept and self.state.in_the_databases_words:
            words = 'duplicate key value violates unique constraint "device_pkey"'
            await context.abort(grpc.StatusCode.INTERNAL, words)
        if name in kept:
            await context.abort(grpc.StatusCode.ALREADY_EXISTS, f"Object already exists (id: {name})")

    async def uuid(self, context: "Context", text: str) -> None:
        """An id that is none is INVALID_ARGUMENT."""
        try:
            UUID(text)
        except ValueError:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"invalid UUID: {text!r}")


def page(request: Page, lines: Iterable[Line]) -> tuple[int, list[Line]]:
    """How many there are, and the part of them that was asked for; a limit of 0 asks for none."""
    found = [line for line in lines if request.search.lower() in line.name.lower()]
    found.sort(key=lambda line: line.name)
    return len(found), found[request.offset : request.offset + request.limit]


class Tenants(Service, api.TenantServiceServicer):  # type: ignore[misc]  # no stubs
    """Tenants; two may have one name."""

    async def Create(self, request: api.CreateTenantRequest, context: "Context") -> api.CreateTenantResponse:
        """A new one."""
        await self.begin(context, "Create")
        made = str(uuid4())
        kept = self.state.tenants.setdefault(made, api.Tenant())
        kept.CopyFrom(request.tenant)
        kept.id = made
        return api.CreateTenantResponse(id=made)

    async def Get(self, request: api.GetTenantRequest, context: "Context") -> api.GetTenantResponse:
        """One."""
        await self.begin(context, "Get")
        await self.known(context, self.state.tenants, request.id)
        return api.GetTenantResponse(tenant=self.state.tenants[request.id])

    async def List(self, request: api.ListTenantsRequest, context: "Context") -> api.ListTenantsResponse:
        """Some."""
        await self.begin(context, "List")
        count, lines = page(request, self.state.tenants.values())
        found = [api.TenantListItem(id=line.id, name=line.name) for line in lines]
        return api.ListTenantsResponse(total_count=count, result=found)


class Applications(Service, api.ApplicationServiceServicer):  # type: ignore[misc]  # no stubs
    """Applications of tenants."""

    async def Create(self, request: api.CreateApplicationRequest, context: "Context") -> api.CreateApplicationResponse:
        """A new one."""
        await self.begin(context, "Create")
        await self.uuid(context, request.application.tenant_id)
        await self.known(context, self.state.tenants, request.application.tenant_id)
        made = str(uuid4())
        kept = self.state.applications.setdefault(made, api.Application())
        kept.CopyFrom(request.application)
        kept.id = made
        return api.CreateApplicationResponse(id=made)

    async def List(self, request: api.ListApplicationsRequest, context: "Context") -> api.ListApplicationsResponse:
        """Some of a tenant's."""
        await self.begin(context, "List")
        await self.uuid(context, request.tenant_id)
        own = [line for line in self.state.applications.values() if line.tenant_id == request.tenant_id]
        count, lines = page(request, own)
        found = [api.ApplicationListItem(id=line.id, name=line.name) for line in lines]
        return api.ListApplicationsResponse(total_count=count, result=found)


class Profiles(Service, api.DeviceProfileServiceServicer):  # type: ignore[misc]  # no stubs
    """Device profiles of tenants."""

    async def Create(
        self, request: api.CreateDeviceProfileRequest, context: "Context"
    ) -> api.CreateDeviceProfileResponse:
        """A new one."""
        await self.begin(context, "Create")
        await self.uuid(context, request.device_profile.tenant_id)
        await self.known(context, self.state.tenants, request.device_profile.tenant_id)
        made = str(uuid4())
        kept = self.state.profiles.setdefault(made, api.DeviceProfile())
        kept.CopyFrom(request.device_profile)
        kept.id = made
        return api.CreateDeviceProfileResponse(id=made)

    async def Get(self, request: api.GetDeviceProfileRequest, context: "Context") -> api.GetDeviceProfileResponse:
        """One."""
        await self.begin(context, "Get")
        await self.known(context, self.state.profiles, request.id)
        return api.GetDeviceProfileResponse(device_profile=self.state.profiles[request.id])

    async def Update(self, request: api.UpdateDeviceProfileRequest, context: "Context") -> Empty:
        """Another instead."""
        await self.begin(context, "Update")
        await self.known(context, self.state.profiles, request.device_profile.id)
        self.state.profiles[request.device_profile.id].CopyFrom(request.device_profile)
        return Empty()

    async def List(self, request: api.ListDeviceProfilesRequest, context: "Context") -> api.ListDeviceProfilesResponse:
        """Some of a tenant's."""
        await self.begin(context, "List")
        own = [line for line in self.state.profiles.values() if line.tenant_id == request.tenant_id]
        count, lines = page(request, own)
        found = [api.DeviceProfileListItem(id=line.id, name=line.name) for line in lines]
        return api.ListDeviceProfilesResponse(total_count=count, result=found)


class Gateways(Service, api.GatewayServiceServicer):  # type: ignore[misc]  # no stubs
    """Gateways; an id is one gateway in all tenants."""

    def keep(self, gateway: api.Gateway) -> None:
        """The database has 32 bits for the altitude."""
        kept = self.state.gateways.setdefault(gateway.gateway_id, api.Gateway())
        kept.CopyFrom(gateway)
        kept.location.altitude = unpack("f", pack("f", gateway.location.altitude))[0]

    async def Create(self, request: api.CreateGatewayRequest, context: "Context") -> Empty:
        """A new one."""
        await self.begin(context, "Create")
        await self.known(context, self.state.tenants, request.gateway.tenant_id)
        if not self.state.tenants[request.gateway.tenant_id].can_have_gateways:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "Tenant can not have gateways")
        await self.new(context, self.state.gateways, request.gateway.gateway_id)
        self.keep(request.gateway)
        return Empty()

    async def Get(self, request: api.GetGatewayRequest, context: "Context") -> api.GetGatewayResponse:
        """One."""
        await self.begin(context, "Get")
        await self.known(context, self.state.gateways, request.gateway_id)
        return api.GetGatewayResponse(gateway=self.state.gateways[request.gateway_id])

    async def Update(self, request: api.UpdateGatewayRequest, context: "Context") -> Empty:
        """Another instead."""
        await self.begin(context, "Update")
        await self.known(context, self.state.gateways, request.gateway.gateway_id)
        self.keep(request.gateway)
        return Empty()

    async def List(self, request: api.ListGatewaysRequest, context: "Context") -> api.ListGatewaysResponse:
        """Some of a tenant's."""
        await self.begin(context, "List")
        own = [line for line in self.state.gateways.values() if line.tenant_id == request.tenant_id]
        count, lines = page(request, own)
        found = [api.GatewayListItem(gateway_id=line.gateway_id, name=line.name) for line in lines]
        return api.ListGatewaysResponse(total_count=count, result=found)


class Devices(Service, api.DeviceServiceServicer):  # type: ignore[misc]  # no stubs
    """Devices with keys or sessions."""

    async def Create(self, request: api.CreateDeviceRequest, context: "Context") -> Empty:
        """A new one."""
        await self.begin(context, "Create")
        await self.known(context, self.state.applications, request.device.application_id)
        await self.known(context, self.state.profiles, request.device.device_profile_id)
        await self.new(context, self.state.devices, request.device.dev_eui)
        self.state.devices.setdefault(request.device.dev_eui, api.Device()).CopyFrom(request.device)
        return Empty()

    async def Get(self, request: api.GetDeviceRequest, context: "Context") -> api.GetDeviceResponse:
        """One."""
        await self.begin(context, "Get")
        await self.known(context, self.state.devices, request.dev_eui)
        return api.GetDeviceResponse(device=self.state.devices[request.dev_eui])

    async def Update(self, request: api.UpdateDeviceRequest, context: "Context") -> Empty:
        """Another instead."""
        await self.begin(context, "Update")
        await self.known(context, self.state.devices, request.device.dev_eui)
        self.state.devices[request.device.dev_eui].CopyFrom(request.device)
        return Empty()

    async def List(self, request: api.ListDevicesRequest, context: "Context") -> api.ListDevicesResponse:
        """Some of an application's."""
        await self.begin(context, "List")
        await self.uuid(context, request.application_id)
        own = [line for line in self.state.devices.values() if line.application_id == request.application_id]
        count, lines = page(request, own)
        found = [api.DeviceListItem(dev_eui=line.dev_eui, name=line.name) for line in lines]
        return api.ListDevicesResponse(total_count=count, result=found)

    async def CreateKeys(self, request: api.CreateDeviceKeysRequest, context: "Context") -> Empty:
        """The first keys of a device."""
        await self.begin(context, "CreateKeys")
        await self.known(context, self.state.devices, request.device_keys.dev_eui)
        await self.new(context, self.state.keys, request.device_keys.dev_eui)
        self.state.keys.setdefault(request.device_keys.dev_eui, api.DeviceKeys()).CopyFrom(request.device_keys)
        return Empty()

    async def GetKeys(self, request: api.GetDeviceKeysRequest, context: "Context") -> api.GetDeviceKeysResponse:
        """The keys of a device; an AppKey that is not set comes back as zeros."""
        await self.begin(context, "GetKeys")
        await self.known(context, self.state.keys, request.dev_eui)
        found = api.DeviceKeys()
        found.CopyFrom(self.state.keys[request.dev_eui])
        found.app_key = found.app_key or "0" * 32
        return api.GetDeviceKeysResponse(device_keys=found)

    async def UpdateKeys(self, request: api.UpdateDeviceKeysRequest, context: "Context") -> Empty:
        """Other keys instead."""
        await self.begin(context, "UpdateKeys")
        await self.known(context, self.state.keys, request.device_keys.dev_eui)
        self.state.keys[request.device_keys.dev_eui].CopyFrom(request.device_keys)
        return Empty()

    async def Activate(self, request: api.ActivateDeviceRequest, context: "Context") -> Empty:
        """A session from the maker; any before it ends."""
        await self.begin(context, "Activate")
        wanted = request.device_activation
        await self.known(context, self.state.devices, wanted.dev_eui)
        self.state.activations.setdefault(wanted.dev_eui, api.DeviceActivation()).CopyFrom(wanted)
        return Empty()

    async def GetActivation(
        self, request: api.GetDeviceActivationRequest, context: "Context"
    ) -> api.GetDeviceActivationResponse:
        """The session of a device, with counters that have gone on; none is an empty answer."""
        await self.begin(context, "GetActivation")
        await self.known(context, self.state.devices, request.dev_eui)
        if request.dev_eui not in self.state.activations:
            return api.GetDeviceActivationResponse()
        found = api.DeviceActivation()
        found.CopyFrom(self.state.activations[request.dev_eui])
        found.f_cnt_up += 17
        return api.GetDeviceActivationResponse(device_activation=found)


@asynccontextmanager
async def chirpstack_api() -> AsyncIterator[State]:
    """The server on a free port, for as long as the context lasts."""
    state = State()
    server = grpc.aio.server()
    api.add_TenantServiceServicer_to_server(Tenants(state), server)
    api.add_ApplicationServiceServicer_to_server(Applications(state), server)
    api.add_DeviceProfileServiceServicer_to_server(Profiles(state), server)
    api.add_GatewayServiceServicer_to_server(Gateways(state), server)
    api.add_DeviceServiceServicer_to_server(Devices(state), server)
    state.port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield state
    finally:
        await server.stop(None)

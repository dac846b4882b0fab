"""ChirpStack's messages for what is wanted. Source: ChirpStack 4.20, `api/proto/api/*.proto`."""

from struct import pack, unpack

from chirpstack_api import api
from chirpstack_api.common import common_pb2

from simulator.lorawan import bridge, region
from simulator.lorawan.end_device import Session
from simulator.provision.wanted import Profile, Registered
from simulator.radio import Gateway

STATS_INTERVAL_S = 30
UPLINK_INTERVAL_S = 3600
STATUS_REQUESTS_PER_DAY = 1
ADR_ALGORITHM = "default"


def tenant_of(name: str) -> api.Tenant:
    """A tenant that may have gateways."""
    return api.Tenant(name=name, description="Simulated city", can_have_gateways=True)


def application_of(tenant: str, name: str) -> api.Application:
    """An application."""
    return api.Application(name=name, description="Simulated city", tenant_id=tenant)


def profile_of(tenant: str, profile: Profile) -> api.DeviceProfile:
    """Class A of LoRaWAN 1.0.3 in EU868; the codec is in the tag, by which the service decodes."""
    made = api.DeviceProfile(
        tenant_id=tenant,
        name=profile.name,
        region=common_pb2.EU868,
        mac_version=common_pb2.LORAWAN_1_0_3,
        reg_params_revision=common_pb2.A,
        adr_algorithm_id=ADR_ALGORITHM,
        uplink_interval=UPLINK_INTERVAL_S,
        device_status_req_interval=STATUS_REQUESTS_PER_DAY,
        supports_otaa=not profile.personalised,
        tags=profile.tags,
    )
    if profile.personalised:
        made.abp_rx1_delay = region.RX1_DELAY_S
        made.abp_rx2_dr = region.RX2_DATA_RATE
        made.abp_rx2_freq = region.RX2_HZ
    return made


def gateway_of(tenant: str, gateway: Gateway) -> api.Gateway:
    """A gateway at its place; ChirpStack keeps 32 bits of an altitude."""
    made = api.Gateway(
        gateway_id=gateway.gateway_id,
        name=f"simulated {gateway.gateway_id}",
        tenant_id=tenant,
        location=bridge.location(gateway),
        stats_interval=STATS_INTERVAL_S,
    )
    made.location.altitude = unpack("f", pack("f", gateway.height_m))[0]
    return made


def device_of(application: str, profile: str, device: Registered) -> api.Device:
    """A device; a personalised one counts from 0 in each run, which ChirpStack must let pass."""
    return api.Device(
        dev_eui=device.identity.dev_eui,
        name=device.identity.name,
        application_id=application,
        device_profile_id=profile,
        join_eui=device.credentials.join_eui,
        skip_fcnt_check=device.session is not None,
        tags=device.tags,
    )


def keys_of(device: Registered) -> api.DeviceKeys:
    """The AppKey; that of LoRaWAN 1.0 stands in the field for the NwkKey."""
    return api.DeviceKeys(dev_eui=device.identity.dev_eui, nwk_key=device.credentials.app_key.hex())


def activation_of(dev_eui: str, session: Session) -> api.DeviceActivation:
    """A session; LoRaWAN 1.0 has one network key, which stands in three fields."""
    network = session.keys.nwk_s_key.hex()
    return api.DeviceActivation(
        dev_eui=dev_eui,
        dev_addr=session.dev_addr,
        app_s_key=session.keys.app_s_key.hex(),
        nwk_s_enc_key=network,
        s_nwk_s_int_key=network,
        f_nwk_s_int_key=network,
    )


def same_session(found: api.DeviceActivation, wanted: api.DeviceActivation) -> bool:
    """Whether address and keys are the wanted ones, wherever the counters are."""
    names = ("dev_addr", "app_s_key", "nwk_s_enc_key", "s_nwk_s_int_key", "f_nwk_s_int_key")
    return all(getattr(found, name) == getattr(wanted, name) for name in names)

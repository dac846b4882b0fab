"""Events in protobuf, as ChirpStack publishes them.

Source: ChirpStack 4.20, `api/proto/integration/integration.proto` and `gw/gw.proto`.
"""

from chirpstack_api.common import common_pb2
from chirpstack_api.gw import gw_pb2
from chirpstack_api.integration import integration_pb2 as integration
from google.protobuf.timestamp_pb2 import Timestamp

from simulator.event import Copy, Event, Identity, Join, Up

NS_PER_S = 1_000_000_000
BANDWIDTH_HZ = 125_000
FASTEST_FACTOR = 12
TENANT_ID = "5354464b-0000-4000-8000-000000000001"
TENANT_NAME = "Stadtfunk simulation"
REGION = "eu868"


def message(event: Event) -> integration.UplinkEvent | integration.JoinEvent | integration.StatusEvent:
    """An event's message."""
    identifier, time, info = event.deduplication_id, stamp(event.time_ns), device_info(event.device)
    if isinstance(event, Up):
        message = _up_message(event)
        message.deduplication_id = identifier
        message.time.CopyFrom(time)
        message.device_info.CopyFrom(info)
        return message
    if isinstance(event, Join):
        return integration.JoinEvent(
            deduplication_id=identifier,
            time=time,
            device_info=info,
            dev_addr=event.dev_addr,
            region_config_id=REGION,
        )
    return integration.StatusEvent(
        deduplication_id=identifier,
        time=time,
        device_info=info,
        margin=event.margin,
        battery_level=event.battery_level,
    )


def device_info(device: Identity) -> integration.DeviceInfo:
    """Whose event it is, in protobuf."""
    return integration.DeviceInfo(
        tenant_id=TENANT_ID,
        tenant_name=TENANT_NAME,
        application_id=device.application_id,
        application_name=device.application,
        device_profile_id=device.profile_id,
        device_profile_name=device.profile,
        device_name=device.name,
        dev_eui=device.dev_eui,
        device_class_enabled=common_pb2.CLASS_A,
        tags=device.tags,
    )


def _up_message(event: Up) -> integration.UplinkEvent:
    lora = gw_pb2.LoraModulationInfo(
        bandwidth=BANDWIDTH_HZ, spreading_factor=event.spreading_factor, code_rate=gw_pb2.CR_4_5
    )
    return integration.UplinkEvent(
        dev_addr=event.dev_addr,
        adr=True,
        dr=FASTEST_FACTOR - event.spreading_factor,
        f_cnt=event.f_cnt,
        f_port=event.f_port,
        confirmed=event.confirmed,
        data=event.data,
        rx_info=[_rx_info(copy) for copy in event.copies],
        tx_info=gw_pb2.UplinkTxInfo(frequency=event.frequency_hz, modulation=gw_pb2.Modulation(lora=lora)),
        region_config_id=REGION,
    )


def _rx_info(copy: Copy) -> gw_pb2.UplinkRxInfo:
    gateway = copy.gateway
    return gw_pb2.UplinkRxInfo(
        gateway_id=gateway.gateway_id,
        uplink_id=copy.uplink_id,
        ns_time=stamp(copy.ns_time),
        rssi=copy.rssi,
        snr=copy.snr,
        channel=copy.channel,
        location=common_pb2.Location(latitude=gateway.latitude, longitude=gateway.longitude, altitude=gateway.height_m),
        crc_status=gw_pb2.CRC_OK,
    )


def stamp(time_ns: int) -> Timestamp:
    """A time in protobuf."""
    seconds, ns = divmod(time_ns, NS_PER_S)
    return Timestamp(seconds=seconds, nanos=ns)

"""The canary's uplinks: made, recognised, and turned into what one commit holds of them.

An uplink goes out under the service's own rights and comes back through its own session; then it is parsed and decoded
like any other. Its point lands in the Influx measurement `device`, its event is the heartbeat. It counts nowhere else:
no uplink total, no ledger, no rule, no identity, no raw message.
"""

from base64 import b64encode

from pydantic_core import from_json, to_json

from decoders.devices.canary import CODEC, DEV_EUI, F_PORT
from decoders.error import MalformedPayload
from decoders.measurement import Reading
from decoders.quantity import Quantity
from decoders.uplink import Uplink
from ingest import chirpstack
from ingest.chain import MISSED
from ingest.chirpstack import EventError, UplinkEvent
from ingest.devices import Route
from ingest.journal_records import Batch, EventRow
from ingest.lines import write_readings
from ingest.service_state import HEARTBEAT_TOPIC, service_heartbeat
from ingest.settings import Settings
from rules.event import event_id, instant, topic_safe

ROOT = "stadtfunk/v1/canary"
FILTER = f"{ROOT}/application/+/device/+/event/up"
"""What the service's account must be allowed to read."""
LEAST_VALID_S = 30.0
"""A heartbeat of a session from before, when heartbeats are off now, still means something."""


class Canary:
    """The canary of the service with these settings; others on the same broker have topics of their own."""

    def __init__(self, settings: Settings) -> None:
        client_id = settings.mqtt.client_id
        self.topic = f"{ROOT}/application/{topic_safe(client_id)}/device/{DEV_EUI}/event/up"
        self.heartbeat_s = settings.telemetry.heartbeat_s
        self._client_id = client_id
        self._valid_ms = int(MISSED * max(self.heartbeat_s, LEAST_VALID_S) * 1000 * settings.simulation.speed)

    @property
    def filters(self) -> tuple[str, ...]:
        """The subscription that brings its uplinks back; none while heartbeats are off."""
        return (self.topic,) if self.heartbeat_s else ()

    @property
    def expiry_s(self) -> int:
        """Seconds after which the broker may drop one."""
        return max(1, int(MISSED * self.heartbeat_s))

    def payload(self, number: int, time_ms: int) -> bytes:
        """Uplink `number` (32 bits) as ChirpStack would publish it."""
        time = instant(time_ms).isoformat(timespec="milliseconds")
        data = CODEC.encode(F_PORT, [Reading(Quantity.UPLINK_COUNT_TOTAL, number)])
        info = {"applicationName": self._client_id, "deviceName": "canary", "devEui": DEV_EUI}
        return to_json(
            {
                "deduplicationId": self._deduplication_id(number),
                "time": time,
                "deviceInfo": info | {"deviceProfileName": CODEC.model, "tags": {"codec": CODEC.id}},
                "devAddr": "00000000",
                "fCnt": number,
                "fPort": F_PORT,
                "data": b64encode(data).decode(),
                "rxInfo": [{"gatewayId": "0000000000000000", "nsTime": time, "crcStatus": "CRC_OK"}],
            }
        )

    def read(self, payload: bytes) -> Uplink:
        """The uplink in a payload; raises EventError for what is no canary."""
        event = chirpstack.parse("up", payload, "json")
        uplink = chirpstack.uplink(event) if isinstance(event, UplinkEvent) else None
        if uplink is None or uplink.device.dev_eui != DEV_EUI:
            raise EventError("up: expected the service's own canary")
        return uplink

    def settle(self, uplink: Uplink, batch: Batch) -> None:
        """Put its point and its heartbeat into the commit; raises DecodeError."""
        (measurement,) = CODEC.decode(uplink.f_port, uplink.payload, uplink.time_ms)
        (reading,) = measurement.readings
        if reading.value != uplink.f_cnt:
            raise MalformedPayload(f"{CODEC.id}: uplink {uplink.f_cnt} says that it is number {reading.value:.0f}")
        write_readings(measurement, Route(uplink.device, CODEC, "", CODEC.privacy).place(None), batch.lines)
        batch.events.append(self._heartbeat(uplink))

    def heartbeat_id(self, number: int) -> str:
        """The id of the event to which uplink `number` leads."""
        return event_id("service", self._client_id, "heartbeat", self._deduplication_id(number))

    def _heartbeat(self, uplink: Uplink) -> EventRow:
        name, valid_until_ms = self.heartbeat_id(uplink.f_cnt), uplink.time_ms + self._valid_ms
        payload = service_heartbeat(name, uplink.f_cnt, uplink.time_ms, valid_until_ms)
        times = (uplink.time_ms, valid_until_ms)
        return EventRow(name, HEARTBEAT_TOPIC, payload, False, False, *times)  # noqa: FBT003 - not retained, not acting

    def _deduplication_id(self, number: int) -> str:
        return event_id("service", self._client_id, "canary", str(number))


def number_of(payload: bytes) -> int | None:
    """The number of a canary's uplink, None for what is none."""
    try:
        return int(from_json(payload)["fCnt"])
    except (ValueError, KeyError, TypeError):
        return None

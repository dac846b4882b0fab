"""A raw message decoded again: the lines it leads to now, under the assets that were its own then."""

from collections.abc import Sequence
from typing import NamedTuple

from decoders.error import DecodeError
from decoders.measurement import Measurement
from decoders.quantity import Privacy
from decoders.simulated import is_simulated
from decoders.uplink import Device, Uplink
from ingest import chirpstack
from ingest.chirpstack import Event, EventError, UplinkEvent
from ingest.conditioning import Conditioning
from ingest.device_events import event_line
from ingest.devices import DEVICE, Devices, Route
from ingest.fleet.assignments import Assignments
from ingest.journal_records import RawMessage, Stay
from ingest.lines import best_copy, link_line, write_readings
from ingest.settings import Settings
from rules.asset import Asset
from rules.city import City
from rules.condition import Judged
from rules.condition_entry import NOTHING, Entries
from rules.device.hearing import MAX_GAP


class Undecodable(Exception):
    """A message that cannot be used now; `hopeless` when no message of its device can (no codec, simulated)."""

    def __init__(self, reason: str, *, hopeless: bool = False) -> None:
        super().__init__(reason)
        self.hopeless = hopeless


class Line(NamedTuple):
    """A line with its time in ms and its privacy class."""

    time_ms: int
    privacy: Privacy
    text: str


class Message(NamedTuple):
    """A message, parsed: an uplink or another event, its device, and its measurement time in ms."""

    raw: RawMessage
    device: Device
    time_ms: int
    uplink: Uplink | None
    event: Event


class Gaps:
    """How many frames of a device were lost just before an uplink, for uplinks in their order."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[str, int]] = {}

    def before(self, uplink: Uplink) -> int:
        """The frames missing since the device's uplink before; 0 for the first of a session."""
        dev_addr, f_cnt = self._last.get(uplink.device.dev_eui, ("", 0))
        self._last[uplink.device.dev_eui] = (uplink.dev_addr, uplink.f_cnt)
        gap = uplink.f_cnt - f_cnt - 1
        return gap if dev_addr == uplink.dev_addr and 0 < gap <= MAX_GAP else 0


class Decoder:
    """Reads and decodes messages with the codecs and settings of now; the city gives codecs their parameters.

    What conditioning must remember begins with nothing known, and grows with the messages.
    """

    def __init__(self, settings: Settings, city: City, assignments: Assignments | None = None) -> None:
        self.devices = Devices(settings, city, assignments)
        self._city = city
        self._encoding = settings.mqtt.encoding
        self._topic = chirpstack.topic_parser(settings.mqtt.event_topic)
        self._accept_simulated = settings.simulation.accept
        self._conditioning = Conditioning(settings.rules.condition.rules(), city)
        self._entries: dict[str, Entries] = {}
        self._assets: dict[tuple[str, str], Asset] = {}
        self._gaps = Gaps()

    def dev_eui(self, topic: str) -> str:
        """Whose message it is, as its topic says; raises Undecodable."""
        try:
            return self._topic(topic).dev_eui
        except EventError as error:
            raise Undecodable(str(error)) from error

    def parse(self, raw: RawMessage) -> Message:
        """What is in a message; raises Undecodable for what the service would not have taken."""
        try:
            topic = self._topic(raw.topic)
            event = chirpstack.parse(topic.event, raw.payload, self._encoding)
        except EventError as error:
            raise Undecodable(str(error)) from error
        uplink = chirpstack.uplink(event) if isinstance(event, UplinkEvent) else None
        device = uplink.device if uplink else chirpstack.device(event.device_info)
        if device.dev_eui != topic.dev_eui:
            raise Undecodable(f"topic names device {topic.dev_eui}, payload {device.dev_eui}")
        if not self._accept_simulated and is_simulated(device.dev_eui, device.tags):
            raise Undecodable(f"device {device.dev_eui} is simulated and simulation.accept is not set", hopeless=True)
        return Message(raw, device, uplink.time_ms if uplink else event.time_ms, uplink, event)

    def route(self, message: Message) -> Route:
        """How the device is read now."""
        return self.devices.route(message.device)

    def measurements(self, message: Message) -> tuple[Measurement, ...]:
        """What an uplink says; raises Undecodable."""
        uplink = message.uplink
        if uplink is None or not uplink.f_port:
            return ()
        codec = self.route(message).codec
        if codec is None:
            raise Undecodable(self.route(message).problem, hopeless=True)
        try:
            return self.route(message).measurements(codec, uplink, self._city)
        except DecodeError as error:
            raise Undecodable(str(error)) from error

    def conditioned(self, message: Message) -> tuple[Judged, ...]:
        """What an uplink says, conditioned after those before it; raises Undecodable.

        Messages come in their order, each once: one that comes again is a late one.
        """
        dev_eui, time_ms = message.device.dev_eui, message.raw.ns_time_ms
        measurements, entries = self.measurements(message), self._entries.get(dev_eui, NOTHING)
        found = self._conditioning.condition(self.route(message), measurements, entries, message.time_ms, time_ms)
        if found.entries is not entries:
            self._entries[dev_eui] = found.entries
        return found.judged

    def lines(self, message: Message) -> list[Line]:
        """What its readings, or what a device says of itself, lead to, in the order of `conditioned`.

        Raises Undecodable.
        """
        if message.uplink is None:
            found = self.notice(message)
            return [line for line in found if line.text.startswith(f"{DEVICE},")]
        route = self.route(message)
        return [
            line for judged in self.conditioned(message) for line in self._readings(judged, route, message.raw.stays)
        ]

    def notice(self, message: Message) -> list[Line]:
        """What does not depend on a codec: the radio side of an uplink, or what another event says."""
        route = self.route(message)
        here = self.asset(message.raw.stays[:1], message.time_ms)
        uplink = message.uplink
        if uplink is not None:
            text: str | None = link_line(uplink, route.place(here), best_copy(uplink), self._gaps.before(uplink))
        else:
            text = event_line(message.event, route, here)
        return [Line(message.time_ms, route.self_privacy, text)] if text else []

    def settled(self, message: Message) -> Message:
        """A message that no service took, under the assets of the city and the assignments; raises Undecodable."""
        device, where = message.device, self.devices.asset
        stays = [_stay(0, where(device, message.time_ms))]
        found = self._conditioning.settled(self.measurements(message), message.time_ms, message.raw.ns_time_ms)
        for time_ms in sorted(measurement.time_ms for measurement in found.measurements):
            stay = _stay(time_ms, where(device, time_ms))
            if stay.asset != stays[-1].asset:
                stays.append(stay)
        raw = message.raw._replace(stays=tuple(stays), privacy=self.route(message).self_privacy)
        return message._replace(raw=raw)

    def asset(self, stays: Sequence[Stay], time_ms: int) -> Asset | None:
        """Where the device was at that time: an asset with the id and district that were kept, and no more."""
        stay = None
        for known in stays:
            if stay is None or known.from_ms <= time_ms:
                stay = known
        if stay is None or not stay.asset:
            return None
        key = (stay.asset, stay.district)
        if key not in self._assets:
            self._assets[key] = Asset(stay.asset, "", "", {}, (), 0.0, 0.0, stay.district)
        return self._assets[key]

    def _readings(self, judged: Judged, route: Route, stays: Sequence[Stay]) -> list[Line]:
        measurement = judged.measurement
        written: dict[Privacy, list[str]] = {privacy: [] for privacy in Privacy}
        write_readings(measurement, route.place(self.asset(stays, measurement.time_ms)), written, judged.doubts)
        return [Line(measurement.time_ms, privacy, text) for privacy in Privacy for text in written[privacy]]


def _stay(from_ms: int, asset: Asset | None) -> Stay:
    return Stay(from_ms, asset.id if asset else "", asset.district if asset else "")

"""From a batch of messages to what one commit holds: parse, recognise duplicates, decode, run rules, write lines."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from decoders.error import DecodeError
from decoders.measurement import Measurement
from decoders.simulated import is_simulated
from decoders.uplink import Device, Uplink
from ingest import chirpstack
from ingest.chirpstack import Event, EventError, TopicError, UplinkEvent
from ingest.clock import Clock
from ingest.dead_letter import DeadLetter, Reason, dead_letter
from ingest.device_events import event_line
from ingest.devices import Devices, Route
from ingest.identity import FrameWindow, digest, identifier
from ingest.journal_records import Batch, EventRow, Resolved, SeenUplink
from ingest.line_protocol import encode
from ingest.lines import link_line, write_readings
from ingest.mqtt import Message
from ingest.settings import Settings
from rules.city import Asset
from rules.engine import Engine, Observation, Overlay, Tick
from rules.rule import AHEAD_MS

# NamedTuple's own constructor costs twice this one.
new_tuple = tuple.__new__


class Arrived(NamedTuple):
    """One message, parsed: an uplink, another event, or a dead letter. `retry_of` is the dead letter tried again."""

    message: Message
    uplink: Uplink | None = None
    event: Event | None = None
    device: Device | None = None
    letter: DeadLetter | None = None
    retry_of: int | None = None


@dataclass(slots=True)
class Outcome:
    """What a batch leads to; nothing of it is in force before its commit returned."""

    batch: Batch
    overlay: Overlay
    frames: dict[bytes, int] = field(default_factory=dict)
    identifiers: set[bytes] = field(default_factory=set)
    events: Counter[str] = field(default_factory=Counter)
    decode_errors: Counter[str] = field(default_factory=Counter)
    stored: int = 0
    duplicates: int = 0


class Poison(Exception):
    """A message that made us raise what we should not."""

    def __init__(self, item: Arrived, error: Exception) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.item = item
        self.error = error


class Processor:
    """Turns messages into outcomes; holds what outlives a batch and changes it only in `merge`."""

    def __init__(self, settings: Settings, devices: Devices, engine: Engine, clock: Clock) -> None:
        self.engine = engine
        self.frames = FrameWindow(settings.journal.repeat_window_s * 1000)
        self.last_tick_ms = 0
        self._settings = settings
        self._devices = devices
        self._clock = clock
        self._tick_ms = int(settings.journal.tick_s * 1000)
        self._topic = chirpstack.topic_parser(settings.mqtt.event_topic)
        self._accept_simulated = settings.simulation.accept

    # -- messages in --------------------------------------------------------------------------------------------------

    def read(self, message: Message, retry_of: int | None = None) -> Arrived:
        """Parse one message; whatever is wrong with it makes a dead letter."""
        try:
            topic = self._topic(message.topic)
            event = chirpstack.parse(topic.event, message.payload, self._settings.mqtt.encoding)
        except TopicError as error:
            return self._rejected(message, Reason.TOPIC, str(error), retry_of=retry_of)
        except EventError as error:
            return self._rejected(message, Reason.EVENT, str(error), topic.dev_eui, retry_of)
        uplink = chirpstack.uplink(event) if isinstance(event, UplinkEvent) else None
        device = uplink.device if uplink else chirpstack.device(event.device_info)
        if device.dev_eui != topic.dev_eui:
            detail = f"topic names device {topic.dev_eui}, payload {device.dev_eui}"
            return self._rejected(message, Reason.SPOOFED, detail, topic.dev_eui, retry_of)
        if not self._accept_simulated and is_simulated(device.dev_eui, device.tags):
            detail = f"device {device.dev_eui} is simulated and simulation.accept is not set"
            return self._rejected(message, Reason.SIMULATED, detail, device.dev_eui, retry_of)
        return new_tuple(Arrived, (message, uplink, None if uplink else event, device, None, retry_of))

    def keys(self, arrived: Sequence[Arrived], newest_seen_ms: int) -> list[tuple[int, bytes]]:
        """The identities that the journal may know: those not newer than the newest it has seen."""
        return [
            (item.uplink.ns_time_ms, identifier(item.uplink))
            for item in arrived
            if item.uplink and item.retry_of is None and item.uplink.ns_time_ms <= newest_seen_ms
        ]

    def process(self, arrived: Sequence[Arrived], known: set[bytes]) -> Outcome:
        """What these messages lead to; `known` are identities that the journal holds already.

        Raises Poison when one of them makes us raise what we should not; nothing has happened then.
        """
        outcome = Outcome(Batch(messages=len(arrived)), self.engine.overlay(), identifiers=set(known))
        last_tick_ms = self.last_tick_ms
        believable_ms = self._clock() + AHEAD_MS
        for item in arrived:
            try:
                if item.uplink is not None:
                    uplink = believable(item.uplink, believable_ms)
                    last_tick_ms = self._tick_up_to(uplink.ns_time_ms, last_tick_ms, outcome)
                    self._uplink(item, uplink, outcome)
                elif item.event is not None and item.device is not None:
                    self._other_event(item, item.event, item.device, outcome)
                elif item.letter is not None:
                    self._reject(item, item.letter, outcome)
            except Exception as error:
                raise Poison(item, error) from error
        return self._finish(outcome)

    def give_up(self, item: Arrived, error: Exception) -> Arrived:
        """The message as a dead letter, after it made us raise what we should not."""
        dev_eui = item.device.dev_eui if item.device else ""
        return self._rejected(item.message, Reason.INTERNAL, f"{type(error).__name__}: {error}", dev_eui, item.retry_of)

    def tick(self, time_ms: int) -> Outcome:
        """What the passing of time leads to."""
        outcome = Outcome(Batch(), self.engine.overlay())
        self._tick_up_to(time_ms, self.last_tick_ms, outcome)
        return self._finish(outcome)

    def tick_due(self, time_ms: int) -> bool:
        """Whether a tick at this time would be a new one."""
        return time_ms - time_ms % self._tick_ms > self.last_tick_ms

    def merge(self, outcome: Outcome) -> None:
        """Put a committed outcome in force."""
        self.engine.merge(outcome.overlay)
        self.frames.add(outcome.frames.items())
        if outcome.batch.ticks:
            self.last_tick_ms = outcome.batch.ticks[-1]

    # -- one message --------------------------------------------------------------------------------------------------

    def _uplink(self, item: Arrived, uplink: Uplink, outcome: Outcome) -> None:
        name, frame = identifier(uplink), digest(uplink)
        batch = outcome.batch
        batch.ns_time_ms = max(batch.ns_time_ms, uplink.ns_time_ms)
        if item.retry_of is None:
            if name in outcome.identifiers:
                outcome.duplicates += 1
                return
            outcome.identifiers.add(name)
            arrived_ms = item.uplink.ns_time_ms if item.uplink else uplink.ns_time_ms
            batch.seen.append(new_tuple(SeenUplink, (arrived_ms, name, frame)))
            if self._repeats(frame, uplink.ns_time_ms, outcome):
                outcome.duplicates += 1
                return
            outcome.frames[frame] = uplink.ns_time_ms
        route = self._devices.route(uplink.device)
        measurements: tuple[Measurement, ...] = ()
        if uplink.f_port:
            if route.codec is None:
                self._undecodable(item, Reason.UNKNOWN_PROFILE, route.problem, route, outcome)
                return
            try:
                measurements = route.codec.decode(
                    uplink.f_port, uplink.payload, uplink.time_ms, self._parameters(route, uplink)
                )
            except DecodeError as error:
                outcome.decode_errors[route.codec.id] += 1
                self._undecodable(item, Reason.DECODE, str(error), route, outcome)
                return
        self._store(item.uplink or uplink, uplink, route, measurements, outcome)
        outcome.stored += 1
        if item.retry_of is not None:
            batch.resolved.append(Resolved(item.retry_of, None))

    def _parameters(self, route: Route, uplink: Uplink) -> dict[str, float]:
        codec = route.codec
        if codec is None or not codec.parameters:
            return {}
        return {**route.parameters, **self._devices.city.parameters(uplink.device.dev_eui, uplink.time_ms)}

    def _repeats(self, frame: bytes, ns_time_ms: int, outcome: Outcome) -> bool:
        before = outcome.frames.get(frame)
        if before is not None and abs(ns_time_ms - before) <= self.frames.window_ms:
            return True
        return self.frames.holds(frame, ns_time_ms)

    def _store(
        self,
        arrived: Uplink,
        uplink: Uplink,
        route: Route,
        measurements: tuple[Measurement, ...],
        outcome: Outcome,
    ) -> None:
        lines = outcome.batch.lines
        device, time_ms = uplink.device, uplink.time_ms
        here = route.place(self._devices.asset(device, time_ms))
        lines[route.self_privacy].append(link_line(arrived, here))
        for measurement in measurements:
            then_ms = measurement.time_ms
            place = here if then_ms == time_ms else route.place(self._devices.asset(device, then_ms))
            write_readings(measurement, place, lines)
            if place.asset is not None and measurement.readings:
                observe(uplink, place.asset, measurement, outcome.overlay)

    def _other_event(self, item: Arrived, event: Event, device: Device, outcome: Outcome) -> None:
        route = self._devices.route(device)
        text = event_line(event, route, self._devices.asset(device, event.time_ms))
        if text:
            outcome.batch.lines[route.self_privacy].append(text)
        outcome.events[type(event).__name__] += 1
        if item.retry_of is not None:
            outcome.batch.resolved.append(Resolved(item.retry_of, None))

    # -- dead letters -------------------------------------------------------------------------------------------------

    def _rejected(
        self, message: Message, reason: Reason, detail: str, dev_eui: str = "", retry_of: int | None = None
    ) -> Arrived:
        letter = dead_letter(
            reason, detail, message.topic, message.payload, self._clock(), self._settings.journal, dev_eui=dev_eui
        )
        return Arrived(message, letter=letter, retry_of=retry_of)

    def _undecodable(self, item: Arrived, reason: Reason, detail: str, route: Route, outcome: Outcome) -> None:
        letter = dead_letter(
            reason,
            detail,
            item.message.topic,
            item.message.payload,
            self._clock(),
            self._settings.journal,
            dev_eui=route.device.dev_eui,
            codec=route.codec.id if route.codec else "",
        )
        self._reject(item, letter, outcome)

    def _reject(self, item: Arrived, letter: DeadLetter, outcome: Outcome) -> None:
        if item.retry_of is None:
            outcome.batch.dead_letters.append(letter)
        else:
            outcome.batch.resolved.append(Resolved(item.retry_of, letter))

    # -- time and rules -----------------------------------------------------------------------------------------------

    def _tick_up_to(self, time_ms: int, last_tick_ms: int, outcome: Outcome) -> int:
        tick = time_ms - time_ms % self._tick_ms
        if tick <= last_tick_ms or tick > self._clock():
            return last_tick_ms
        outcome.overlay.tick(Tick(tick))
        outcome.batch.ticks.append(tick)
        return tick

    def _finish(self, outcome: Outcome) -> Outcome:
        batch, overlay = outcome.batch, outcome.overlay
        batch.states = overlay.dirty()
        for event in overlay.events:
            batch.events.append(
                EventRow(
                    event.id,
                    event.topic,
                    event.payload(),
                    event.retained,
                    event.acting,
                    event.time_ms,
                    event.valid_until_ms,
                )
            )
        for point in overlay.points:
            text = encode(point)
            if text:
                batch.lines[point.privacy].append(text)
        return outcome


def believable(uplink: Uplink, latest_ms: int) -> Uplink:
    """The uplink with a network server time that is not ahead of our clock by more than is believed."""
    return uplink if uplink.ns_time_ms <= latest_ms else uplink._replace(ns_time_ms=latest_ms)


def observe(uplink: Uplink, asset: Asset, measurement: Measurement, overlay: Overlay) -> None:
    """Let the rules of the asset see a measurement."""
    device = uplink.device
    observation = (
        device.dev_eui,
        device.name,
        asset.id,
        measurement.time_ms,
        uplink.ns_time_ms,
        measurement.readings,
        uplink.deduplication_id,
        overlay.advance(uplink.ns_time_ms),
    )
    overlay.observe(new_tuple(Observation, observation))

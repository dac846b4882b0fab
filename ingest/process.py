"""From a batch of messages to what one commit holds: parse, recognise duplicates, decode, run rules, write lines."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from decoders.error import DecodeError
from decoders.measurement import Measurement
from decoders.quantity import Privacy
from decoders.uplink import Device, Reception, Uplink
from ingest import chirpstack, confidential, downlink_track, tour_feedback
from ingest.answers import ROUTE
from ingest.arrival import Arrived, Reader
from ingest.canary import Canary
from ingest.chirpstack import Encoding, Event, JoinEvent, StatusEvent
from ingest.clock import Clock
from ingest.conditioning import Conditioning
from ingest.confidential import Confidential, Hearing
from ingest.dead_letter import DeadLetter, Reason, dead_letter
from ingest.decisions.modes import Modes
from ingest.device_events import event_line
from ingest.devices import Devices, Place, Route, join_stay
from ingest.downlink import Downlink, Named
from ingest.event_points import point_of
from ingest.fleet.fleet import Fleet
from ingest.fleet.hearing import heard_by
from ingest.fleet.overlay import MAX_DUE, FleetOverlay
from ingest.identity import FrameWindow, digest, identifier
from ingest.journal_records import Batch, EventRow, Known, RawMessage, Resolved, SeenUplink, Stay, Wanted
from ingest.line_protocol import encode
from ingest.lines import best_copy, link_line, write_readings
from ingest.mqtt import Message
from ingest.settings import Settings
from rules.city import Asset
from rules.condition import Conditioned, Judged
from rules.condition_entry import NOTHING
from rules.device.record import Record, dump_one, join
from rules.engine import Answered, Engine, Observation, Overlay, Tick, TourFeedback
from rules.rule import AHEAD_MS

# NamedTuple's own constructor costs twice this one.
new_tuple = tuple.__new__

__all__ = ["Arrived", "Outcome", "Poison", "Processor"]


@dataclass(slots=True)
class Outcome:
    """What a batch leads to; nothing of it is in force before its commit returned.

    `downlinks` are those that it knows, by the id of their request, `told` those that became something else.
    """

    batch: Batch
    overlay: Overlay
    fleet: FleetOverlay
    hearing: Hearing
    frames: dict[bytes, int] = field(default_factory=dict)
    identifiers: set[bytes] = field(default_factory=set)
    events: Counter[str] = field(default_factory=Counter)
    decode_errors: Counter[str] = field(default_factory=Counter)
    stored: int = 0
    duplicates: int = 0
    downlinks: dict[str, Downlink] = field(default_factory=dict)
    told: list[Downlink] = field(default_factory=list)


class Poison(Exception):
    """A message that made us raise what we should not."""

    def __init__(self, item: Arrived, error: Exception) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.item = item
        self.error = error


class Processor:
    """Turns messages into outcomes; holds what outlives a batch and changes it only in `merge`.

    `encoding` is ChirpStack's, as set, else as its newest event was; `auto` before the first.
    """

    def __init__(
        self,
        settings: Settings,
        devices: Devices,
        engine: Engine,
        fleet: Fleet,
        clock: Clock,
        modes: Modes | None = None,
    ) -> None:
        self.modes = modes or Modes(settings)
        self.engine = engine
        self.fleet = fleet
        self.frames = FrameWindow(settings.journal.repeat_window_s * 1000)
        self.last_tick_ms = 0
        self._settings = settings
        self._devices = devices
        self.conditioning = Conditioning(settings.rules.condition.rules(), devices.city)
        self.confidential = Confidential(engine, settings.influxdb.retention_personal_days)
        self._canary = Canary(settings)
        self._clock = clock
        self._tick_ms = int(settings.journal.tick_s * 1000)
        self._reader = Reader(settings, clock)
        days, personal_days = settings.journal.raw_days, settings.journal.raw_personal_days
        self.encoding: Encoding = settings.mqtt.encoding
        self._commanded = not settings.simulation.apart
        self._margin_ms = int(settings.downlinks.unanswered_after_s * 1000 * settings.simulation.speed)
        self._raw_days = {Privacy.OPEN: days, Privacy.INTERNAL: days, Privacy.PERSONAL: personal_days}

    def take(self, settings: Settings, engine: Engine) -> None:
        """Go by other rules' settings, and another engine with the city of the devices, from the next batch on."""
        self._settings = settings
        self.engine = engine
        self.conditioning = Conditioning(settings.rules.condition.rules(), self._devices.city)
        self.confidential.take(engine)
        self.modes.take(settings)

    # -- messages in --------------------------------------------------------------------------------------------------

    def read(self, message: Message, retry_of: int | None = None) -> Arrived:
        """Parse one message; whatever is wrong with it makes a dead letter."""
        return self._reader.read(message, retry_of)

    def wanted(self, arrived: Sequence[Arrived], newest_seen_ms: int) -> Wanted:
        """What the journal must be asked: identities not newer than the newest it has seen, devices, deadlines."""
        keys: list[tuple[int, bytes]] = []
        names: list[str] = []
        closed: list[tuple[int, str]] = []
        downlinks: list[Named] = []
        newest_ms = 0
        for item in arrived:
            if item.uplink is not None:
                ns_time_ms = item.uplink.ns_time_ms
                newest_ms = max(newest_ms, ns_time_ms)
                if item.retry_of is not None:
                    closed.append((self._day(item.uplink), item.uplink.device.dev_eui))
                elif ns_time_ms <= newest_seen_ms:
                    keys.append((ns_time_ms, identifier(item.uplink)))
            if item.device is not None:
                names.append(item.device.dev_eui)
            elif item.lost_to:
                names.append(item.lost_to)
            if item.event is not None and (named := downlink_track.named(item.event)) is not None:
                downlinks.append(named)
        due_ms = min(newest_ms, self._clock() + AHEAD_MS)
        ticks = min(len(arrived), (due_ms - self.last_tick_ms) // self._tick_ms + 1)
        wanted = self._wanted(keys, names, due_ms if self.tick_due(due_ms) else None, ticks, len(arrived))
        return wanted._replace(closed=closed, downlinks=downlinks) if closed or downlinks else wanted

    def _day(self, uplink: Uplink) -> int:
        return self.fleet.calendar.day_of(believable(uplink, self._clock() + AHEAD_MS).ns_time_ms)

    def wanted_at(self, time_ms: int) -> Wanted:
        """What the journal must be asked before a tick."""
        return self._wanted((), (), time_ms)

    def _wanted(
        self,
        keys: Sequence[tuple[int, bytes]],
        names: Iterable[str],
        due_ms: int | None,
        ticks: int = 1,
        heard: int = 0,
    ) -> Wanted:
        fleet = self.fleet
        if due_ms is not None:
            due_ms = max(due_ms, self.engine.now_ms)
            names = [*names, *fleet.first_nudged(MAX_DUE)]
        wanted = Wanted(keys, fleet.missing(names), due_ms, MAX_DUE * ticks + heard + fleet.fresh, fleet.is_fresh)
        return wanted if due_ms is None else wanted._replace(margin_ms=self._margin_ms)

    def process(self, arrived: Sequence[Arrived], known: Known) -> Outcome:
        """What these messages lead to; `known` is what the journal says to `wanted`.

        Raises Poison when one of them makes us raise what we should not; nothing has happened then.
        """
        outcome = self._outcome(Batch(messages=len(arrived)), known)
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
                elif item.answer is not None:
                    self._answer(item, item.answer, outcome)
                elif item.feedback is not None:
                    self._feedback(item, item.feedback, outcome)
                elif item.canary is not None:
                    self._pass(item, item.canary, outcome)
                elif item.letter is not None:
                    self._reject(item, item.letter, outcome)
                    self._unread(item, item.letter, outcome)
            except Exception as error:
                raise Poison(item, error) from error
        self._recognise(arrived)
        return self._finish(outcome)

    def _recognise(self, arrived: Sequence[Arrived]) -> None:
        """Note how ChirpStack encodes, by its newest event, where the settings leave that open."""
        if self._settings.mqtt.encoding == "auto":
            newest = next((item for item in reversed(arrived) if item.device is not None), None)
            if newest is not None:
                self.encoding = chirpstack.encoding_of(newest.message.payload)

    def give_up(self, item: Arrived, error: Exception) -> Arrived:
        """The message as a dead letter, after it made us raise what we should not."""
        return self._reader.given_up(item, error)

    def tick(self, time_ms: int, known: Known) -> Outcome:
        """What the passing of time leads to; `known` is what the journal says to `wanted_at`."""
        outcome = self._outcome(Batch(), known)
        self._tick_up_to(time_ms, self.last_tick_ms, outcome)
        return self._finish(outcome)

    def tick_due(self, time_ms: int) -> bool:
        """Whether a tick at this time would be a new one."""
        return time_ms - time_ms % self._tick_ms > self.last_tick_ms

    def merge(self, outcome: Outcome) -> None:
        """Put a committed outcome in force."""
        self.engine.merge(outcome.overlay)
        for word in outcome.batch.assigned:
            self._devices.assignments.put(word)
        self.fleet.merge(outcome.fleet, outcome.batch.number)
        self.confidential.merge(outcome.hearing)
        self.frames.add(outcome.frames.items())
        if outcome.batch.ticks:
            self.last_tick_ms = outcome.batch.ticks[-1]
        downlink_track.say(outcome.told)

    def _outcome(self, batch: Batch, known: Known) -> Outcome:
        fleet = self.fleet.overlay(known.records, known.due, known.closed)
        identifiers, downlinks = set(known.identifiers), dict(known.downlinks)
        overlay, hearing = self.engine.overlay(), self.confidential.overlay()
        return Outcome(batch, overlay, fleet, hearing, identifiers=identifiers, downlinks=downlinks)

    # -- one message --------------------------------------------------------------------------------------------------

    def _uplink(self, item: Arrived, uplink: Uplink, outcome: Outcome) -> None:
        name, frame = identifier(uplink), digest(uplink)
        batch = outcome.batch
        batch.ns_time_ms = max(batch.ns_time_ms, uplink.ns_time_ms)
        if item.retry_of is None:
            if name in outcome.identifiers:
                self._repeated(uplink, outcome)
                return
            outcome.identifiers.add(name)
            arrived_ms = item.uplink.ns_time_ms if item.uplink else uplink.ns_time_ms
            batch.seen.append(new_tuple(SeenUplink, (arrived_ms, name, frame)))
            if self._repeats(frame, uplink.ns_time_ms, outcome):
                self._repeated(uplink, outcome)
                return
            outcome.frames[frame] = uplink.ns_time_ms
        route = self._devices.route(uplink.device)
        measurements: tuple[Measurement, ...] = ()
        if uplink.f_port:
            if route.codec is None:
                self._undecodable(item, uplink, route.reason, route.problem, route, outcome)
                return
            try:
                measurements = route.measurements(route.codec, uplink, self._devices.city)
            except DecodeError as error:
                outcome.decode_errors[route.codec.id] += 1
                self._undecodable(item, uplink, Reason.DECODE, str(error), route, outcome)
                return
        self._store(item, uplink, route, measurements, outcome)
        outcome.stored += 1
        if item.retry_of is not None:
            batch.resolved.append(Resolved(item.retry_of, None))

    def _repeats(self, frame: bytes, ns_time_ms: int, outcome: Outcome) -> bool:
        before = outcome.frames.get(frame)
        if before is not None and abs(ns_time_ms - before) <= self.frames.window_ms:
            return True
        return self.frames.holds(frame, ns_time_ms)

    def _pass(self, item: Arrived, uplink: Uplink, outcome: Outcome) -> None:
        """Decode and store the canary; it counts nowhere."""
        try:
            self._canary.settle(uplink, outcome.batch)
        except DecodeError as error:
            letter = self._reader.rejected(item.message, Reason.DECODE, str(error)).letter
            if letter is not None:
                self._reject(item, letter, outcome)
        else:
            if item.retry_of is not None:
                outcome.batch.resolved.append(Resolved(item.retry_of, None))

    def _repeated(self, uplink: Uplink, outcome: Outcome) -> None:
        outcome.duplicates += 1
        outcome.fleet.repeat(uplink.device.dev_eui, self.fleet.calendar.day_of(uplink.ns_time_ms))

    def _store(
        self,
        item: Arrived,
        uplink: Uplink,
        route: Route,
        measurements: tuple[Measurement, ...],
        outcome: Outcome,
    ) -> None:
        lines = outcome.batch.lines
        device, time_ms = uplink.device, uplink.time_ms
        arrived, best = item.uplink or uplink, best_copy(uplink)
        before = outcome.fleet.record(device.dev_eui)
        entries = NOTHING if before is None else before.entries
        conditioned = self.conditioning.condition(route, measurements, entries, time_ms, uplink.ns_time_ms)
        if item.retry_of is None:
            here, lost = self._hear(item, uplink, route, best, before, conditioned, outcome)
        else:
            here, lost = self._place(route, uplink, time_ms, outcome), 0
            outcome.fleet.mend(device.dev_eui, self.fleet.calendar.day_of(uplink.ns_time_ms))
            if conditioned.entries is not entries:
                outcome.fleet.remember(device.dev_eui, conditioned.entries)
        lines[route.self_privacy].append(link_line(arrived, here, best, lost))
        stays = here.stays
        for judged in conditioned.judged:
            measurement, doubts, _ = judged
            then_ms, place = measurement.time_ms, here
            if then_ms != time_ms:
                place = self._place(route, uplink, then_ms, outcome)
                if place is not here:
                    stays = join_stay(stays, then_ms, place)
            write_readings(measurement, place, lines, doubts)
            if place.asset is not None and measurement.values:
                if route.privacy:
                    outcome.hearing.hear(place.asset.id, route.privacy, max(uplink.ns_time_ms, outcome.overlay.now_ms))
                observe(uplink, place.asset, judged, outcome.overlay)
        self._keep(item.message, uplink.ns_time_ms, route, stays, outcome)

    def _hear(
        self,
        item: Arrived,
        uplink: Uplink,
        route: Route,
        best: Reception | None,
        before: Record | None,
        conditioned: Conditioned | None,
        outcome: Outcome,
    ) -> tuple[Place, int]:
        """Tell the fleet of an uplink; returns where its device is, and the frames lost just before it.

        `before` is its device until now, `conditioned` None for one that could not be decoded.
        """
        dev_eui, fleet = uplink.device.dev_eui, outcome.fleet
        self._retag(uplink, before, outcome)
        place = self._place(route, uplink, uplink.time_ms, outcome)
        taken_ms = item.uplink.ns_time_ms if item.uplink else uplink.ns_time_ms
        if conditioned is None:
            sound, entries = None, NOTHING if before is None else before.entries
        else:
            sound, entries = [judged.sound for judged in conditioned.judged], conditioned.entries
        application_id = uplink.device.application_id if self._commanded else ""
        heard = heard_by(self.fleet, uplink, route, place, best, sound, entries, taken_ms, application_id)
        now_ms = outcome.overlay.advance(uplink.ns_time_ms)
        lost = fleet.hear(dev_eui, before, heard, uplink.receptions, now_ms, uplink.deduplication_id)
        return place, lost

    def _place(self, route: Route, uplink: Uplink, time_ms: int, outcome: Outcome) -> Place:
        return route.place(self._devices.asset(uplink.device, time_ms, outcome.batch.assigned))

    def _retag(self, uplink: Uplink, before: Record | None, outcome: Outcome) -> None:
        """Keep when the tag `asset` of a device changed; in force with the commit."""
        tag = uplink.device.tags.get("asset", "")
        if before is not None and before.about.tag != tag and uplink.ns_time_ms >= before.last_ms:
            dev_eui, fresh = uplink.device.dev_eui, outcome.batch.assigned
            fresh += self._devices.assignments.retagged(dev_eui, before.about.tag, tag, uplink.ns_time_ms, fresh)

    def _keep(self, message: Message, ns_time_ms: int, route: Route, stays: tuple[Stay, ...], outcome: Outcome) -> None:
        """Keep the message as it came, with where its device was."""
        privacy = route.self_privacy
        if self._raw_days[privacy]:
            raw = (message.topic, message.payload, ns_time_ms, privacy, stays)
            outcome.batch.raw.append(new_tuple(RawMessage, raw))

    def _other_event(self, item: Arrived, event: Event, device: Device, outcome: Outcome) -> None:
        route = self._devices.route(device)
        place = route.place(self._devices.asset(device, event.time_ms))
        if isinstance(event, JoinEvent):
            outcome.fleet.join(device.dev_eui, event.time_ms)
        elif isinstance(event, StatusEvent) and event.battery_level is not None:
            day = self.fleet.calendar.day_of(min(event.time_ms, self._clock()))
            outcome.fleet.charge(device.dev_eui, event.battery_level, day)
        self._keep(item.message, min(event.time_ms, self._clock()), route, place.stays, outcome)
        self._follow(downlink_track.news(outcome.downlinks, event, self._clock()), outcome)
        text = event_line(event, route, place.asset)
        if text:
            outcome.batch.lines[route.self_privacy].append(text)
        outcome.events[type(event).__name__] += 1
        if item.retry_of is not None:
            outcome.batch.resolved.append(Resolved(item.retry_of, None))

    def _follow(self, changed: Iterable[Downlink], outcome: Outcome) -> None:
        """Keep what became of downlinks."""
        for downlink in changed:
            before = outcome.downlinks[downlink.id]
            outcome.downlinks[downlink.id] = outcome.batch.downlinks[downlink.id] = downlink
            if downlink.status != before.status:
                outcome.told.append(downlink)

    def _answer(self, item: Arrived, answered: Answered, outcome: Outcome) -> None:
        """Give an answer to the rule whose request it is about, once however often it is delivered."""
        refused = f"no rule requests {answered.what} of this asset"
        self._once(item, Reason.ANSWER, refused, lambda: self._hears(item, answered, outcome), outcome)

    def _hears(self, item: Arrived, answered: Answered, outcome: Outcome) -> bool:
        """Whether the answer is heard by a rule; one to a tour is kept for those who plan tours."""
        if answered.what != ROUTE:
            return outcome.overlay.answer(answered)
        outcome.batch.route_answers.append((item.message.topic, item.message.payload))
        return True

    def _feedback(self, item: Arrived, told: TourFeedback, outcome: Outcome) -> None:
        """Give what became of a stop to the rule of its container, once however often it is delivered."""
        vehicle, wrong = self._devices.city.assets.get(told.vehicle), tour_feedback.untimely(told, self._clock())
        if told.vehicle and (vehicle is None or vehicle.kind != "vehicle"):
            wrong = f"{told.vehicle!r:.200} is no vehicle of the city's file"
        refused = wrong or f"stop {told.stop!r:.200} is no container of the city's file"
        self._once(item, Reason.FEEDBACK, refused, lambda: not wrong and outcome.overlay.stop(told), outcome)

    def _once(self, item: Arrived, reason: Reason, refused: str, hear: Callable[[], bool], outcome: Outcome) -> None:
        """Let rules hear a message that no device sent, and keep it for replays; `refused` is why where none does."""
        message, overlay = item.message, outcome.overlay
        letter = self._reader.rejected(message, reason, refused).letter
        if letter is None or (item.retry_of is None and self._repeats(letter.digest, overlay.now_ms, outcome)):
            return
        if not hear():
            self._reject(item, letter, outcome)
            return
        outcome.frames[letter.digest] = overlay.now_ms
        outcome.batch.seen.append(SeenUplink(overlay.now_ms, letter.digest, letter.digest))
        if self._raw_days[Privacy.INTERNAL]:
            kept_at_ms = overlay.tick_ms or overlay.now_ms
            outcome.batch.raw.append(RawMessage(message.topic, message.payload, kept_at_ms, Privacy.INTERNAL))
        outcome.events[reason.value.capitalize()] += 1
        if item.retry_of is not None:
            outcome.batch.resolved.append(Resolved(item.retry_of, None))

    # -- dead letters -------------------------------------------------------------------------------------------------

    def _undecodable(
        self, item: Arrived, uplink: Uplink, reason: Reason, detail: str, route: Route, outcome: Outcome
    ) -> None:
        if item.retry_of is None:
            before = outcome.fleet.record(uplink.device.dev_eui)
            self._hear(item, uplink, route, best_copy(uplink), before, None, outcome)
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

    def _unread(self, item: Arrived, letter: DeadLetter, outcome: Outcome) -> None:
        """Count an uplink that could not even be parsed with its device, once however often it is delivered."""
        now_ms = outcome.overlay.now_ms
        if not item.lost_to or item.retry_of is not None or self._repeats(letter.digest, now_ms, outcome):
            return
        if outcome.fleet.reject(item.lost_to, now_ms):
            outcome.frames[letter.digest] = now_ms
            outcome.batch.seen.append(SeenUplink(now_ms, letter.digest, letter.digest))

    # -- time and rules -----------------------------------------------------------------------------------------------

    def _tick_up_to(self, time_ms: int, last_tick_ms: int, outcome: Outcome) -> int:
        tick = time_ms - time_ms % self._tick_ms
        if tick <= last_tick_ms or tick > self._clock():
            return last_tick_ms
        outcome.overlay.tick(Tick(tick))
        outcome.fleet.tick(tick, outcome.overlay.now_ms)
        self._follow(downlink_track.overdue(outcome.downlinks, tick, self._margin_ms), outcome)
        outcome.batch.ticks.append(tick)
        return tick

    def _finish(self, outcome: Outcome) -> Outcome:
        batch, overlay, fleet = outcome.batch, outcome.overlay, outcome.fleet
        overlay.failures += fleet.failures
        stations = fleet.stations
        batch.states = [*overlay.dirty(), *stations.states(), *outcome.hearing.rows()]
        batch.ledger, batch.gateway_ledger = list(fleet.ledger.values()), stations.closed_days
        if fleet.records:
            fleet.bodies = {dev_eui: dump_one(record) for dev_eui, record in fleet.records.items()}
            batch.devices = join(fleet.bodies)
        batch.lines[Privacy.INTERNAL] += stations.lines
        for privacy, written in fleet.lines:
            if written:
                batch.lines[privacy].append(written)
        self._file(outcome)
        return outcome

    def _file(self, outcome: Outcome) -> None:
        """Add the events to the batch, and what rules derive, each where those may see it who may see its sources."""
        batch, hearing, now_ms = outcome.batch, outcome.hearing, self._clock()
        events = [*outcome.overlay.events, *outcome.fleet.stations.events, *outcome.fleet.events]
        found = [(event, hearing.of_event(event)) for event in events]
        for downlink in outcome.told:
            report = downlink_track.report(downlink)
            if report is not None:
                found.append((report, max(downlink.privacy, hearing.of_event(report))))
        for event, privacy in found:
            row = EventRow.of(event, self.modes.status(event, now_ms))
            told = point_of(event, row, self._devices.city.assets)
            if told is not None:
                batch.lines[max(privacy, told[0])].append(told[1])
            batch.events.append(row._replace(status=confidential.status(event, privacy, row.status)))
        for point in outcome.overlay.points:
            text = encode(point)
            if text:
                batch.lines[hearing.of_point(point)].append(text)


def believable(uplink: Uplink, latest_ms: int) -> Uplink:
    """The uplink with a network server time that is not ahead of our clock by more than is believed."""
    return uplink if uplink.ns_time_ms <= latest_ms else uplink._replace(ns_time_ms=latest_ms)


def observe(uplink: Uplink, asset: Asset, judged: Judged, overlay: Overlay) -> None:
    """Let the rules of the asset see a measurement; what is doubtful of it, those that ask for it."""
    device, measurement = uplink.device, judged.sound
    observation = (
        device.dev_eui,
        device.name,
        asset.id,
        measurement.time_ms,
        uplink.ns_time_ms,
        measurement.readings,
        uplink.deduplication_id,
        overlay.advance(uplink.ns_time_ms),
        judged.doubtful if judged.doubts else (),
    )
    overlay.observe(new_tuple(Observation, observation))

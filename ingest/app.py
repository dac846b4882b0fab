"""The composition root: the only place where the parts of the service are wired."""

import asyncio
import contextlib
import secrets
import signal
import socket
import sqlite3
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import structlog
from prometheus_client import CollectorRegistry

from ingest import answers, collector, http, journal_sql, tour_feedback, waste_report, watchdog
from ingest import dead_letter_store as letters
from ingest.audit import Action
from ingest.broker_warnings import broker_warnings
from ingest.calendar import Calendar
from ingest.canary import Canary
from ingest.clock import Clock, simulated_clock, wall_clock
from ingest.codecs import folder as codec_folder
from ingest.codecs import version as codec_version
from ingest.codecs.folder import Content, Library
from ingest.codecs.version import InForce
from ingest.decisions import custom, modes
from ingest.decisions import store as rules_store
from ingest.decisions.control import RulesControl
from ingest.decisions.modes import Modes
from ingest.decisions.reload import Fresh, Source, prepare
from ingest.devices import Devices
from ingest.downlink_courier import Courier
from ingest.drain import Drain
from ingest.fleet.fleet import Fleet
from ingest.fleet.register import Register
from ingest.grafana.annotations import Annotator
from ingest.grafana.client import GrafanaClient
from ingest.gtfs import with_timetables
from ingest.heartbeat import Heartbeat
from ingest.journal import Journal
from ingest.journal_privacy import PersonalData
from ingest.journal_records import EventRow
from ingest.journal_schema import JournalDamaged, JournalError
from ingest.mqtt import ConnectionState, Subscriber, filters
from ingest.mqtt_error import PublishFailed
from ingest.mqtt_out import Publisher
from ingest.outbox import CONTENT_TYPE, Outbox
from ingest.pipeline import Pipeline, Stopping
from ingest.process import Processor
from ingest.replay.correction import JournalKeeper, Keeper
from ingest.routes.tours import Tours
from ingest.service_state import STATE_TOPIC, service_state
from ingest.settings import InfluxSettings, Settings, SettingsError
from ingest.sink import Sink
from ingest.sqlite_store import SqliteStore
from ingest.telemetry import Telemetry, configure_logging
from ingest.token_file import token_path, write_token
from ingest.upkeep import Upkeep
from rules.catalog import RULES
from rules.city import City, CityError
from rules.engine import Engine
from rules.traffic.timetable import FeedError

FAREWELL_S = 2.0
"""Seconds the batch in hand, and then the last words, may take at shutdown."""
CLOCK_BEHIND_MS = 60_000
DEFAULT_STORE = "stadtfunk.db"
BUCKETS = ("bucket_open", "bucket_internal", "bucket_personal")
SQLITE_BATCH_LINES = 5000
SQLITE_BACKOFF_S = (0.1, 10.0)

log = structlog.get_logger(__name__)


def read_city(settings: Settings) -> City:
    """The city in the settings, empty without a file; raises SettingsError."""
    path = settings.city.file
    if path is None:
        return City()
    try:
        city = City.parse(path.read_text(encoding="utf-8"), settings.city.timezone)
        return city if settings.city.gtfs is None else _timetabled(city, settings)
    except OSError as error:
        raise SettingsError(f"city.file: {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"city.file: {path} is not UTF-8: {error}") from error
    except CityError as error:
        raise SettingsError(f"city.file: {path}: {error}") from error


def _timetabled(city: City, settings: Settings) -> City:
    """The city, corridors with the timetables of their bus stops."""
    if settings.city.gtfs is None:
        return city
    try:
        return City(with_timetables(city.assets.values(), settings.city.gtfs, ZoneInfo(settings.city.timezone)))
    except FeedError as error:
        raise SettingsError(f"city.gtfs: {error}") from error


def service_clock(settings: Settings) -> Clock:
    """The wall clock, or the simulated one."""
    simulation = settings.simulation
    if simulation.start_ms is None:
        return wall_clock
    return simulated_clock(simulation.start_ms, simulation.speed)


def store_path(settings: Settings) -> Path | None:
    """Where the embedded store is: as set, else beside the journal unless InfluxDB takes the readings."""
    path = settings.store.path
    if path is None and settings.influxdb.url is None:
        path = settings.journal.path.with_name(DEFAULT_STORE)
    if path is not None and settings.simulation.apart:
        path = path.with_name(f"{path.stem}-simulated{path.suffix}")
    return path


def influx_settings(settings: Settings) -> InfluxSettings:
    """InfluxDB as set; with simulated devices everything goes to the bucket of its own."""
    influx = settings.influxdb
    if not settings.simulation.apart:
        return influx
    return influx.model_copy(update=dict.fromkeys(BUCKETS, influx.bucket_simulated))


def serve(settings: Settings, source: Source) -> None:
    """Run the service until SIGTERM or SIGINT; SIGHUP has the source read again."""
    configure_logging(settings.telemetry)
    asyncio.run(_until_signal(Service(settings, source=source)))


async def _until_signal(service: "Service") -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.stop)
    loop.add_signal_handler(signal.SIGHUP, service.hang_up)
    await service.run()


class Service:
    """One running service."""

    def __init__(self, settings: Settings, clock: Clock | None = None, source: Source | None = None) -> None:
        self.settings = settings
        self.source = source or Source(None, lambda: settings)
        self.clock = clock or service_clock(settings)
        self.telemetry = Telemetry(self.clock)
        self.registry: CollectorRegistry = self.telemetry.registry
        self.city = read_city(settings)
        rules = custom.rules_of(settings, RULES, file=self.source.file)
        self.engine = Engine(self.city, rules)
        modes.examine(settings, rules, self.city)
        custom.examine(settings, self.city, file=self.source.file)
        self.library = Library(settings.codecs)
        self.journal = Journal(settings.journal, PersonalData.of(settings, self.library))
        codec_folder.tell(Content(), self.library.content)
        codec_version.note(self.journal.remember, InForce.with_folder(self.library, self.library.content))
        self.corrections: Keeper = JournalKeeper(self.journal, self.clock)
        self.register = Register(self.journal, self.city, self.clock, self._changed)
        self.devices = Devices(settings, self.city, self.register.assignments, self.library)
        said = self.register.lifecycle
        calendar = Calendar(settings.city.timezone)
        self.fleet = Fleet(settings.rules.device.rules(), calendar, said.counts, said.turns_ms)
        self.modes = Modes(settings, rules_store.read_stopped(settings.journal.path))
        self.rules = RulesControl(self.journal, self.modes, rules, self.clock)
        self.processor = Processor(settings, self.devices, self.engine, self.fleet, self.clock, self.modes)
        self.pipeline = Pipeline(
            settings.journal, self.processor, self.journal, self.clock, self.telemetry, settings.simulation.speed
        )
        self.tours = Tours(
            self.journal, self.modes, lambda: self.settings, lambda: self.city, self.clock, self.telemetry
        )
        canary = Canary(settings)
        self.publisher = Publisher(settings.mqtt, will=self._will, on_state=self._publisher_state)
        self.heartbeat = Heartbeat(canary, self.publisher, self.journal, self.clock, self.telemetry)
        deliver = self.heartbeat.watching(self.pipeline.deliver)
        topics = (*filters(settings.mqtt), *canary.filters, *tour_feedback.filters(rules), *answers.filters(rules))
        self.subscriber = Subscriber(settings.mqtt, topics, deliver, expects_session=self._had_session())
        self.pipeline.attach(self.subscriber)
        self.upkeep = Upkeep(
            self.journal,
            self.fleet,
            self.telemetry,
            self.pipeline,
            self.subscriber,
            self.clock,
            self.chain,
            self.problems,
        )
        self.annotator: Annotator | None = None
        self.outbox = self._outbox()
        self.url = ""
        self._started_ms = self.clock()
        self._since_ms = 0
        self._stop = asyncio.Event()
        self._greet = asyncio.Event()
        self._hung_up = asyncio.Event()
        self._reloading = asyncio.Lock()
        self._restore()

    def stop(self) -> None:
        """End `run` in order: what is not committed stays with the broker."""
        self._stop.set()

    def hang_up(self) -> None:
        """Read city file and rules' settings again, soon; what comes of it is in the log."""
        self._hung_up.set()

    async def run(self) -> None:
        """Serve until `stop`."""
        settings = self.settings
        sinks = self._sinks()
        self.annotator = self._annotator()
        collector.spare()
        self._keep_simulations_apart()
        for sink in sinks:
            self.journal.register(sink.name)
        self.journal.forget_sinks_but([sink.name for sink in sinks])
        try:
            await self._take_back()
            await self._tell_unheard()
            async with asyncio.TaskGroup() as group, self._http(group):
                parts = [
                    group.create_task(self.publisher.run()),
                    group.create_task(self._greeting()),
                    group.create_task(self.upkeep.run(sinks)),
                    group.create_task(collector.attend()),
                    group.create_task(self._follow_codecs()),
                    group.create_task(self._follow_hang_ups()),
                    group.create_task(self.outbox.run()),
                    group.create_task(self.tours.run()),
                    group.create_task(self.heartbeat.run([sink.name for sink in sinks])),
                    group.create_task(watchdog.attend(lambda: self.heartbeat.alive(self.problems()))),
                    *(group.create_task(self._drain(sink).run()) for sink in sinks),
                    *([group.create_task(self.annotator.run())] if self.annotator is not None else []),
                ]
                pipeline = group.create_task(self.pipeline.run())
                subscriber = group.create_task(self.subscriber.run())
                log.info(
                    "service started", journal=str(settings.journal.path), http=self.url, assets=len(self.city.assets)
                )
                watchdog.notify(watchdog.READY)
                await self._stop.wait()
                watchdog.notify(watchdog.STOPPING)
                await self._finish(pipeline, subscriber)
                for task in (subscriber, pipeline, *parts):
                    task.cancel()
        finally:
            await self._close(sinks)
        log.info("service stopped")

    @contextlib.asynccontextmanager
    async def without_broker(self) -> AsyncIterator[None]:
        """Only pipeline and journal, for commands while no service runs; what they cause goes out with the next one."""
        task = asyncio.create_task(self.pipeline.run())
        try:
            yield
        finally:
            self.pipeline.stop()
            await asyncio.wait([task])
            await self.journal.close()

    # -- Control, for the HTTP interface ------------------------------------------------------------------------------

    def problems(self) -> dict[str, str]:
        """What keeps the service from its work now."""
        found: dict[str, str] = {}
        if not self.subscriber.connected:
            found["mqtt"] = self.subscriber.last_error or "not connected yet"
        if not self.publisher.connected:
            found["events"] = self.publisher.last_error or "not connected yet"
        found |= self.journal.problems()
        behind_ms = self.processor.last_tick_ms - self.clock()
        if behind_ms > CLOCK_BEHIND_MS:
            found["clock"] = f"{behind_ms // 1000} s behind the newest tick: rules stand still until it has caught up"
        return found | {f"sink {name}": reason for name, reason in self.telemetry.sink_errors.items()}

    async def status(self) -> dict[str, Any]:
        """Counts since the start, what waits, what is wrong."""
        totals = self.telemetry.totals
        size = await self.journal.size()
        return {
            "now_ms": self.clock(),
            "since_ms": self._started_ms,
            "totals": {name: getattr(totals, name) for name in totals.__slots__},
            "journal": size._asdict(),
            "waiting": self.pipeline.waiting,
            "mqtt": self.telemetry.subscriber_counts(self.subscriber),
            "warnings": self._warnings(),
            "chain": self.chain(),
            "problems": self.problems(),
        }

    def _warnings(self) -> dict[str, str]:
        found = broker_warnings(self.subscriber.figures())
        found |= self.library.problems()
        found |= self.processor.conditioning.warnings() | self.tours.warnings()
        if self.annotator is not None:
            found |= self.annotator.warnings()
        if self.journal.salvaged is not None:
            found["journal damage"] = f"{self.journal.damage}; {self.journal.salvaged.summary()}"
        return found

    def chain(self) -> dict[str, Any]:
        """How the newest round trip of the canary through the whole service fared."""
        return self.heartbeat.report(self.problems())

    async def retry(self, letter_id: int, action: Action) -> str | None:
        """Put a dead letter through again; why it failed, or None."""
        letter = await self.journal.query(lambda connection: letters.open_letter(connection, letter_id))
        if letters.is_line(letter):
            await self.journal.change(letters.requeue_line(letter), action, self.clock())
            return None
        return await self.pipeline.retry(letter_id, letter.message(), action)

    async def report_side_waste(self, container: str, actor: str, reason: str) -> dict[str, Any]:
        """Let the rules hear that waste lies beside a container; what was noted. Raises ReportError."""
        return await waste_report.side_waste(self.pipeline, self.engine, container, self.clock(), actor, reason)

    async def discard(self, letter_id: int, action: Action) -> None:
        """Set a dead letter aside."""
        await self.journal.change(letters.discard(letter_id), action, self.clock())

    async def reload(self, actor: str, reason: str) -> dict[str, Any]:
        """Read city file and rules' settings again; what changed. Raises SettingsError when the old ones stay."""
        async with self._reloading:
            fresh = await asyncio.to_thread(prepare, self.source, self.settings, RULES, read_city)
            try:
                return await self.pipeline.between(partial(self._take, fresh, actor, reason))
            except (JournalError, Stopping) as error:
                raise SettingsError(f"nothing changed: {error}") from error

    async def _take(self, fresh: Fresh, actor: str, reason: str) -> dict[str, Any]:
        """Between two batches, when the journal holds the states of all rules: put it in force once it is noted."""
        intact, _ = await self.journal.query(journal_sql.states)
        failures = fresh.engine.load(intact)
        done = fresh.changes(self.engine, self.city)
        now_ms, then = self.clock(), Modes(fresh.settings, self.modes.stopped)

        def write(connection: sqlite3.Connection) -> None:
            rules_store.withdraw(connection, then, now_ms, fresh.engine.permits)
            rules_store.release(connection, then, now_ms, fresh.engine.permits)

        await self.journal.change(write, Action(actor, "reload", "rules", reason, fresh.summary(done)), now_ms)
        for failure in failures:
            log.error("rule starts afresh", rule=failure.rule, subject=failure.subject, error=failure.error)
        self.settings, self.city, self.engine = fresh.settings, fresh.city, fresh.engine
        self.devices.city = self.city
        self.register.move(self.city)
        self.fleet.rules = self.settings.rules.device.rules()
        self.processor.take(self.settings, self.engine)
        self.journal.new_events.set()
        log.info("rules and city read again", **done)
        return done

    async def _take_back(self) -> None:
        """Before anything goes out: what was said before the start may not be what settings and city file allow now."""
        now_ms = self.clock()

        def write(connection: sqlite3.Connection) -> None:
            rules_store.withdraw(connection, self.modes, now_ms, self.engine.permits)
            rules_store.release(connection, self.modes, now_ms, self.engine.permits)

        await self.journal.note(write)

    async def _tell_unheard(self) -> None:
        """Say that requests are out where the last run ended before it could."""
        for word in await self.journal.query(partial(answers.unheard, now_ms=self.clock())):
            self.pipeline.deliver(word)

    async def _follow_hang_ups(self) -> None:
        while True:
            await self._hung_up.wait()
            self._hung_up.clear()
            try:
                await self.reload("signal:SIGHUP", "")
            except SettingsError as error:
                log.error("not taken, the old settings stay", error=str(error))  # noqa: TRY400 - one line

    def _changed(self, subject: str) -> None:
        """Somebody said something of a device or an asset: look at it with the next tick."""
        asset = self.city.assets.get(subject)
        self.fleet.nudged.update([assignment.dev_eui for assignment in asset.devices] if asset else [subject])

    # -- parts --------------------------------------------------------------------------------------------------------

    def _restore(self) -> None:
        salvaged = self.journal.salvaged
        if salvaged is not None:
            log.error(salvaged.summary(), reason=self.journal.damage, notes=salvaged.notes)
        intact, damaged = self.journal.states()
        for row in damaged:
            log.error("rule state with a wrong checksum left out", rule=row.rule, subject=row.subject)
        for failure in self.engine.load(intact):
            log.error("rule starts afresh", rule=failure.rule, subject=failure.subject, error=failure.error)
        if salvaged is not None or damaged:
            rules_store.continue_numbers(self.settings.journal.path, self.engine)
        self.fleet.restore(self.journal.logged_devices(), intact, self.journal.number)
        self.processor.confidential.restore(intact, damaged, self.clock())
        for subject in self.register.lifecycle.subjects():
            self._changed(subject)
        self.processor.last_tick_ms = self.journal.last_tick_ms()
        window = self.journal.newest_ns_time_ms - self.processor.frames.window_ms
        newest_ms = self.journal.newest_ns_time_ms
        self.processor.frames.add(
            (frame, min(ns_time_ms, newest_ms)) for ns_time_ms, frame in self.journal.frames_since(window)
        )

    def _had_session(self) -> bool:
        """Whether the broker ought to keep a session of ours: an earlier start under this name took messages."""
        mqtt = self.settings.mqtt
        name = f"{mqtt.host}:{mqtt.port}/{mqtt.client_id}"
        return self.journal.remember("mqtt session", name) == name and self.journal.newest_ns_time_ms > 0

    def _keep_simulations_apart(self) -> None:
        now = "simulated" if self.settings.simulation.apart else "real"
        before = self.journal.remember("readings", now)
        if before not in {None, now} and self.journal.waiting_bytes:
            self.journal.remember("readings", str(before))
            raise SettingsError(
                f"simulation.accept: the journal still holds {before} readings; let them drain before it changes"
            )

    def _sinks(self) -> list[Sink]:
        sinks: list[Sink] = []
        if self.settings.influxdb.url is not None:
            from ingest.influx import InfluxSink  # noqa: PLC0415 - half a second to import, where it is needed only

            sinks.append(InfluxSink(influx_settings(self.settings)))
        path = store_path(self.settings)
        if path is not None:
            days = self.settings.influxdb.retention_personal_days
            sinks.append(SqliteStore(path, self.settings.store.retention_days, days))
        return sinks

    def _drain(self, sink: Sink) -> Drain:
        influx = self.settings.influxdb
        database = not isinstance(sink, SqliteStore)
        return Drain(
            sink,
            self.journal,
            self.settings.journal,
            self.clock,
            self.telemetry,
            batch_lines=influx.batch_lines if database else SQLITE_BATCH_LINES,
            backoff_s=(influx.backoff_min_s, influx.backoff_max_s) if database else SQLITE_BACKOFF_S,
        )

    def _annotator(self) -> Annotator | None:
        """What keeps annotations in Grafana; nothing without one, and nothing of simulated devices in a real one."""
        settings = self.settings.grafana
        if settings.url is None or not settings.annotations:
            return None
        if self.settings.simulation.apart:
            log.warning("no annotations: what simulated devices cause has no place in a real Grafana")
            return None
        return Annotator(GrafanaClient(settings), self.journal, settings, self.clock, self.telemetry, self._district_of)

    def _district_of(self, asset: str) -> str:
        found = self.city.assets.get(asset)
        return found.district if found is not None else ""

    def _outbox(self) -> Outbox:
        return Outbox(
            self.publisher,
            self.journal,
            self.clock,
            self.telemetry,
            self.settings.simulation.speed,
            self.modes.is_stopped,
            self._courier(),
            self._went_out,
            lambda: self.publisher.connected,
        )

    def _went_out(self, request: EventRow) -> None:
        """Let the rule know that its request went out: it waits for answers to no other one."""
        word = answers.sent(request.topic, request.id, request.time_ms)
        if word is not None:
            self.pipeline.deliver(word)

    def _courier(self) -> Courier:
        said = self.register.lifecycle
        return Courier(
            self.settings,
            self.journal,
            self.fleet,
            said,
            self.modes,
            self.clock,
            self.telemetry,
            lambda: self.processor.encoding,
            self.processor.confidential.of_event,
        )

    @contextlib.asynccontextmanager
    async def _http(self, group: asyncio.TaskGroup) -> AsyncIterator[None]:
        settings = self.settings.http
        if not settings.enabled:
            yield
            return
        token = secrets.token_urlsafe(32)
        async with self._listening() as listener:
            server = http.server(http.application(self, token))
            task = group.create_task(server.serve(sockets=[listener]))
            host, port = listener.getsockname()[:2]
            self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
            write_token(self.settings.journal.path, self.url, token)
            try:
                yield
            finally:
                token_path(self.settings.journal.path).unlink(missing_ok=True)
                server.should_exit = True
                await asyncio.wait([task], timeout=FAREWELL_S)

    @contextlib.asynccontextmanager
    async def _listening(self) -> AsyncIterator[socket.socket]:
        settings = self.settings.http
        try:
            listener = http.listener(settings.host, settings.port)
        except OSError as error:
            raise SettingsError(f"http: cannot listen on {settings.host}:{settings.port}: {error.strerror}") from error
        with listener:
            yield listener

    async def _follow_codecs(self) -> None:
        """Take what changes in the folder of codecs, between two batches, once the journal knows what is in force."""
        async for content in codec_folder.changes(self.library):
            while self.library.changes(content) and not await self._noted(content):  # noqa: ASYNC110 - asks the journal
                await asyncio.sleep(codec_folder.LOOK_S)
            self.library.take(content)

    async def _noted(self, content: Content) -> bool:
        in_force = await asyncio.to_thread(InForce.with_folder, self.library, content)
        action = Action("service", "codecs reload", str(self.settings.codecs.folder), detail=in_force.digest)
        try:
            await self.journal.change(partial(_note_codecs, in_force=in_force), action, self.clock())
        except JournalError as error:
            log.warning("changed codecs not taken yet: the journal cannot be written", error=str(error))
            return False
        return True

    # -- first and last words -----------------------------------------------------------------------------------------

    def _publisher_state(self, state: ConnectionState, _: str) -> None:
        if state is ConnectionState.CONNECTED:
            self._greet.set()

    def _will(self) -> tuple[str, bytes]:
        """The word of a connection that ends without goodbye; as old as that connection's "online"."""
        self._since_ms = self.clock()
        return STATE_TOPIC, service_state("offline", self._since_ms)

    async def _greeting(self) -> None:
        while True:
            await self._greet.wait()
            self._greet.clear()
            await self._say("online", self._since_ms)

    async def _say(self, word: Literal["online", "offline"], time_ms: int) -> None:
        payload = service_state(word, time_ms)
        try:
            await self.publisher.publish(STATE_TOPIC, payload, retain=True, expiry_s=None, content_type=CONTENT_TYPE)
        except PublishFailed as error:
            log.warning("service state not published", state=word, error=str(error))

    async def _finish(self, pipeline: asyncio.Task[None], subscriber: asyncio.Task[None]) -> None:
        self.subscriber.pause()
        self.pipeline.stop()
        await asyncio.wait([pipeline], timeout=FAREWELL_S)
        subscriber.cancel()
        await asyncio.wait([subscriber], timeout=FAREWELL_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                await self._say("offline", self.clock())
                self.publisher.taken_leave = True

    async def _close(self, sinks: list[Sink]) -> None:
        try:
            await self.journal.flush(self.clock())
        except (JournalError, JournalDamaged) as error:
            log.warning("cursors not noted; some lines will be written again", error=str(error))
        for sink in sinks:
            await sink.close()
        self.library.close()
        await self.journal.close()


def _note_codecs(connection: sqlite3.Connection, in_force: InForce) -> None:
    codec_version.note(partial(journal_sql.remember, connection), in_force)

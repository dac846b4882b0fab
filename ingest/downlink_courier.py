"""Downlinks on their way out: which may go, and what is kept of each before it goes.

Whatever the request says is looked at again at the moment of sending. A downlink is noted as `sending` before it is
handed over, so that nothing that ChirpStack says of it can come too early; after a crash it is handed over again with
the same id, unless a gateway is known to have taken it.
"""

import sqlite3
from collections.abc import Callable, Iterable
from typing import Final

from pydantic import ValidationError

from decoders.quantity import Privacy
from decoders.simulated import SIMULATED_PREFIX
from ingest import confidential, journal_sql
from ingest import downlink_store as store
from ingest import downlink_track as track
from ingest.chirpstack import Encoding
from ingest.clock import Clock
from ingest.decisions.modes import Modes
from ingest.downlink import TAKEN, Downlink, DownlinkStatus
from ingest.downlink_command import APPLICATION, Command, command, largest
from ingest.fleet import store as fleet_store
from ingest.fleet.fleet import Fleet
from ingest.fleet.lifecycle import Lifecycle, State
from ingest.journal import Journal
from ingest.journal_records import EventRow
from ingest.journal_schema import JournalError
from ingest.mqtt_error import PublishFailed
from ingest.settings import DownlinkSettings, Settings
from ingest.telemetry import Telemetry
from rules.device.record import Record
from rules.event import Event
from rules.event_custom import DownlinkRequested

HOUR_MS: Final = 3_600_000


class Rate:
    """How many downlinks were handed over in the last hour, in all and to each device."""

    def __init__(self, settings: DownlinkSettings, given: Iterable[tuple[int, str, str]] = ()) -> None:
        self._settings = settings
        self._given = {name: (given_ms, dev_eui) for given_ms, dev_eui, name in given}

    def refusal(self, name: str, dev_eui: str, now_ms: int) -> str:
        """Why this one is too many, else empty; one that was handed over already is none more."""
        self._given = {one: at for one, at in self._given.items() if abs(now_ms - at[0]) < HOUR_MS}
        if name in self._given:
            return ""
        settings = self._settings
        if sum(to == dev_eui for _, to in self._given.values()) >= settings.per_device_hour:
            return f"more than {settings.per_device_hour} downlinks to {dev_eui} in an hour (downlinks.per_device_hour)"
        if len(self._given) >= settings.per_hour:
            return f"more than {settings.per_hour} downlinks in an hour (downlinks.per_hour)"
        return ""

    def count(self, name: str, dev_eui: str, now_ms: int) -> None:
        """This one is handed over; again does not count again."""
        self._given.setdefault(name, (now_ms, dev_eui))


class Courier:
    """Says of each request what is to be sent; keeps what becomes of it until ChirpStack has it.

    `encoding` says how ChirpStack encodes now, `privacy` whose eyes an event is for.
    """

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        fleet: Fleet,
        lifecycle: Lifecycle,
        modes: Modes,
        clock: Clock,
        telemetry: Telemetry,
        encoding: Callable[[], Encoding],
        privacy: Callable[[Event], Privacy],
    ) -> None:
        self._settings = settings
        self._encoding = encoding
        self._privacy = privacy
        self._journal = journal
        self._fleet = fleet
        self._lifecycle = lifecycle
        self._modes = modes
        self._clock = clock
        self._telemetry = telemetry
        self._rate: Rate | None = None

    async def prepare(self, event: EventRow) -> Command | str:
        """What is to be published in the place of the request, else what has become of it.

        Raises PublishFailed when that cannot be noted: it is then not to be sent yet.
        """
        try:
            return await self._prepare(event)
        except JournalError as error:
            raise PublishFailed(f"downlink {event.id} waits: {error}") from error

    async def missed(self, event: EventRow, *, expired: bool) -> None:
        """The request ends before it surely went out: it has expired, or was withdrawn. Raises PublishFailed."""
        try:
            await self._missed(event, expired=expired)
        except JournalError as error:
            raise PublishFailed(f"downlink {event.id} waits: {error}") from error

    async def _prepare(self, event: EventRow) -> Command | str:
        try:
            request = DownlinkRequested.model_validate_json(event.payload)
        except ValidationError as error:
            reason = f"no request of a downlink: {error.errors()[0]['msg']}"
            track.log.error("downlink cannot be read", id=event.id, topic=event.topic, error=reason)
            return "rejected"
        known = await self._journal.query(lambda connection: store.find(connection, event.id))
        if known is not None and known.status in TAKEN:
            return "published"
        if known is not None and known.status == "rejected":
            return "rejected"
        now_ms, dev_eui = self._clock(), request.data.dev_eui
        record = await self._record(dev_eui)
        rate = await self._rates(now_ms)
        reason = self._refusal(request, record, now_ms) or rate.refusal(event.id, dev_eui, now_ms)
        if reason or record is None:
            await self._end(_downlink(request, record, "rejected", now_ms, reason))
            return "rejected"
        rate.count(event.id, dev_eui, now_ms)
        if known is None:
            sending = _downlink(request, record, "sending", now_ms)
            await self._journal.note(lambda connection: store.put(connection, [sending._replace(given_ms=now_ms)]))
        return command(request, record.application_id, self._settings.mqtt.command_topic, self._encoding())

    async def _rates(self, now_ms: int) -> Rate:
        if self._rate is None:
            since_ms = now_ms - HOUR_MS
            given = await self._journal.query(lambda connection: store.given_since(connection, since_ms))
            self._rate = self._rate or Rate(self._settings.downlinks, given)
        return self._rate

    async def _record(self, dev_eui: str) -> Record | None:
        found = self._fleet.record(dev_eui)
        if found is None:
            rested = await self._journal.query(lambda connection: fleet_store.load(connection, [dev_eui]))
            found = self._fleet.record(dev_eui) or rested.get(dev_eui)
        return found

    def _refusal(self, request: DownlinkRequested, record: Record | None, now_ms: int) -> str:
        """Why nothing is to be sent to this device, else empty."""
        data = request.data
        dev_eui, size = data.dev_eui, len(data.payload) // 2
        if dev_eui.startswith(SIMULATED_PREFIX) and not self._settings.simulation.accept:
            return f"device {dev_eui} is simulated and simulation.accept is not set"
        if record is None:
            return f"device {dev_eui} was never heard"
        if not APPLICATION.fullmatch(record.application_id):
            return f"the application of device {dev_eui} is not known: it was not heard since that is remembered"
        for subject in (dev_eui, record.about.asset):
            state = self._lifecycle.state(subject, now_ms) if subject else State.ACTIVE
            if state is not State.ACTIVE:
                return f"{subject} is {'in ' * (state is State.MAINTENANCE)}{state.value}"
        most = largest(record.data_rate)
        if size > most:
            return f"{size} bytes, at most {most} at data rate {record.data_rate}, at which {dev_eui} was heard last"
        return ""

    async def _end(self, downlink: Downlink) -> None:
        """Keep what became of it, with the event that says so."""
        said = track.report(downlink)
        events: list[EventRow] = []
        if said is not None:
            privacy = max(downlink.privacy, self._privacy(said))
            mode = self._modes.status(said, self._clock())
            events.append(EventRow.of(said, confidential.status(said, privacy, mode)))

        def write(connection: sqlite3.Connection) -> None:
            store.put(connection, [downlink])
            journal_sql.write_events(connection, events)

        await self._journal.note(write)
        self._journal.new_events.set()
        self._telemetry.downlink(downlink.status)
        track.say([downlink])

    async def _missed(self, event: EventRow, *, expired: bool) -> None:
        known = await self._journal.query(lambda connection: store.find(connection, event.id))
        if known is None and not expired:
            return
        if known is None:
            try:
                request = DownlinkRequested.model_validate_json(event.payload)
            except ValidationError:
                return
            known = _downlink(request, await self._record(request.data.dev_eui), "sending", self._clock())
        if known.status == "sending":
            now_ms = self._clock()
            await self._end(
                known.become("expired", now_ms, track.MISSED) if expired else known.become("withdrawn", now_ms, "")
            )


def _downlink(
    request: DownlinkRequested, record: Record | None, status: DownlinkStatus, now_ms: int, reason: str = ""
) -> Downlink:
    data = request.data
    privacy = Privacy.INTERNAL if record is None else max(Privacy.INTERNAL, record.about.privacy)
    return Downlink(
        id=request.id,
        dev_eui=data.dev_eui,
        rule=data.rule,
        subject=request.subject,
        f_port=data.f_port,
        size=len(data.payload) // 2,
        confirmed=data.confirmed,
        time_ms=request.time_ms,
        valid_until_ms=request.valid_until_ms,
        privacy=privacy,
        given_ms=None,
        status=status,
        since_ms=now_ms,
        reason=reason,
    )

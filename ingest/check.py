"""What `stadtfunk check` looks at: settings, files, connections, one finding each."""

import asyncio
from typing import Literal, NamedTuple

import aiohttp

from decoders import catalog
from decoders.error import UnknownCodec
from ingest.app import read_city, store_path
from ingest.journal_schema import JournalError, is_locked, open_reader
from ingest.mqtt import Message, Subscriber
from ingest.settings import Settings, SettingsError
from rules.catalog import RULES
from rules.city import CityError
from rules.engine import Engine

CONNECT_S = 5.0
PROBE_TOPIC = "stadtfunk/v1/check/nothing"


class Finding(NamedTuple):
    """One line of the check."""

    level: Literal["ok", "warning", "error"]
    subject: str
    text: str


def line(finding: Finding) -> str:
    """A finding as people read it."""
    mark = {"ok": "ok     ", "warning": "warning", "error": "error  "}[finding.level]
    return f"{mark}  {finding.subject}: {finding.text}"


async def findings(settings: Settings) -> list[Finding]:
    """Look at everything; a bad part never hides the next."""
    return [
        _city(settings),
        *_codecs(settings),
        _journal(settings),
        await _broker(settings),
        await _sink(settings),
    ]


def _city(settings: Settings) -> Finding:
    if settings.city.file is None:
        return Finding("warning", "city.file", "not set: no rule runs")
    try:
        city = read_city(settings)
        Engine(city, RULES)
    except (SettingsError, CityError) as error:
        return Finding("error", "city.file", str(error).removeprefix("city.file: "))
    devices = sum(len(asset.devices) for asset in city.assets.values())
    return Finding("ok", "city.file", f"{settings.city.file}: {len(city.assets)} assets, {devices} devices")


def _codecs(settings: Settings) -> list[Finding]:
    found: list[Finding] = []
    for profile, name in settings.codecs.profiles.items():
        try:
            catalog.codec(name)
        except UnknownCodec as error:
            found.append(Finding("error", f"codecs.profiles.{profile}", str(error)))
    if not settings.codecs.profiles:
        found.append(Finding("warning", "codecs.profiles", "empty: only devices with the tag `codec` are read"))
    return found or [Finding("ok", "codecs.profiles", f"{len(settings.codecs.profiles)} profiles")]


def _journal(settings: Settings) -> Finding:
    path = settings.journal.path
    if is_locked(path):
        return Finding("ok", "journal.path", f"{path}: in use by a running service")
    if not path.exists():
        return Finding("ok", "journal.path", f"{path}: will be created")
    try:
        open_reader(path).close()
    except JournalError as error:
        return Finding("error", "journal.path", str(error))
    return Finding("ok", "journal.path", str(path))


async def _broker(settings: Settings) -> Finding:
    mqtt = settings.mqtt
    place = f"{mqtt.host}:{mqtt.port}"
    probe = mqtt.model_copy(update={"client_id": f"{mqtt.client_id}-check", "session_expiry_s": 60})
    answered = asyncio.Event()
    subscriber = Subscriber(probe, [PROBE_TOPIC], _ignore, on_state=lambda *_: answered.set())
    task = asyncio.create_task(subscriber.run())
    try:
        async with asyncio.timeout(CONNECT_S):
            await answered.wait()
    except TimeoutError:
        return Finding("error", "mqtt", f"{place}: no answer in {CONNECT_S:.0f} s")
    finally:
        task.cancel()
        await asyncio.wait([task])
    if subscriber.last_error is not None:
        return Finding("error", "mqtt", f"{place}: {subscriber.last_error}")
    return Finding("ok", "mqtt", f"{place}: connected, subscribed")


def _ignore(_: Message) -> None:
    """Take a message of the probe's topic, which nobody publishes."""


async def _sink(settings: Settings) -> Finding:
    url = settings.influxdb.url
    if url is None:
        return Finding("ok", "store.path", f"{store_path(settings)}: embedded store")
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CONNECT_S)) as session,
            session.get(f"{url.rstrip('/')}/ping") as answer,
        ):
            version = answer.headers.get("X-Influxdb-Version", "unknown")
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return Finding("error", "influxdb.url", f"{url}: {error or 'no answer'}")
    return Finding("ok", "influxdb.url", f"{url}: InfluxDB {version}")

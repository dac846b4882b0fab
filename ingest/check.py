"""What `stadtfunk check` looks at: settings, files, connections, one finding each."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

from decoders.error import UnknownCodec
from ingest import check_broker, check_city, check_custom, check_influx, check_privacy, check_routes, check_service
from ingest.app import read_city, service_clock, store_path
from ingest.codecs.folder import Library
from ingest.conditioning import Conditioning
from ingest.decisions import modes
from ingest.finding import Finding, line
from ingest.grafana import check as check_grafana
from ingest.journal_schema import JournalError, is_locked, open_reader
from ingest.settings import Settings, SettingsError
from rules.city import CityError
from rules.engine import Engine
from rules.rule import AnyRule
from rules.traffic.refusal import refusals

__all__ = ["Finding", "findings", "line"]


async def findings(settings: Settings, listen_s: float = 0, file: Path | None = None) -> list[Finding]:
    """Look at everything, at events for so many s; a bad part never hides the next. `file` is that of the settings."""
    rules, broken = check_custom.rules(settings, file)
    return [
        *_city(settings, rules),
        *(broken or _rules(settings, rules, file)),
        *await check_routes.findings(settings),
        *_codecs(settings),
        _journal(settings),
        *await check_broker.findings(settings.mqtt, listen_s),
        *await asyncio.to_thread(list, check_service.findings(settings)),
        await _sink(settings),
        *await check_grafana.findings(settings),
    ]


def _city(settings: Settings, rules: Sequence[AnyRule]) -> list[Finding]:
    if settings.city.file is None:
        return [Finding("warning", "city.file", "not set: no rule runs")]
    try:
        city = read_city(settings)
        engine = Engine(city, rules)
    except (SettingsError, CityError) as error:
        return [Finding("error", "city.file", str(error).removeprefix("city.file: "))]
    devices = sum(len(asset.devices) for asset in city.assets.values())
    first = Finding("ok", "city.file", f"{settings.city.file}: {len(city.assets)} assets, {devices} devices")
    figures = Conditioning(settings.rules.condition.rules(), city).warnings().values()
    return [
        first,
        *(Finding("warning", "city.file", text) for text in figures),
        *(Finding("warning", "city.file", f"{name}: {why}") for name, why in refusals(city)),
        *check_city.timetables(city, service_clock(settings)()),
        *check_city.differences(settings, city, service_clock(settings)()),
        *check_privacy.findings(settings, city, engine, service_clock(settings)()),
    ]


def _rules(settings: Settings, rules: Sequence[AnyRule], file: Path | None) -> Iterator[Finding]:
    """Modes, and the rules that the city wrote; nothing where there is no city to compare them with."""
    if settings.city.file is None:
        return
    try:
        city = read_city(settings)
    except SettingsError:
        return
    try:
        modes.examine(settings, rules, city)
    except SettingsError as error:
        yield Finding("error", "rules.modes", str(error).removeprefix("rules.modes: "))
    yield from check_custom.findings(settings, city, file)


def _codecs(settings: Settings) -> list[Finding]:
    library = Library(settings.codecs)
    found = [Finding("error", key, why) for key, why in library.problems().items()]
    for profile, name in library.profiles.items():
        try:
            library.codec(name)
        except UnknownCodec as error:
            found.append(Finding("error", f"codecs.profiles.{profile}", str(error)))
    if not library.profiles:
        found.append(Finding("warning", "codecs.profiles", "empty: only devices with the tag `codec` are read"))
    library.close()
    return found or [Finding("ok", "codecs.profiles", f"{len(library.profiles)} profiles")]


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


async def _sink(settings: Settings) -> Finding:
    if settings.influxdb.url is None:
        return Finding("ok", "store.path", f"{store_path(settings)}: embedded store")
    return await check_influx.finding(settings)

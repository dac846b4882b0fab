"""City file and the settings of rules read again while the service runs: the whole of it is taken, or nothing."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ingest.decisions import custom, modes
from ingest.decisions.where import feature_line, with_lines
from ingest.settings import Settings, SettingsError
from rules.city import City, CityError
from rules.engine import Engine
from rules.rule import AnyRule


class Source(NamedTuple):
    """Where settings come from: the file, if one is in use, and how all of them are read; raises SettingsError."""

    file: Path | None
    read: Callable[[], Settings]


class Fresh(NamedTuple):
    """What is to be taken: settings, city, an engine that knows nothing yet, and keys that wait for a restart."""

    settings: Settings
    city: City
    engine: Engine
    restart: tuple[str, ...]

    def changes(self, engine: Engine, city: City) -> dict[str, Any]:
        """What differs from that engine and city: assets, parameters of rules about them, keys for a restart."""
        before, after = engine.parameters(), self.engine.parameters()
        return {
            "assets": len(self.city.assets),
            "added": sorted(self.city.assets.keys() - city.assets.keys()),
            "removed": sorted(city.assets.keys() - self.city.assets.keys()),
            "changed": sorted(name for name in before.keys() & after.keys() if before[name] != after[name]),
            "restart": list(self.restart),
        }

    def summary(self, changes: dict[str, Any]) -> str:
        """The changes in a line for the audit table, with a digest of all parameters."""
        digest = hashlib.sha256(json.dumps(self.engine.parameters(), sort_keys=True).encode()).hexdigest()[:16]
        counts = ", ".join(f"{len(changes[name])} {name}" for name in ("added", "removed", "changed"))
        return f"{changes['assets']} assets: {counts}; parameters {digest}"


def prepare(source: Source, now: Settings, shipped: Sequence[AnyRule], read_city: Callable[[Settings], City]) -> Fresh:
    """Read everything again, the rules that the city wrote too; raises SettingsError that names file, line, reason."""
    try:
        read = source.read()
    except SettingsError as error:
        raise SettingsError(with_lines(source.file, str(error))) from error
    settings = now.model_copy(
        update={"rules": read.rules, "city": read.city.model_copy(update={"timezone": now.city.timezone})}
    )
    city = read_city_of(settings, read_city)
    rules = custom.rules_of(settings, shipped, file=source.file)
    custom.examine(settings, city, file=source.file)
    try:
        engine = Engine(city, rules)
    except CityError as error:
        raise SettingsError(_in_city(settings, str(error))) from error
    try:
        modes.examine(settings, rules, city)
    except SettingsError as error:
        raise SettingsError(with_lines(source.file, str(error))) from error
    return Fresh(settings, city, engine, tuple(_differences(settings, read)))


def read_city_of(settings: Settings, read_city: Callable[[Settings], City]) -> City:
    """The city in the settings; raises SettingsError with the line of the feature it is about."""
    try:
        return read_city(settings)
    except SettingsError as error:
        raise SettingsError(_in_city(settings, str(error))) from error


def _differences(taken: Settings, read: Settings) -> list[str]:
    """Keys that differ and are not taken without a restart."""
    found = []
    for name in type(taken).model_fields:
        one, other = getattr(taken, name), getattr(read, name)
        found += [f"{name}.{key}" for key in type(one).model_fields if getattr(one, key) != getattr(other, key)]
    return found


def _in_city(settings: Settings, message: str) -> str:
    path = settings.city.file
    message = message.removeprefix(f"city.file: {path}: ").removeprefix("city.file: ")
    if path is None:
        return message
    try:
        line = feature_line(path.read_text(encoding="utf-8"), message)
    except (OSError, UnicodeDecodeError):
        line = None
    place = f"city.file: {path}" if line is None else f"city.file: {path}, line {line}"
    return f"{place}: {message.removeprefix(f'{path}: ')}"

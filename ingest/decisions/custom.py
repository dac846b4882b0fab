"""The rules of an installation: those that are shipped, and those that the city wrote, checked before they run."""

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from ingest.decisions.where import with_lines
from ingest.settings import Settings, SettingsError, explain
from rules.catalog import RULES
from rules.city import City
from rules.custom.config import CustomError
from rules.custom.definition import CustomRule
from rules.custom.rules import check_subjects, custom_rules
from rules.rule import AnyRule

DOMAIN = "custom"
"""First word of the ids of all rules that a city writes."""
TABLES = "rules.custom"


class Written(NamedTuple):
    """A rule with its place: the key that messages begin with, and the file it is from, where that is known."""

    rule: CustomRule
    key: str
    file: Path | None


def rules_of(
    settings: Settings, shipped: Sequence[AnyRule] = RULES, *, file: Path | None = None
) -> tuple[AnyRule, ...]:
    """All rules of these settings, read from that file; raises SettingsError that names file, line, key and why."""
    return (*shipped, *(rule for written in written_rules(settings, file) for rule in _rule(written)))


def written_rules(settings: Settings, file: Path | None = None) -> list[Written]:
    """The rules that the city wrote: those of the settings, then those of the rules' file; raises SettingsError."""
    found = [Written(rule, f"{TABLES}.{number}", file) for number, rule in enumerate(settings.rules.custom)]
    found += _of_file(settings.rules.file) if settings.rules.file else []
    names: set[str] = set()
    for written in found:
        if written.rule.name in names:
            raise _error(written, CustomError("name", f"{written.rule.name!r} occurs twice"))
        names.add(written.rule.name)
    return found


def examine(settings: Settings, city: City, *, file: Path | None = None) -> None:
    """Raise SettingsError for a rule about a subject that the city does not have."""
    for written in written_rules(settings, file):
        try:
            check_subjects(written.rule, city)
        except CustomError as error:
            raise _error(written, error) from error


def _rule(written: Written) -> Iterator[AnyRule]:
    try:
        yield from custom_rules([written.rule])
    except CustomError as error:
        raise _error(written, error) from error


def _of_file(path: Path) -> list[Written]:
    """The tables `[[custom]]` of a rules' file."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"rules.file: {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"rules.file: {path}: {error}") from error
    other = sorted(tables.keys() - {DOMAIN})
    custom = tables.get(DOMAIN, [])
    if other or not isinstance(custom, list):
        raise SettingsError(f"rules.file: {path}: {', '.join(other) or DOMAIN}: expected tables [[{DOMAIN}]] alone")
    return [_of_table(path, number, table) for number, table in enumerate(custom)]


def _of_table(path: Path, number: int, table: object) -> Written:
    try:
        return Written(CustomRule.model_validate(table), f"{DOMAIN}.{number}", path)
    except ValidationError as error:
        said = [explain({**item, "loc": (DOMAIN, number, *item["loc"])}) for item in error.errors()]
        raise SettingsError(with_lines(path, "; ".join(said))) from error


def _error(written: Written, error: CustomError) -> SettingsError:
    """The mistake with its place: the key of the settings, or file and line."""
    message = f"{written.key}.{error} (rule {written.rule.id})"
    return SettingsError(with_lines(written.file, message))

"""What `stadtfunk check` says of the rules that a city wrote: one line each, or what is wrong with them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from ingest.decisions import custom
from ingest.finding import Finding
from ingest.settings import Settings, SettingsError
from rules.catalog import RULES
from rules.city import City
from rules.custom.definition import CustomRule
from rules.rule import AnyRule


def rules(settings: Settings, file: Path | None) -> tuple[Sequence[AnyRule], list[Finding]]:
    """All rules, or the shipped ones and why the others cannot be used; `file` is that of the settings."""
    try:
        return custom.rules_of(settings, file=file), []
    except SettingsError as error:
        return RULES, [Finding("error", custom.TABLES, str(error))]


def findings(settings: Settings, city: City, file: Path | None) -> Iterator[Finding]:
    """The rules that can be used, with severity, condition and number of assets; a rule about nothing is a warning."""
    try:
        written = custom.written_rules(settings, file)
        custom.examine(settings, city, file=file)
    except SettingsError as error:
        yield Finding("error", custom.TABLES, str(error))
        return
    for rule in (each.rule for each in written):
        assets = sum(_is_about(rule, id_, asset.kind) for id_, asset in city.assets.items())
        yield Finding("ok" if assets else "warning", rule.id, f"{rule.severity}: {rule.when} ({assets} assets)")


def _is_about(rule: CustomRule, name: str, kind: str) -> bool:
    return kind == rule.kind and (not rule.subjects or name in rule.subjects)

"""The page about these rules names what they read and what they store."""

import re
from pathlib import Path

import pytest

from rules.asset import Asset
from rules.catalog import RULES
from rules.environment.limits_table import TABLE
from rules.rule import AnyRule
from tests.rules.environment.play import asset

PAGE = (Path(__file__).parents[3] / "docs" / "rules-environment.md").read_text(encoding="utf-8")
ENVIRONMENT = [rule for rule in RULES if rule.id.startswith("environment.")]


class Asked(dict[str, object]):
    """Properties that remember what was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, name: str, default: object = None) -> object:
        """Nothing is there."""
        self.names.add(name)
        return default


def documented(name: str) -> bool:
    """Whether the page has this name, or the part of it that a row abbreviates."""
    if f"`{name}`" in PAGE or name.endswith(("_hold_s", "_grace_s", "_coverage_percent")):
        return True
    shortened = re.sub(
        r"^(rain)_(\d+h)_mm$|^air_bounds_(\w+)$|^(\w+)_contradiction_\w+$|^information_value_\d_cm$", "", name
    )
    return not shortened


@pytest.mark.parametrize("rule", ENVIRONMENT, ids=lambda rule: rule.id)
def test_every_property_is_documented(rule: AnyRule) -> None:
    """Each property that `configure` reads stands on the page."""
    properties = Asked()
    usual = asset(rule.kind)
    rule.configure(Asset(usual.id, usual.kind, usual.name, properties, usual.devices, 7.8, 51.6))
    assert properties.names
    assert not {name for name in properties.names if not documented(name)}


def test_every_rule_and_scheme_is_documented() -> None:
    """Rules by their ids, counters by their schemes."""
    assert all(f"`{rule.id}`" in PAGE for rule in ENVIRONMENT)
    assert all(f"`{row.scheme}`" in PAGE for row in TABLE)

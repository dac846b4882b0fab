"""docs/rules-custom.md: every example is a rule that can be loaded, every key and function is on the page."""

import re
import tomllib
from pathlib import Path

import pytest

from rules.custom.definition import CustomRule, Downlink, Schedule
from rules.custom.expression import FUNCTIONS
from rules.custom.rules import custom_rules

PAGE = (Path(__file__).parents[3] / "docs" / "rules-custom.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_can_be_loaded(example: str) -> None:
    """As it stands: keys, units, expressions, texts."""
    definitions = [CustomRule.model_validate(table) for table in tomllib.loads(example)["rules"]["custom"]]
    rules = custom_rules(definitions)
    assert [rule.id for rule in rules] == [definition.id for definition in definitions]


def test_there_are_examples() -> None:
    """The page has them, and they are different rules."""
    names = re.findall(r'^name = "(.*)"$', PAGE, re.MULTILINE)
    assert len(names) == len(set(names)) >= 5


def test_every_key_and_function_is_explained() -> None:
    """Nobody has to look into the code for one; defaults are as the page says."""
    rows = dict(re.findall(r"^\| (`.+?`) \| (.*?) \|", PAGE, re.MULTILINE))
    keys = {key for row in rows for key in re.findall(r"`(\w+)`", row)}
    assert CustomRule.model_fields.keys() - keys == set()
    for name in ("for_s", "clear_for_s", "fresh_s", "coverage", "valid_s"):
        assert float(rows[f"`{name}`"]) == CustomRule.model_fields[name].default
    for key in (*(field.alias or name for name, field in Schedule.model_fields.items()), *Downlink.model_fields):
        assert f"`{key}`" in PAGE
    for function in FUNCTIONS:
        assert re.search(rf"`{function}(`|\()", PAGE), function

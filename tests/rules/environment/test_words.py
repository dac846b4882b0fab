"""What alerts say to people, and what they never say."""

from typing import get_args

import pytest
from pydantic_core import from_json, to_json

from rules.catalog import RULES
from rules.environment import words
from rules.environment.words import CLASSES, WORDS, Text
from rules.event_environment import AlertKind
from rules.rule import AnyRule
from tests.rules.environment.play import LEGAL, asset, steps

TEXTS = [getattr(words, name) for name in dir(words) if isinstance(getattr(words, name), Text)]
TEXTS += [text for each in WORDS.values() for text in (each.title, *each.levels, each.advice)]
TEXTS += list(CLASSES)


def test_no_text_has_a_word_for_a_legal_figure() -> None:
    """Neither in German nor in English."""
    assert len(TEXTS) > 30
    assert not [text for text in TEXTS if LEGAL.search(text.de) or LEGAL.search(text.en)]


@pytest.mark.parametrize("word", ["Grenzwert überschritten", "Richtwert", "legal limit", "alert threshold", "TA Lärm"])
def test_the_search_finds_such_words(word: str) -> None:
    """The list of forbidden words is no empty one."""
    assert LEGAL.search(word)


def test_every_text_is_there_in_both_languages() -> None:
    """Both or neither, and not the same."""
    assert all(bool(text.de) == bool(text.en) for text in TEXTS)
    assert all(text.de != text.en for text in TEXTS if text.de and text.de != "Wind")


def test_every_kind_has_its_words() -> None:
    """The words of the contract, no more and no less."""
    assert set(WORDS) == set(get_args(AlertKind))


ENVIRONMENT = [rule for rule in RULES if rule.id.startswith("environment.")]


def test_nine_rules_are_registered() -> None:
    """All of this package, on four kinds of places."""
    assert len(ENVIRONMENT) == 9
    assert {rule.kind for rule in ENVIRONMENT} == {"station", "gauge", "road_section", "site"}


@pytest.mark.parametrize("rule", ENVIRONMENT, ids=lambda rule: rule.id)
def test_a_silent_place_says_nothing_and_sleeps(rule: AnyRule) -> None:
    """A tick for a place that never spoke: no event, no point, no further wake-up."""
    outputs = steps(rule, rule.kind)
    assert (outputs.events, outputs.points) == ((), ())


@pytest.mark.parametrize("rule", ENVIRONMENT, ids=lambda rule: rule.id)
def test_a_state_of_another_version_begins_anew(rule: AnyRule) -> None:
    """`load` refuses what another version of the rule wrote."""
    config = rule.configure(asset(rule.kind))
    state = rule.initial(config)
    assert rule.load(config, rule.version, from_json(to_json(rule.dump(state)))) == state
    assert rule.load(config, rule.version + 1, from_json(to_json(rule.dump(state)))) is None

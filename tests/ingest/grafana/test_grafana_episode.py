"""What events mean for annotations."""

import json

import pytest

from ingest.grafana.episode import Episode, Said, Step, event_tag, read, step, worsened
from rules.event_custom import CustomCondition
from rules.event_environment import EnvironmentalAlert
from tests.doubles.grafana import MAX_TAG, MAX_TAGS_BYTES
from tests.ingest.grafana.events import MINUTE, NOW, alert, condition


def said(event: CustomCondition | EnvironmentalAlert, least: int = 3) -> Said:
    """An event as annotations see it, in German."""
    return read(event.topic, event.payload(), "de", least, lambda asset: f"district of {asset}")


@pytest.mark.parametrize(
    ("event", "weight"),
    [
        (condition("raised", severity="severe"), 3),
        (condition("raised", severity="warning"), 0),
        (condition("raised", severity="info"), 0),
        (condition("raised", severity="info", annotate=True), 1),
        (condition("updated", severity="warning", annotate=True), 2),
        (condition("cleared", severity="severe", annotate=True), 0),
        (alert("raised", 2, 0), 0),
        (alert("raised", 3, 0), 3),
        (alert("updated", 4, 3), 4),
        (alert("cleared", 0, 4), 0),
    ],
)
def test_severe_events_are_kept_and_those_that_ask_for_it(
    event: CustomCondition | EnvironmentalAlert, weight: int
) -> None:
    """Severe or `annotate` of a city's own, levels from 3 on of the environment; none that is over."""
    assert said(event).weight == weight


def test_the_level_from_which_alerts_are_kept_is_set() -> None:
    """With 1 every alert is."""
    assert said(alert("raised", 1, 0), least=1).weight == 1
    assert said(alert("raised", 1, 0), least=2).weight == 0


def test_an_annotation_says_when_what_and_where() -> None:
    """The time of its beginning, the text in the language set, tags for rule, asset, district, severity and event."""
    event = condition("updated", NOW + MINUTE, since_ms=NOW + 3)
    expected = ("stadtfunk", "rule:custom.fine_dust", "asset:station-1", "district:district of station-1")
    assert said(event).new == (
        NOW + 3,
        "Feinstaub ist updated",
        (*expected, "severity:severe", f"event:{event.id}"),
    )
    english = read(event.topic, event.payload(), "en", 3, lambda _: "")
    assert english.text == "fine dust is updated"
    assert not any(tag.startswith("district:") for tag in english.tags)


def test_an_alert_begins_when_it_reached_the_level() -> None:
    """Not when it was raised at a lower one; one whose beginning nobody kept began when it was raised."""
    assert said(alert("updated", 3, 2, NOW + MINUTE, since_ms=NOW)).begin_ms == NOW + MINUTE
    assert said(alert("updated", 3, 3, NOW + MINUTE, since_ms=NOW)).begin_ms == NOW
    assert "severity:level 3" in said(alert("raised", 3, 0)).tags


def test_long_names_make_tags_that_grafana_takes() -> None:
    """A tag has 100 characters at most, all of them 500 bytes, and no letter is cut in two."""
    name = "Ü" * 500
    tags = said(condition(asset=name, rule=f"custom.{name}")).tags
    assert all(len(tag) <= MAX_TAG for tag in tags)
    assert len(json.dumps(tags, ensure_ascii=False).encode()) <= MAX_TAGS_BYTES
    assert f"asset:{'Ü' * 40}" in tags


RAISED, RENEWED, CLEARED = condition("raised"), condition("updated", NOW + 1), condition("cleared", NOW + 2)
OPEN = Episode(RAISED.id, 3)


@pytest.mark.parametrize(
    ("event", "episode", "expected"),
    [
        (RAISED, None, Step.BEGIN),
        (RAISED, OPEN, Step.NOTHING),
        (RAISED, Episode("of before", 3), Step.BEGIN),
        (RENEWED, None, Step.BEGIN),
        (RENEWED, OPEN, Step.NOTHING),
        (RENEWED, Episode(RAISED.id, 2), Step.WORSEN),
        (RENEWED, Episode("", 2), Step.NOTHING),
        (CLEARED, OPEN, Step.END),
        (CLEARED, None, Step.NOTHING),
        (alert("updated", 2, 3), OPEN, Step.END),
        (alert("updated", 4, 3), OPEN, Step.WORSEN),
        (alert("updated", 3, 4), Episode("a", 4), Step.NOTHING),
    ],
)
def test_an_episode_begins_gets_worse_and_ends(
    event: CustomCondition | EnvironmentalAlert, episode: Episode | None, expected: Step
) -> None:
    """Renewals are nothing new, a level below the one set ends it, and what Grafana refused stays so until it ends."""
    assert step(said(event), episode) is expected


def test_what_gets_worse_keeps_the_tags_that_people_gave() -> None:
    """Only the severity changes; the event's tag stays that of the beginning."""
    before = ("severity:level 3", "seen by Anna", event_tag("1"))
    assert worsened(before, said(alert("updated", 4, 3))) == ("seen by Anna", "event:1", "severity:level 4")


@pytest.mark.parametrize("payload", [b"", b"{}", b"\xff", b'{"data": null}'])
def test_bytes_that_are_no_event_are_a_value_error(payload: bytes) -> None:
    """Of both types."""
    for topic in (condition().topic, alert("raised", 3, 0).topic):
        with pytest.raises(ValueError, match=r"."):
            read(topic, payload, "de", 3, str)

"""What `stadtfunk check` says of Grafana."""

from typing import Any

import pytest

from ingest.grafana.check import findings
from ingest.settings import given
from tests.doubles.grafana import TOKEN, grafana


async def test_without_a_url_there_is_nothing_to_say() -> None:
    """Nor is anything asked."""
    assert await findings(given()) == []


@pytest.mark.parametrize(
    ("section", "simulation", "level", "words"),
    [
        ({"token": TOKEN}, {}, "ok", "annotations may be read"),
        ({"token": "glsa_wrong"}, {}, "error", "set grafana.token"),
        ({"annotations": False}, {}, "ok", "no annotations, as set"),
        ({"token": TOKEN}, {"accept": True}, "warning", "simulation.accept"),
        ({"token": TOKEN, "ca_file": "/nowhere.pem"}, {}, "error", "grafana.ca_file"),
    ],
)
async def test_a_line_says_whether_annotations_will_go(
    section: dict[str, Any], simulation: dict[str, Any], level: str, words: str
) -> None:
    """One line, without the token."""
    async with grafana() as double:
        found = await findings(given(grafana={"url": double.url, **section}, simulation=simulation))
    (finding,) = found
    assert (finding.level, finding.subject) == (level, "grafana.url")
    assert words in finding.text
    assert "glsa" not in finding.text

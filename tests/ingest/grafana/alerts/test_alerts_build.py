"""The alert rules as they are built: for the API and as files, in both languages, each with a runbook."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner

from ingest.commands.provision_grafana import grafana
from ingest.grafana.alerts.build import (
    ALERTS,
    CONTACT_FILE,
    FILE,
    GROUP,
    NIGHT,
    Receiver,
    alerts,
    contact_point,
    files,
    mute_timing,
    route,
    rule,
)
from ingest.grafana.alerts.spec import Alert
from ingest.grafana.dashboards.build import dashboards
from ingest.grafana.dashboards.target import SOURCES
from ingest.grafana.provision.apply import ALARMS

ROOT = Path(__file__).parents[4]
KEPT = ROOT / "deploy" / "grafana" / "provisioning" / "alerting"
BERLIN = "Europe/Berlin"
EACH = pytest.mark.parametrize("alert", ALERTS, ids=[alert.name for alert in ALERTS])
app = typer.Typer()
app.command()(grafana)


def provisioned(text: str) -> dict[str, Any]:
    """A file as Grafana reads it."""
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def test_what_is_kept_is_fresh() -> None:
    """The files are as the code writes them: `stadtfunk provision grafana --build-alerting …/alerting` does."""
    wanted = files("de", ALARMS["de"].title, BERLIN)
    assert {path.name: path.read_text("utf-8") for path in KEPT.iterdir()} == {
        path.name: text for path, text in wanted.items()
    }


def test_names_are_unique() -> None:
    """No two alerts share a name or a title, in either language."""
    for names in ([each.name for each in ALERTS], *([each.title[at] for each in ALERTS] for at in (0, 1))):
        assert len(set(names)) == len(ALERTS) >= 8


@EACH
def test_want_of_data_and_errors_are_alarms(alert: Alert) -> None:
    """So says every rule; and its condition is one of its steps, which come in an order in which they can be worked."""
    made = rule(alert, "de")
    assert (made["noDataState"], made["execErrState"]) == ("Alerting", "Alerting")
    known: set[str] = set()
    for step in made["data"]:
        used = step["model"].get("expression", "")
        assert set(re.findall(r"\$\{(\w+)\}", used) or ([used] if used else [])) <= known
        known.add(step["refId"])
        assert step["datasourceUid"] in {*SOURCES.values(), "__expr__"}
    assert made["condition"] in known
    assert (alert.above is None) is not (alert.below is None)


@EACH
def test_each_has_a_runbook_in_both_languages(alert: Alert) -> None:
    """The page is there, names the alert in both languages, and is linked."""
    made = rule(alert, "en", "https://docs.example/")
    page = ROOT / made["annotations"]["runbook"]
    text = page.read_text("utf-8")
    assert text.splitlines()[0] == f"# {alert.title.de} · {alert.title.en}"
    german, english = text.split("## English")
    assert "## Deutsch" in german
    for part, words in ((german, ("Was es heißt", "Vorbei ist es")), (english, ("What it means", "It is over"))):
        assert all(f"**{each}" in part for each in words)
        assert re.search(r"^1\. ", part, re.MULTILINE)
    assert made["annotations"]["runbook_url"] == f"https://docs.example/runbooks/{page.stem}.html"


def test_every_runbook_has_an_alert() -> None:
    """No page is left of an alert that is gone."""
    assert {page.stem for page in (ROOT / "docs" / "runbooks").glob("*.md")} == {each.name for each in ALERTS}


@EACH
def test_each_leads_to_a_dashboard_that_is_there(alert: Alert) -> None:
    """Of the same language, in the organisation of operations."""
    assert rule(alert, "de")["annotations"]["dashboard"].removeprefix("/d/") in dashboards("de", "internal")
    assert rule(alert, "en")["annotations"]["dashboard"].removeprefix("/d/") in dashboards("en", "internal")


@EACH
def test_languages_differ_in_words_alone(alert: Alert) -> None:
    """The same queries and limits; title and summary change places."""
    german, english = rule(alert, "de"), rule(alert, "en")
    assert german["data"] == english["data"]
    assert german["title"] != english["title"]
    assert german["annotations"]["summary"] == english["annotations"]["summary_de"]
    assert german["annotations"]["summary_en"] == english["annotations"]["summary"]
    words = {"title", "annotations"}
    assert {k: v for k, v in german.items() if k not in words} == {k: v for k, v in english.items() if k not in words}


def test_an_alert_links_its_runbook_where_the_address_is_known() -> None:
    """Without one there is no link that would lead nowhere."""
    assert rule(ALERTS[0], "de", "https://x.example/")["annotations"]["runbook_url"].startswith("https://x.example/run")
    assert "runbook_url" not in rule(ALERTS[0], "de", "")["annotations"]


def test_no_variable_but_ours_stands_in_the_files() -> None:
    """Grafana puts variables of its environment into titles, and `deploy/up` this one into annotations."""
    (group,) = provisioned(files("de", "x", BERLIN)[FILE])["groups"]
    texts = [text for each in group["rules"] for text in (each["title"], *each["annotations"].values())]
    assert {name for text in texts for name in re.findall(r"\$\S*?\w+\}?", text)} == {"${STADTFUNK_DOCS_URL}"}


def test_alerts_follow_the_city() -> None:
    """What no place of the city can tell is left out; without a city file all of them stay."""
    assert alerts(None) == ALERTS
    assert {each.name for each in ALERTS} - {each.name for each in alerts({"gauge"})} == {"air-quality", "heavy-rain"}


@pytest.mark.parametrize("receiver", [Receiver("webhook", "https://alarm.example/x"), Receiver("email", "a@b.example")])
def test_files_say_where_alerts_go_when_it_is_known(receiver: Receiver) -> None:
    """Contact point and policies stand in a file of their own, and fit each other and the mute timing."""
    found = files("en", "x", BERLIN, receiver)
    said = provisioned(found[CONTACT_FILE])
    (point,), (tree,) = said["contactPoints"], said["policies"]
    assert point["receivers"] == [{"uid": GROUP, "type": receiver.kind, "settings": receiver.settings()}]
    assert (tree["receiver"], tree["routes"]) == (GROUP, [route()])
    (timing,) = provisioned(found[FILE])["muteTimes"]
    assert timing == {"orgId": 1, **mute_timing(BERLIN)}
    assert route()["routes"][0]["mute_time_intervals"] == [NIGHT]
    assert contact_point(receiver)["settings"] == receiver.settings()


def test_the_command_writes_the_files(tmp_path: Path) -> None:
    """In one language, with the contact point that the environment names; the second time nothing."""
    words = ["--build-alerting", str(tmp_path), "--language", "en", "--docs-url", "https://docs.example"]
    mail = {"GRAFANA_ALERT_MAIL": "a@b.example"}
    first = CliRunner().invoke(app, [*words, "--json"], env=mail)
    assert json.loads(first.stdout) == {"written": [str(FILE), str(CONTACT_FILE)], "unchanged": []}
    assert "Database unreachable" in (tmp_path / FILE).read_text("utf-8")
    assert CliRunner().invoke(app, words, env=mail).stdout == "0 files written, 2 as they should be\n"

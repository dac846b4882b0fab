"""`stadtfunk provision grafana` against a Grafana that keeps state: what it makes, and that it makes it once."""

import json
from pathlib import Path

from ingest.grafana.alerts.build import ALERTS, GROUP, NIGHT
from ingest.grafana.dashboards.build import dashboards
from tests.doubles.grafana_server import GrafanaServer
from tests.ingest.grafana.provision.pushing import TOKENS, WEBHOOK, Pusher

OPEN, INTERNAL, PERSONAL = "Stadtfunk open", "Stadtfunk internal", "Stadtfunk personal"
FOLDER, ALARMS = "stadtfunk-de", "stadtfunk-alerts"


async def test_a_dry_run_shows_what_a_run_does(push: Pusher, server: GrafanaServer) -> None:
    """The same steps in the same order, nothing changed before; the second run has nothing to do."""
    planned = await push("--dry-run", "--alert-mail", "a@b.example")
    assert (planned.code, server.changes) == (0, [])
    done = await push("--alert-mail", "a@b.example")
    steps = [line.removeprefix("would: ") for line in planned.lines if line.startswith("would: ")]
    assert steps == [line.removeprefix("done: ") for line in done.lines if line.startswith("done: ")]
    assert len(steps) > 20
    before = len(server.changes)
    again = await push("--alert-mail", "a@b.example")
    assert again.lines == ["note: left out, for want of tokens: personal", "nothing to do"]
    assert len(server.changes) == before


async def test_each_class_has_an_organisation_whose_tokens_read_its_bucket(push: Pusher, server: GrafanaServer) -> None:
    """The public's knows the open token alone, operations' two, that of personal readings none but its own."""
    assert (await push(classes=TOKENS)).code == 0
    held = {
        organisation.name: {
            uid: (each["jsonData"]["dbName"], each["secureJsonData"]["httpHeaderValue1"])
            for uid, each in organisation.sources.items()
        }
        for organisation in server.organisations.values()
    }
    of = {name: (f"stadtfunk_{name}", f"Token {token}") for name, token in TOKENS.items()}
    assert held == {
        "Main Org.": {},
        OPEN: {"stadtfunk-open": of["open"]},
        INTERNAL: {"stadtfunk-open": of["open"], "stadtfunk-internal": of["internal"]},
        PERSONAL: {"stadtfunk-personal": of["personal"]},
    }


async def test_dashboards_are_those_of_the_files(push: Pusher, server: GrafanaServer) -> None:
    """Each organisation has its own ones, exactly as they are built, in the folder of their language."""
    assert (await push()).code == 0
    for name, organisation in ((OPEN, "open"), (INTERNAL, "internal")):
        boards = server.named(name).boards
        wanted = dashboards("de", "open" if organisation == "open" else "internal")
        there = {
            uid: {key: value for key, value in each.model.items() if key not in {"id", "version"}}
            for uid, each in boards.items()
        }
        assert there == json.loads(json.dumps(wanted))
        assert {each.folder for each in boards.values()} == {FOLDER}


async def test_alerts_go_where_the_option_says(push: Pusher, server: GrafanaServer) -> None:
    """Operations have every rule, the contact point and our branch of the policies; the public has none of it."""
    said = await push("--alert-webhook-file", str(push.folder / "webhook"), "--docs-url", "https://docs.example/")
    assert said.code == 0
    internal = server.named(INTERNAL)
    group = internal.groups[ALARMS, GROUP]
    assert [rule["uid"] for rule in group["rules"]] == [f"stadtfunk-{each.name}" for each in ALERTS]
    for rule, alert in zip(group["rules"], ALERTS, strict=True):
        assert rule["annotations"]["runbook_url"] == f"https://docs.example/runbooks/{alert.name}.html"
        assert (rule["noDataState"], rule["execErrState"], rule["orgID"]) == ("Alerting", "Alerting", internal.number)
    assert [each["settings"] for each in internal.contacts] == [{"url": WEBHOOK}]
    assert list(internal.timings) == [NIGHT]
    (branch,) = internal.policies["routes"]
    assert (branch["receiver"], internal.policies["receiver"]) == (GROUP, "grafana-default-email")
    assert internal.permissions[ALARMS][-1] == {"teamId": 1, "permission": 2}
    assert (server.named(OPEN).groups, server.named(OPEN).contacts) == ({}, [])
    assert WEBHOOK not in "".join(said.lines)


async def test_branches_of_others_stay(push: Pusher, server: GrafanaServer) -> None:
    """Our branch stands first, those of others behind it, as they were."""
    await push()
    internal = server.named(INTERNAL)
    others = [{"receiver": "grafana-default-email", "object_matchers": [["team", "=", "water"]]}]
    internal.policies["routes"] = others
    said = await push("--alert-mail", "a@b.example")
    assert said.code == 0
    assert [each["receiver"] for each in internal.policies["routes"]] == [GROUP, "grafana-default-email"]
    assert internal.policies["routes"][1:] == others


async def test_alerts_of_what_a_city_has_not_are_left_out(push: Pusher, server: GrafanaServer) -> None:
    """Without a station and a gauge in the city file nothing would answer their questions, which is an alarm."""
    city = push.folder / "city.geojson"
    city.write_text('{"type": "FeatureCollection", "features": []}', encoding="utf-8")
    with push.settings.open("a", encoding="utf-8") as file:
        file.write(f'[city]\nfile = "{city}"\n')
    said = await push()
    assert (
        "note: alerts left out, for the city has nothing that they watch: air-quality, flood, heavy-rain" in said.lines
    )
    assert len(server.named(INTERNAL).groups[ALARMS, GROUP]["rules"]) == len(ALERTS) - 3


async def test_both_languages_stand_beside_each_other(push: Pusher, server: GrafanaServer) -> None:
    """A folder each, all dashboards twice, and alerts once, in the language that was given last."""
    assert (await push(language="de")).code == 0
    assert (await push(language="en")).code == 0
    internal = server.named(INTERNAL)
    assert list(internal.folders) == [FOLDER, ALARMS, "stadtfunk-en"]
    assert internal.groups[ALARMS, GROUP]["rules"][0]["title"] == "Database unreachable"
    assert len(internal.boards) == 2 * len(dashboards("de", "internal"))


async def test_a_token_of_a_service_account_sets_up_its_own_organisation(push: Pusher, server: GrafanaServer) -> None:
    """Named by --organisation it is set up, and no other one is made; unnamed it is one line."""
    said = await push(who="token")
    assert (said.code, server.changes) == (1, [])
    assert "organisation 'Main Org.', which is none of those to set up; name it by --organisation" in said.error
    assert (await push("--organisation", "internal=Main Org.", who="token")).code == 0
    assert [each.name for each in server.organisations.values()] == ["Main Org."]
    assert len(server.named("Main Org.").boards) == len(dashboards("de", "internal"))


async def test_tokens_are_written_again_only_when_asked(push: Pusher, server: GrafanaServer) -> None:
    """Nobody can read them back, so another file changes nothing until --renew-tokens says so."""
    await push()
    (push.folder / "open").write_text("another", encoding="utf-8")
    assert (await push()).lines[-1] == "nothing to do"
    said = await push("--renew-tokens")
    assert [line for line in said.lines if line.startswith("done: ")] == [
        f"done: {OPEN}: renew the token of data source 'Stadtfunk open'",
        f"done: {INTERNAL}: renew the token of data source 'Stadtfunk open'",
        f"done: {INTERNAL}: renew the token of data source 'Stadtfunk internal'",
    ]
    secrets = server.named(OPEN).sources["stadtfunk-open"]["secureJsonData"]
    assert secrets == {"httpHeaderValue1": "Token another"}


async def test_json_says_what_was_done(push: Pusher, tmp_path: Path) -> None:
    """One object with the steps, what was left, and the notes; no secret in it, nor in the settings' folder."""
    said = await push("--json", "--alert-webhook-file", str(tmp_path / "webhook"))
    found = said.json
    assert (found["dry_run"], found["edited"]) == (False, [])
    assert f"{OPEN}: create organisation" in found["steps"]
    for secret in (*TOKENS.values(), WEBHOOK, (tmp_path / "password").read_text().strip()):
        assert secret not in "\n".join(said.lines)

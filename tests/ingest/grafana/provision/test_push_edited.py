"""What `stadtfunk provision grafana` does with what somebody changed by hand."""

import pytest

from ingest.grafana.alerts.build import GROUP
from tests.doubles.grafana_server import GrafanaServer
from tests.doubles.grafana_things import Organisation
from tests.ingest.grafana.provision.pushing import Pusher

OPEN, INTERNAL = "Stadtfunk open", "Stadtfunk internal"
ALARMS = "stadtfunk-alerts"
PARKING = "stadtfunk-parking-de"


def edit(organisation: Organisation, uid: str = PARKING, by: str = "anna") -> None:
    """Somebody gives a dashboard another title."""
    board = organisation.boards[uid]
    board.save({**board.model, "title": "Parken, schöner"}, by, "nicer")


async def test_an_edited_dashboard_is_shown_and_left(push: Pusher, server: GrafanaServer) -> None:
    """Exit code 1, who edited it and what differs; it stays, and all others are seen to."""
    await push()
    open_ = server.named(OPEN)
    edit(open_)
    del open_.boards["stadtfunk-waste-de"]
    said = await push()
    assert said.code == 1
    assert said.error == "1 edited by hand and left as they are; --force overwrites them"
    edited = [line for line in said.lines if line.startswith("edited by hand: ")]
    assert edited == [f"edited by hand: {OPEN}: overwrite dashboard {PARKING} (Parken), edited by anna"]
    assert any(line.startswith("  -") and "Parken, schöner" in line for line in said.lines)
    assert any(line.startswith("  +") and '"Parken"' in line for line in said.lines)
    assert open_.boards[PARKING].model["title"] == "Parken, schöner"
    assert "stadtfunk-waste-de" in open_.boards
    assert [line for line in said.lines if line.startswith("done: ")] == [
        f"done: {OPEN}: create dashboard stadtfunk-waste-de (Abfall)"
    ]


async def test_force_overwrites_what_was_edited(push: Pusher, server: GrafanaServer) -> None:
    """With --force it is as built again, as a new version beside theirs, and the next run has nothing to do."""
    await push()
    edit(server.named(OPEN))
    dry = await push("--force", "--dry-run")
    assert dry.code == 0
    assert f"would: {OPEN}: overwrite dashboard {PARKING} (Parken), edited by anna" in dry.lines
    assert (await push("--force")).code == 0
    board = server.named(OPEN).boards[PARKING]
    assert (board.model["title"], len(board.versions)) == ("Parken", 3)
    assert (await push()).lines[-1] == "nothing to do"


async def test_what_we_wrote_before_is_changed_without_force(push: Pusher, server: GrafanaServer) -> None:
    """A dashboard of an earlier run that nobody touched: here one with another address for map tiles."""
    tiles = "https://tiles.example/{z}/{x}/{y}.png"
    await push("--map-tiles", tiles)
    said = await push("--dry-run")
    assert said.code == 0
    assert any(line.startswith(f"would: {OPEN}: change dashboard stadtfunk-overview-de") for line in said.lines)
    assert any(line.startswith("  -") and tiles in line for line in said.lines)
    assert (await push()).code == 0
    assert tiles not in str(server.named(OPEN).boards["stadtfunk-overview-de"].model)


async def test_a_version_that_was_restored_counts_as_edited(push: Pusher, server: GrafanaServer) -> None:
    """Our own note on the newest version is no leave to overwrite when it holds something else."""
    await push()
    board = server.named(OPEN).boards[PARKING]
    ours = board.versions[-1]["message"]
    board.save({**board.model, "title": "another"}, "anna", ours)
    assert (await push()).code == 1
    assert board.model["title"] == "another"


async def test_an_edit_in_between_is_a_conflict(push: Pusher, server: GrafanaServer) -> None:
    """Somebody saves between our look and our write: 412, one line, and theirs stays, even with --force."""
    await push()
    edit(server.named(OPEN))

    def meanwhile(what: str) -> None:
        if what == "POST /dashboards/db":
            server.before = lambda _: None
            edit(server.named(OPEN), by="bert")

    server.before = meanwhile
    said = await push("--force")
    assert said.code == 1
    assert "412 The dashboard has been changed by someone else; somebody changed it in the meantime" in said.error
    assert server.named(OPEN).boards[PARKING].versions[-1]["createdBy"] == "bert"


async def test_a_data_source_somebody_changed_stays(push: Pusher, server: GrafanaServer) -> None:
    """Another address set by hand wants --force; one that follows from another setting does not."""
    await push()
    source = server.named(OPEN).sources["stadtfunk-open"]
    source["url"] = "http://elsewhere:8086"
    said = await push()
    assert (said.code, source["url"]) == (1, "http://elsewhere:8086")
    assert any("http://elsewhere:8086" in line for line in said.lines)
    assert (await push("--force")).code == 0
    assert (await push("--influxdb-url", "http://influxdb:8086")).code == 0
    assert server.named(OPEN).sources["stadtfunk-open"]["url"] == "http://influxdb:8086"


async def test_an_alert_rule_somebody_changed_stays(push: Pusher, server: GrafanaServer) -> None:
    """Another duration, or a rule of their own in our group, wants --force; a pause is theirs and stays with it."""
    await push("--editable")
    group = server.named(INTERNAL).groups[ALARMS, GROUP]
    group["rules"][0]["isPaused"] = True
    assert (await push("--editable")).lines[-1] == "nothing to do"
    group["rules"][1]["for"] = "1h"
    group["rules"].append({**group["rules"][1], "uid": "own", "title": "own"})
    said = await push("--editable")
    assert said.code == 1
    (line,) = [line for line in said.lines if line.startswith("edited by hand: ")]
    assert line.endswith(
        "overwrite alert rules own, stadtfunk-journal-filling; edited by hand: stadtfunk-journal-filling, own"
    )
    assert (await push("--editable", "--force")).code == 0
    rules = server.named(INTERNAL).groups[ALARMS, GROUP]["rules"]
    assert [rule["isPaused"] for rule in rules][:2] == [True, False]
    assert (rules[1]["for"], "own" in {rule["uid"] for rule in rules}) == ("5m", False)


async def test_a_rule_that_is_wanted_no_more_goes(push: Pusher, server: GrafanaServer) -> None:
    """One that we wrote and nobody touched, once the city has nothing that it watches; a copy that is theirs stays."""
    await push()
    city = push.folder / "city.geojson"
    city.write_text('{"type": "FeatureCollection", "features": []}', encoding="utf-8")
    with push.settings.open("a", encoding="utf-8") as file:
        file.write(f'[city]\nfile = "{city}"\n')
    group = server.named(INTERNAL).groups[ALARMS, GROUP]
    own = {**group["rules"][0], "uid": "own", "title": "own"}
    group["rules"].append(own)
    said = await push()
    assert said.code == 1
    (line,) = [line for line in said.lines if line.startswith("edited by hand: ")]
    assert line.endswith("edited by hand: own")
    group["rules"].remove(own)
    said = await push()
    assert (said.code, [line for line in said.lines if line.startswith("done: ")]) == (
        0,
        [f"done: {INTERNAL}: change alert rules stadtfunk-air-quality, stadtfunk-flood, stadtfunk-heavy-rain"],
    )
    assert "stadtfunk-flood" not in {rule["uid"] for rule in server.named(INTERNAL).groups[ALARMS, GROUP]["rules"]}


@pytest.mark.parametrize(("words", "provenance"), [((), "api"), (("--editable",), "")])
async def test_alerts_are_locked_unless_editable(
    push: Pusher, server: GrafanaServer, words: tuple[str, ...], provenance: str
) -> None:
    """Rules and contact point; the tree of policies and the mute timing are people's own from the first."""
    assert (await push("--alert-mail", "a@b.example", *words)).code == 0
    internal = server.named(INTERNAL)
    ours = [*internal.groups[ALARMS, GROUP]["rules"], *internal.contacts]
    assert {each["provenance"] for each in ours} == {provenance}
    assert {each["provenance"] for each in (internal.policies, *internal.timings.values())} == {""}


async def test_another_contact_point_stays(push: Pusher, server: GrafanaServer) -> None:
    """Another address for alerts is an overwriting, and neither is shown."""
    await push("--alert-mail", "a@b.example")
    said = await push("--alert-mail", "c@d.example")
    assert (said.code, "b.example" in "".join(said.lines)) == (1, False)
    assert (await push("--alert-mail", "c@d.example", "--force")).code == 0
    assert server.named(INTERNAL).contacts[0]["settings"] == {"addresses": "c@d.example"}


async def test_what_comes_from_files_is_left_to_them(push: Pusher, server: GrafanaServer) -> None:
    """Dashboards, data sources and rules of Grafana's own provisioning are named in notes, and not written."""
    await push()
    internal = server.named(INTERNAL)
    internal.sources["stadtfunk-open"] |= {"readOnly": True, "url": "http://other"}
    internal.boards[PARKING].provisioned = True
    edit(internal)
    group = internal.groups.pop((ALARMS, GROUP))
    rules = [{**rule, "provenance": "file", "for": "9m", "folderUID": "theirs"} for rule in group["rules"]]
    internal.groups["theirs", GROUP] = {**group, "rules": rules}
    said = await push()
    assert said.code == 0
    assert [line for line in said.lines if "left" in line and "tokens" not in line] == [
        f"note: {INTERNAL}: data source 'Stadtfunk open' comes from a file of Grafana's own, and is left to it",
        f"note: {INTERNAL}: dashboard {PARKING} (Parken) comes from a file of Grafana's own, and is left to it",
        f"note: {INTERNAL}: the alert rules stand in another folder, and are left there",
    ]
    assert said.lines[-1] == "nothing to do"


async def test_a_tree_of_policies_from_a_file_is_left_to_it(push: Pusher, server: GrafanaServer) -> None:
    """It is a note, and the contact point is there for whoever writes that file."""
    await push()
    internal = server.named(INTERNAL)
    tree = internal.policies = {**internal.policies, "provenance": "file"}
    said = await push("--alert-mail", "a@b.example")
    assert said.code == 0
    assert f"note: {INTERNAL}: the notification policies come from a file; alerts take its root" in said.lines
    assert (internal.policies, len(internal.contacts)) == (tree, 1)

"""What `stadtfunk provision grafana` says when Grafana refuses or its input is of no use; its records."""

import sqlite3
from contextlib import closing

import pytest

from ingest import audit
from ingest.audit import operating_system_user
from tests.doubles.grafana_server import PASSWORD, Fault, GrafanaServer
from tests.doubles.grafana_things import Organisation
from tests.ingest.grafana.provision.pushing import TOKENS, Pusher

OPEN = "Stadtfunk open"


async def test_a_wrong_password_is_one_line(push: Pusher, server: GrafanaServer) -> None:
    """401, and the password is not shown, even where Grafana repeats it."""
    (push.folder / "password").write_text("wrong-one", encoding="utf-8")
    server.faults = [Fault("GET .*", 401, message="bad password wrong-one\nsecond line")]
    said = await push()
    assert (said.code, server.changes) == (1, [])
    assert said.error == (
        f"Grafana at {server.url}: 401 bad password *** second line; Grafana does not know this administrator"
    )
    assert "Invalid username or password; Grafana does not know" in (await push()).error


async def test_somebody_who_is_no_administrator_is_one_line(push: Pusher, server: GrafanaServer) -> None:
    """403 with the advice."""
    server.viewer = True
    said = await push()
    assert (said.code, server.changes) == (1, [])
    assert said.error.endswith("permissions to perform this action.; an administrator is needed")


async def test_an_organisation_that_cannot_be_entered_is_left(push: Pusher, server: GrafanaServer) -> None:
    """Grafana would put the requests of somebody who is no member into another organisation: nothing is written."""
    server.organisations[2] = Organisation(2, OPEN)
    server.foreign = {2}
    said = await push()
    assert (said.code, server.changes) == (1, [])
    assert said.error == f"the administrator is no member of the organisation {OPEN!r}, and cannot enter it"


async def test_nobody_answers(push: Pusher, server: GrafanaServer) -> None:
    """A port on which nobody listens: one line with the address."""
    text = push.settings.read_text().replace(server.url, "http://127.0.0.1:9")
    push.settings.write_text(text)
    said = await push()
    assert said.error == "Grafana at http://127.0.0.1:9: no connection: [Errno 111] Connection refused"


@pytest.mark.parametrize("said", ["0", "Sun, 06 Nov 1994 08:49:37 GMT"])
async def test_it_waits_when_it_is_asked_to(push: Pusher, server: GrafanaServer, said: str) -> None:
    """429 with Retry-After, as seconds or as a date: the request is put again, and everything is done."""
    server.faults = [Fault("POST /folders", 429, {"Retry-After": said}, times=2)]
    assert (await push()).code == 0
    assert [status for what, status in server.requests if what == "POST /folders"][:3] == [429, 429, 200]


async def test_it_does_not_wait_for_hours(push: Pusher, server: GrafanaServer) -> None:
    """A wait that is too long is one line, and what was done before stays; the next run goes on from there."""
    server.faults = [Fault("POST /folders", 429, {"Retry-After": "7200"})]
    said = await push()
    assert said.code == 1
    assert said.error.endswith("a fault to play; Grafana asks for fewer requests, and to wait 7200 s")
    assert said.error.startswith(f"{OPEN}: create folder 'Stadtfunk': Grafana at ")
    done = [line for line in said.lines if line.startswith("done: ")]
    assert done == [f"done: {OPEN}: create organisation", f"done: {OPEN}: create data source 'Stadtfunk open'"]
    assert (await push()).code == 0


async def test_a_refusal_that_goes_on_is_one_line(push: Pusher, server: GrafanaServer) -> None:
    """429 again and again: four tries, then it ends."""
    server.faults = [Fault("GET /orgs/.*", 429, {"Retry-After": "0"}, times=9)]
    assert (await push()).code == 1
    assert [status for _, status in server.requests] == [429] * 4


@pytest.mark.parametrize(("status", "advice"), [(409, "somebody else was faster"), (500, "a fault to play")])
async def test_a_conflict_is_one_line(push: Pusher, server: GrafanaServer, status: int, advice: str) -> None:
    """The step, the status and what it means."""
    server.faults = [Fault("POST /datasources", status)]
    said = await push()
    assert said.code == 1
    assert f"create data source 'Stadtfunk open': Grafana at {server.url}: {status} a fault to play" in said.error
    assert advice in said.error


async def test_a_page_that_is_no_grafana_is_one_line(push: Pusher, server: GrafanaServer) -> None:
    """404 at every path says that the address is wrong once something is to be written; nothing is."""
    push.settings.write_text(push.settings.read_text().replace(server.url, f"{server.url}/elsewhere"))
    said = await push()
    assert (said.code, server.changes) == (1, [])
    assert "404" in said.error
    assert said.error.endswith("set grafana.url to where Grafana answers")


# -- secrets and records ----------------------------------------------------------------------------------------------


async def test_every_step_is_audited(push: Pusher, server: GrafanaServer) -> None:
    """Each step that was taken has a row by this user, those before a failure, too; the chain fits."""
    server.faults = [Fault("POST /teams", 500)]
    said = await push()
    done = [line.removeprefix("done: ") for line in said.lines if line.startswith("done: ")]
    with closing(sqlite3.connect(push.folder / "journal.db")) as connection:
        rows = connection.execute("SELECT actor, action, detail FROM audit ORDER BY number").fetchall()
        assert audit.verify(connection) is None
    assert rows == [(operating_system_user(), "provision grafana", step) for step in done]
    text = "\n".join(str(row) for row in rows)
    assert not any(secret in text for secret in (PASSWORD, *TOKENS.values()))


async def test_without_a_place_for_the_record_nothing_is_done(push: Pusher, server: GrafanaServer) -> None:
    """A journal that cannot be written: one line, and Grafana is as it was."""
    push.settings.write_text(push.settings.read_text().replace("journal.db", "password/journal.db"))
    said = await push()
    assert (said.code, server.changes) == (1, [])
    assert said.error.startswith("nothing changed, for it could not be noted")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("password", "", "expected one line"),
        ("open", "two\nlines", "expected one line"),
        ("internal", None, "No such file or directory"),
    ],
)
async def test_a_secret_that_is_none_is_one_line(
    push: Pusher, server: GrafanaServer, name: str, text: str | None, told: str
) -> None:
    """Empty, of two lines, missing: option and file are named, and nobody is asked."""
    path = push.folder / name
    path.unlink() if text is None else path.write_text(text)
    said = await push()
    assert said.error.startswith("--")
    assert f"{path}: {told}" in said.error
    assert server.requests == []


async def test_without_any_token_there_is_nothing_to_set_up(push: Pusher, server: GrafanaServer) -> None:
    """No data source could be made: one line."""
    said = await push(classes=())
    assert said.error == "no organisation can be set up without tokens of InfluxDB for its data sources"
    assert server.requests == []


@pytest.mark.parametrize(
    "words",
    [
        ("--organisation", "public=City"),
        ("--organisation", "open="),
        ("--alert-mail", "nobody"),
        ("--alert-mail", "a@b", "--alert-webhook-file", "x"),
        ("--map-tiles", "x"),
    ],
)
async def test_wrong_usage(push: Pusher, server: GrafanaServer, words: tuple[str, ...]) -> None:
    """Exit code 2, and nobody is asked."""
    assert (await push(*words)).code == 2
    assert server.requests == []

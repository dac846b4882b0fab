"""Data sources, folders, teams and dashboards: what is there of each, and the step that makes it right.

Sources: Grafana's documentation, HTTP API, "Data source", "Folder", "Team", "Dashboard", "Dashboard versions".
A dashboard is ours as long as its newest version says so and holds what was written then; the note stands in the
version's message, so that the dashboard itself is the one of the files.
"""

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

from ingest.grafana.provision.http import Grafana
from ingest.grafana.provision.plan import MARK, RIGHT, Finding, Step, differences, digest, within

Json = dict[str, Any]
BY_GRAFANA: Final = ("id", "version")
"""What Grafana itself sets in a dashboard."""
LOOK, EDIT = 1, 2
"""Permissions on a folder."""


class Source(NamedTuple):
    """A data source of InfluxDB, read by InfluxQL; `token` may read nothing but the bucket."""

    uid: str
    name: str
    url: str
    bucket: str
    token: str
    default: bool = False

    def body(self) -> Json:
        """As Grafana takes it, without the secret."""
        return {
            "uid": self.uid,
            "name": self.name,
            "type": "influxdb",
            "access": "proxy",
            "url": self.url,
            "isDefault": self.default,
            "jsonData": {
                "version": "InfluxQL",
                "dbName": self.bucket.partition("/")[0],
                "httpMode": "POST",
                "httpHeaderName1": "Authorization",
            },
        }


class Folder(NamedTuple):
    """A folder."""

    uid: str
    title: str


class Where(NamedTuple):
    """The organisation that is looked at; `there` is None where it has to be made first, and nothing is in it yet."""

    organisation: str
    there: Grafana | None

    def find(self, path: str) -> Any:  # noqa: ANN401 - JSON of any shape
        """What stands at the path, or None."""
        return None if self.there is None else self.there.find(path)


def source(where: Where, wanted: Source, *, renew: bool = False) -> Finding:
    """A data source; its token is written when it is new, changed, or to be renewed, for nobody can read it back."""
    body, name = wanted.body(), f"data source {wanted.name!r}"
    secret = {"secureJsonData": {"httpHeaderValue1": f"Token {wanted.token}"}}
    marked = {**body, "jsonData": {**body["jsonData"], MARK: digest(body)}}
    path = f"/datasources/uid/{wanted.uid}"
    found = where.find(path)
    if found is None:
        return _step(where, f"create {name}", "POST", "/datasources", {**marked, **secret})
    if found.get("readOnly"):
        return Finding(note=f"{where.organisation}: {name} comes from a file of Grafana's own, and is left to it")
    there = within(body, found)
    change = {**marked, **secret, "version": found.get("version")}
    if there == body:
        return _step(where, f"renew the token of {name}", "PUT", path, change) if renew else RIGHT
    edited = found.get("jsonData", {}).get(MARK) != digest(there)
    verb = "overwrite" if edited else "change"
    diff = differences(there, body, wanted.uid)
    return _step(where, f"{verb} {name}", "PUT", path, change, edited=edited, diff=diff)


def folder(where: Where, wanted: Folder) -> Finding:
    """A folder; one that is there keeps the title that people gave it."""
    if where.find(f"/folders/{wanted.uid}") is not None:
        return RIGHT
    return _step(where, f"create folder {wanted.title!r}", "POST", "/folders", wanted._asdict())


def team(where: Where, name: str, folders: tuple[Folder, ...]) -> Finding:
    """A team that may edit these folders, which all others may only look at; what it may do is theirs to change."""
    found = where.find(f"/teams/search?{urlencode({'name': name})}")
    if found is not None and any(each.get("name") == name for each in found.get("teams", ())):
        return RIGHT

    def take(grafana: Grafana) -> None:
        number = grafana.ask("POST", "/teams", {"name": name})["teamId"]
        may: list[Json] = [{"role": "Viewer", "permission": LOOK}, {"role": "Editor", "permission": EDIT}]
        items = [*may, {"teamId": number, "permission": EDIT}]
        for each in folders:
            grafana.ask("POST", f"/folders/{each.uid}/permissions", {"items": items})

    return Finding(Step(where.organisation, f"create team {name!r}", take))


def dashboard(where: Where, model: Mapping[str, Any], folder_uid: str) -> Finding:
    """A dashboard; edited where its newest version is none of ours, or holds something else than it says."""
    wanted, uid = _bare(model), str(model["uid"])
    name = f"dashboard {uid} ({model['title']})"
    found = where.find(f"/dashboards/uid/{uid}")
    if found is None:
        return Finding(Step(where.organisation, f"create {name}", _save(wanted, folder_uid, 0)))
    if found["meta"].get("provisioned"):
        return Finding(note=f"{where.organisation}: {name} comes from a file of Grafana's own, and is left to it")
    there = _bare(found["dashboard"])
    if there == wanted:
        return RIGHT
    version = int(found["dashboard"]["version"])
    edited = _message(where, uid) != _ours(there)
    who = f", edited by {found['meta'].get('updatedBy') or 'somebody'}" if edited else ""
    what = f"{'overwrite' if edited else 'change'} {name}{who}"
    take = _save(wanted, folder_uid, version)
    return Finding(Step(where.organisation, what, take, edited, differences(there, wanted, uid)))


def _bare(model: Mapping[str, Any]) -> Json:
    """The model without what Grafana sets, and as JSON has it."""
    found: Json = json.loads(json.dumps({key: value for key, value in model.items() if key not in BY_GRAFANA}))
    return found


def _message(where: Where, uid: str) -> str:
    """What stands beside the newest version; empty without one."""
    found = where.find(f"/dashboards/uid/{uid}/versions?limit=1")
    versions = found.get("versions", []) if isinstance(found, dict) else found or []
    return str(versions[0].get("message", "")) if versions else ""


def _ours(model: Json) -> str:
    """What we write beside a version with this model."""
    return f"{MARK} {digest(model)}"


def _save(model: Json, folder_uid: str, version: int) -> Any:  # noqa: ANN401 - a function
    """Write it over exactly this version: what was saved after it was looked at stays, and is a fault (412)."""

    def take(grafana: Grafana) -> None:
        body = {
            "dashboard": {**model, "id": None, "version": version},
            "folderUid": folder_uid,
            "message": _ours(model),
            "overwrite": False,
        }
        grafana.ask("POST", "/dashboards/db", body)

    return take


def _step(
    where: Where, what: str, method: str, path: str, body: Json, *, edited: bool = False, diff: tuple[str, ...] = ()
) -> Finding:
    return Finding(Step(where.organisation, what, lambda grafana: grafana.ask(method, path, body), edited, diff))


def quoted(name: str) -> str:
    """A name as one part of a path."""
    return quote(name, safe="")

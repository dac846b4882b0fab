"""What stands in an organisation of the double of Grafana, and how each request about it is answered.

Sources: as in tests/doubles/grafana_server.py.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aiohttp import web

Json = dict[str, Any]
Handler = Callable[["Organisation", "Asked", Any], web.Response]
ADMIN = "admin"


class Asked(NamedTuple):
    """A request: the names in its path, its query and its headers."""

    names: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass
class Board:
    """A dashboard: its model, folder, and versions, the newest last."""

    model: Json
    folder: str
    versions: list[Json]
    provisioned: bool = False

    def save(self, model: Json, by: str, message: str) -> None:
        """A new version."""
        number = len(self.versions) + 1
        self.model = {**copy.deepcopy(model), "id": 7, "version": number}
        self.versions.append({"version": number, "createdBy": by, "message": message})


@dataclass
class Organisation:
    """What stands in one organisation."""

    number: int
    name: str
    sources: dict[str, Json] = field(default_factory=dict)
    folders: dict[str, Json] = field(default_factory=dict)
    permissions: dict[str, list[Json]] = field(default_factory=dict)
    teams: list[Json] = field(default_factory=list)
    boards: dict[str, Board] = field(default_factory=dict)
    groups: dict[tuple[str, str], Json] = field(default_factory=dict)
    contacts: list[Json] = field(default_factory=list)
    timings: dict[str, Json] = field(default_factory=dict)
    policies: Json = field(default_factory=lambda: {"receiver": "grafana-default-email", "group_by": ["alertname"]})


def say(code: int, message: str, /, **more: object) -> web.Response:
    """An answer with a message, as Grafana words it."""
    return web.json_response({"message": message, **more}, status=code)


def _org(organisation: Organisation, _request: Asked, _body: Json) -> web.Response:
    return web.json_response({"id": organisation.number, "name": organisation.name})


# -- data sources, folders, teams -------------------------------------------------------------------------------------


def _source(organisation: Organisation, request: Asked, _body: Json) -> web.Response:
    found = organisation.sources.get(request.names["uid"])
    if found is None:
        return say(404, "Data source not found")
    shown = {key: value for key, value in found.items() if key != "secureJsonData"}
    return web.json_response({**shown, "secureJsonFields": dict.fromkeys(found.get("secureJsonData", {}), True)})


def _add_source(organisation: Organisation, _request: Asked, body: Json) -> web.Response:
    if body["name"] in {each["name"] for each in organisation.sources.values()}:
        return say(409, "data source with the same name already exists")
    if body["uid"] in organisation.sources:
        return say(409, "data source with the same uid already exists")
    organisation.sources[body["uid"]] = {**body, "version": 1, "readOnly": False}
    return say(200, "Datasource added", id=1)


def _change_source(organisation: Organisation, request: Asked, body: Json) -> web.Response:
    found = organisation.sources.get(request.names["uid"])
    if found is None:
        return say(404, "Data source not found")
    if found["readOnly"]:
        return say(403, "Cannot update read-only data source")
    if body.get("version") not in {None, found["version"]}:
        return say(409, "Datasource has already been updated by someone else. Please reload and try again")
    kept = {**found.get("secureJsonData", {}), **body.get("secureJsonData", {})}
    changed = {**body, "secureJsonData": kept, "version": found["version"] + 1, "readOnly": False}
    organisation.sources[request.names["uid"]] = changed
    return say(200, "Datasource updated")


def _folder(organisation: Organisation, request: Asked, _body: Json) -> web.Response:
    found = organisation.folders.get(request.names["uid"])
    return say(404, "folder not found", status="not-found") if found is None else web.json_response(found)


def _add_folder(organisation: Organisation, _request: Asked, body: Json) -> web.Response:
    if body["uid"] in organisation.folders:
        return say(412, "the folder has been changed by someone else", status="version-mismatch")
    organisation.folders[body["uid"]] = {**body, "version": 1}
    return web.json_response(organisation.folders[body["uid"]])


def _permit(organisation: Organisation, request: Asked, body: Json) -> web.Response:
    if request.names["uid"] not in organisation.folders:
        return say(404, "folder not found")
    organisation.permissions[request.names["uid"]] = body["items"]
    return say(200, "Folder permissions updated")


def _teams(organisation: Organisation, request: Asked, _body: Json) -> web.Response:
    found = [each for each in organisation.teams if each["name"] == request.query["name"]]
    return web.json_response({"totalCount": len(found), "teams": found, "page": 1, "perPage": 1000})


def _add_team(organisation: Organisation, _request: Asked, body: Json) -> web.Response:
    if body["name"] in {each["name"] for each in organisation.teams}:
        return say(409, "Team name taken")
    number = len(organisation.teams) + 1
    organisation.teams.append({"id": number, **body})
    return say(200, "Team created", teamId=number)


# -- dashboards -------------------------------------------------------------------------------------------------------


def _board(organisation: Organisation, request: Asked, _body: Json) -> web.Response:
    found = organisation.boards.get(request.names["uid"])
    if found is None:
        return say(404, "Dashboard not found")
    newest = found.versions[-1]
    meta = {"provisioned": found.provisioned, "folderUid": found.folder, "updatedBy": newest["createdBy"]}
    return web.json_response({"dashboard": found.model, "meta": {**meta, "version": newest["version"]}})


def _versions(organisation: Organisation, request: Asked, _body: Json) -> web.Response:
    found = organisation.boards.get(request.names["uid"])
    if found is None:
        return say(404, "Dashboard not found")
    newest_first = found.versions[::-1][: int(request.query.get("limit", "1000"))]
    return web.json_response({"continueToken": "", "versions": newest_first})


def _save_board(organisation: Organisation, _request: Asked, body: Json) -> web.Response:
    model, uid = body["dashboard"], body["dashboard"]["uid"]
    if body["folderUid"] not in organisation.folders:
        return say(400, "folder not found")
    found = organisation.boards.get(uid)
    if found is not None and found.provisioned:
        return say(400, "Cannot save provisioned dashboard")
    if found is not None and not body["overwrite"] and model.get("version") != found.model["version"]:
        said = "The dashboard has been changed by someone else"
        return say(412, said, status="version-mismatch")
    if found is None:
        found = organisation.boards[uid] = Board({}, body["folderUid"], [])
    found.save(model, ADMIN, body.get("message", ""))
    return web.json_response({"status": "success", "uid": uid, "version": found.model["version"]})


# -- alerting ---------------------------------------------------------------------------------------------------------


def _provenance(request: Asked) -> str:
    return "" if "X-Disable-Provenance" in request.headers else "api"


def _may_not(there: str, request: Asked) -> web.Response | None:
    wanted = _provenance(request)
    if there in {"", wanted} or (there, wanted) == ("api", ""):
        return None
    said = f"Resource with provenance status '{there}' cannot be managed via API that handles '{wanted or 'none'}'"
    return say(403, said, messageId="alerting.notifications.invalidProvenance")


def _group(organisation: Organisation, request: Asked, _body: Json) -> web.Response:
    found = organisation.groups.get((request.names["folder"], request.names["group"]))
    return say(404, "rule group not found") if found is None else web.json_response(found)


def _rule(organisation: Organisation, request: Asked, _body: Json) -> web.Response:
    rules = (rule for group in organisation.groups.values() for rule in group["rules"])
    found = next((rule for rule in rules if rule["uid"] == request.names["uid"]), None)
    return web.Response(status=404) if found is None else web.json_response(found)


def _put_group(organisation: Organisation, request: Asked, body: Json) -> web.Response:
    key = (request.names["folder"], request.names["group"])
    if key[0] not in organisation.folders:
        return say(404, "folder not found")
    there = organisation.groups.get(key, {"rules": []})
    for each in there["rules"]:
        if refused := _may_not(each["provenance"], request):
            return refused
    elsewhere = {rule["uid"] for other, group in organisation.groups.items() if other != key for rule in group["rules"]}
    for rule in body["rules"]:
        references = {each["refId"] for each in rule["data"]}
        if rule["condition"] not in references or not rule["title"] or not rule["for"]:
            return say(400, "invalid alert rule")
        if rule["uid"] in elsewhere:
            return say(409, "a conflicting alert rule is found: rule UID is already used")
    titles = [rule["title"] for rule in body["rules"]]
    if len(set(titles)) < len(titles):
        return say(400, "a rule with this title exists already in this folder")
    added = {"provenance": _provenance(request), "id": 3, "updated": "2026-11-23T09:00:00Z"}
    for rule in body["rules"]:
        rule |= {**added, "orgID": organisation.number, "data": [{"queryType": "", **each} for each in rule["data"]]}
    organisation.groups[key] = body
    return web.json_response(body)


def _contacts(organisation: Organisation, request: Asked, _body: Json) -> web.Response:
    name = request.query.get("name")
    return web.json_response([each for each in organisation.contacts if name in {None, each["name"]}])


def _add_contact(organisation: Organisation, request: Asked, body: Json) -> web.Response:
    needed = {"webhook": "url", "email": "addresses"}[body["type"]]
    if not body["settings"].get(needed):
        return say(400, f"invalid object specification: required field '{needed}' is not specified")
    if body["uid"] in {each["uid"] for each in organisation.contacts}:
        return say(400, "contact point uid is taken")
    organisation.contacts.append({**body, "provenance": _provenance(request)})
    return web.json_response(body, status=202)


def _change_contact(organisation: Organisation, request: Asked, body: Json) -> web.Response:
    for at, each in enumerate(organisation.contacts):
        if each["uid"] == request.names["uid"]:
            if refused := _may_not(each["provenance"], request):
                return refused
            organisation.contacts[at] = {**body, "provenance": _provenance(request)}
            return say(202, "contactpoint updated")
    return say(404, "contact point not found")


def _timing(organisation: Organisation, request: Asked, _body: Json) -> web.Response:
    found = organisation.timings.get(request.names["name"])
    return say(404, "Time interval not found") if found is None else web.json_response(found)


def _add_timing(organisation: Organisation, request: Asked, body: Json) -> web.Response:
    if body["name"] in organisation.timings:
        return say(409, "Time interval with this name already exists. Use a different name or update existing one.")
    organisation.timings[body["name"]] = {**body, "provenance": _provenance(request)}
    return web.json_response(body, status=201)


def _policies(organisation: Organisation, _request: Asked, _body: Json) -> web.Response:
    return web.json_response(organisation.policies)


def _put_policies(organisation: Organisation, request: Asked, body: Json) -> web.Response:
    if refused := _may_not(organisation.policies.get("provenance", ""), request):
        return refused
    known = {"grafana-default-email", *(each["name"] for each in organisation.contacts)}
    for branch in _branches(body):
        if branch.get("receiver") not in known:
            return say(400, f"receiver {branch.get('receiver')!r} does not exist")
        if not set(branch.get("mute_time_intervals", ())) <= organisation.timings.keys():
            return say(400, "mute time interval does not exist")
    organisation.policies = {**body, "provenance": _provenance(request)}
    return say(202, "policies updated")


def _branches(tree: Json) -> list[Json]:
    return [tree, *(found for each in tree.get("routes") or [] for found in _branches(each))]


PROVISIONING = "/v1/provisioning"
ROUTES: tuple[tuple[str, Handler], ...] = (
    (r"GET /org", _org),
    (r"GET /datasources/uid/(?P<uid>[^/]+)", _source),
    (r"PUT /datasources/uid/(?P<uid>[^/]+)", _change_source),
    (r"POST /datasources", _add_source),
    (r"GET /folders/(?P<uid>[^/]+)", _folder),
    (r"POST /folders", _add_folder),
    (r"POST /folders/(?P<uid>[^/]+)/permissions", _permit),
    (r"GET /teams/search", _teams),
    (r"POST /teams", _add_team),
    (r"GET /dashboards/uid/(?P<uid>[^/]+)", _board),
    (r"GET /dashboards/uid/(?P<uid>[^/]+)/versions", _versions),
    (r"POST /dashboards/db", _save_board),
    (rf"GET {PROVISIONING}/folder/(?P<folder>[^/]+)/rule-groups/(?P<group>[^/]+)", _group),
    (rf"PUT {PROVISIONING}/folder/(?P<folder>[^/]+)/rule-groups/(?P<group>[^/]+)", _put_group),
    (rf"GET {PROVISIONING}/alert-rules/(?P<uid>[^/]+)", _rule),
    (rf"GET {PROVISIONING}/contact-points", _contacts),
    (rf"POST {PROVISIONING}/contact-points", _add_contact),
    (rf"PUT {PROVISIONING}/contact-points/(?P<uid>[^/]+)", _change_contact),
    (rf"GET {PROVISIONING}/mute-timings/(?P<name>[^/]+)", _timing),
    (rf"POST {PROVISIONING}/mute-timings", _add_timing),
    (rf"GET {PROVISIONING}/policies", _policies),
    (rf"PUT {PROVISIONING}/policies", _put_policies),
)

"""The part of the double that only InfluxDB 2.x has: organisations, buckets, tasks, authorizations, delete, InfluxQL.

Source of the answers: recordings of 2.8.0, and of 2.7.12 where rights are lacking. They differ in InfluxQL on a bucket
that is not there or may not be read: 2.8.0 answers with nothing, 2.7.12 with an error.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from aiohttp import web

Points = dict[tuple[str, tuple[tuple[str, str], ...], int], dict[str, float | str]]
Item = dict[str, Any]
DAY_S = 86_400
SHARD_TOO_LONG = "shard-group duration must also be updated to be smaller than new retention duration"
ORGANISATION_ID = "0a00000000000001"
PREDICATE = re.compile(r'_measurement="((?:[^"\\]|\\.)*)" AND dev_eui="((?:[^"\\]|\\.)*)"')
READ_BACK = re.compile(r"SELECT \* FROM (.+) WHERE dev_eui = '(\w*)' AND time >= (\d+)ms AND time < (\d+)ms")
SELECT = re.compile(r'SELECT (.+) FROM "?(\w+)"?')


@dataclass
class Resources:
    """What the interface manages beside points; `organisation` empty takes any."""

    organisation: str = ""
    set_up: bool = True
    refuse: str = ""
    """Changes under this path fail,"""
    refusal: str = "An internal error has occurred"
    """with 500 and this message."""
    blind: bool = False
    """The administrator's token has no right on users, so it is shown no authorization, not even its own."""
    tells_missing: bool = False
    """InfluxQL names a database that is not there."""
    kept_s: dict[str, int] = field(default_factory=dict)
    shard_s: dict[str, int] = field(default_factory=dict)
    bucket_ids: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, Item] = field(default_factory=dict)
    authorizations: dict[str, Item] = field(default_factory=dict)
    numbers: "count[int]" = field(default_factory=lambda: count(1))
    changes: list[str] = field(default_factory=list)

    def identity(self) -> str:
        """A new id."""
        return f"{next(self.numbers):016x}"

    def bucket_id(self, name: str) -> str:
        """The id of a bucket, the same each time."""
        return self.bucket_ids.setdefault(name, self.identity())

    def knows(self, token: str) -> bool:
        """Whether an authorization has this token."""
        return any(item["token"] == token and item["status"] == "active" for item in self.authorizations.values())

    def allows(self, token: str, action: str, bucket: str) -> bool:
        """Whether an authorization allows this in a bucket."""
        for item in self.authorizations.values():
            if item["token"] == token and item["status"] == "active":
                wanted = (action, self.bucket_id(bucket))
                return any((each["action"], each["resource"]["id"]) == wanted for each in item["permissions"])
        return False


def error(status: int, code: str, message: str) -> web.Response:
    """A refusal as 2.x words it."""
    return web.json_response({"code": code, "message": message}, status=status)


class Interface:
    """Handlers of the interface."""

    def __init__(self, resources: Resources, buckets: dict[str, Points], admin: Callable[[], str | None]) -> None:
        self._resources = resources
        self._buckets = buckets
        self._admin = admin

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        root = "/api/v2"
        return [
            web.get(f"{root}/setup", self._setup),
            web.get(f"{root}/orgs", self._only_admin(self._orgs)),
            web.get(f"{root}/dbrps", self._only_admin(self._dbrps)),
            web.get(f"{root}/buckets", self._only_admin(self._list_buckets)),
            web.post(f"{root}/buckets", self._only_admin(self._create_bucket)),
            web.patch(f"{root}/buckets/{{id}}", self._only_admin(self._change_bucket)),
            web.delete(f"{root}/buckets/{{id}}", self._only_admin(self._delete_bucket)),
            web.get(f"{root}/tasks", self._only_admin(self._list_tasks)),
            web.post(f"{root}/tasks", self._only_admin(self._create_task)),
            web.patch(f"{root}/tasks/{{id}}", self._only_admin(self._change_task)),
            web.get(f"{root}/authorizations", self._only_admin(self._list_authorizations)),
            web.post(f"{root}/authorizations", self._only_admin(self._create_authorization)),
            web.delete(f"{root}/authorizations/{{id}}", self._only_admin(self._delete_authorization)),
            web.post(f"{root}/delete", self._delete),
            web.get("/query", self._query),
            web.post("/query", self._query),
        ]

    def _only_admin(
        self, handler: Callable[[web.Request], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def guarded(request: web.Request) -> web.Response:
            if self._admin() not in {None, _token(request)}:
                if not self._resources.knows(_token(request)):
                    return error(401, "unauthorized", "unauthorized access")
                if request.method == "GET":
                    return await self._without_rights(request)
                return error(401, "unauthorized", f"write:{request.path.removeprefix('/api/v2/')} is unauthorized")
            if request.method != "GET":
                if request.path == self._resources.refuse:
                    return error(500, "internal error", self._resources.refusal)
                self._resources.changes.append(f"{request.method} {request.path}")
            return await handler(request)

        return guarded

    async def _without_rights(self, request: web.Request) -> web.Response:
        """A list without what the token may not see: nothing of all this."""
        if request.path.endswith("/orgs") and self._resources.organisation not in {"", request.query.get("org", "")}:
            return await self._orgs(request)
        return web.json_response({request.path.rpartition("/")[2]: []})

    async def _setup(self, _: web.Request) -> web.Response:
        return web.json_response({"allowed": not self._resources.set_up})

    async def _orgs(self, request: web.Request) -> web.Response:
        name = request.query.get("org", "")
        if self._resources.organisation not in {"", name}:
            return error(404, "not found", f'organization name "{name}" not found')
        return web.json_response({"orgs": [{"id": ORGANISATION_ID, "name": name}]})

    async def _dbrps(self, _: web.Request) -> web.Response:
        content = [
            {
                "database": name,
                "retention_policy": "autogen",
                "default": True,
                "virtual": True,
                "orgID": ORGANISATION_ID,
            }
            for name in self._buckets
        ]
        return web.json_response({"content": content})

    async def _list_buckets(self, request: web.Request) -> web.Response:
        name = request.query["name"]
        if name not in self._buckets:
            return error(404, "not found", f'bucket "{name}" not found')
        return web.json_response({"buckets": [self._bucket(name)]})

    async def _create_bucket(self, request: web.Request) -> web.Response:
        body = await request.json()
        name = body["name"]
        if name in self._buckets:
            return error(422, "conflict", f"bucket with name {name} already exists")
        kept_s, shard_s = _kept(body["retentionRules"], 0)
        if 0 < kept_s < shard_s:
            return error(500, "internal error", "retention policy duration must be greater than the shard duration")
        self._buckets[name] = {}
        self._resources.kept_s[name], self._resources.shard_s[name] = kept_s, shard_s
        return web.json_response(self._bucket(name), status=201)

    async def _change_bucket(self, request: web.Request) -> web.Response:
        name = self._named(request)
        kept_s, shard_s = _kept((await request.json())["retentionRules"], self._resources.shard_s.get(name, 0))
        if 0 < kept_s < shard_s:
            return error(422, "unprocessable entity", SHARD_TOO_LONG)
        self._resources.kept_s[name], self._resources.shard_s[name] = kept_s, shard_s
        return web.json_response(self._bucket(name))

    async def _delete_bucket(self, request: web.Request) -> web.Response:
        del self._buckets[self._named(request)]
        return web.Response(status=204)

    def _named(self, request: web.Request) -> str:
        ids = {identity: name for name, identity in self._resources.bucket_ids.items()}
        return ids[request.match_info["id"]]

    def _bucket(self, name: str) -> Item:
        kept_s, shard_s = self._resources.kept_s.get(name, 0), self._resources.shard_s.get(name, 7 * DAY_S)
        rules = [{"type": "expire", "everySeconds": kept_s, "shardGroupDurationSeconds": shard_s}]
        return {"id": self._resources.bucket_id(name), "name": name, "orgID": ORGANISATION_ID, "retentionRules": rules}

    async def _list_tasks(self, request: web.Request) -> web.Response:
        limit, after = int(request.query.get("limit", "100")), request.query.get("after", "")
        later = [task for identity, task in sorted(self._resources.tasks.items()) if identity > after]
        return web.json_response({"tasks": later[:limit]})

    async def _create_task(self, request: web.Request) -> web.Response:
        body = await request.json()
        identity = self._resources.identity()
        return self._put_task(identity, {"id": identity, "orgID": body["orgID"]}, body, 201)

    async def _change_task(self, request: web.Request) -> web.Response:
        identity = request.match_info["id"]
        return self._put_task(identity, self._resources.tasks[identity], await request.json(), 200)

    def _put_task(self, identity: str, task: Item, body: Item, status: int) -> web.Response:
        options = re.search(r'option task = \{name: "([^"]+)", every: (\w+)', body["flux"])
        if options is None:
            return error(400, "invalid", "invalid options: no task options defined")
        changed = {"name": options[1], "every": options[2], "flux": body["flux"], "status": body["status"]}
        self._resources.tasks[identity] = task | changed
        return web.json_response(self._resources.tasks[identity], status=status)

    async def _list_authorizations(self, request: web.Request) -> web.Response:
        """Those of an organisation, else all: the administrator's is of another one."""
        if self._resources.blind:
            return web.json_response({"authorizations": []})
        operators = {"id": "0", "description": "operator", "status": "active", "permissions": []}
        others = [] if "orgID" in request.query else [operators]
        return web.json_response({"authorizations": [*self._resources.authorizations.values(), *others]})

    async def _create_authorization(self, request: web.Request) -> web.Response:
        identity = self._resources.identity()
        item = {**await request.json(), "id": identity, "status": "active", "token": f"token-{identity}=="}
        self._resources.authorizations[identity] = item
        return web.json_response(item, status=201)

    async def _delete_authorization(self, request: web.Request) -> web.Response:
        del self._resources.authorizations[request.match_info["id"]]
        return web.Response(status=204)

    async def _delete(self, request: web.Request) -> web.Response:
        bucket, body = request.query["bucket"], await request.json()
        restricted = self._admin() not in {None, _token(request)}
        if restricted and not self._resources.knows(_token(request)):
            return error(401, "unauthorized", "unauthorized access")
        if self._resources.organisation not in {"", request.query["org"]}:
            return error(404, "not found", f'organization name "{request.query["org"]}" not found')
        if bucket not in self._buckets:
            return error(404, "not found", f'bucket "{bucket}" not found')
        if restricted and not self._resources.allows(_token(request), "write", bucket):
            return error(403, "forbidden", "insufficient permissions to delete")
        predicate = PREDICATE.fullmatch(body["predicate"])
        if predicate is None:
            return error(400, "invalid", f"bad logical expression, at position 0: {body['predicate']}")
        measurement, dev_eui = (re.sub(r"\\(.)", r"\1", part) for part in predicate.groups())
        start_ns, stop_ns = _nanoseconds(body["start"]), _nanoseconds(body["stop"])
        points = self._buckets[bucket]
        for key in list(points):
            inside = start_ns <= key[2] * 1_000_000 <= stop_ns
            if inside and key[0] == measurement and dict(key[1]).get("dev_eui") == dev_eui:
                del points[key]
        return web.Response(status=204)

    async def _query(self, request: web.Request) -> web.Response:
        """InfluxQL, as much of it as is asked; a bucket that the token may not read is as one that is not there."""
        asked = {**request.query, **{name: str(value) for name, value in (await request.post()).items()}}
        text, token = asked["q"], _token(request)
        readable = {
            name: points
            for name, points in self._buckets.items()
            if self._admin() in {None, token} or self._resources.allows(token, "read", name)
        }
        points = sorted(readable.get(asked.get("db", ""), {}).items(), key=lambda point: point[0][2])
        if text == "SHOW DATABASES":
            return _series([{"name": "databases", "columns": ["name"], "values": [[name] for name in readable]}])
        if self._resources.tells_missing and asked.get("db") not in readable:
            fault = f"database not found: {asked.get('db')}"
            return web.json_response({"results": [{"statement_id": 0, "error": fault}]})
        if found := READ_BACK.fullmatch(text):
            return _series(
                _of_device(points, found[1].replace('"', "").split(", "), found[2], int(found[3]), int(found[4]))
            )
        if select := SELECT.fullmatch(text):
            names = select[1].replace('"', "").split(", ")
            values = [
                [key[2], *(fields.get(name, dict(key[1]).get(name)) for name in names)]
                for key, fields in points
                if key[0] == select[2] and not fields.keys().isdisjoint(names)
            ]
            return _series([{"name": select[2], "columns": ["time", *names], "values": values}] if values else [])
        return web.json_response({"results": [{"statement_id": 0, "error": f"not implemented: {text}"}]})


def _kept(rules: list[Item], shard_s: int) -> tuple[int, int]:
    """Seconds that points are kept, and in a shard: as said, else as it was, else what the server chooses."""
    rule = rules[0] if rules else {}
    kept_s = int(rule.get("everySeconds", 0))
    chosen_s = 7 * DAY_S if kept_s >= 180 * DAY_S or not kept_s else DAY_S if kept_s >= 2 * DAY_S else 3600
    return kept_s, int(rule.get("shardGroupDurationSeconds", 0)) or shard_s or chosen_s


def _series(series: list[Item]) -> web.Response:
    return web.json_response({"results": [{"statement_id": 0, **({"series": series} if series else {})}]})


def _of_device(
    points: list[tuple[tuple[str, tuple[tuple[str, str], ...], int], dict[str, float | str]]],
    measurements: list[str],
    dev_eui: str,
    from_ms: int,
    to_ms: int,
) -> list[Item]:
    """Every point as a series of its own, tags among its columns."""
    return [
        {
            "name": key[0],
            "columns": ["time", *dict(key[1]), *fields],
            "values": [[key[2], *dict(key[1]).values(), *fields.values()]],
        }
        for key, fields in points
        if key[0] in measurements and dict(key[1]).get("dev_eui") == dev_eui and from_ms <= key[2] < to_ms
    ]


def _token(request: web.Request) -> str:
    return request.headers.get("Authorization", "").removeprefix("Token ")


def _nanoseconds(text: str) -> int:
    seconds, _, rest = text.removesuffix("Z").partition(".")
    return int(datetime.fromisoformat(f"{seconds}+00:00").timestamp()) * 1_000_000_000 + int(rest.ljust(9, "0"))

"""What InfluxDB 2.x has and how it gets what it lacks: buckets, tasks, authorizations.

Source: InfluxDB 2 API documentation (`/api/v2/setup`, `orgs`, `buckets`, `tasks`, `authorizations`; `/api/v2/delete`:
a write permission on the bucket suffices), answers recorded from 2.8.0, and 2.7.12.
"""

from typing import NamedTuple

from ingest.influxdb.downsampling import Downsampling, flux_task
from ingest.influxdb.http import HttpAnswer, InfluxHttp, done
from ingest.influxdb.provision_plan import (
    ADMINISTRATOR,
    Access,
    Bucket,
    ChangeAccess,
    ChangeRetention,
    CreateAccess,
    CreateBucket,
    CreateDownsampling,
    Found,
    Step,
    Wanted,
)
from ingest.influxdb.search import ServerFault

PAGE = 100
NOT_FOUND = 404
NOT_SET_UP = "the server is not set up yet: run `influx setup`, which makes the first user, organisation and token"
NO_ORGANISATION = "set influxdb.organisation"
Item = dict[str, object]


class Permission(NamedTuple):
    """What an authorization allows: read or write, and the bucket's id."""

    action: str
    bucket_id: str


class Influx2:
    """A 2.x server, asked and told with an all-access token; a downsampling's name is its task's."""

    def __init__(self, http: InfluxHttp, organisation: str) -> None:
        self._http = http
        self._organisation = organisation
        self._org_id = ""
        self._buckets: dict[str, str] = {}
        self._tasks: dict[str, str] = {}
        self._authorizations: dict[str, str] = {}

    def text(self, downsampling: Downsampling) -> str:
        """The task."""
        return flux_task(downsampling)

    async def found(self, wanted: Wanted) -> Found:
        """What is there of what is wanted; raises ServerFault."""
        self._org_id = await self._organisation_id()
        buckets: dict[str, int] = {}
        for bucket in wanted.buckets:
            item = await self._bucket(bucket.name)
            if item is not None:
                self._buckets[bucket.name] = str(item["id"])
                buckets[bucket.name] = _kept_s(item)
        tasks = await self._all_tasks()
        self._tasks = {str(task["name"]): str(task["id"]) for task in tasks}
        return Found(
            buckets,
            {str(task["name"]): str(task.get("flux", "")) for task in tasks},
            await self._access(wanted),
            frozenset(str(task["name"]) for task in tasks if task.get("status") == "inactive"),
            renews=True,
        )

    async def apply(self, step: Step) -> str | None:
        """Take a step; a new token when there is one. Raises ServerFault."""
        match step:
            case CreateBucket(bucket):
                body: Item = {"orgID": self._org_id, "name": bucket.name, "retentionRules": _rules(bucket)}
                self._buckets[bucket.name] = str((await self._send("POST", "/api/v2/buckets", body))["id"])
            case ChangeRetention(bucket):
                path = f"/api/v2/buckets/{self._buckets[bucket.name]}"
                await self._send("PATCH", path, {"retentionRules": _rules(bucket)})
            case CreateDownsampling(downsampling, replaces):
                await self._task(downsampling, replaces)
            case CreateAccess(access):
                return await self._authorize(access)
            case ChangeAccess(access):
                former = self._authorizations[access.name]
                token = await self._authorize(access)
                done(await self._http.request("DELETE", f"/api/v2/authorizations/{former}"))
                return token
        return None

    async def _organisation_id(self) -> str:
        if done(await self._http.get("/api/v2/setup")).json().get("allowed") is True:
            raise ServerFault(NOT_SET_UP)
        if not self._organisation:
            raise ServerFault(NO_ORGANISATION)
        answer = await self._http.get("/api/v2/orgs", org=self._organisation)
        if answer.status == NOT_FOUND:
            raise ServerFault(f"organisation {self._organisation!r} not found; {NO_ORGANISATION}")
        found = [item for item in _items(done(answer), "orgs") if item.get("name") == self._organisation]
        if not found:
            raise ServerFault(f"this token is not shown the organisation {self._organisation!r}; {ADMINISTRATOR}")
        return str(found[0]["id"])

    async def _bucket(self, name: str) -> Item | None:
        answer = await self._http.get("/api/v2/buckets", name=name, org=self._organisation)
        if answer.status == NOT_FOUND:
            return None
        return next((item for item in _items(done(answer), "buckets") if item.get("name") == name), None)

    async def _all_tasks(self) -> list[Item]:
        found: list[Item] = []
        page: list[Item] = []
        while not found or len(page) == PAGE:
            after = {"after": str(found[-1]["id"])} if found else {}
            answer = await self._http.get("/api/v2/tasks", orgID=self._org_id, limit=str(PAGE), **after)
            page = _items(done(answer), "tasks")
            found += page
            if not page:
                break
        return found

    async def _access(self, wanted: Wanted) -> dict[str, Access]:
        names = {identity: name for name, identity in self._buckets.items()}
        found: dict[str, Access] = {}
        for item in await self._all_authorizations():
            name = str(item.get("description", ""))
            if item.get("status") == "active" and name in {access.name for access in wanted.access}:
                self._authorizations[name] = str(item["id"])
                permissions = _permissions(item)
                writes, reads = (
                    tuple(names.get(bucket_id, bucket_id) for action, bucket_id in permissions if action == wanted_one)
                    for wanted_one in ("write", "read")
                )
                found[name] = Access(name, writes, reads)
        return found

    async def _all_authorizations(self) -> list[Item]:
        """Those of the organisation; a token without rights on users is shown none, not even its own."""
        ours = _items(done(await self._http.get("/api/v2/authorizations", orgID=self._org_id)), "authorizations")
        if not ours and not _items(done(await self._http.get("/api/v2/authorizations")), "authorizations"):
            raise ServerFault(f"this token is not shown its own authorization; {ADMINISTRATOR}")
        return ours

    async def _task(self, downsampling: Downsampling, replaces: bool) -> None:
        body: Item = {"flux": self.text(downsampling), "status": "active"}
        if replaces:
            await self._send("PATCH", f"/api/v2/tasks/{self._tasks[downsampling.name]}", body)
        else:
            await self._send("POST", "/api/v2/tasks", {"orgID": self._org_id, **body})

    async def _authorize(self, access: Access) -> str:
        permissions = [
            {"action": action, "resource": {"type": "buckets", "id": self._buckets[name], "orgID": self._org_id}}
            for action, names in (("write", access.writes), ("read", access.reads))
            for name in names
        ]
        body: Item = {"orgID": self._org_id, "description": access.name, "permissions": permissions}
        return str((await self._send("POST", "/api/v2/authorizations", body))["token"])

    async def _send(self, method: str, path: str, body: Item) -> Item:
        return done(await self._http.request(method, path, body=body)).json()


def _items(answer: HttpAnswer, key: str) -> list[Item]:
    found = answer.json().get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _permissions(item: Item) -> list[Permission]:
    found: list[Permission] = []
    given = item.get("permissions")
    for permission in given if isinstance(given, list) else ():
        resource = permission.get("resource", {})
        kind, identity = resource.get("type"), resource.get("id")
        found.append(Permission(str(permission.get("action")), str(identity) if kind == "buckets" else f"any {kind}"))
    return found


def _kept_s(item: Item) -> int:
    rules = item.get("retentionRules")
    return next((int(rule["everySeconds"]) for rule in rules), 0) if isinstance(rules, list) else 0


def _rules(bucket: Bucket) -> list[Item]:
    """With the shard, which a server does not make shorter by itself when points are to be kept shorter."""
    return [{"type": "expire", "everySeconds": bucket.kept_s, "shardGroupDurationSeconds": bucket.shard_s}]

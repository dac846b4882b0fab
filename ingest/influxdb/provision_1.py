"""What InfluxDB 1.8 has and how it gets what it lacks: databases, continuous queries, users; all in InfluxQL.

Source: InfluxDB 1.8 documentation ("Manage your database", "Continuous Queries", "Authentication and authorization")
and a 1.8.10 server: WRITE on a database suffices to delete in it.
"""

import secrets
from collections.abc import Iterable, Iterator
from datetime import timedelta
from re import findall

from ingest.influxdb.downsampling import Downsampling, continuous_query
from ingest.influxdb.http import InfluxHttp, query
from ingest.influxdb.provision_plan import (
    DAY_S,
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
from ingest.influxdb.ql import quoted
from ingest.influxdb.search import ServerFault

DEFAULT_POLICY = "autogen"
UNITS_S = {"h": 3600, "m": 60, "s": 1}
UNAUTHORIZED = 401
NO_ACCESS = "authentication is off ([http] auth-enabled): whoever reaches the server may read, write and delete"
ADMINISTRATOR = "user {!r} is an administrator: give the service a user of its own with fewer rights"


class Influx1:
    """A 1.8 server, asked and told by an administrator; a downsampling's name is its continuous query's."""

    def __init__(self, http: InfluxHttp, anonymous: InfluxHttp) -> None:
        self._http = http
        self._anonymous = anonymous
        self._default: dict[str, str] = {}

    def text(self, downsampling: Downsampling) -> str:
        """The continuous query."""
        return continuous_query(downsampling, self._place(downsampling.source), self._place(downsampling.target))

    async def found(self, wanted: Wanted) -> Found:
        """What is there of what is wanted; raises ServerFault."""
        there = {str(row["name"]) for row in await query(self._http, "SHOW DATABASES")}
        kept: dict[str, int] = {}
        for database in there & {bucket.name.partition("/")[0] for bucket in wanted.buckets}:
            for row in await query(self._http, f"SHOW RETENTION POLICIES ON {quoted(database)}"):
                kept[f"{database}/{row['name']}"] = _seconds(str(row["duration"]))
                if row["default"]:
                    self._default[database] = str(row["name"])
        buckets = {
            bucket.name: kept[place]
            for bucket in wanted.buckets
            if (place := "/".join(self._place(bucket.name))) in kept
        }
        queries = await query(self._http, "SHOW CONTINUOUS QUERIES")
        access, notes = await self._access(wanted)
        return Found(buckets, {str(row["name"]): str(row["query"]) for row in queries}, access, notes=notes)

    async def apply(self, step: Step) -> str | None:
        """Take a step; a new `user:password` when there is one. Raises ServerFault."""
        match step:
            case CreateBucket(bucket):
                await self._create(bucket)
            case ChangeRetention(bucket):
                await self._tell(f"ALTER RETENTION POLICY {self._policy(bucket)}")
            case CreateDownsampling(downsampling, replaces):
                if replaces:
                    database = quoted(self._place(downsampling.source)[0])
                    await self._tell(f"DROP CONTINUOUS QUERY {quoted(downsampling.name)} ON {database}")
                await self._tell(self.text(downsampling))
            case CreateAccess(access):
                return await self._create_user(access)
            case ChangeAccess(access, before):
                await self._grant(access, before)
        return None

    async def _tell(self, statement: str) -> None:
        await query(self._http, statement)

    async def _create(self, bucket: Bucket) -> None:
        database, policy = self._place(bucket.name)
        there = {str(row["name"]) for row in await query(self._http, "SHOW DATABASES")}
        if database in there:
            await self._tell(f"CREATE RETENTION POLICY {self._policy(bucket)}")
        else:
            await self._tell(f"CREATE DATABASE {quoted(database)} WITH {_kept(bucket)} NAME {quoted(policy)}")

    async def _create_user(self, access: Access) -> str:
        """The user with all its rights or not at all: a password can be told once only."""
        password = secrets.token_urlsafe(24)
        secret = quoted(password, "'")
        await self._tell(f"CREATE USER {quoted(access.name)} WITH PASSWORD {secret}")
        try:
            await self._grant(access, Access(access.name))
        except ServerFault:
            await self._tell(f"DROP USER {quoted(access.name)}")
            raise
        return f"{access.name}:{password}"

    def _policy(self, bucket: Bucket) -> str:
        database, policy = self._place(bucket.name)
        return f"{quoted(policy)} ON {quoted(database)} {_kept(bucket)}"

    def _place(self, bucket: str) -> tuple[str, str]:
        """Database and retention policy of a bucket; without a policy the database's default one."""
        database, _, policy = bucket.partition("/")
        return database, policy or self._default.get(database, DEFAULT_POLICY)

    async def _access(self, wanted: Wanted) -> tuple[dict[str, Access] | None, tuple[str, ...]]:
        answer = await self._anonymous.get("/query", q="SHOW DATABASES")
        if answer.status != UNAUTHORIZED:
            return None, (NO_ACCESS,)
        administrators = {str(row["user"]): bool(row["admin"]) for row in await query(self._http, "SHOW USERS")}
        found: dict[str, Access] = {}
        notes: list[str] = []
        for access in wanted.access:
            if access.name not in administrators:
                continue
            if administrators[access.name]:
                notes.append(ADMINISTRATOR.format(access.name))
                found[access.name] = access
            else:
                grants = await query(self._http, f"SHOW GRANTS FOR {quoted(access.name)}")
                found[access.name] = _granted(access, {str(row["database"]): str(row["privilege"]) for row in grants})
        return found, tuple(notes)

    async def _grant(self, access: Access, before: Access) -> None:
        name = quoted(access.name)
        after, former = _privileges(access), _privileges(before)
        for database in former.keys() - after.keys():
            await self._tell(f"REVOKE ALL ON {quoted(database)} FROM {name}")
        for database, privilege in after.items():
            if former.get(database) != privilege:
                await self._tell(f"GRANT {privilege} ON {quoted(database)} TO {name}")


def _granted(access: Access, grants: dict[str, str]) -> Access:
    """The rights in terms of the wanted buckets; a database that has none of them stands for itself."""
    writes, reads = [], []
    for database, privilege in grants.items():
        buckets = [name for name in access.buckets if name.partition("/")[0] == database] or [database]
        if privilege in {"WRITE", "ALL PRIVILEGES"}:
            writes += buckets
        if privilege in {"READ", "ALL PRIVILEGES"}:
            reads += buckets
    return Access(access.name, tuple(writes), tuple(reads))


def _privileges(access: Access) -> dict[str, str]:
    writes, reads = set(_databases(access.writes)), set(_databases(access.reads))
    return {
        database: "ALL" if database in writes & reads else "WRITE" if database in writes else "READ"
        for database in _databases(access.buckets)
    }


def _databases(buckets: Iterable[str]) -> Iterator[str]:
    return iter(dict.fromkeys(bucket.partition("/")[0] for bucket in buckets))


def _kept(bucket: Bucket) -> str:
    hours = timedelta(seconds=bucket.kept_s) // timedelta(hours=1)
    duration = f"{hours}h" if bucket.kept_s else "INF"
    return f"DURATION {duration} REPLICATION 1 SHARD DURATION {bucket.shard_s // DAY_S}d"


def _seconds(duration: str) -> int:
    """Of a duration as the server writes it: `720h0m0s`."""
    return sum(int(count) * UNITS_S[unit] for count, unit in findall(r"(\d+)([hms])", duration))

"""What a server of ours must have, what it has, and the steps between: plain data, nothing is done here."""

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import NamedTuple

from decoders.quantity import Privacy
from ingest.influxdb.downsampling import HOURLY, INTERVALS, Downsampling, measurements
from ingest.settings import InfluxSettings

DAY_S = 86_400
LONG_S = 180 * DAY_S
WEEKS_4_S, WEEKS_52_S = 4 * 7 * DAY_S, 52 * 7 * DAY_S
SUFFIXES = tuple(interval.name for interval in INTERVALS)
ADMINISTRATOR = "an administrator's token is needed"
WRITER, READER = "stadtfunk", "stadtfunk_reader"
READERS: Mapping[str, frozenset[Privacy]] = MappingProxyType(
    {
        READER: frozenset({Privacy.OPEN, Privacy.INTERNAL}),
        **{f"{READER}_{privacy.name.lower()}": frozenset({privacy}) for privacy in Privacy},
    }
)
"""Who reads what: all but personal readings, or those of one class alone."""


class Bucket(NamedTuple):
    """A bucket (1.8: `database` or `database/retention policy`); `kept_s` seconds, 0 for ever."""

    name: str
    kept_s: int
    sparse: bool = False
    """A point an hour or less for each series."""

    @property
    def shard_s(self) -> int:
        """Seconds in one shard: points leave by whole ones, so short where they are kept shortly, long where few.

        Never longer than points are kept, which every server refuses.
        """
        if self.sparse and not self.kept_s:
            return WEEKS_52_S
        if self.sparse and self.kept_s >= WEEKS_4_S:
            return WEEKS_4_S
        return DAY_S if 0 < self.kept_s < LONG_S else 7 * DAY_S


class Access(NamedTuple):
    """A user or token and the buckets it may write (and delete in) or read; nothing else."""

    name: str
    writes: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()

    @property
    def buckets(self) -> tuple[str, ...]:
        """All of them."""
        return self.writes + self.reads


class Wanted(NamedTuple):
    """All that is to be there."""

    buckets: tuple[Bucket, ...]
    downsamplings: tuple[Downsampling, ...]
    access: tuple[Access, ...]


class Found(NamedTuple):
    """What is there: seconds kept by bucket, the text by downsampling, the rights by user or token.

    `access` is None where the server controls none; `inactive` are downsamplings that are there and do not run;
    `renews`: other rights come with a new token; `notes` are for people.
    """

    buckets: Mapping[str, int]
    downsamplings: Mapping[str, str]
    access: Mapping[str, Access] | None
    inactive: frozenset[str] = frozenset()
    renews: bool = False
    notes: tuple[str, ...] = ()


class CreateBucket(NamedTuple):
    """A bucket that is missing."""

    bucket: Bucket

    def describe(self) -> str:
        """One line for people."""
        return f"create bucket {self.bucket.name}, points kept {span(self.bucket.kept_s)}"


class ChangeRetention(NamedTuple):
    """A bucket that keeps its points for another time."""

    bucket: Bucket
    before_s: int

    def describe(self) -> str:
        """One line for people; says when points will be deleted."""
        bucket = self.bucket
        text = f"bucket {bucket.name}: keep points {span(bucket.kept_s)} instead of {span(self.before_s)}"
        shorter = bucket.kept_s and (not self.before_s or bucket.kept_s < self.before_s)
        return f"{text}; OLDER ONES WILL BE DELETED" if shorter else text


class CreateDownsampling(NamedTuple):
    """A continuous query or task that is missing, says something else, or does not run."""

    downsampling: Downsampling
    replaces: bool = False

    def describe(self) -> str:
        """One line for people."""
        wanted = self.downsampling
        return (
            f"{'replace' if self.replaces else 'create'} {wanted.interval.name} downsampling of {wanted.measurement} "
            f"from {wanted.source} into {wanted.target}"
        )


class CreateAccess(NamedTuple):
    """A user or token that is missing."""

    access: Access

    def describe(self) -> str:
        """One line for people."""
        return f"create access {self.access.name!r}: {rights(self.access)}"


class ChangeAccess(NamedTuple):
    """A user or token whose rights are other ones."""

    access: Access
    before: Access
    renews: bool = False
    """By a new token in the place of the old one."""

    def describe(self) -> str:
        """One line for people."""
        text = f"access {self.access.name!r}: {rights(self.access)} instead of {rights(self.before) or 'nothing'}"
        return f"{text}; by a new token, THE OLD ONE ENDS" if self.renews else text


Step = CreateBucket | ChangeRetention | CreateDownsampling | CreateAccess | ChangeAccess


class Plan(NamedTuple):
    """What is to be done, and what people should know."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...]


class ProvisionError(Exception):
    """A server that cannot be provisioned, or refused a step; the message names both."""


def wanted(settings: InfluxSettings, timezone: str, readers: Collection[str] = ()) -> Wanted:
    """What the settings ask for, with these of `READERS`.

    Privacy classes that share a bucket are kept as the strictest of them is, and read by its readers alone.
    """
    sources = {settings.bucket(privacy): privacy for privacy in Privacy}
    buckets = [Bucket(name, _kept_s(settings, name)) for name in sources]
    downsamplings: list[Downsampling] = []
    for source, privacy in sources.items():
        if privacy is Privacy.PERSONAL:
            continue
        for interval in INTERVALS:
            target = beside(source, interval.name)
            days = settings.retention_hourly_days if interval is HOURLY else settings.retention_daily_days
            buckets.append(Bucket(target, days * DAY_S, sparse=True))
            downsamplings += [
                Downsampling(name, source, target, interval, privacy, timezone) for name in measurements(privacy)
            ]
    access = [Access(WRITER, writes=tuple(sources))]
    for name, classes in READERS.items():
        if name in readers:
            own = {
                beside(source, suffix)
                for source, privacy in sources.items()
                if privacy in classes
                for suffix in SUFFIXES
            }
            own |= {source for source, privacy in sources.items() if privacy in classes}
            access.append(Access(name, reads=tuple(bucket.name for bucket in buckets if bucket.name in own)))
    return Wanted(tuple(buckets), tuple(downsamplings), tuple(access))


def _kept_s(settings: InfluxSettings, bucket: str) -> int:
    days = [settings.retention_days(privacy) for privacy in Privacy if settings.bucket(privacy) == bucket]
    return min((each for each in days if each), default=0) * DAY_S


def beside(bucket: str, suffix: str) -> str:
    """The bucket for downsampled values; on 1.8 another database, since DELETE there knows no retention policy."""
    database, slash, policy = bucket.partition("/")
    return f"{database}_{suffix}{slash}{policy}"


def steps(wanted: Wanted, found: Found, text: Callable[[Downsampling], str]) -> list[Step]:
    """What is to be done, in this order; `text` is a downsampling as this server writes it."""
    plan: list[Step] = []
    for bucket in wanted.buckets:
        before_s = found.buckets.get(bucket.name)
        if before_s is None:
            plan.append(CreateBucket(bucket))
        elif before_s != bucket.kept_s:
            plan.append(ChangeRetention(bucket, before_s))
    for downsampling in wanted.downsamplings:
        there = found.downsamplings.get(downsampling.name)
        if there is None:
            plan.append(CreateDownsampling(downsampling))
        elif _bare(there) != _bare(text(downsampling)) or downsampling.name in found.inactive:
            plan.append(CreateDownsampling(downsampling, replaces=True))
    plan += _access_steps(wanted, found)
    return plan


def _access_steps(wanted: Wanted, found: Found) -> list[Step]:
    plan: list[Step] = []
    if found.access is None:
        return plan
    for access in wanted.access:
        before = found.access.get(access.name)
        if before is None:
            plan.append(CreateAccess(access))
        elif (set(before.writes), set(before.reads)) != (set(access.writes), set(access.reads)):
            plan.append(ChangeAccess(access, before, found.renews))
    return plan


def rights(access: Access) -> str:
    """What an access may do."""
    parts = [("write", access.writes), ("read", access.reads)]
    return "; ".join(f"{verb} {', '.join(buckets)}" for verb, buckets in parts if buckets)


def span(kept_s: int) -> str:
    """A retention as people say it."""
    if not kept_s:
        return "for ever"
    days, rest = divmod(kept_s, DAY_S)
    return f"{kept_s} s" if rest else f"{days} days"


def _bare(text: str) -> str:
    """Without what a server changes when it repeats a query: blanks, marks around names, capitals."""
    return "".join(text.replace('"', "").split()).casefold()

"""What becomes of a quantity over an hour or a day, as InfluxQL for 1.8 and as Flux for 2.x.

A downsampled field keeps its name, so a query asks `stadtfunk_open_daily` as it asks `stadtfunk_open`: counts sum up,
counters and codes stay at their last value, levels and alarms at their highest, all else is the mean. Values in doubt
count nowhere, but for amounts after a reset: those are the least that was there, and are part of the sum.

InfluxQL has no word for a field that is not there; a comparison with it is false (tried on 1.8.10), so that
`("x_quality" > 0) = false` holds without a flag.
"""

from enum import Enum
from functools import cache
from typing import NamedTuple

from decoders.quantity import Family, Privacy, Quantity
from ingest.influxdb.ql import quoted
from rules.condition_entry import Doubt

Q = Quantity


class Aggregate(Enum):
    """How values of an interval become one; named as in InfluxQL and Flux."""

    MEAN = "mean"
    SUM = "sum"
    MAX = "max"
    LAST = "last"


class Interval(NamedTuple):
    """An interval, how often it is computed and how far back: what arrives later than that is not counted in."""

    name: str
    length: str
    every: str
    back: str


HOURLY = Interval("hourly", "1h", "1h", "3d")
DAILY = Interval("daily", "1d", "6h", "4d")
INTERVALS = (HOURLY, DAILY)
"""A database that was away over a long weekend still gets its days right."""

LEVELS = {
    Q.FILL_LEVEL,
    Q.WATER_LEVEL,
    Q.SOUND_LEVEL,
    Q.SOUND_LEVEL_PEAK,
    Q.STATE_DURATION,
    Q.OPEN_DURATION,
    Q.PEOPLE_COUNT_MAX,
    Q.WIND_GUST,
}
ALARMS = {
    Q.ALARM,
    Q.WATER_LEAK,
    Q.TILTED,
    Q.OPEN,
    Q.SWITCHED_ON,
    Q.RAIN_DETECTED,
    Q.DIGITAL_INPUT,
    Q.DIGITAL_OUTPUT,
    Q.PRESENCE,
    Q.HARDWARE_STATUS,
}
SUMS = {Q.PRECIPITATION}
"""Amounts of an interval that are not called a count."""
STANDS = {Q.LATITUDE, Q.LONGITUDE, Q.ALTITUDE, Q.UPTIME, Q.OPERATING_TIME, Q.DEVICE_CLOCK}

DERIVED = {"free": Aggregate.MEAN, "occupancy": Aggregate.MEAN, "state": Aggregate.LAST}
"""What rules say of an asset beside quantities."""
RADIO = {
    "rssi": Aggregate.MEAN,
    "snr": Aggregate.MEAN,
    "gateways": Aggregate.MEAN,
    "spreading_factor": Aggregate.MEAN,
    "clock_offset_s": Aggregate.MEAN,
    "payload_bytes": Aggregate.SUM,
    "frames_lost": Aggregate.SUM,
    "f_cnt": Aggregate.LAST,
}
GATEWAY = {"uplinks": Aggregate.SUM, "share": Aggregate.MEAN, "rssi": Aggregate.MEAN, "snr": Aggregate.MEAN}
LEDGER = dict.fromkeys(
    (
        "expected",
        "received",
        "lost",
        "duplicates",
        "dead_letters",
        "stored",
        "interval_s",
        "battery_days_left",
    ),
    Aggregate.LAST,
)
"""A device's day so far, beside what it says of itself."""
QUALITY = "_quality"
"""What the field of a doubt ends with."""
UNJUDGED = {"gateway", "link"}
"""What nobody conditions."""
INTERNAL_ONLY = ("device", "gateway", "link")
"""At least internal, so never among the open ones."""
PART = "_part"
"""Value or doubt: the name of a column of the rows, which no tag has, for the column would take its place."""
BESIDE = (
    "// every value with its doubt beside it, where there is one",
    "beside = (tables=<-) => tables",
    "    |> map(fn: (r) => ({r with",
    f'        {PART}: if strings.hasSuffix(v: r._field, suffix: "{QUALITY}") then "doubt" else "_value",',
    f'        _field: strings.trimSuffix(v: r._field, suffix: "{QUALITY}"),',
    "    }))",
    f'    |> pivot(rowKey: ["_time"], columnKey: ["{PART}"], valueColumn: "_value")',
    "",
)
"""Flux for what InfluxQL says in a WHERE."""


class Downsampling(NamedTuple):
    """One Influx measurement of a bucket over one interval into another bucket."""

    measurement: str
    source: str
    target: str
    interval: Interval
    privacy: Privacy
    timezone: str

    @property
    def name(self) -> str:
        """Its name on the server; buckets may share a database, so the source is in it."""
        return f"{self.source.replace('/', '_')}_{self.measurement}_{self.interval.name}"


def aggregate(quantity: Quantity) -> Aggregate:
    """What becomes of a quantity over an interval."""
    if quantity in STANDS or quantity.field.endswith("_total"):
        return Aggregate.LAST
    if quantity in SUMS or quantity.field.endswith("_count"):
        return Aggregate.SUM
    return Aggregate.MAX if quantity in LEVELS | ALARMS else Aggregate.MEAN


def measurements(privacy: Privacy) -> tuple[str, ...]:
    """The Influx measurements with numbers that a privacy class may hold."""
    families = (*(family.value for family in Family), "asset")
    return families if privacy is Privacy.OPEN else (*families, *INTERNAL_ONLY)


@cache
def fields(measurement: str, privacy: Privacy) -> dict[str, Aggregate]:
    """The fields that an Influx measurement of this class may have, in the order of their names."""
    if measurement in {"link", "gateway"}:
        return dict(sorted((RADIO if measurement == "link" else GATEWAY).items()))
    found = {
        quantity.field: aggregate(quantity)
        for quantity in Quantity
        if quantity.diagnostic == (measurement == "device") and quantity.privacy <= privacy
    }
    if measurement == "asset":
        stands = {place.field: Aggregate.LAST for place in (Q.LATITUDE, Q.LONGITUDE)}
        found |= DERIVED | stands
    if measurement == "device":
        found |= LEDGER
    return dict(sorted(found.items()))


def continuous_query(wanted: Downsampling, source: tuple[str, str], target: tuple[str, str]) -> str:
    """1.8's CREATE CONTINUOUS QUERY; source and target are database and retention policy."""
    chosen = fields(wanted.measurement, wanted.privacy).items()
    selected = ", ".join(f'{how.value}("{field}") AS "{field}"' for field, how in chosen)
    interval = wanted.interval
    origin, destination = (".".join(map(quoted, (*place, wanted.measurement))) for place in (source, target))
    if wanted.measurement not in UNJUDGED:
        origin = ", ".join(_sound(origin, field, how) for field, how in chosen)
    select = f"SELECT {selected} INTO {destination} FROM {origin}"  # noqa: S608 - names are quoted
    return (
        f"CREATE CONTINUOUS QUERY {quoted(wanted.name)} ON {quoted(source[0])} "
        f"RESAMPLE EVERY {interval.every} FOR {interval.back} "
        f"BEGIN {select} GROUP BY time({interval.length}), * fill(none) TZ('{wanted.timezone}') END"
    )


def _sound(origin: str, field: str, how: Aggregate) -> str:
    """The values of a field that are to be counted in, with all tags."""
    doubt = f'"{field}{QUALITY}" > 0'
    if how is Aggregate.SUM:
        doubt += f' AND "{field}{QUALITY}" != {Doubt.RESET:d}'
    return f'(SELECT "{field}" FROM {origin} WHERE ({doubt}) = false GROUP BY *)'  # noqa: S608 - names are quoted


def flux_task(wanted: Downsampling) -> str:
    """2.x's task; the span begins with a whole interval, else the first would be overwritten by a part of itself."""
    interval = wanted.interval
    judged = wanted.measurement not in UNJUDGED
    by_aggregate: dict[Aggregate, list[str]] = {}
    for field, how in fields(wanted.measurement, wanted.privacy).items():
        by_aggregate.setdefault(how, []).append(field)
    lines = [
        'import "date"',
        *(['import "strings"'] if judged else []),
        'import "timezone"',
        "",
        f'option task = {{name: "{wanted.name}", every: {interval.every}, offset: 1m}}',
        f'option location = timezone.location(name: "{wanted.timezone}")',
        "",
        *(BESIDE if judged else ()),
        f'data = from(bucket: "{wanted.source}")',
        f"    |> range(start: date.truncate(t: -{interval.back}, unit: {interval.length}))",
        f'    |> filter(fn: (r) => r._measurement == "{wanted.measurement}")',
    ]
    for how, names in by_aggregate.items():
        lines += [
            "",
            "data",
            f"    |> filter(fn: (r) => r._field =~ /^({'|'.join(names)}){f'({QUALITY})?' if judged else ''}$/)",
            *(_beside(how) if judged else ()),
            f'    |> aggregateWindow(every: {interval.length}, fn: {how.value}, createEmpty: false, timeSrc: "_start")',
            f'    |> to(bucket: "{wanted.target}")',
            f'    |> yield(name: "{how.value}")',
        ]
    return "\n".join(lines) + "\n"


def _beside(how: Aggregate) -> tuple[str, str]:
    """Flux that lets pass what is to be counted in."""
    least = f" or r.doubt == {Doubt.RESET:d}.0" if how is Aggregate.SUM else ""
    return "    |> beside()", f"    |> filter(fn: (r) => exists r._value and (not exists r.doubt{least}))"

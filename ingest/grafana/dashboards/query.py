"""InfluxQL as the dashboards ask it: of places and devices that the reader has chosen, in the span that is shown."""

from collections.abc import Sequence

from ingest.grafana.dashboards.spec import Organisation, Query, Text, Variable, text

HERE = '"district"::tag =~ /^$district$/ AND "asset"::tag =~ /^$asset$/'
"""Of the chosen places. The choice "all" is `.*`, which also fits what has no such tag."""
DEVICE = '"dev_eui"::tag =~ /^$device$/'
"""Of the chosen devices."""
WHEN = "$timeFilter"


def of_kind(*kinds: str) -> str:
    """The condition on derived points that they are of these kinds of assets."""
    return " OR ".join(f"\"kind\"::tag = '{kind}'" for kind in kinds)


def course(
    select: str,
    measurement: str,
    *where: str,
    by: Sequence[str] = ("asset",),
    fill: str = "none",
    source: Organisation = "open",
    alias: Text | str = "$tag_asset",
    here: str = HERE,
) -> Query:
    """How something changed: a series for each value of the tags, a point for each interval."""
    groups = ("time($__interval)", *map(_quoted, by))
    return Query(
        f"{_asked(select, _quoted(measurement), (here, *where), groups)} fill({fill})", source, alias, tuple(by)
    )


def newest(
    select: str,
    measurement: str,
    *where: str,
    by: Sequence[str] = ("asset",),
    source: Organisation = "open",
    alias: Text | str = "",
    here: str = HERE,
) -> Query:
    """One row for each value of the tags."""
    return Query(rows(select, measurement, *where, by=by, here=here), source, alias, tuple(by))


def figure(select: str, measurement: str, *where: str, source: Organisation = "open", here: str = HERE) -> Query:
    """One figure of all that is chosen."""
    return newest(select, measurement, *where, by=(), source=source, here=here)


def rows(select: str, measurement: str, *where: str, by: Sequence[str] = ("asset",), here: str = HERE) -> str:
    """The same as text, to be asked again of; `by` may name an interval, too."""
    groups = (each if "(" in each else _quoted(each) for each in by)
    return _asked(select, _quoted(measurement), (here, *where), tuple(groups))


def over(
    select: str,
    inner: str,
    where: str = "",
    source: Organisation = "open",
    by: Sequence[str] = (),
    alias: Text | str = "",
) -> Query:
    """What the rows of another query come to; the span is that of the inner one."""
    parts = ["SELECT", select, "FROM", f"({inner})"]
    parts += ["WHERE", where] if where else []
    parts += ["GROUP BY", ", ".join(each if "(" in each else _quoted(each) for each in by)] if by else []
    return Query(" ".join(parts), source, alias, tuple(by))


def events(*where: str, source: Organisation = "open", limit: int = 200, here: str = HERE, more: str = "") -> Query:
    """Events, the newest first: words, what they say, and where."""
    what = f'"text_@" AS "text", "status", "kept"{more}, "asset"::tag AS "asset", "channel"::tag AS "rule"'
    tags = ("asset", "dev_eui") if '"dev_eui"' in more else ("asset",)
    return Query(
        f"{_asked(what, _quoted('event'), (here, *where), ())} ORDER BY time DESC LIMIT {limit}", source, tags=tags
    )


def noted(text_column: str, condition: str) -> str:
    """The query of annotations."""
    what = f'"{text_column}", "status", "asset"::tag AS "asset", "channel"::tag AS "channel"'
    return _asked(what, _quoted("event"), (condition,), ())


def sound(field: str) -> str:
    """The condition that nothing speaks against a value; one without a flag compares as false."""
    return f'("{field}_quality" > 0) = false'


def _asked(select: str, source: str, where: Sequence[str], groups: Sequence[str]) -> str:
    stated = (f"({each})" if " OR " in each else each for each in where if each)
    parts = ["SELECT", select, "FROM", source, "WHERE", " AND ".join([*stated, WHEN])]
    return " ".join([*parts, "GROUP BY", ", ".join(groups)] if groups else parts)


def _quoted(name: str) -> str:
    return f'"{name}"'


def places(*kinds: str) -> tuple[Variable, ...]:
    """The variables of places: district, and assets of these kinds in it."""
    of = f"({of_kind(*kinds)}) AND " if kinds else ""
    among = '"district"::tag =~ /^$district$/'
    return (
        Variable(
            name="district",
            title=text("Stadtbezirk", "District"),
            ask='SHOW TAG VALUES FROM "asset" WITH KEY = "district"',
        ),
        Variable(
            name="asset",
            title=text("Ort", "Place"),
            ask=f'SHOW TAG VALUES FROM "asset" WITH KEY = "asset" WHERE {of}{among}',
        ),
    )


def devices(*, everything: bool = True) -> Variable:
    """The variable of devices at the chosen places."""
    return Variable(
        name="device",
        title=text("Gerät", "Device"),
        ask=f'SHOW TAG VALUES FROM "link" WITH KEY = "dev_eui" WHERE {HERE}',
        source="internal",
        everything=everything,
    )

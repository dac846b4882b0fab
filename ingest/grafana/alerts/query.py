"""InfluxQL of alerts, which must answer with a figure while all is well: no answer counts as an alarm.

So what is only written in trouble stands beside a nought from what is always written. Grafana tells series apart by
their labels alone, and what a query is grouped by holds for the queries in it, too: so both are also grouped by a tag
that only one of them has, or that differs.
"""

from ingest.grafana.dashboards.query import over, rows

IN_FORCE = "\"kept\" = 'active'"


def nought(field: str, measurement: str, *where: str) -> str:
    """A nought named `n` while points of this field arrive."""
    return rows(f'0 * count("{field}") AS "n"', measurement, *where, by=(), here="")


def standing(channel: str, by: str, *, condition: str) -> str:
    """One named `n` for each device or gateway whose last event in force of this rule meets the condition."""
    last = rows(
        'last("id") AS "id", "status", "text_en"',
        "event",
        f"\"channel\"::tag = '{channel}'",
        IN_FORCE,
        by=(by,),
        here="",
    )
    return over('count("id") AS "n"', last, condition, by=(by,)).ask


def level(channel: str) -> str:
    """The level of the last alert in force at each place, named `n`; 0 once it has ended."""
    return rows(
        'last("alert_level") AS "n"',
        "event",
        f"\"channel\"::tag = '{channel}'",
        IN_FORCE,
        by=("asset",),
        here="",
    )


def together(*parts: str, by: tuple[str, ...]) -> str:
    """The sum of what the queries named `n`, for each value of the tags."""
    return over('sum("n") AS "value"', "), (".join(parts), by=by).ask

"""How the service itself fares, as points of the Influx measurement `service`: for those who run no Prometheus.

One point a minute with the fields of `Figures`, one for each sink under `channel` = its name with `backoff_s` (0 when
it takes) and `behind_rows` (rows of the journal that it has not taken). Counts are since the start: they begin at 0.
"""

from collections.abc import Mapping
from typing import NamedTuple

from decoders.quantity import Privacy
from ingest.journal_records import Size
from ingest.telemetry import Totals
from rules.point import Point

MEASUREMENT = "service"
EVERY_S = 60.0
"""Seconds between two points."""


class SinkFigures(NamedTuple):
    """How a sink fares: s until it is tried again, 0 when it takes, and the rows that wait for it."""

    backoff_s: float
    behind_rows: int


class Figures(NamedTuple):
    """What is known of the service at an instant; None for what is not known.

    `lag_s` is the newest network server time behind the clock, `chain_age_s` the time since a canary came round, and
    `chain_round_trip_s` how long it took; `journal_limit_bytes` is where it stops to acknowledge.
    """

    size: Size
    totals: Totals
    journal_limit_bytes: int
    lag_s: float | None
    uptime_s: float
    waiting: int
    problems: int
    broker_connected: bool
    chain_age_s: float | None
    chain_round_trip_s: float | None
    sinks: Mapping[str, SinkFigures]


def points(figures: Figures, now_ms: int) -> tuple[Point, ...]:
    """The points of an instant, for internal eyes."""
    whole = Point(MEASUREMENT, (), _fields(figures), now_ms, Privacy.INTERNAL)
    sinks = (
        Point(
            MEASUREMENT,
            (("channel", name),),
            (("backoff_s", sink.backoff_s), ("behind_rows", float(sink.behind_rows))),
            now_ms,
            Privacy.INTERNAL,
        )
        for name, sink in sorted(figures.sinks.items())
    )
    return (whole, *sinks)


def _fields(figures: Figures) -> tuple[tuple[str, float], ...]:
    size, totals = figures.size, figures.totals
    known: dict[str, float | None] = {
        "lag_s": figures.lag_s,
        "uptime_s": figures.uptime_s,
        "waiting": figures.waiting,
        "problems": figures.problems,
        "broker_connected": figures.broker_connected,
        "chain_age_s": figures.chain_age_s,
        "chain_round_trip_s": figures.chain_round_trip_s,
        "journal_bytes": size.bytes,
        "journal_share": size.bytes / figures.journal_limit_bytes,
        "journal_lines": size.lines,
        "journal_events": size.events,
        "kept_dead_letters": size.dead_letters,
        "uplinks": totals.uplinks,
        "stored": totals.stored,
        "duplicates": totals.duplicates,
        "dead_letters": totals.dead_letters,
        "events": totals.events,
    }
    reasons = {f"dead_letters_{reason}": count for reason, count in totals.reasons.items()}
    return tuple((name, float(value)) for name, value in (known | reasons).items() if value is not None)

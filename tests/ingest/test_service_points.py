"""The service's own figures as points."""

from decoders.quantity import Privacy
from ingest.journal_records import Size
from ingest.line_protocol import encode
from ingest.service_points import Figures, SinkFigures, points
from ingest.telemetry import Totals

NOW = 1_800_000_000_000
FIGURES = Figures(
    size=Size(bytes=500, points=7, lines=40, events=3, dead_letters=2),
    totals=Totals(uplinks=100, stored=90, duplicates=8, dead_letters=2, events=5, reasons={"decode": 2}),
    journal_limit_bytes=2000,
    lag_s=None,
    uptime_s=60.0,
    waiting=1,
    problems=0,
    broker_connected=True,
    chain_age_s=12.5,
    chain_round_trip_s=None,
    sinks={"sqlite": SinkFigures(0.0, 0), "influxdb": SinkFigures(2.5, 7)},
)


def test_what_is_known_is_told_as_floats() -> None:
    """One point with all figures but the unknown ones, for internal eyes; dead letters by reason, too."""
    whole, *_ = points(FIGURES, NOW)
    fields = dict(whole.fields)
    assert (whole.measurement, whole.tags, whole.time_ms, whole.privacy) == ("service", (), NOW, Privacy.INTERNAL)
    assert "lag_s" not in fields
    assert "chain_round_trip_s" not in fields
    assert fields["journal_share"] == 0.25
    assert fields["kept_dead_letters"] == 2
    assert fields["dead_letters_decode"] == 2
    assert fields["broker_connected"] == 1
    assert fields["stored"] == 90
    assert fields["problems"] == 0
    assert all(isinstance(value, float) for value in fields.values())


def test_each_sink_has_a_point() -> None:
    """By its name, in the order of names."""
    lines = [encode(point) for point in points(FIGURES, NOW)[1:]]
    assert lines == [
        f"service,channel=influxdb backoff_s=2.5,behind_rows=7.0 {NOW}",
        f"service,channel=sqlite backoff_s=0.0,behind_rows=0.0 {NOW}",
    ]

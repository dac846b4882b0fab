"""What the service says of itself: structured logs and Prometheus metrics."""

import logging
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ingest.clock import Clock, wall_clock
from ingest.journal_records import Size
from ingest.mqtt import Subscriber
from ingest.process import Outcome
from ingest.settings import TelemetrySettings

BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
PLANNING_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600)


def configure_logging(settings: TelemetrySettings) -> None:
    """Write logs to standard error: readable on a terminal, JSON elsewhere."""
    console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.log_level.upper())),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


@dataclass(slots=True)
class Totals:
    """Counts since the start, for the demo's table and for tests."""

    uplinks: int = 0
    stored: int = 0
    duplicates: int = 0
    dead_letters: int = 0
    events: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    """Dead letters by reason."""


class Telemetry:
    """The metrics of one service, in a registry of their own."""

    def __init__(self, clock: Clock = wall_clock) -> None:
        self.registry = CollectorRegistry()
        self.totals = Totals()
        self.sink_errors: dict[str, str] = {}
        r = self.registry
        self._messages = Counter("stadtfunk_messages", "Messages taken off the broker and committed", registry=r)
        self._stored = Counter("stadtfunk_uplinks_stored", "Uplinks whose readings are in the journal", registry=r)
        self._duplicates = Counter("stadtfunk_uplinks_duplicate", "Uplinks recognised as repeats", registry=r)
        self._dead_letters = Counter("stadtfunk_dead_letters", "Messages kept as dead letters", ["reason"], registry=r)
        self._decode_errors = Counter(
            "stadtfunk_decode_errors", "Payloads a codec could not read", ["codec"], registry=r
        )
        self._device_events = Counter("stadtfunk_device_events", "Events other than uplinks", ["event"], registry=r)
        self._rule_failures = Counter("stadtfunk_rule_failures", "Rules that raised", ["rule"], registry=r)
        self._events = Counter("stadtfunk_events", "Events by what became of them", ["status"], registry=r)
        self._downlinks = Counter(
            "stadtfunk_downlinks", "Downlinks by what they became, once for each", ["status"], registry=r
        )
        self._plans = Counter("stadtfunk_route_plans", "Plans of tours by what became of them", ["what"], registry=r)
        self._planning = Histogram("stadtfunk_route_planning_seconds", "One plan", buckets=PLANNING_S, registry=r)
        self._lines = Counter("stadtfunk_sink_lines", "Lines written", ["sink"], registry=r)
        self._rejected = Counter("stadtfunk_sink_rejected_lines", "Lines a sink refused for good", ["sink"], registry=r)
        self._backoff = Gauge(
            "stadtfunk_sink_backoff_seconds", "Current wait of a sink, 0 when it takes", ["sink"], registry=r
        )
        self._commit_failures = Counter(
            "stadtfunk_commit_failures", "Commits that did not hold", ["reason"], registry=r
        )
        self._batch = Histogram("stadtfunk_batch_messages", "Messages in a commit", buckets=BATCH_SIZES, registry=r)
        self._processing = Histogram(
            "stadtfunk_processing_seconds", "Parse, decode and rules of a batch", buckets=SECONDS, registry=r
        )
        self._commit = Histogram("stadtfunk_commit_seconds", "One commit with fsync", buckets=SECONDS, registry=r)
        self._journal_bytes = Gauge("stadtfunk_journal_bytes", "Bytes in use, WAL included", registry=r)
        self._journal_rows = Gauge("stadtfunk_journal_rows", "What waits in the journal", ["what"], registry=r)
        self._mqtt = Gauge(
            "stadtfunk_mqtt_messages", "Messages, connections and sessions since the start", ["what"], registry=r
        )
        self._connected = Gauge("stadtfunk_mqtt_connected", "1 while the broker connection stands", registry=r)
        self._newest_ns_ms = 0
        lag = Gauge("stadtfunk_lag_seconds", "Newest network server time behind the clock", registry=r)
        lag.set_function(lambda: (clock() - self._newest_ns_ms) / 1000 if self._newest_ns_ms else 0.0)

    def committed(self, outcome: Outcome, new: list[bool], processing_s: float, commit_s: float) -> None:
        """Count a batch whose commit returned; `new` says which dead letters were not known before."""
        batch, totals = outcome.batch, self.totals
        repeats = outcome.duplicates + new.count(False)
        self._messages.inc(batch.messages)
        self._stored.inc(outcome.stored)
        self._duplicates.inc(repeats)
        for letter, fresh in zip(batch.dead_letters, new, strict=True):
            if fresh:
                self._dead_letters.labels(letter.reason.value).inc()
                totals.reasons[letter.reason.value] = totals.reasons.get(letter.reason.value, 0) + 1
        for codec, count in outcome.decode_errors.items():
            self._decode_errors.labels(codec).inc(count)
        for name, count in outcome.events.items():
            self._device_events.labels(name).inc(count)
        for downlink in outcome.told:
            self.downlink(downlink.status)
        for failure in outcome.overlay.failures:
            self._rule_failures.labels(failure.rule).inc()
        if batch.messages:
            self._batch.observe(batch.messages)
            self._processing.observe(processing_s)
        self._commit.observe(commit_s)
        if batch.ns_time_ms:
            self._newest_ns_ms = max(self._newest_ns_ms, batch.ns_time_ms)
        totals.stored += outcome.stored
        totals.duplicates += repeats
        totals.dead_letters += new.count(True)
        totals.uplinks += outcome.stored + repeats + new.count(True)
        totals.events += len(batch.events)

    def journal_size(self, size: Size) -> None:
        """Show what waits in the journal."""
        self._journal_bytes.set(size.bytes)
        for name in ("points", "lines", "events", "dead_letters"):
            self._journal_rows.labels(name).set(getattr(size, name))

    def subscriber(self, subscriber: Subscriber) -> None:
        """Show how the connection to the broker fares."""
        for name, count in self.subscriber_counts(subscriber).items():
            self._mqtt.labels(name).set(count)
        self._connected.set(subscriber.connected)

    @staticmethod
    def subscriber_counts(subscriber: Subscriber) -> dict[str, int]:
        """Messages and connections since the start."""
        return subscriber.figures()

    def chain(self, age_s: Callable[[], float | None], round_trip_s: Callable[[], float | None]) -> None:
        """Show the newest complete round trip of the canary: its age and how long it took, NaN without one."""
        age = Gauge(
            "stadtfunk_chain_age_seconds", "Since the canary set out that last came round", registry=self.registry
        )
        age.set_function(partial(_known, age_s))
        trip = Gauge("stadtfunk_chain_round_trip_seconds", "Its newest complete round trip", registry=self.registry)
        trip.set_function(partial(_known, round_trip_s))

    def commit_failed(self, reason: str) -> None:
        """Count a commit that did not hold."""
        self._commit_failures.labels(reason).inc()

    def drained(self, sink: str, lines: int, rejected: int) -> None:
        """Count what a sink took."""
        self._lines.labels(sink).inc(lines - rejected)
        self._rejected.labels(sink).inc(rejected)

    def backing_off(self, sink: str, wait_s: float, reason: str) -> None:
        """Note that a sink waits, or (0 s) takes again."""
        self._backoff.labels(sink).set(wait_s)
        if wait_s:
            self.sink_errors[sink] = reason
        else:
            self.sink_errors.pop(sink, None)

    def backoff_s(self, sink: str) -> float:
        """The current wait of a sink, 0 when it takes."""
        return self.registry.get_sample_value("stadtfunk_sink_backoff_seconds", {"sink": sink}) or 0.0

    def downlink(self, status: str) -> None:
        """Count what became of a downlink."""
        self._downlinks.labels(status).inc()

    def planned(self, what: str, seconds: float | None = None) -> None:
        """Count a plan of tours, and how long it took."""
        self._plans.labels(what).inc()
        if seconds is not None:
            self._planning.observe(seconds)

    def event(self, status: str) -> None:
        """Count what became of an event."""
        self._events.labels(status).inc()


def _known(seconds: Callable[[], float | None]) -> float:
    found = seconds()
    return math.nan if found is None else found

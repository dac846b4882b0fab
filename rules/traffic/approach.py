"""How much traffic approaches: smoothed flows of detectors, summed over the lanes of an approach.

A detector with several devices is believed when these agree. An approach is known when each of its demand detectors has
told enough minutes of the window that ends with its newest interval, and that interval is fresh.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from rules.asset import Asset
from rules.rule import Observation
from rules.traffic.count import UNHEARD, USED, Heard, take
from rules.traffic.detector_config import DetectorConfig, Heading

MINUTE_MS = 60_000
USUAL_INTERVAL_MS = 300_000
"""The interval that the smoothing factor is meant for."""
MAX_SOURCES = 8
Gap: TypeAlias = Literal["no_news", "coverage", "contradicting", "not_measured"]


@dataclass(frozen=True, slots=True)
class FlowConfig:
    """Which detectors are heard, and when they are believed.

    smoothing     weight of a new interval of 5 minutes against what was known: 0.8; shorter ones weigh less
    window_min    minutes that coverage is taken over
    coverage      share of them that must have been measured: 0.6
    fresh_ms      how old the newest interval may be: 10 min
    """

    detectors: Mapping[str, DetectorConfig]
    smoothing: float
    window_min: int
    coverage: float
    fresh_ms: int


class Lane(NamedTuple):
    """A device of a detector: smoothed flow and speed, end of the newest interval used, and the minutes measured.

    Bit i of `minutes` is the minute i before that of `end_ms`.
    """

    heard: Heard
    flow_vph: float
    speed_kmh: float | None
    end_ms: int
    minutes: int


Lanes: TypeAlias = Mapping[str, Mapping[str, Lane]]
"""By detector and dev_eui."""


class Flow(NamedTuple):
    """What is known of an approach or detector; `gap` says why it cannot be used, None where it can.

    `coverage` is a share; `newest_ms` the end of the newest interval, of several detectors that of the oldest news.
    """

    flow_vph: float
    speed_kmh: float | None
    coverage: float
    newest_ms: int
    sources: tuple[str, ...]
    gap: Gap | None


NOT_MEASURED = Flow(0.0, None, 0.0, 0, (), "not_measured")


def flow_config(asset: Asset, detectors: Iterable[DetectorConfig]) -> FlowConfig:
    """How the asset wants flows to be believed; raises CityError."""
    return FlowConfig(
        detectors={detector.asset: detector for detector in detectors},
        smoothing=asset.number("smoothing", 0.8, low=0.05, high=1),
        window_min=asset.whole("coverage_window_min", 30, low=5, high=60),
        coverage=asset.number("min_coverage_percent", 60, low=1, high=100) / 100,
        fresh_ms=asset.whole("fresh_s", 600, low=60, high=1800) * 1000,
    )


def hear(config: FlowConfig, lanes: Lanes, given: Observation) -> Lanes:
    """The lanes after an uplink; the same object when it tells no interval."""
    detector = config.detectors.get(given.asset)
    if detector is None:
        return lanes
    devices = lanes.get(given.asset, {})
    before = devices.get(given.dev_eui)
    known = before.heard if before else UNHEARD
    heard, count = take(detector, known, given)
    if heard is known:
        return lanes
    lane = Lane(heard, *before[1:]) if before else Lane(heard, 0.0, None, 0, 0)
    if count is not None and count.quality in USED and count.end_ms - count.begin_ms <= config.window_min * MINUTE_MS:
        lane = _moved_on(config, lane, count.begin_ms, count.end_ms, count.flow_vph or 0.0, count.speed_kmh)
    return {**lanes, given.asset: {**devices, given.dev_eui: lane}}


def approaches(config: FlowConfig, lanes: Lanes, now_ms: int, *, role: str = "demand") -> dict[str, Flow]:
    """The flow of every approach, by name, from its detectors of that role."""
    parts: dict[str, list[Flow]] = {}
    for id_, detector in config.detectors.items():
        if detector.role == role:
            parts.setdefault(detector.approach, []).append(_detector(config, detector, lanes.get(id_, {}), now_ms))
    return {name: _summed(flows) for name, flows in parts.items()}


def headings(config: FlowConfig, found: Mapping[str, Flow]) -> dict[Heading, Flow]:
    """The flow towards and out of the city: that of the busiest approach which is known."""
    names: dict[Heading, set[str]] = {"inbound": set(), "outbound": set()}
    for detector in config.detectors.values():
        if detector.role == "demand" and detector.heading:
            names[detector.heading].add(detector.approach)
    return {heading: _busiest([found[name] for name in sorted(chosen)]) for heading, chosen in names.items()}


def _moved_on(
    config: FlowConfig, lane: Lane, begin_ms: int, end_ms: int, flow_vph: float, speed_kmh: float | None
) -> Lane:
    """The lane after another interval; a gap longer than the window starts the smoothing afresh."""
    span_min = max(1, round((end_ms - begin_ms) / MINUTE_MS))
    shift = end_ms // MINUTE_MS - lane.end_ms // MINUTE_MS
    kept = lane.minutes << shift if shift <= config.window_min else 0
    minutes = (kept | ((1 << span_min) - 1)) & ((1 << config.window_min) - 1)
    if lane.end_ms and shift <= config.window_min:
        weight = 1 - (1 - config.smoothing) ** ((end_ms - begin_ms) / USUAL_INTERVAL_MS)
        flow_vph = lane.flow_vph + weight * (flow_vph - lane.flow_vph)
    return Lane(lane.heard, round(flow_vph, 3), speed_kmh, end_ms, minutes)


def _detector(config: FlowConfig, detector: DetectorConfig, devices: Mapping[str, Lane], now_ms: int) -> Flow:
    fresh = {key: lane for key, lane in devices.items() if lane.end_ms and now_ms - lane.end_ms <= config.fresh_ms}
    chosen = fresh or {key: lane for key, lane in devices.items() if lane.end_ms}
    if not chosen:
        return NOT_MEASURED._replace(gap="no_news")
    flows = [lane.flow_vph for lane in chosen.values()]
    speeds = [lane.speed_kmh for lane in chosen.values() if lane.speed_kmh is not None]
    coverage = max(lane.minutes.bit_count() for lane in chosen.values()) / config.window_min
    gap: Gap | None = None
    if not fresh:
        gap = "no_news"
    elif coverage < config.coverage:
        gap = "coverage"
    elif detector.contradict(min(flows), max(flows)):
        gap = "contradicting"
    newest_ms = max(lane.end_ms for lane in chosen.values())
    speed_kmh = sum(speeds) / len(speeds) if speeds else None
    return Flow(sum(flows) / len(flows), speed_kmh, coverage, newest_ms, tuple(sorted(chosen)), gap)


def _summed(flows: list[Flow]) -> Flow:
    """Lanes side by side: flows add up, speeds are weighted by them, and one gap is everybody's."""
    weight = sum(flow.flow_vph for flow in flows if flow.speed_kmh is not None)
    speeds = sum(flow.flow_vph * flow.speed_kmh for flow in flows if flow.speed_kmh is not None)
    return Flow(
        sum(flow.flow_vph for flow in flows),
        speeds / weight if weight else None,
        min(flow.coverage for flow in flows),
        min(flow.newest_ms for flow in flows),
        tuple(source for flow in flows for source in flow.sources)[:MAX_SOURCES],
        next((flow.gap for flow in flows if flow.gap), None),
    )


def _busiest(flows: list[Flow]) -> Flow:
    known = [flow for flow in flows if flow.gap is None]
    return max(known or flows, key=lambda flow: flow.flow_vph, default=NOT_MEASURED)

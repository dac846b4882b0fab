"""How much traffic approaches: smoothed flows of detectors, summed over the lanes of an approach.

A detector with several devices is believed when these agree. An approach is known when each of its demand detectors has
told enough minutes of the window that ends with its newest interval, and that interval is fresh.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from rules.asset import Asset
from rules.layered import put
from rules.rule import Json, Observation
from rules.traffic.count import HOUR_MS, UNHEARD, USED, Count, Heard, new_tuple, take
from rules.traffic.detector_config import DetectorConfig, Heading

MINUTE_MS = 60_000
USUAL_INTERVAL_MS = 300_000
"""The interval that the smoothing factor is meant for."""
MAX_SOURCES = 8
Gap: TypeAlias = Literal["no_news", "coverage", "contradicting", "not_measured"]


@dataclass(frozen=True, slots=True)
class FlowConfig:
    """Which detectors are heard, and when they are believed; only those that measure demand are.

    smoothing     weight of a new interval of 5 minutes against what was known: 0.8; shorter ones weigh less
    window_min    minutes that coverage is taken over
    coverage      share of them that must have been measured: 0.6
    fresh_ms      how old the newest interval may be: 10 min
    approaches    demand detectors by the name of their approach; `headings` names the approaches of each direction
    """

    detectors: Mapping[str, DetectorConfig]
    smoothing: float
    window_min: int
    coverage: float
    fresh_ms: int
    approaches: tuple[tuple[str, tuple[DetectorConfig, ...]], ...] = field(repr=False)
    headings: tuple[tuple[Heading, tuple[str, ...]], ...] = field(repr=False)


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
NO_NEWS = NOT_MEASURED._replace(gap="no_news")
NO_LANES: Mapping[str, Lane] = {}


def flow_config(asset: Asset, detectors: Iterable[DetectorConfig]) -> FlowConfig:
    """How the asset wants flows to be believed; raises CityError."""
    by_id = {detector.asset: detector for detector in detectors if detector.role == "demand"}
    return FlowConfig(
        detectors=by_id,
        smoothing=asset.number("smoothing", 0.8, low=0.05, high=1),
        window_min=asset.whole("coverage_window_min", 30, low=5, high=60),
        coverage=asset.number("min_coverage_percent", 60, low=1, high=100) / 100,
        fresh_ms=asset.whole("fresh_s", 600, low=60, high=1800) * 1000,
        approaches=_approaches(by_id.values()),
        headings=_headings(by_id.values()),
    )


def _approaches(detectors: Iterable[DetectorConfig]) -> tuple[tuple[str, tuple[DetectorConfig, ...]], ...]:
    found: dict[str, list[DetectorConfig]] = {}
    for detector in detectors:
        found.setdefault(detector.approach, []).append(detector)
    return tuple((name, tuple(parts)) for name, parts in found.items())


def _headings(detectors: Iterable[DetectorConfig]) -> tuple[tuple[Heading, tuple[str, ...]], ...]:
    names: dict[Heading, set[str]] = {"inbound": set(), "outbound": set()}
    for detector in detectors:
        if detector.heading:
            names[detector.heading].add(detector.approach)
    return tuple((heading, tuple(sorted(chosen))) for heading, chosen in names.items())


def plain_lanes(devices: Mapping[str, Lane]) -> Json:
    """A detector's lanes as JSON."""
    return {dev_eui: (tuple(lane[0]), *lane[1:]) for dev_eui, lane in devices.items()}


def kept_lanes(config: FlowConfig, lanes: Lanes) -> dict[str, Mapping[str, Lane]]:
    """The lanes of the detectors that are heard."""
    return {id_: devices for id_, devices in lanes.items() if id_ in config.detectors}


def hear(config: FlowConfig, lanes: Lanes, given: Observation) -> Lanes:
    """The lanes after an uplink; the same object when it tells no interval."""
    detector = config.detectors.get(given.asset)
    if detector is None:
        return lanes
    devices = lanes.get(given.asset)
    before = devices.get(given.dev_eui) if devices else None
    known = before.heard if before else UNHEARD
    heard, count = take(detector, known, given)
    if heard is known:
        return lanes
    lane = _told(config, detector, before, given, (heard, count))
    return put(lanes, given.asset, {**devices, given.dev_eui: lane} if devices else {given.dev_eui: lane})


def _told(
    config: FlowConfig,
    detector: DetectorConfig,
    before: Lane | None,
    given: Observation,
    told: tuple[Heard, Count | None],
) -> Lane:
    """The lane after what was told; junction, group and corridor ask one after the other: the newest is remembered."""
    last = _newest[0]
    parameters = (config.smoothing, config.window_min)
    if last is not None and last[0] is given and last[1] is detector and last[2] == parameters and last[3] == before:
        return last[4]
    heard, count = told
    lane = new_tuple(Lane, (heard, *before[1:])) if before else Lane(heard, 0.0, None, 0, 0)
    if count is not None and count.quality in USED and count.end_ms - count.begin_ms <= config.window_min * MINUTE_MS:
        lane = _moved_on(config, lane, count)
    _newest[0] = (given, detector, parameters, before, lane)
    return lane


_newest: list[tuple[Observation, DetectorConfig, tuple[float, int], Lane | None, Lane] | None] = [None]


def approaches(config: FlowConfig, lanes: Lanes, now_ms: int) -> dict[str, Flow]:
    """The flow of every approach, by name, from its demand detectors."""
    found = {}
    for name, parts in config.approaches:
        if len(parts) == 1:
            flow = _detector(config, parts[0], lanes.get(parts[0].asset, NO_LANES), now_ms)
            flow_vph, speed_kmh, *rest = flow
            if speed_kmh is not None:
                speed_kmh = flow_vph * speed_kmh / flow_vph if flow_vph else None
            found[name] = new_tuple(Flow, (flow_vph, speed_kmh, *rest))
        else:
            found[name] = _summed([_detector(config, each, lanes.get(each.asset, NO_LANES), now_ms) for each in parts])
    return found


def headings(config: FlowConfig, found: Mapping[str, Flow]) -> dict[Heading, Flow]:
    """The flow towards and out of the city: that of the busiest approach which is known."""
    return {heading: _busiest([found[name] for name in names]) for heading, names in config.headings}


def _moved_on(config: FlowConfig, lane: Lane, count: Count) -> Lane:
    """The lane after another interval; a gap longer than the window starts the smoothing afresh."""
    begin_ms, end_ms, vehicles, speed_kmh, _, _ = count
    flow_vph = vehicles * HOUR_MS / (end_ms - begin_ms) if vehicles is not None else 0.0
    span_min = max(1, round((end_ms - begin_ms) / MINUTE_MS))
    shift = end_ms // MINUTE_MS - lane.end_ms // MINUTE_MS
    kept = lane.minutes << shift if shift <= config.window_min else 0
    minutes = (kept | ((1 << span_min) - 1)) & ((1 << config.window_min) - 1)
    if lane.end_ms and shift <= config.window_min:
        weight = 1 - (1 - config.smoothing) ** ((end_ms - begin_ms) / USUAL_INTERVAL_MS)
        flow_vph = lane.flow_vph + weight * (flow_vph - lane.flow_vph)
    return new_tuple(Lane, (lane.heard, round(flow_vph, 3), speed_kmh, end_ms, minutes))


def _detector(config: FlowConfig, detector: DetectorConfig, devices: Mapping[str, Lane], now_ms: int) -> Flow:
    if len(devices) == 1:
        ((source, lane),) = devices.items()
        if not lane.end_ms:
            return NO_NEWS
        return _of_lane(config, lane, (source,), now_ms)
    fresh = {key: lane for key, lane in devices.items() if lane.end_ms and now_ms - lane.end_ms <= config.fresh_ms}
    chosen = fresh or {key: lane for key, lane in devices.items() if lane.end_ms}
    if not chosen:
        return NO_NEWS
    flows = [lane.flow_vph for lane in chosen.values()]
    speeds = [lane.speed_kmh for lane in chosen.values() if lane.speed_kmh is not None]
    newest = Lane(
        UNHEARD,
        sum(flows) / len(flows),
        sum(speeds) / len(speeds) if speeds else None,
        max(lane.end_ms for lane in chosen.values()),
        max((lane.minutes for lane in chosen.values()), key=int.bit_count),
    )
    flow = _of_lane(config, newest, tuple(sorted(chosen))[:MAX_SOURCES], now_ms)
    if flow.gap is None and detector.contradict(min(flows), max(flows)):
        return flow._replace(gap="contradicting")
    return flow


def _of_lane(config: FlowConfig, lane: Lane, sources: tuple[str, ...], now_ms: int) -> Flow:
    _, flow_vph, speed_kmh, end_ms, minutes = lane
    coverage = minutes.bit_count() / config.window_min
    gap: Gap | None = None
    if now_ms - end_ms > config.fresh_ms:
        gap = "no_news"
    elif coverage < config.coverage:
        gap = "coverage"
    return new_tuple(Flow, (flow_vph, speed_kmh, coverage, end_ms, sources, gap))


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

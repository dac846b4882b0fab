"""Flow and mean speed of every approach of a junction, as points; once a minute while its detectors are heard."""

from dataclasses import dataclass
from typing import NamedTuple

from pydantic import TypeAdapter

from rules.asset import Asset
from rules.point import Point
from rules.rule import NOTHING, Input, Json, Observation, Outputs, Rule
from rules.traffic.approach import FlowConfig, Lanes, approaches, flow_config, hear, kept_lanes, plain_lanes
from rules.traffic.count import new_tuple
from rules.traffic.detector_config import configure as configure_detector
from rules.traffic.link import linked, members

ID = "traffic.approach_flow"
VERSION = 1
EVERY_MS = 60_000


@dataclass(frozen=True, slots=True)
class JunctionConfig:
    """The parameters of a junction's flows."""

    flow: FlowConfig
    tags: tuple[tuple[str, str], ...]
    position: tuple[tuple[str, float], ...]


class Junction(NamedTuple):
    """The lanes heard, when flows are told next (0: not before something is heard), and the newest interval told."""

    lanes: Lanes
    next_ms: int
    told_ms: int


STATE = TypeAdapter(Junction)


def configure(asset: Asset) -> JunctionConfig:
    """The parameters of this junction; raises CityError."""
    detectors = [configure_detector(detector) for detector in linked(asset).detectors]
    return JunctionConfig(flow_config(asset, detectors), asset.tags, asset.position)


def initial(_config: JunctionConfig) -> Junction:
    """A junction from which nothing was heard yet."""
    return Junction({}, 0, 0)


def step(config: JunctionConfig, junction: Junction, given: Input) -> tuple[Junction, Outputs]:
    """Take an interval in, or tell the flows that changed since they were told."""
    if isinstance(given, Observation):
        lanes = hear(config.flow, junction.lanes, given)
        if lanes is junction.lanes:
            return junction, NOTHING
        next_ms = junction.next_ms or given.now_ms + EVERY_MS
        return new_tuple(Junction, (lanes, next_ms, junction.told_ms)), NOTHING
    if not junction.next_ms or given.now_ms < junction.next_ms:
        return junction, NOTHING
    newest_ms = max((lane.end_ms for lanes in junction.lanes.values() for lane in lanes.values()), default=0)
    told = Junction(junction.lanes, 0, newest_ms)
    return told, NOTHING if newest_ms <= junction.told_ms else Outputs((), _points(config, junction, given.now_ms))


def wake(_config: JunctionConfig, junction: Junction) -> int | None:
    """A minute after something was heard."""
    return junction.next_ms or None


def dump(junction: Junction) -> Json:
    """The state as JSON."""
    lanes, next_ms, told_ms = junction
    flat = {id_: plain_lanes(devices) for id_, devices in lanes.items()}
    return {"lanes": flat, "next_ms": next_ms, "told_ms": told_ms}


def load(config: JunctionConfig, version: int, kept: Json) -> Junction | None:
    """The state from JSON; None when another version of the rule wrote it."""
    if version != VERSION:
        return None
    junction = STATE.validate_python(kept)
    return junction._replace(lanes=kept_lanes(config.flow, junction.lanes))


def _points(config: JunctionConfig, junction: Junction, now_ms: int) -> tuple[Point, ...]:
    points = []
    for name, flow in approaches(config.flow, junction.lanes, now_ms).items():
        if flow.gap is not None:
            continue
        fields = (*config.position, ("flow", round(flow.flow_vph, 1)), ("coverage", round(flow.coverage, 3)))
        if flow.speed_kmh is not None:
            fields = (*fields, ("vehicle_speed", round(flow.speed_kmh, 1)))
        points.append(Point("asset", (*config.tags, ("channel", name)), fields, flow.newest_ms))
    return tuple(points)


RULE = Rule(
    id=ID,
    version=VERSION,
    kind="junction",
    configure=configure,
    initial=initial,
    step=step,
    wake=wake,
    dump=dump,
    load=load,
    doubtful=True,
    members=members,
)

"""The parameters of a control group's plan choice, and why a group is refused."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, cast, get_args

from rules.asset import Asset, CityError
from rules.traffic.approach import FlowConfig, flow_config
from rules.traffic.control import ControlConfig, control_config
from rules.traffic.detector_config import DetectorConfig, Heading, word
from rules.traffic.detector_config import configure as configure_detector
from rules.traffic.link import linked
from rules.traffic.schedule import Schedule, schedule

Mode: TypeAlias = Literal["override", "responsive", "schedule"]
Side: TypeAlias = Literal["inbound", "outbound", "balanced"]
HEADINGS: tuple[Heading, ...] = get_args(Heading)
SATURATION_VPH = 2000.0
"""Vehicles an hour and lane at green: 1.8 s each (HBS 2015)."""
UTILISATION = 0.85
"""Share of its capacity up to which a plan is meant to serve: the usual degree of saturation in design."""
MAX_INTERVAL_MS = 300_000
"""Counts of longer intervals make plan choice worse than no choice (15 min instead of 5: 20 % more delay)."""
MIN_DEVICES = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """A signal plan: its load level, the direction it favours, and the flow (veh/h) that it serves by direction."""

    number: str
    name: str
    level: int
    side: Side
    serves: Mapping[Heading, float]


@dataclass(frozen=True, slots=True)
class PlanConfig:
    """The parameters of a control group.

    mode          override: the plan of the time of day, another one only where traffic is heavier or the other way
    hysteresis    veh/h around what a plan serves: 100
    share         of the busier direction from which on it is favoured: 0.60, ± `share_band` 0.04
    least_vph     flow of both directions below which no direction is favoured
    refused       why plans are never asked for; empty where they are
    """

    asset: str
    name: str
    mode: Mode
    plans: Mapping[str, Plan]
    schedule: Schedule
    flow: FlowConfig
    control: ControlConfig
    hysteresis_vph: float
    share: float
    share_band: float
    least_vph: float
    junctions: tuple[str, ...]
    refused: tuple[str, ...]
    tags: tuple[tuple[str, str], ...]
    position: tuple[tuple[str, float], ...]


def configure(asset: Asset) -> PlanConfig:
    """The parameters of this control group: what cannot be read is a CityError, what cannot be trusted is refused."""
    detectors = [configure_detector(detector) for detector in linked(asset).detectors]
    plans = _plans(asset)
    table = schedule(asset)
    return PlanConfig(
        asset=asset.id,
        name=asset.name,
        mode=cast("Mode", word(asset, "mode", get_args(Mode)) or "override"),
        plans=plans,
        schedule=table,
        flow=flow_config(asset, detectors),
        control=control_config(asset),
        hysteresis_vph=asset.number("hysteresis_vehicles_per_hour", 100, low=0, high=2000),
        share=asset.number("directional_share", 0.6, low=0.5, high=0.95),
        share_band=asset.number("directional_share_hysteresis", 0.04, low=0, high=0.2),
        least_vph=asset.number("directional_from_vehicles_per_hour", 300, low=0, high=10_000),
        junctions=tuple(junction.id for junction in linked(asset).junctions),
        refused=(*_refused_plans(asset, plans, table), *refused_detectors(asset, detectors)),
        tags=asset.tags,
        position=asset.position,
    )


def refused_detectors(asset: Asset, detectors: Iterable[DetectorConfig]) -> list[str]:
    """Why the detectors cannot carry a choice between directions."""
    demand = [detector for detector in detectors if detector.role == "demand"]
    least_m = asset.number("min_demand_distance_m", 50, low=0, high=1000)
    reasons = []
    for heading in HEADINGS:
        upstream = [
            detector
            for detector in demand
            if detector.heading == heading and detector.distance_m is not None and detector.distance_m >= least_m
        ]
        if not upstream:
            reasons.append(f"no demand detector {heading}, at least {least_m:g} m upstream of its stop line")
    for detector in demand:
        if detector.interval_ms > MAX_INTERVAL_MS:
            reasons.append(
                f"detector {detector.asset} counts every {detector.interval_ms / 60_000:g} min, 5 at most are of use"
            )
        if detector.heading and (detector.distance_m is None or detector.distance_m < least_m):
            reasons.append(f"demand detector {detector.asset} does not lie upstream: its distance_m is {_m(detector)}")
    sides = {(detector.approach, detector.heading) for detector in demand if detector.heading}
    names = [name for name, _ in sides]
    twice = sorted({name for name in names if names.count(name) > 1})
    reasons += [f"approach {name} has demand detectors of both directions" for name in twice]
    devices = {device for detector in demand for device in detector.devices}
    if len(devices) < MIN_DEVICES:
        reasons.append(f"fed by {len(devices)} device(s), {MIN_DEVICES} are the least")
    return reasons


def numbers_of(asset: Asset, name: str) -> frozenset[str]:
    """The plan numbers that a junction or group lists; raises CityError."""
    value = asset.properties.get(name, [])
    if not isinstance(value, list) or any(isinstance(each, bool) or not isinstance(each, str | int) for each in value):
        raise asset.error(name, value, "a list of plan numbers")
    return frozenset(map(str, value))


def _m(detector: DetectorConfig) -> str:
    return "missing" if detector.distance_m is None else f"{detector.distance_m:g} m"


def _refused_plans(asset: Asset, plans: Mapping[str, Plan], table: Schedule) -> list[str]:
    found = linked(asset)
    reasons = []
    if not plans:
        reasons.append("no plans")
    if not found.junctions:
        reasons.append("no junctions")
    if found.above:
        reasons.append(f"corridor {', '.join(found.above)} decides: a group has one arbiter")
    foreign = sorted({entry.plan for entry in table.entries} - plans.keys())
    reasons += [f"its schedule names plan {number}, which is not among its plans" for number in foreign]
    for junction in found.junctions:
        missing = sorted(plans.keys() - numbers_of(junction, "plans"))
        if missing:
            reasons.append(f"junction {junction.id} lacks plan {', '.join(missing)}")
        others = [group for group in linked(junction).above if group != asset.id]
        if others:
            reasons.append(f"junction {junction.id} is in group {', '.join(others)}, too")
    return reasons


def _plans(asset: Asset) -> dict[str, Plan]:
    value = asset.properties.get("plans", [])
    if not isinstance(value, list):
        raise asset.error("plans", value, "a list of plans with `number`")
    plans = [_plan(asset, each) for each in value]
    if len({plan.number for plan in plans}) != len(plans):
        raise asset.error("plans", [plan.number for plan in plans], "each number once")
    return {plan.number: plan for plan in plans}


def _plan(asset: Asset, value: object) -> Plan:
    if not isinstance(value, Mapping) or isinstance(value.get("number"), bool):
        raise asset.error("plans", value, "an object with `number`")
    number = value.get("number")
    if not isinstance(number, str | int) or not str(number):
        raise asset.error("plans", value, "an object with `number`")
    part = replace(asset, id=f"{asset.id}, plan {number}", properties=value)
    return Plan(
        number=str(number),
        name=str(value.get("name", number)),
        level=part.whole("level", 1, low=0, high=9),
        side=cast("Side", word(part, "favours", get_args(Side)) or "balanced"),
        serves={heading: _serves(part, heading) for heading in HEADINGS},
    )


def _serves(plan: Asset, heading: Heading) -> float:
    """The flow that the plan serves: said, or green / cycle · saturation flow · lanes · utilisation."""
    said = plan.number(f"serves_{heading}", low=1, high=20_000)
    if said is not None:
        return said
    green_s, cycle_s = plan.number(f"green_{heading}_s", low=1, high=200), plan.number("cycle_s", low=20, high=200)
    if green_s is None or cycle_s is None or green_s >= cycle_s:
        raise CityError(
            f"feature {plan.id!r}: neither serves_{heading} (vehicles an hour) nor green_{heading}_s below cycle_s is "
            "there, expected one of them"
        )
    saturation = plan.number("saturation_vehicles_per_hour", SATURATION_VPH, low=500, high=3000)
    utilisation = plan.number("utilisation", UTILISATION, low=0.1, high=1)
    lanes = plan.whole(f"lanes_{heading}", 1, low=1, high=8)
    return green_s / cycle_s * saturation * lanes * utilisation

"""The parameters of a corridor's green wave, and why one or all of its programmes cannot be asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from rules.asset import Asset
from rules.event_traffic import Programme
from rules.traffic.approach import FlowConfig, flow_config
from rules.traffic.control import ControlConfig, control_config
from rules.traffic.detector_config import configure as configure_detector
from rules.traffic.link import linked
from rules.traffic.plan_config import Side, numbers_of, refused_detectors

SIDES: tuple[Side, ...] = get_args(Side)


@dataclass(frozen=True, slots=True)
class Coordination:
    """A coordination programme: the plan of every group, and its progression speed where that is known."""

    plans: Mapping[str, str]
    speed_kmh: float | None


@dataclass(frozen=True, slots=True)
class WaveConfig:
    """The parameters of a corridor.

    programmes      those that all groups and junctions have; `lacking` says why the others are not there
    share           of the busier direction from which on it is favoured: 0.60, ± `share_band` 0.04
    off_below_vph   flow of both directions below which coordination is of no use: 300, ± `hysteresis_vph` 100
    refused         why nothing is ever asked for
    """

    asset: str
    name: str
    programmes: Mapping[Side, Coordination]
    lacking: tuple[str, ...]
    flow: FlowConfig
    control: ControlConfig
    share: float
    share_band: float
    off_below_vph: float
    hysteresis_vph: float
    refused: tuple[str, ...]
    tags: tuple[tuple[str, str], ...]
    position: tuple[tuple[str, float], ...]

    def programme(self, wanted: Programme) -> Programme:
        """The wanted programme, the balanced one where it is lacking, off where that is lacking, too."""
        if wanted == "off" or wanted in self.programmes:
            return wanted
        return "balanced" if "balanced" in self.programmes else "off"


def configure(asset: Asset) -> WaveConfig:
    """The parameters of this corridor; raises CityError."""
    detectors = [configure_detector(detector) for detector in linked(asset).detectors]
    programmes, lacking = _programmes(asset)
    return WaveConfig(
        asset=asset.id,
        name=asset.name,
        programmes=programmes,
        lacking=tuple(lacking),
        flow=flow_config(asset, detectors),
        control=control_config(asset),
        share=asset.number("directional_share", 0.6, low=0.5, high=0.95),
        share_band=asset.number("directional_share_hysteresis", 0.04, low=0, high=0.2),
        off_below_vph=asset.number("off_below_vehicles_per_hour", 300, low=0, high=10_000),
        hysteresis_vph=asset.number("hysteresis_vehicles_per_hour", 100, low=0, high=2000),
        refused=(*_refused(asset, programmes, lacking), *refused_detectors(asset, detectors)),
        tags=asset.tags,
        position=asset.position,
    )


def _refused(asset: Asset, programmes: Mapping[Side, Coordination], lacking: list[str]) -> list[str]:
    reasons = []
    if not programmes:
        reasons += lacking or ["no coordination programmes"]
    found = linked(asset)
    if not found.groups:
        reasons.append("no control groups")
    for group in found.groups:
        others = [corridor for corridor in linked(group).above if corridor != asset.id]
        if others:
            reasons.append(f"control group {group.id} is in corridor {', '.join(others)}, too")
    return reasons


def _programmes(asset: Asset) -> tuple[dict[Side, Coordination], list[str]]:
    value = asset.properties.get("programmes", {})
    if not isinstance(value, Mapping) or not set(value) <= set(SIDES):
        raise asset.error("programmes", value, f"an object whose names are among {', '.join(SIDES)}")
    found: dict[Side, Coordination] = {}
    lacking: list[str] = []
    for side in SIDES:
        if side in value:
            programme = _coordination(asset, side, value[side])
            reasons = _lacking(asset, programme)
            lacking += [f"programme {side}: {reason}" for reason in reasons]
            if not reasons:
                found[side] = programme
    return found, lacking


def _coordination(asset: Asset, side: str, value: object) -> Coordination:
    plans = value.get("plans") if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or not isinstance(plans, Mapping):
        raise asset.error(f"programmes.{side}", value, 'an object like {"plans": {"group-a": 3}, "speed_kmh": 45}')
    speed_kmh = value.get("speed_kmh")
    if speed_kmh is not None and (isinstance(speed_kmh, bool) or not isinstance(speed_kmh, int | float)):
        raise asset.error(f"programmes.{side}.speed_kmh", speed_kmh, "a number")
    return Coordination({str(group): str(plan) for group, plan in plans.items()}, speed_kmh)


def _lacking(asset: Asset, programme: Coordination) -> list[str]:
    """Why not every member can run the programme: all of them or none."""
    reasons = []
    for group in linked(asset).groups:
        number = programme.plans.get(group.id)
        if number is None:
            reasons.append(f"control group {group.id} has no plan in it")
            continue
        junctions = linked(group).junctions
        lacking = [junction.id for junction in junctions if number not in numbers_of(junction, "plans")]
        reasons += [f"junction {junction} lacks plan {number}" for junction in lacking]
    foreign = sorted(programme.plans.keys() - {group.id for group in linked(asset).groups})
    return [*reasons, *(f"{group} is no control group of the corridor" for group in foreign)]

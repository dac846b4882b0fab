"""The parameters of a corridor's bus priority policy."""

from dataclasses import dataclass

from rules.asset import Asset
from rules.traffic.approach import FlowConfig, flow_config
from rules.traffic.control import ControlConfig, control_config
from rules.traffic.detector_config import configure as configure_detector
from rules.traffic.link import linked
from rules.traffic.plan_config import refused_detectors
from rules.traffic.timetable import Timetable, stops_of, timetable_of

NO_TIMETABLE = "no timetable: bus priority stays off until a GTFS feed is given"


@dataclass(frozen=True, slots=True)
class BusConfig:
    """The parameters of a corridor.

    capacity_vph        of one direction
    conditional_load    flow / capacity from which on only late buses get priority: 0.60
    restricted_load     from which on none gets it at others' cost: 0.85, the usual degree of saturation in design
    load_band           hysteresis of both: ± 0.05
    many_buses          an hour, from which on full priority would never end: 30
    horizon_ms          how far ahead buses are looked for: 1 h

    All are judgement but the second limit; a city sets them with its bus company.
    """

    asset: str
    name: str
    wanted: bool
    timetable: Timetable | None
    flow: FlowConfig
    control: ControlConfig
    capacity_vph: float
    conditional_load: float
    restricted_load: float
    load_band: float
    many_buses: float
    horizon_ms: int
    refused: tuple[str, ...]
    tags: tuple[tuple[str, str], ...]
    position: tuple[tuple[str, float], ...]


def configure(asset: Asset) -> BusConfig:
    """The parameters of this corridor; raises CityError. Without `bus_stops` no policy is wanted."""
    detectors = [configure_detector(detector) for detector in linked(asset).detectors]
    wanted = bool(stops_of(asset))
    capacity_vph = asset.number("capacity_vehicles_per_hour", low=100, high=20_000)
    conditional = asset.number("conditional_load", 0.6, low=0, high=2)
    restricted = asset.number("restricted_load", 0.85, low=0, high=2)
    band = asset.number("load_hysteresis", 0.05, low=0, high=0.3)
    if conditional + band >= restricted - band:
        raise asset.error("restricted_load", restricted, f"more than conditional_load ({conditional:g}) and hysteresis")
    reasons = []
    if timetable_of(asset) is None:
        reasons.append(NO_TIMETABLE)
    if capacity_vph is None:
        reasons.append("no capacity_vehicles_per_hour: its load is not known")
    return BusConfig(
        asset=asset.id,
        name=asset.name,
        wanted=wanted,
        timetable=timetable_of(asset),
        flow=flow_config(asset, detectors),
        control=control_config(asset),
        capacity_vph=capacity_vph or 1.0,
        conditional_load=conditional,
        restricted_load=restricted,
        load_band=band,
        many_buses=asset.number("many_buses_per_hour", 30, low=1, high=600),
        horizon_ms=asset.whole("bus_horizon_s", 3600, low=300, high=14_400) * 1000,
        refused=(*reasons, *refused_detectors(asset, detectors)) if wanted else ("no bus_stops",),
        tags=asset.tags,
        position=asset.position,
    )

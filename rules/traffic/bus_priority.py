"""How much priority buses of a corridor should get: by its load, and by whether buses come at all.

`full` while the road has room, `conditional` (late buses only) when it fills, `restricted` when it is full, `off` while
the timetable has no bus within the horizon. Less priority comes at once, more after the dwell time. The single bus is
the business of bus and controller. Without a timetable the rule stays off; `BusConfig.refused` says so. Before the
first and after the last day of the timetable nothing is asked for.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, cast

from rules.event import SOURCE_ROOT, event_id, instant
from rules.event_traffic import BusPriorityPolicy, PriorityLevel
from rules.point import Point
from rules.rule import Input, Json, Outputs, Rule
from rules.traffic import evidence, steered
from rules.traffic.bus_config import BusConfig, configure
from rules.traffic.control import Control, blocked
from rules.traffic.control import known as known_level
from rules.traffic.link import members
from rules.traffic.steered import Flows, Steer, Steered, stepping

ID: Final = "traffic.bus_priority"
VERSION: Final = 1
SOURCE = f"{SOURCE_ROOT}/{ID}"
HOUR_MS = 3_600_000
ORDER: tuple[PriorityLevel, ...] = ("off", "restricted", "conditional", "full")
"""From the least priority to the most."""
NAMES: Mapping[PriorityLevel, tuple[str, str]] = {
    "off": ("kein Bus fährt, keine Bevorrechtigung", "no bus is due, no priority"),
    "restricted": ("nur ohne Nachteil für andere", "only where it costs nobody"),
    "conditional": ("nur verspätete Busse", "late buses only"),
    "full": ("alle Busse", "all buses"),
}


class Choice(NamedTuple):
    """What was decided, and on what; `ask` is None where nothing is asked for."""

    level: PriorityLevel | None
    ask: PriorityLevel | None
    why: str
    load: float
    buses_per_hour: float


def step(config: BusConfig, bus: Steered, given: Input) -> tuple[Steered, Outputs]:
    """Take in what detectors and controllers say; decide once a minute."""
    return stepping(config, bus, given, STEER)


def load(config: BusConfig, version: int, kept: Json) -> Steered | None:
    """The state from JSON; None when another version of the rule wrote it."""
    return steered.load(config, kept) if version == VERSION else None


def level(config: BusConfig, before: PriorityLevel, load_: float, buses_per_hour: float) -> PriorityLevel:
    """The level that load and timetable want; a limit once passed is left by the hysteresis below it."""
    if buses_per_hour <= 0:
        return "off"
    band = config.load_band
    if load_ > config.restricted_load + (-band if before == "restricted" else band):
        return "restricted"
    if load_ > config.conditional_load + (-band if before in {"restricted", "conditional"} else band):
        return "conditional"
    return "conditional" if buses_per_hour >= config.many_buses else "full"


def permits(config: BusConfig, _data: Mapping[str, Any]) -> bool:
    """Whether a policy may be outside: the corridor is decided about."""
    return not config.refused


def _choose(config: BusConfig, control: Control, flows: Flows, now_ms: int) -> Choice:
    gap = next((flow.gap for flow in flows.values() if flow.gap), None)
    running = control.reported or known_level(control) or "off"
    if gap or running not in ORDER or config.timetable is None:
        return Choice(None, None, gap or "foreign_level", 0.0, 0.0)
    before = running
    load_ = max(flow.flow_vph for flow in flows.values()) / config.capacity_vph
    buses = config.timetable.buses(now_ms, now_ms + config.horizon_ms) * HOUR_MS / config.horizon_ms
    if not buses and not config.timetable.knows(now_ms):
        return Choice(None, None, "no_timetable", load_, buses)
    found = level(config, before, load_, buses)
    if found == "off" and known_level(control) in {None, "off"}:
        return Choice(found, None, "steady", load_, buses)
    slow = ORDER.index(found) > ORDER.index(before) and before != "off"
    why = blocked(config.control, control, found, now_ms, slow=slow)
    if why is None:
        return Choice(found, found, "steady" if found == before else "asked", load_, buses)
    keeps = why in {"dwell", "too_many_switches"} and control.asked is not None and control.asked.programme != "off"
    ask = cast("PriorityLevel", control.asked.programme) if keeps and control.asked else None
    return Choice(found, ask, why, load_, buses)


def _event(config: BusConfig, control: Control, flows: Flows, choice: Choice, given: Input) -> BusPriorityPolicy:
    now_ms, asked = given.now_ms, choice.ask or "off"
    german, english = NAMES[asked]
    busiest = max(flows.values(), key=lambda flow: flow.flow_vph)
    limit = config.restricted_load if asked == "restricted" else config.conditional_load
    found = evidence.flow(
        config.flow,
        busiest,
        now_ms,
        threshold=limit * config.capacity_vph,
        hysteresis=round(config.load_band * config.capacity_vph, 1),
    )
    return BusPriorityPolicy.model_validate(
        {
            "id": event_id(ID, config.asset, "policy", given.cause),
            "source": SOURCE,
            "subject": config.asset,
            "time": instant(now_ms),
            "data": {
                "rule": ID,
                "rule_version": VERSION,
                "issued_at": instant(now_ms),
                "valid_until": instant(now_ms + config.control.validity_ms),
                "evidence": (found,),
                "level": asked,
                "reported": control.reported,
                "buses_per_hour": round(choice.buses_per_hour, 2),
                "load": round(choice.load, 3),
                "text_de": f"{config.name}: Busbevorrechtigung: {german}.",
                "text_en": f"{config.name}: bus priority: {english}.",
            },
        }
    )


def _point(config: BusConfig, _control: Control, _flows: Flows, choice: Choice, now_ms: int) -> Point | None:
    if choice.level is None:
        return None
    fields = (
        *config.position,
        ("priority_wanted", float(ORDER.index(choice.level))),
        ("load", round(choice.load, 3)),
        ("buses_per_hour", round(choice.buses_per_hour, 2)),
    )
    return Point("asset", (*config.tags, ("channel", "bus_priority")), fields, now_ms)


STEER = Steer(rule=(ID, VERSION), choose=_choose, asks=lambda choice: choice.ask, event=_event, point=_point)
RULE = Rule(
    id=ID,
    version=VERSION,
    kind="corridor",
    configure=configure,
    initial=steered.initial,
    step=step,
    wake=steered.wake,
    dump=steered.dump,
    load=load,
    doubtful=True,
    members=members,
    answers="bus-priority",
    permits=permits,
)

"""Which signal plan a control group should run: responsive to traffic, or only where the time of day's is not enough.

Decisions are made once a minute, on flows that are fresh and complete enough in both directions; else nothing is asked
for and controllers fall back to their local schedules when the last request is over. The group is the unit: one plan
number for all its junctions. A group whose file cannot be trusted is refused (`PlanConfig.refused`) and stays silent.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from rules.event import SOURCE_ROOT, event_id, instant
from rules.event_traffic import SignalPlanRequested
from rules.point import Point
from rules.rule import Input, Json, Outputs, Rule
from rules.traffic import evidence, steered
from rules.traffic.approach import Flow
from rules.traffic.control import Control, blocked
from rules.traffic.link import members
from rules.traffic.plan_config import Plan, PlanConfig, configure
from rules.traffic.plan_target import Load, is_slow, overriding, target
from rules.traffic.steered import Flows, Steer, Steered, stepping

ID: Final = "traffic.signal_plan"
VERSION: Final = 1
SOURCE = f"{SOURCE_ROOT}/{ID}"
WHY_CODES: Mapping[str, float] = {
    "asked": 0.0,
    "steady": 1.0,
    "scheduled": 2.0,
    "dwell": 3.0,
    "too_many_switches": 4.0,
    "rejected": 5.0,
    "overridden": 6.0,
    "foreign_plan": 7.0,
    "no_news": 8.0,
    "coverage": 9.0,
    "contradicting": 10.0,
    "not_measured": 11.0,
}


class Choice(NamedTuple):
    """What was decided: the plan to ask for (None: nothing), or why not; with the plan that it was decided from."""

    current: Plan | None
    wanted: Plan | None
    ask: Plan | None
    why: str
    scheduled: Plan | None


def step(config: PlanConfig, group: Steered, given: Input) -> tuple[Steered, Outputs]:
    """Take in what detectors and controllers say; decide once a minute."""
    return stepping(config, group, given, STEER)


def load(config: PlanConfig, version: int, kept: Json) -> Steered | None:
    """The state from JSON; None when another version of the rule wrote it."""
    return steered.load(config, kept) if version == VERSION else None


def permits(config: PlanConfig, data: Mapping[str, Any]) -> bool:
    """Whether a request may be outside: the group is decided about, has the plan, and all its junctions are asked."""
    if config.refused or config.mode == "schedule":
        return False
    return data.get("plan") in config.plans and data.get("junctions") == [*config.junctions]


def _choose(config: PlanConfig, control: Control, flows: Flows, now_ms: int) -> Choice:
    scheduled = config.plans.get(config.schedule.plan_at(now_ms) or "")
    running = control.reported or (control.asked.programme if control.asked else None)
    current = config.plans.get(running) if running else scheduled or _usual(config)
    gap = next((flow.gap for flow in flows.values() if flow.gap), None)
    if gap or current is None:
        return Choice(current, None, None, gap or "foreign_plan", scheduled)
    wanted = target(config, current, Load(flows["inbound"].flow_vph, flows["outbound"].flow_vph))
    if config.mode == "schedule":
        return Choice(current, wanted, None, "scheduled", scheduled)
    if config.mode == "override" and scheduled is not None:
        wanted = overriding(scheduled, wanted)
        ours = control.asked is not None and control.asked.programme != scheduled.number
        if wanted is scheduled and not ours:
            return Choice(current, wanted, None, "scheduled", scheduled)
    why = blocked(config.control, control, wanted.number, now_ms, slow=is_slow(current, wanted))
    if why is None:
        return Choice(current, wanted, wanted, "steady" if wanted is current else "asked", scheduled)
    keeps = why in {"dwell", "too_many_switches"} and control.asked is not None
    ask = config.plans.get(control.asked.programme) if keeps and control.asked else None
    return Choice(current, wanted, ask, why, scheduled)


def _usual(config: PlanConfig) -> Plan:
    """The plan to begin with where nothing is known: of the lowest level, balanced."""
    return min(config.plans.values(), key=lambda plan: (plan.level, plan.side != "balanced", plan.number))


def _event(config: PlanConfig, control: Control, flows: Flows, choice: Choice, given: Input) -> SignalPlanRequested:
    plan, now_ms, current = choice.ask or _usual(config), given.now_ms, choice.current or _usual(config)
    back = choice.scheduled is not None and plan is choice.scheduled
    inbound, outbound = flows["inbound"], flows["outbound"]
    texts = _texts(config, plan, inbound, outbound, back=back)
    return SignalPlanRequested.model_validate(
        {
            "id": event_id(ID, config.asset, "plan", given.cause),
            "source": SOURCE,
            "subject": config.asset,
            "time": instant(now_ms),
            "data": {
                "rule": ID,
                "rule_version": VERSION,
                "issued_at": instant(now_ms),
                "valid_until": instant(now_ms + config.control.validity_ms),
                "evidence": (
                    *(
                        evidence.flow(
                            config.flow,
                            flow,
                            now_ms,
                            threshold=current.serves[heading],
                            hysteresis=config.hysteresis_vph,
                            quantity=f"flow_{heading}",
                        )
                        for heading, flow in flows.items()
                    ),
                    evidence.share(
                        config.flow, inbound, outbound, now_ms, threshold=config.share, hysteresis=config.share_band
                    ),
                ),
                "plan": plan.number,
                "plan_name": plan.name,
                "reason": "schedule" if back else "responsive",
                "reported": control.reported,
                "scheduled": choice.scheduled.number if choice.scheduled else None,
                "junctions": config.junctions,
                "text_de": texts[0],
                "text_en": texts[1],
            },
        }
    )


def _texts(config: PlanConfig, plan: Plan, inbound: Flow, outbound: Flow, *, back: bool) -> tuple[str, str]:
    into, out = round(inbound.flow_vph), round(outbound.flow_vph)
    if back:
        return (
            f"{config.name}: zurück zum Plan der Tageszeit ({plan.name}).",
            f"{config.name}: back to the plan of the time of day ({plan.name}).",
        )
    return (
        f"{config.name}: Plan {plan.name} empfohlen, stadteinwärts {into}, stadtauswärts {out} Kfz/h.",
        f"{config.name}: plan {plan.name} recommended, inbound {into}, outbound {out} vehicles an hour.",
    )


def _point(config: PlanConfig, control: Control, flows: Flows, choice: Choice, now_ms: int) -> Point:
    fields = [*config.position, ("status", WHY_CODES[choice.why])]
    for heading, flow in flows.items():
        if flow.gap is None:
            fields += [(f"flow_{heading}", round(flow.flow_vph, 1)), (f"coverage_{heading}", round(flow.coverage, 3))]
    plans = (("reported", control.reported), ("wanted", choice.wanted.number if choice.wanted else None))
    fields += [(f"plan_{name}", float(number)) for name, number in plans if number and number.isdecimal()]
    return Point("asset", config.tags, tuple(fields), now_ms)


STEER = Steer(
    rule=(ID, VERSION),
    choose=_choose,
    asks=lambda choice: choice.ask.number if choice.ask else None,
    event=_event,
    point=_point,
)
RULE = Rule(
    id=ID,
    version=VERSION,
    kind="control_group",
    configure=configure,
    initial=steered.initial,
    step=step,
    wake=steered.wake,
    dump=steered.dump,
    load=load,
    doubtful=True,
    members=members,
    answers="signal-plan",
    permits=permits,
)

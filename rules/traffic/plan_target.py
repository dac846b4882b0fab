"""Which plan the traffic wants, beginning from the plan that runs: fast up, slow down, each with its hysteresis."""

from collections.abc import Iterable
from typing import NamedTuple

from rules.traffic.plan_config import HEADINGS, Plan, PlanConfig, Side


class Load(NamedTuple):
    """Flows by direction in veh/h."""

    inbound: float
    outbound: float

    @property
    def total(self) -> float:
        """Both directions."""
        return self.inbound + self.outbound

    @property
    def share(self) -> float:
        """Of the inbound direction; one half when nobody drives."""
        return self.inbound / self.total if self.total > 0 else 0.5


def side(config: PlanConfig, before: Side, load: Load) -> Side:
    """The direction to favour; leaving one takes a share that is clearly below the limit, as reaching it one above."""
    if load.total < config.least_vph:
        return "balanced"
    limits: dict[Side, float] = {
        name: config.share + (-config.share_band if before == name else config.share_band)
        for name in ("inbound", "outbound")
    }
    if load.share > limits["inbound"]:
        return "inbound"
    return "outbound" if 1 - load.share > limits["outbound"] else "balanced"


def target(config: PlanConfig, current: Plan, load: Load) -> Plan:
    """The plan that this load wants while the current one runs; the current one where nothing says otherwise."""
    wanted = side(config, current.side, load)
    if not _serves(current, load, config.hysteresis_vph):
        heavier = [plan for plan in config.plans.values() if plan.level > current.level]
        enough = [plan for plan in heavier if _serves(plan, load, 0)]
        return (
            _best(enough, wanted) or _best(heavier, wanted, heaviest=True) or _same_level(config, current, wanted, load)
        )
    lighter = [plan for plan in config.plans.values() if plan.level < current.level]
    below = max((plan.level for plan in lighter), default=None)
    enough = [plan for plan in lighter if plan.level == below and _serves(plan, load, -config.hysteresis_vph)]
    return _best(enough, wanted) or _same_level(config, current, wanted, load)


def is_slow(current: Plan, wanted: Plan) -> bool:
    """Whether a switch waits for the dwell time: all but those to a heavier plan and those that favour a direction."""
    if wanted.level != current.level:
        return wanted.level < current.level
    return not (current.side == "balanced" and wanted.side != "balanced")


def overriding(scheduled: Plan, wanted: Plan) -> Plan:
    """The wanted plan where it is for more traffic than the scheduled one or for another direction, else that one."""
    if wanted.level < scheduled.level:
        return scheduled
    turned = wanted.side not in {"balanced", scheduled.side}
    return wanted if wanted.level > scheduled.level or turned else scheduled


def _same_level(config: PlanConfig, current: Plan, wanted: Side, load: Load) -> Plan:
    """The plan of the same level for the wanted direction, if it serves the load as well as the current one."""
    if current.side == wanted:
        return current
    overloaded = not _serves(current, load, 0)
    alike = [plan for plan in config.plans.values() if plan.level == current.level and plan.side == wanted]
    return _best([plan for plan in alike if overloaded or _serves(plan, load, 0)], wanted) or current


def _serves(plan: Plan, load: Load, margin_vph: float) -> bool:
    return all(
        flow <= plan.serves[heading] + margin_vph
        for heading, flow in zip(HEADINGS, (load.inbound, load.outbound), strict=True)
    )


def _best(plans: Iterable[Plan], wanted: Side, *, heaviest: bool = False) -> Plan | None:
    """Of plans for the wanted direction (else balanced ones) that of the lowest level, or of the highest."""
    listed = list(plans)
    chosen = [plan for plan in listed if plan.side == wanted] or [plan for plan in listed if plan.side == "balanced"]
    sign = -1 if heaviest else 1
    return min(chosen, key=lambda plan: (sign * plan.level, plan.number), default=None)

"""The rules of this installation, in the order in which they see an input."""

from rules.environment import air_quality, gauge, gust, heat, heavy_rain, ice, limits, noise, tree_watering
from rules.parking import guidance, lot_state, space_days
from rules.rule import AnyRule
from rules.traffic import approach_flow, bus_priority, green_wave, measured, queue_warning, signal_plan
from rules.waste import collection_due, fire

RULES: tuple[AnyRule, ...] = (
    lot_state.RULE,
    space_days.RULE,
    guidance.RULE,
    collection_due.RULE,
    fire.RULE,
    air_quality.RULE,
    limits.RULE,
    heat.RULE,
    heavy_rain.RULE,
    gust.RULE,
    noise.RULE,
    gauge.RULE,
    ice.RULE,
    tree_watering.RULE,
    measured.RULE,
    queue_warning.RULE,
    approach_flow.RULE,
    signal_plan.RULE,
    green_wave.RULE,
    bus_priority.RULE,
)

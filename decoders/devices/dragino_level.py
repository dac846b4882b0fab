"""Dragino level and distance: LDDS75 (ultrasound), LDDS20 (ultrasound through the tank's floor), LMDS200 (radar).

Source: Dragino user manuals; TheThingsNetwork/lorawan-devices vendor/dragino (ldds75, ldds20-114, lmds200). A distance
of 0 is no sensor, one of up to 20 mm no echo. An LDDS20 sits under the tank and measures how high the liquid above it
stands (manual, chapter 1.1): a level, no distance. An early LDDS75 sends five bytes, or four without a sensor. Which
unit an LMDS200 counts in is nowhere to be read in its decoder: the figure `distance_unit_mm` says it.
"""

from collections.abc import Mapping

from decoders.attribute import number
from decoders.choice import by_length
from decoders.codec import Parameter
from decoders.devices.dragino_common import (
    CONFIGURATION_PORT,
    F_PORT,
    INFORMATION,
    INFORMATION_PORT,
    battery,
    model,
    probe,
    seconds,
)
from decoders.field import Bits, Field, Pad
from decoders.fitted import Fitted
from decoders.layout import Layout
from decoders.quantity import Family, Quantity

NO_ECHO = tuple(range(21))


def _distance() -> Field:
    return Field(Quantity.DISTANCE, "H", invalid=NO_ECHO)


LDDS75 = model(
    "LDDS75",
    "ultrasonic distance (bins)",
    Family.WASTE,
    {
        F_PORT: by_length(
            {
                "with probe": Layout(
                    ">",
                    battery(),
                    _distance(),
                    number("interrupt", "B"),
                    probe(10),
                    number("ultrasonic_sensor", "B"),
                ),
                "distance": Layout(">", battery(), _distance(), number("interrupt", "B")),
                "no sensor": Layout(">", battery(), Pad(2)),
            }
        )
    },
)
LDDS20 = model(
    "LDDS20",
    "ultrasonic liquid level",
    Family.ENVIRONMENT,
    {
        F_PORT: Layout(
            ">",
            battery(verified=False),
            Field(Quantity.WATER_LEVEL, "H", invalid=NO_ECHO, verified=False),
            number("interrupt", "B"),
            probe(10, verified=False),
            number("ultrasonic_sensor", "B"),
        )
    },
    file="ldds20-114",
    untested=True,
)

UNIT = Parameter(
    "distance_unit_mm",
    "mm",
    "what the radar counts distances in: 1 (millimetres) or 10 (centimetres)",
    ports=(F_PORT,),
)


def _radar(figures: Mapping[str, float]) -> Layout:
    """Two targets, the nearer one first."""
    unit = figures[UNIT.name]
    if unit <= 0:
        raise ValueError(f"{UNIT.name} = {unit}; more than 0 is expected")
    return Layout(
        ">",
        Field(Quantity.BATTERY_VOLTAGE, "H", divisor=1000),
        *(Field(Quantity.DISTANCE, "H", channel, scale=unit) for channel in ("first", "second")),
        Bits(
            "B",
            number("alarm_count", "2-7"),
            Field(Quantity.ALARM, "1", "distance"),
            Field(Quantity.DIGITAL_INPUT, "0", "interrupt"),
        ),
    )


LMDS200 = model(
    "LMDS200",
    "radar distance, two targets",
    Family.ENVIRONMENT,
    {
        F_PORT: Fitted(_radar, {UNIT.name: 1}),
        CONFIGURATION_PORT: Layout(
            ">",
            seconds("report_interval_s"),
            number("alarm_interval_min", "B"),
            number("alarm_min", "H"),
            number("alarm_max", "H"),
            number("interrupt_mode", "B"),
        ),
        INFORMATION_PORT: INFORMATION,
    },
    parameters=(UNIT,),
)

CODECS = (LDDS20, LDDS75, LMDS200)

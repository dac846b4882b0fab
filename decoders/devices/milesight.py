"""Milesight level, distance and tilt sensors: EM400-MUD, -TLD and -UDL, EM310-UDL and -TILT, EM410-RDL.

Source: Milesight-IoT/SensorDecoders em-series (README tables and decoders). The temperature of an EM400 is that inside
the bin; the family `waste` keeps it apart from city air. Models of NB-IoT send other frames, which no LoRaWAN device
does. An EM410 says in its distance that it sees no target (fffd), that its radar fails (ffff) or is off (fffe); its
decoder knows that of records and exceptions only, here it holds of every distance. Its alarm of the distance is 0
(released), 1 (threshold) or 2 (sudden change), its exception 0 (none), 1 (blind zone), 2 (no target) or 3 (radar).
"""

from decoders.devices.milesight_common import (
    ANSWERED,
    BATTERY,
    START,
    TEMPERATURE,
    TILTED,
    alarm,
    answers,
    compiled,
    covered,
    decimal,
    extended_answers,
    hexadecimal,
    model,
    number,
    switch,
    words,
)
from decoders.field import Bits, Field, Pad
from decoders.quantity import Family, Quantity
from decoders.tlv import ChannelTlv
from decoders.typed import Table

MODES = {0: "standard", 1: "bin", 2: "parking"}
SURFACES = {252: "calibration cleared", 253: "calibrated", 254: "reference cleared", 255: "current plane"}
PASSWORD_BYTES = 6
CONDITION_BYTES = 8
NO_DISTANCE = (-1, -2, -3)
AXES = ("x", "y", "z")

DISTANCE = Field(Quantity.DISTANCE, "H")
LEVEL_ANSWERED = {
    **ANSWERED,
    **answers(
        {
            0x13: switch("install_height_enabled"),
            0x3E: switch("tilt_linkage_enabled"),
            0x56: switch("tof_enabled"),
            0x70: number("people_height_mm", "H"),
            0x71: words("working_mode", "B", MODES),
            0x77: number("install_height_mm", "H"),
            0xA1: switch("tilt_report_enabled"),
            0xA2: hexadecimal("disassembly_alarm", 2),
        }
    ),
}
LEVEL: Table = {
    0x0175: BATTERY,
    0x8367: (TEMPERATURE, alarm("temperature")),
    0x0367: TEMPERATURE,
    0x8482: (DISTANCE, alarm("distance")),
    0x0482: DISTANCE,
    0x0500: TILTED,
}
MEASURED = ("battery_level", "air_temperature", "distance", "tilted")
ALARMED = ("air_temperature", "distance", "alarm.temperature", "alarm.distance")


def _level(*names: str, further: Table | None = None) -> ChannelTlv:
    return ChannelTlv("<", {**covered({**LEVEL, **(further or {})}, *names), **START, **LEVEL_ANSWERED})


EM400_MUD = model("EM400-MUD", "ultrasonic level (bins)", Family.WASTE, "em-series/em400-mud", _level(*MEASURED))
EM400_TLD = model(
    "EM400-TLD",
    "laser level (bins)",
    Family.WASTE,
    "em-series/em400-tld",
    _level(*ALARMED, further={0x8800: alarm("disassembly")}),
)
EM400_UDL = model("EM400-UDL", "ultrasonic level", Family.WASTE, "em-series/em400-udl", _level(*ALARMED))
EM310_UDL = model(
    "EM310-UDL",
    "ultrasonic level (bins)",
    Family.WASTE,
    "em-series/em310-udl",
    ChannelTlv("<", {0x0175: BATTERY, 0x0382: DISTANCE, 0x0400: TILTED, **START, **ANSWERED}),
)

TILT: Table = {
    0x0175: BATTERY,
    0x03CF: (
        *(Field(Quantity.TILT_ANGLE, "h", axis, divisor=100) for axis in AXES),
        Bits("B", *(Field(Quantity.ALARM, str(bit), axis) for bit, axis in enumerate(AXES))),
    ),
}
EM310_TILT = model(
    "EM310-TILT",
    "tilt of poles, trees, structures",
    Family.ENVIRONMENT,
    "em-series/em310-tilt",
    ChannelTlv(
        "<",
        {
            **covered(TILT, *(f"{name}.{axis}" for name in ("tilt_angle", "alarm") for axis in AXES)),
            **START,
            **ANSWERED,
            **answers(
                {
                    0x62: words("initial_surface", "B", SURFACES),
                    0x63: hexadecimal("alarm_condition", CONDITION_BYTES),
                }
            ),
        },
    ),
)

RADAR_DISTANCE = Field(Quantity.DISTANCE, "h", invalid=NO_DISTANCE)
RADAR_ALARM = alarm("distance", {0: 0, 1: 1, 2: 2})
RADAR: Table = {
    0x0175: BATTERY,
    0x0367: TEMPERATURE,
    0xB482: (RADAR_DISTANCE, alarm("exception", {0: 0, 1: 1, 2: 2, 3: 3})),
    0x8482: (RADAR_DISTANCE, RADAR_ALARM),
    0x9482: (RADAR_DISTANCE, number("distance_change_mm", "h"), RADAR_ALARM),
    0x0482: RADAR_DISTANCE,
    0x0500: TILTED,
}
EM410_RDL = model(
    "EM410-RDL",
    "radar level",
    Family.ENVIRONMENT,
    "em-series/em410-rdl",
    ChannelTlv(
        "<",
        {
            **covered(RADAR, *MEASURED, "alarm.distance", "alarm.exception"),
            **compiled({0x01B9: number("battery_voltage_raw", "H"), 0x06C7: decimal("radar_rssi_dbm", 100)}),
            **START,
            **ANSWERED,
            **answers(
                {
                    0x1B: hexadecimal("distance_range", 5),
                    0x2A: number("radar_calibration", "B"),
                    0x3E: switch("tilt_linkage_enabled"),
                }
            ),
            **extended_answers(
                {
                    0x0D: hexadecimal("retransmission", 3),
                    0x12: number("distance_mode", "B"),
                    0x13: switch("blind_detection_enabled"),
                    0x14: number("signal_quality", "h"),
                    0x15: decimal("distance_sensitivity", 10),
                    0x16: number("peak_sorting", "B"),
                    0x39: number("collection_interval_s", "H"),
                    0xC8: Pad(PASSWORD_BYTES),
                }
            ),
        },
        history={0x20CE: RADAR_DISTANCE},
    ),
)

CODECS = (EM310_TILT, EM310_UDL, EM400_MUD, EM400_TLD, EM400_UDL, EM410_RDL)

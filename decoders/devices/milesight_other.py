"""Milesight for rooms, power, valves and things that move: VS330, VS340, VS370, WS558, CT101, UC511, AT101.

Source: Milesight-IoT/SensorDecoders vs-series, ws-series, ct-series, uc-series, at-series (README tables and decoders).
Of the radio networks around an AT101 nothing is kept but its own motion; a place of ffffffff is none. A UC511 says
ff in place of a valve's state while an order waits; its decoder names the two kinds of records rightly, as the README
has them, and reads the one as the other. A CT101's total is a charge, not an energy: it knows no voltage.
"""

from decoders.attribute import plain_text
from decoders.devices.milesight_common import (
    ANSWERED,
    BATTERY,
    START,
    TILTED,
    alarm,
    answers,
    compiled,
    covered,
    hexadecimal,
    model,
    number,
    switch,
    words,
)
from decoders.field import Bits, Field, Pad
from decoders.layout import Layout
from decoders.measurement import Reading
from decoders.quantity import Family, Privacy, Quantity
from decoders.tlv import ChannelTlv
from decoders.typed import Table

PRESENCE = Field(Quantity.PRESENCE, "B", values={0: 0, 1: 1})
VS330 = model(
    "VS330",
    "presence in toilet cabins",
    Family.TRAFFIC,
    "vs-series/vs330",
    ChannelTlv(
        "<",
        {
            0x0175: BATTERY,
            0x0282: Field(Quantity.DISTANCE, "H"),
            0x038E: PRESENCE,
            **compiled({0x048E: words("calibration", "B", {0: "failed", 1: "success"})}),
            **START,
            **ANSWERED,
        },
    ),
)
VS340 = model(
    "VS340",
    "presence at desks and seats (also VS341)",
    Family.TRAFFIC,
    "vs-series/vs340",
    ChannelTlv("<", {0x0175: BATTERY, 0x0300: PRESENCE, **START, **ANSWERED}),
)
VS370 = model(
    "VS370",
    "presence in rooms by radar",
    Family.TRAFFIC,
    "vs-series/vs370",
    ChannelTlv(
        "<",
        {
            0x0175: BATTERY,
            0x0300: PRESENCE,
            # 0 dim, 1 bright.
            0x0400: Field(Quantity.LIGHT_LEVEL, "B", values={0: 0, 1: 1}),
            **START,
            **ANSWERED,
        },
    ),
)

SWITCHES = range(1, 9)
WS558 = model(
    "WS558",
    "controller of eight light circuits",
    Family.LIGHTING,
    "ws-series/ws558",
    ChannelTlv(
        "<",
        {
            0x0374: Field(Quantity.MAINS_VOLTAGE, "H", divisor=10),
            0x0480: Field(Quantity.POWER, "I"),
            0x0581: Field(Quantity.POWER_FACTOR, "B", divisor=100),
            0x0683: Field(Quantity.ENERGY_TOTAL, "I", divisor=1000),
            0x07C9: Field(Quantity.MAINS_CURRENT, "H", divisor=1000),
            # Which were switched, then the state of all.
            0x0831: (
                Pad(1),
                Bits("B", *(Field(Quantity.SWITCHED_ON, str(no - 1), f"switch{no}") for no in SWITCHES)),
            ),
            **START,
            **ANSWERED,
            **answers(
                {
                    0x23: hexadecimal("delay_cancelled", 2),
                    0x26: switch("power_consumption_enabled"),
                    0x32: hexadecimal("delay", 5),
                }
            ),
        },
    ),
)

CURRENT_FAILED = 0xFFFF
# Out of its range, failed; -3276.8 °C is none, either.
NO_TEMPERATURE = (-1, -3, -0x8000)
CURRENT = Field(Quantity.MAINS_CURRENT, "H", divisor=100, invalid=CURRENT_FAILED)
PROBE = Field(Quantity.EXTERNAL_TEMPERATURE, "h", divisor=10, invalid=NO_TEMPERATURE)
# Two bits each: raised, released.
RAISED = {0: 0, 1: 1, 2: 0}
CT101 = model(
    "CT101",
    "current transformer (also CT103 and CT105)",
    Family.METER,
    "ct-series/ct101",
    ChannelTlv(
        "<",
        {
            **covered(
                {
                    0x0175: BATTERY,
                    0x0397: Field(Quantity.CHARGE_TOTAL, "I", divisor=100),
                    0x8498: (
                        Field(Quantity.MAINS_CURRENT, "H", "max", divisor=100),
                        Field(Quantity.MAINS_CURRENT, "H", "min", divisor=100),
                        CURRENT,
                        Bits(
                            "B",
                            Field(Quantity.ALARM, "0-1", "current", values=RAISED),
                            Field(Quantity.ALARM, "2-3", "over_range", values=RAISED),
                        ),
                    ),
                    0x0498: CURRENT,
                    0x8967: (PROBE, alarm("temperature")),
                    0x0967: PROBE,
                },
                *("charge_total", "mains_current", "mains_current.max", "mains_current.min"),
                *("alarm.current", "alarm.over_range"),
            ),
            **START,
            **ANSWERED,
        },
    ),
)


class _ValveRecord(Layout):
    """Of one valve: its state, and its input or its pulses as it is set."""

    __slots__ = ()
    INPUT, SECOND = 1, 4

    def __init__(self) -> None:
        super().__init__("<", Pad(1), Pad(4))

    def read(self, payload: bytes, at: int, readings: list[Reading], attributes: dict[str, str]) -> None:
        """The first byte tells which valve it is, and whether its input counts pulses (0) or is read (1)."""
        which = payload[at]
        VALVE_RECORDS[which >> self.SECOND & 1, which >> self.INPUT & 1].read(payload, at, readings, attributes)


def _valve(number: int, state: str = "B") -> Field:
    return Field(Quantity.OPEN, state, f"valve{number}", values={0: 0, 1: 1})


def _pulses(number: int) -> Field:
    return Field(Quantity.PULSE_COUNT_TOTAL, "I", f"valve{number}")


def _gpio(number: int, state: str = "B") -> Field:
    return Field(Quantity.DIGITAL_INPUT, state, f"gpio{number}", values={0: 0, 1: 1})


VALVE_RECORDS = {
    **{(no - 1, 0): Layout("<", Bits("B", _valve(no, "0")), _pulses(no)) for no in (1, 2)},
    **{(no - 1, 1): Layout("<", Bits("B", _valve(no, "0"), _gpio(no, "2")), Pad(4)) for no in (1, 2)},
}
PIPE_PRESSURE = Field(Quantity.WATER_PRESSURE, "H", divisor=100)
TEXT_BYTES = 8
UC511 = model(
    "UC511",
    "controller of two valves (also UC512)",
    Family.METER,
    "uc-series/uc511",
    ChannelTlv(
        "<",
        {
            **covered(
                {
                    0x0175: BATTERY,
                    0x0301: _valve(1),
                    0x04C8: _pulses(1),
                    0x0501: _valve(2),
                    0x06C8: _pulses(2),
                    0x0701: _gpio(1),
                    0x0801: _gpio(2),
                    0x097B: PIPE_PRESSURE,
                },
                *("battery_level", "open.valve1", "pulse_count_total.valve1"),
            ),
            **compiled(
                {
                    0xB97B: number("pressure_sensor_status", "B"),
                    0x0EAF: hexadecimal("valve1_task", 3),
                    0x0FAF: hexadecimal("valve2_task", 3),
                    0xFF12: plain_text("text", TEXT_BYTES),
                }
            ),
            **START,
            **ANSWERED,
        },
        history={0x20CE: _ValveRecord(), 0x21CE: PIPE_PRESSURE},
    ),
)

MICRODEGREES = 1_000_000
NO_PLACE = -1
MOTIONS = {0: "unknown", 1: "start moving", 2: "moving", 3: "stop moving", 4: "normal", 5: "tilted"}
GEOFENCE = {0: "inside", 1: "outside", 2: "unset", 3: "unknown"}
LATITUDE = Field(Quantity.LATITUDE, "i", divisor=MICRODEGREES, invalid=NO_PLACE)
LONGITUDE = Field(Quantity.LONGITUDE, "i", divisor=MICRODEGREES, invalid=NO_PLACE)
MOTION = Bits("B", words("motion", "0-3", MOTIONS), words("geofence", "4-7", GEOFENCE))
ANGLES = tuple(Field(Quantity.TILT_ANGLE, "b", prefix + axis) for prefix in ("initial_", "") for axis in "xyz")
OWN_TEMPERATURE = Field(Quantity.DEVICE_TEMPERATURE, "h", divisor=10)
PLACE_BYTES = 8
WIFI_BYTES = 8
AT101_TABLE: Table = {
    0x0175: BATTERY,
    0x8367: (OWN_TEMPERATURE, alarm("temperature")),
    0x0367: OWN_TEMPERATURE,
    0x0488: (LATITUDE, LONGITUDE, MOTION),
    0x8488: (LATITUDE, LONGITUDE, MOTION),
    0x0500: TILTED,
    # Addresses of other people's networks.
    0x06D9: (Pad(WIFI_BYTES), MOTION),
    0x0700: alarm("tamper"),
    0x089B: ANGLES,
}
AT101 = model(
    "AT101",
    "position tracker",
    Family.TRAFFIC,
    "at-series/at101",
    ChannelTlv(
        "<",
        {
            **covered(AT101_TABLE, "battery_level", "device_temperature", "latitude", "longitude", "tilted"),
            **START,
            **ANSWERED,
            **answers(
                {
                    0x13: hexadecimal("motion_report", 3),
                    0x2D: hexadecimal("wifi_positioning", 3),
                    0x3C: number("gnss_timeout", "B"),
                    0x58: hexadecimal("motion_detection", 4),
                    0x66: number("report_strategy", "B"),
                    0x71: number("positioning_strategy", "B"),
                    0x7E: hexadecimal("geofence_alarm", 4),
                    0x87: switch("tamper_detection_enabled"),
                    0x88: Pad(PLACE_BYTES),
                    0x89: number("geofence_radius_m", "I"),
                    0x8A: hexadecimal("timed_report", 3),
                    0x8F: switch("bluetooth_enabled"),
                }
            ),
        },
        history={0x20CE: (LONGITUDE, LATITUDE, *ANGLES)},
    ),
    privacy=Privacy.PERSONAL,
)

CODECS = (AT101, CT101, UC511, VS330, VS340, VS370, WS558)

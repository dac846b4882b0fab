"""Milesight counters of people in passages: VS350 (radar), VS360 (light beam with a second device, the node).

Source: Milesight-IoT/SensorDecoders vs-series/vs350 and vs360 (README tables and decoders). Counts are those of a
period, totals run on until they are set back and wrap at 65535. The temperature of a VS350 is its own.
"""

from decoders.devices.milesight_common import (
    ANSWERED,
    BATTERY,
    START,
    alarm,
    answers,
    compiled,
    covered,
    extended_answers,
    hexadecimal,
    model,
    number,
    switch,
    words,
)
from decoders.devices.milesight_vs import WAYS, counts, totals
from decoders.field import Field
from decoders.quantity import Family, Quantity
from decoders.tlv import ChannelTlv
from decoders.typed import Table

REPORT_TYPES = {0: "period", 1: "at once"}
PERIOD, TOTALS = counts(), totals()
PASSAGE: Table = {
    0x84CC: (*TOTALS, alarm("total")),
    0x04CC: TOTALS,
    0x85CC: (*PERIOD, alarm("period")),
    0x05CC: PERIOD,
}
PASSAGE_RECORDS: Table = {0x20CE00: PERIOD, 0x20CE01: (*PERIOD, *TOTALS)}
PASSAGE_NAMES = [f"{name}.{way}" for name in ("people_count", "people_count_total") for way in WAYS]
PASSAGE_ANSWERED: Table = {
    **ANSWERED,
    **answers(
        {
            0xA6: switch("total_reset_enabled"),
            0xA8: number("total_reset", "B"),
            0xA9: switch("total_report_enabled"),
        }
    ),
    **extended_answers({0x10: words("report_type", "B", REPORT_TYPES)}),
}
OWN_TEMPERATURE = Field(Quantity.DEVICE_TEMPERATURE, "h", divisor=10)
VS350 = model(
    "VS350",
    "people in passages",
    Family.TRAFFIC,
    "vs-series/vs350",
    ChannelTlv(
        "<",
        {
            **covered(
                {
                    0x0175: BATTERY,
                    # Of a threshold: 0 released, 1 raised; of too great a heat: 3 raised, 4 released.
                    0x8367: (OWN_TEMPERATURE, alarm("temperature", {0: 0, 1: 1, 3: 1, 4: 0})),
                    0x0367: OWN_TEMPERATURE,
                    **PASSAGE,
                },
                *("battery_level", "device_temperature", "alarm.temperature", *PASSAGE_NAMES),
            ),
            **START,
            **compiled({0x81EE: number("sensitivity", "B")}),
            **PASSAGE_ANSWERED,
            **answers(
                {
                    0x6B: number("transmission_stopped", "B"),
                    0xA7: number("total_reset_interval", "H"),
                    0xAA: switch("temperature_report_enabled"),
                    0xAC: hexadecimal("installation", 4),
                    0xAD: number("threshold_trigger_mode", "B"),
                    0xEF: hexadecimal("total_reset_time", 3),
                }
            ),
        },
        history=PASSAGE_RECORDS,
        clock=0x0AEF,
    ),
)
VS360 = model(
    "VS360",
    "people through a light beam",
    Family.TRAFFIC,
    "vs-series/vs360",
    ChannelTlv(
        "<",
        {
            **covered(
                {
                    0x0175: Field(Quantity.BATTERY_LEVEL, "B", "main"),
                    0x0275: Field(Quantity.BATTERY_LEVEL, "B", "node"),
                    0x03F400: alarm("counting"),
                    0x03F401: alarm("node_silent"),
                    0x03F402: alarm("misaligned"),
                    **PASSAGE,
                },
                *PASSAGE_NAMES,
            ),
            **START,
            **PASSAGE_ANSWERED,
            **answers(
                {
                    0x75: hexadecimal("hibernation", 6),
                    0xED: hexadecimal("total_reset_schedule", 3),
                    0xFC: number("counting_mode", "B"),
                    0xFD: switch("led_enabled"),
                }
            ),
        },
        history=PASSAGE_RECORDS,
        clock=0x0AEF,
    ),
)

CODECS = (VS350, VS360)

"""Terabee: level monitoring LM-XL, people flow counting L-XL and M.

Source: TheThingsNetwork/lorawan-devices vendor/terabee lora-lm-xl-codec.yaml; actility/device-catalog vendors/terabee
drivers pc-l-xl and tb-pcm (decoders and examples). Counts go up until they are reset. An answer to a command begins
with the command; ff before it is an acknowledgement, ff behind it a refusal. The corners of the counting area (L-XL,
f_port 101) are not read.
"""

from collections.abc import Mapping

from decoders import attribute
from decoders.choice import Choice, by_length, by_prefix
from decoders.codec import Codec, Frame
from decoders.field import Bits, Const, Field, Pad, Part
from decoders.layout import Layout
from decoders.quantity import Family, Quantity

ACKNOWLEDGEMENT = 0xFF
REFUSED = 0xFF
YES_NO = {**dict.fromkeys(range(REFUSED - 1, -1, -1), "yes"), REFUSED: "no"}
NO_YES = {0: "no", 1: "yes"}
OFF_ON = {0: "disabled", 1: "enabled"}
VERSION_BYTES = 10
number, words = attribute.number, attribute.words

ACKNOWLEDGED = Layout(
    ">",
    Const("B", ACKNOWLEDGEMENT, "acknowledgement"),
    number("command", "B"),
    words("acknowledged", "B", YES_NO),
)


def _answers(answers: Mapping[int, tuple[Part, ...]]) -> Choice:
    """What a device answers on one f_port: command → value."""
    forms: dict[str, tuple[bytes, Frame]] = {
        f"answer {command}": (bytes((command,)), Layout(">", Const("B", command, "command"), *value))
        for command, value in answers.items()
    }
    return by_prefix({**forms, "acknowledgement": (bytes((ACKNOWLEDGEMENT,)), ACKNOWLEDGED)})


def _counts(*, verified: bool = True) -> tuple[Field, Field]:
    return (
        Field(Quantity.PEOPLE_COUNT_TOTAL, "I", "in", verified=verified),
        Field(Quantity.PEOPLE_COUNT_TOTAL, "I", "out", verified=verified),
    )


LM_XL = Codec(
    id="terabee/lm-xl",
    vendor="Terabee",
    model="Level Monitoring XL",
    family=Family.WASTE,
    source="TheThingsNetwork/lorawan-devices vendor/terabee/lora-lm-xl-codec.yaml",
    ports={
        1: Layout(
            ">",
            # 1 invalid, 0 too close, 65535 too far.
            Field(Quantity.DISTANCE, "H", invalid=(1, 0, 0xFFFF)),
            Field(Quantity.FILL_LEVEL, "B", invalid=0xFF),
            Field(Quantity.BATTERY_VOLTAGE, "H", divisor=1000),
            # Restarted by itself, radio awake, battery unread, no answer of the distance sensor.
            Bits("B", Field(Quantity.HARDWARE_STATUS, "0-3", invalid=0, verified=False)),
        )
    },
)
PEOPLE_L_XL = Codec(
    id="terabee/people-counting-l-xl",
    vendor="Terabee",
    model="People Flow Counting L-XL",
    family=Family.TRAFFIC,
    source="actility/device-catalog vendors/terabee/drivers/pc-l-xl",
    ports={
        1: by_length(
            {
                "counts": Layout(">", *_counts()),
                "counts and flags": Layout(
                    ">",
                    *_counts(),
                    Bits(
                        "B",
                        Field(Quantity.ALARM, "0", "stopped"),
                        Field(Quantity.ALARM, "1", "stuck", verified=False),
                        Field(Quantity.ALARM, "2", "several_devices", verified=False),
                        words("access_point", "3", OFF_ON),
                    ),
                ),
            }
        ),
        2: _answers({2: _counts(verified=False)}),
        3: ACKNOWLEDGED,
        4: _answers(
            {
                1: (attribute.version("counting_version"),),
                2: (attribute.version("web_version"),),
                3: (attribute.version("lora_version"),),
                4: (attribute.version("access_point_version"),),
                5: (attribute.version("updater_version"),),
                6: (attribute.version("fan_version"),),
            }
        ),
        5: _answers({1: (words("access_point", "B", OFF_ON),)}),
        6: ACKNOWLEDGED,
        7: ACKNOWLEDGED,
        100: _answers(
            {
                1: (number("mounting_height_mm", "H"),),
                2: (words("direction", "B", {0: "normal", 1: "reversed"}),),
                3: (number("push_period_min", "H"),),
            }
        ),
        102: ACKNOWLEDGED,
    },
)
PEOPLE_M = Codec(
    id="terabee/people-counting-m",
    vendor="Terabee",
    model="People Flow Counting M",
    family=Family.TRAFFIC,
    source="actility/device-catalog vendors/terabee/drivers/tb-pcm",
    ports={
        82: Layout(
            ">",
            *_counts(),
            Bits(
                "B",
                Field(Quantity.ALARM, "0", "stopped", verified=False),
                Field(Quantity.ALARM, "1", "stuck", verified=False),
                words("network_on", "2", NO_YES),
            ),
        ),
        2: _answers({2: _counts()}),
        3: ACKNOWLEDGED,
        4: _answers(
            {
                128: (attribute.plain_text("device_type", 3),),
                # One byte of no meaning, and one at the end.
                138: (Pad(1), attribute.plain_text("software_version", VERSION_BYTES - 1), Pad(1)),
                139: (attribute.plain_text("lora_version", VERSION_BYTES),),
            }
        ),
        5: _answers({1: (words("access_point", "B", OFF_ON),)}),
        6: ACKNOWLEDGED,
        8: _answers({1: (words("analog_output", "B", OFF_ON), number("max_occupancy", "H"))}),
        100: _answers(
            {
                1: (number("mounting_height_mm", "H"),),
                2: (words("direction", "B", {0: "out", 1: "in"}),),
                3: (number("push_period_s", "I"),),
                4: (words("cable_position", "B", {0: "right", 1: "left"}),),
            }
        ),
    },
)

CODECS = (LM_XL, PEOPLE_L_XL, PEOPLE_M)

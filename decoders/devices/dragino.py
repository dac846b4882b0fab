"""Dragino LSE01 (soil), LHT65 and LHT65N (air and a probe).

Source: Dragino user manuals; TheThingsNetwork/lorawan-devices vendor/dragino (lse01, lse01-121, lht65, lht65n).
Where those decoders are wrong, these are not: a soil below zero is 0.01 °C colder than they say (they subtract ffff),
and 7fff is a probe that is not there, no 327.67 °C. An LSE01 has other frames from firmware 1.2 on, whose last byte
tells moisture from raw values; earlier ones mean something else by it, so each line is a codec of its own. An LHT65
answers a poll with records of eleven bytes, each with its own time (manual, chapter 2.6.4); eleven zeros are none.
Where its bit says that nothing is connected, the value is none, whatever stands in its place.
"""

from collections.abc import Mapping

from decoders import attribute
from decoders.attribute import flags, number
from decoders.choice import Choice
from decoders.devices.dragino_common import (
    ENTRY_BYTES,
    F_PORT,
    INFORMATION,
    INFORMATION_PORT,
    NO_TEMPERATURE,
    Entries,
    battery,
    model,
    probe,
)
from decoders.error import MalformedPayload, WrongLength
from decoders.field import Attribute, Bits, Const, Field, Pad, Part
from decoders.layout import Layout
from decoders.quantity import Family, Quantity

SOIL: tuple[Part, ...] = (
    Field(Quantity.SOIL_MOISTURE, "H", divisor=100),
    Field(Quantity.SOIL_TEMPERATURE, "h", divisor=100),
    Field(Quantity.SOIL_CONDUCTIVITY, "H"),
)
LSE01 = model(
    "LSE01",
    "soil moisture, temperature, conductivity (firmware to 1.1)",
    Family.ENVIRONMENT,
    {F_PORT: Layout(">", battery(), probe(10), *SOIL, number("interrupt", "B"))},
)


def _unverified(field: Field) -> Field:
    return Field(field.quantity, field.format, field.channel, divisor=field.divisor, verified=False)


STATUS: tuple[Attribute, ...] = (number("interrupt", "0-3"), number("sensor_flag", "4"))
RAW_MODE = 0x80
LSE01_12 = model(
    "LSE01 1.2",
    "soil moisture, temperature, conductivity (firmware from 1.2 on)",
    Family.ENVIRONMENT,
    {
        F_PORT: Choice(
            {
                "moisture": Layout(
                    ">",
                    battery(verified=False),
                    probe(10, verified=False),
                    *(_unverified(part) for part in SOIL if isinstance(part, Field)),
                    Bits("B", Const("7", 0, "mode"), *STATUS),
                ),
                "raw": Layout(
                    ">",
                    battery(verified=False),
                    probe(10, verified=False),
                    Field(Quantity.SOIL_PERMITTIVITY, "H", divisor=10, verified=False),
                    number("raw_moisture", "H"),
                    number("raw_conductivity", "H"),
                    Bits("B", Const("7", 1, "mode"), *STATUS),
                ),
            },
            lambda payload: "raw" if payload and payload[-1] & RAW_MODE else "moisture",
        )
    },
    file="lse01-121",
    untested=True,
)

KIND_AT = 6
KIND, POLLED, NOT_CONNECTED = 0x0F, 0x40, 0x80
TIMED, PROBE_ID = 9, 15
POWER = Bits("H", Field(Quantity.BATTERY_VOLTAGE, "0-13", divisor=1000), number("battery_status", "14-15"))
TEMPERATURE = Field(Quantity.AIR_TEMPERATURE, "h", divisor=100, invalid=NO_TEMPERATURE)
HUMIDITY = Field(Quantity.AIR_HUMIDITY, "0-11", divisor=10)
PIN: tuple[Part, ...] = (
    Field(Quantity.DIGITAL_INPUT, "B", values={0: 0, 1: 1}, verified=False),
    number("interrupt", "B"),
)
LIGHT = Field(Quantity.ILLUMINANCE, "H", verified=False)
VOLTAGE = Field(Quantity.INPUT_VOLTAGE, "H", divisor=1000, verified=False)
COUNT = Field(Quantity.PULSE_COUNT_TOTAL, "H", verified=False)
LONG_COUNT = Field(Quantity.PULSE_COUNT_TOTAL, "I", verified=False)


def _form(kind: int, *value: Part) -> Layout:
    """Battery, air, what is wired to the device, and its value of four bytes."""
    wired = Bits("B", Const("0-3", kind, "external sensor"), flags("probe", "7", {0: "not connected"}))
    return Layout(">", POWER, TEMPERATURE, Bits("H", HUMIDITY), wired, *value)


def _record(kind: int, *value: Part) -> Layout:
    """The value of what is wired to the device, air; its time stands behind."""
    wired = Bits("B", Const("0-3", kind, "external sensor"), Const("6", int(kind != TIMED), "poll flag"))
    moist = Bits("H", HUMIDITY, number("battery_status", "14-15"))
    return Layout(">", *value, TEMPERATURE, moist, wired, Pad(4))


def _lht65(probes: Mapping[int, str], *, verified: bool) -> Choice:
    """The frames of an LHT65 with these kinds of temperature probes; whether a vector covers one."""
    wired = probe(100, verified=verified)
    connected: dict[int, tuple[str, Layout]] = {
        **{kind: (name, _form(kind, wired, Pad(2))) for kind, name in probes.items()},
        4: ("pin", _form(4, *PIN, Pad(2))),
        5: ("light", _form(5, LIGHT, Pad(2))),
        6: ("voltage", _form(6, VOLTAGE, Pad(2))),
        7: ("count", _form(7, COUNT, Pad(2))),
        8: ("long count", _form(8, LONG_COUNT)),
    }
    forms: dict[int, tuple[str, Layout]] = {
        0: ("no sensor", _form(0, Pad(4))),
        **connected,
        **{NOT_CONNECTED | kind: (f"no {name}", _form(kind, Pad(4))) for kind, (name, _) in connected.items()},
        PROBE_ID: ("probe id", PROBE_ID_FORM),
    }
    logged = {
        **{kind: _record(kind, wired) for kind in (TIMED, *probes)},
        4: _record(4, *PIN),
        5: _record(5, LIGHT),
        6: _record(6, VOLTAGE),
        7: _record(7, COUNT),
        8: _record(8, COUNT),
    }
    records = {
        **logged,
        0: _record(0, Pad(2)),
        **{NOT_CONNECTED | kind: _record(kind, Pad(2)) for kind in logged},
    }

    def select(payload: bytes) -> str:
        if not payload or len(payload) % ENTRY_BYTES:
            raise WrongLength(f"{len(payload)} bytes; frames have {ENTRY_BYTES}, records as many each")
        wired = payload[KIND_AT]
        if wired & POLLED or wired & KIND == TIMED or not any(payload):
            return "records"
        if wired & KIND not in forms:
            raise MalformedPayload(f"unknown external sensor {wired & KIND}")
        return forms[_key(wired)][0]

    return Choice({**dict(forms.values()), "records": Entries(records, lambda entry: _key(entry[KIND_AT]))}, select)


def _key(wired: int) -> int:
    """What is wired to the device, with the bit that says whether it is not connected where that matters."""
    kind = wired & KIND
    return kind if kind in (0, PROBE_ID) else kind | wired & NOT_CONNECTED


PROBE_ID_FORM = Layout(
    ">",
    POWER,
    attribute.hexadecimal("probe_id_upper", 4),
    Bits("B", Const("0-3", PROBE_ID, "external sensor")),
    attribute.hexadecimal("probe_id_lower", 4),
)
LHT65 = model(
    "LHT65",
    "air temperature, humidity, a probe",
    Family.ENVIRONMENT,
    {F_PORT: _lht65({1: "DS18B20"}, verified=True)},
)
LHT65N = model(
    "LHT65N",
    "air temperature, humidity, a probe",
    Family.ENVIRONMENT,
    {F_PORT: _lht65({1: "DS18B20", 2: "TMP117"}, verified=False), INFORMATION_PORT: INFORMATION},
)

CODECS = (LHT65, LHT65N, LSE01, LSE01_12)

"""Elvaco CMi41xx: LoRaWAN modules inside heat meters of Landis+Gyr, Itron, Kamstrup, Diehl and Engelmann.

Source: Elvaco CMi4110, 4111, 4130, 4140, 4160 and 4170 user's manuals, message encoding; actility/device-catalog
vendors/elvaco/drivers/cmi41xx. A byte that names the message format, then M-Bus records, or JSON text in the formats
called so. That driver stops at a register in a state of error and loses what follows it; here it is no reading, and
what follows it counts.
"""

import json
from collections.abc import Iterable, Mapping
from math import isfinite

from decoders import attribute
from decoders.choice import Choice
from decoders.codec import Codec, CodecField
from decoders.error import EncodeError, MalformedPayload
from decoders.field import Attribute, Given
from decoders.mbus_frame import Records, Value, tenths, wide
from decoders.measurement import Measurement, Reading
from decoders.quantity import Family, Privacy, Quantity

JSON_FORMATS = frozenset((0x02, 0x07, 0x11, 0x17, 0x20, 0x26))
JSON_FORMAT = "02"
LONGEST_WHOLE = 1e15
FORMATS = frozenset(
    (*range(0x0E), *range(0x0F, 0x2A), 0x2C, 0x2D, *range(0x3B, 0x42), *range(0x46, 0x4B), *range(0x4D, 0x51))
)
KWH = {"Wh": (1, 1000), "kWh": (1, 1), "MWh": (1000, 1), "MJ": (10, 36), "GJ": (10_000, 36)}
COOLING = {bytes((0x80 | n, 0xFF, 0x02)): "cooling" for n in (*range(8), 0x0E, 0x0F)}


def _values() -> Iterable[Value]:
    """DIF (and DIFE): 04 and 02 are numbers of 32 and 16 bits, 14 and 12 their maxima, 44 the first storage."""
    energy, volume, flow = Quantity.ENERGY_TOTAL, Quantity.VOLUME_TOTAL, Quantity.VOLUME_FLOW
    yield wide(energy, "0406")
    yield wide(energy, "4406", "storage1", verified=False)
    yield wide(energy, "840106", "storage2")
    for tariff in range(1, 4):
        yield wide(energy, f"84{tariff}006", f"tariff{tariff}", verified=False)
        yield wide(energy, f"c4{tariff}006", f"storage1_tariff{tariff}", verified=False)
    yield wide(energy, "0486ff02", "cooling", verified=False)
    yield wide(volume, "0413")
    yield wide(volume, "4413", "storage1", verified=False)
    for register, difes in enumerate(("8440", "848040", "84c040"), start=1):
        yield wide(volume, f"{difes}13", f"input{register}", verified=False)
        yield wide(energy, f"{difes}06", f"input{register}", verified=False)
    yield wide(Quantity.POWER, "042b")
    yield wide(Quantity.POWER, "142b", "max", verified=False)
    yield wide(flow, "043b")
    yield wide(flow, "143b", "max", verified=False)
    yield wide(flow, "94013b", "max_storage2")
    for quantity, vif in ((Quantity.FLOW_TEMPERATURE, "5a"), (Quantity.RETURN_TEMPERATURE, "5e")):
        yield tenths(quantity, f"02{vif}")
        yield tenths(quantity, f"12{vif}", "max", verified=False)


FORMAT = Attribute("message_format", "B", lambda raw: f"{int(raw):02x}", lambda text: int(text, 16))
RECORDS = Records(tuple(_values()), head=(FORMAT,), marked=COOLING)


class Text:
    """A JSON object of energy (E), its unit (U) and the meter's number (ID), behind the format byte."""

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """One measurement of the energy."""
        try:
            found = json.loads(payload[1:])
            energy, unit, meter = float(found["E"]), found["U"], str(found["ID"])
            multiplier, divisor = KWH[unit]
        except (ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
            raise MalformedPayload("the text is no JSON object of E (a number), U (a unit) and ID") from error
        value = energy * multiplier / divisor
        if not isfinite(value):
            raise MalformedPayload(f"E = {energy} {unit} is no energy")
        identity = attribute.printable(meter.encode("ascii", errors="replace"))
        attributes = {"message_format": f"{payload[0]:02x}"} | ({"meter_id": identity} if identity else {})
        return (Measurement.of(time_ms, (Reading(Quantity.ENERGY_TOTAL, value),), attributes),)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a Frame's signature
        """The text of an energy in kWh, if the attributes ask for this format."""
        given = Given(measurement)
        form = given.attributes.pop("message_format", "")
        if form != JSON_FORMAT:
            raise EncodeError(f"message_format {form!r} is not that of JSON text, {JSON_FORMAT}")
        energy = given.values.pop((Quantity.ENERGY_TOTAL, ""), None)
        if energy is None or not isfinite(energy):
            raise EncodeError(f"energy_total = {energy} cannot be sent")
        text = {"E": _number(energy), "U": "kWh", "ID": given.attributes.pop("meter_id", "0")}
        given.refuse_rest()
        return bytes.fromhex(form) + json.dumps(text, separators=(",", ":")).encode("ascii")

    def fields(self) -> tuple[CodecField, ...]:
        """Nothing that the records do not carry."""
        return ()


def _number(energy: float) -> str:
    """Whole numbers without a point, as the meters write them."""
    return f"{energy:.0f}" if energy.is_integer() and abs(energy) < LONGEST_WHOLE else repr(energy)


def _form(payload: bytes) -> str:
    if not payload or payload[0] not in FORMATS:
        raise MalformedPayload(f"message format {payload[:1].hex() or 'nothing'} is not known")
    return "JSON" if payload[0] in JSON_FORMATS else "records"


MESSAGES = Choice({"JSON": Text(), "records": RECORDS}, _form)

CMI41XX = Codec(
    id="elvaco/cmi41xx",
    vendor="Elvaco",
    model="CMi4110, 4111, 4130, 4140, 4160, 4170 (modules of heat meters)",
    family=Family.METER,
    source="Elvaco CMi41xx user's manuals, message encoding; actility/device-catalog vendors/elvaco/drivers/cmi41xx",
    ports={1: MESSAGES},
    any_port=MESSAGES,
    privacy=Privacy.PERSONAL,
)

CODECS = (CMI41XX,)

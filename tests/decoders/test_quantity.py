"""The vocabulary."""

import pickle
import re

import pytest

from decoders.quantity import Privacy, Quantity

UCUM = {
    "Cel", "%", "hPa", "lx", "[ppm]", "[ppb]", "ug/m3", "nm", "/cm3", "dB[SPL]", "1", "[g]", "V", "deg", "min", "s",
    "km/h", "mm", "uA", "mW", "W/m2", "umol/m2/s", "m/s", "mm/h", "km", "Ohm", "uS/cm", "kPa", "bar", "{NTU}", "mA",
    "m", "deg/s", "L", "L/h", "kW.h", "W", "A", "Hz", "V.A", "V.A{reactive}",
    "kV.A.h", "kV.A.h{reactive}",
    "mg/L",
    "ms",
    "A.h",
    "[pH]",
    "mV",
    "Pa",
}  # fmt: skip


@pytest.mark.parametrize("quantity", Quantity)
def test_a_quantity_is_complete(quantity: Quantity) -> None:
    """Stored name, UCUM code and range of every quantity are usable."""
    assert quantity.field == quantity.name.lower()
    assert re.fullmatch(r"[a-z][a-z0-9_]*", quantity.field)
    assert quantity.ucum in UCUM
    assert (quantity.unit == "") == (quantity.ucum == "1")
    assert quantity.low < quantity.high


def test_quantities_survive_pickling_and_hashing() -> None:
    """A quantity from another process is the same member, with the same hash."""
    for quantity in Quantity:
        assert pickle.loads(pickle.dumps(quantity)) is quantity  # noqa: S301 - our own bytes
    assert len({hash(quantity) for quantity in Quantity}) == len(Quantity)


def test_what_devices_say_of_themselves_is_diagnostic() -> None:
    """Battery, supply and own temperature are diagnostic; what concerns the city is not."""
    assert Quantity.BATTERY_VOLTAGE.diagnostic
    assert Quantity.SUPPLY_VOLTAGE.diagnostic
    assert Quantity.DEVICE_TEMPERATURE.diagnostic
    assert not Quantity.AIR_TEMPERATURE.diagnostic
    assert not Quantity.OCCUPIED.diagnostic


def test_positions_and_presence_are_internal() -> None:
    """Where a device is and whether someone sits at a desk never leaves the city."""
    internal = {quantity for quantity in Quantity if quantity.privacy is Privacy.INTERNAL}
    assert internal == {
        Quantity.LATITUDE,
        Quantity.LONGITUDE,
        Quantity.PRESENCE,
        Quantity.SPEED,
        Quantity.HEADING,
        Quantity.ALTITUDE,
        Quantity.MOVING,
        Quantity.TRIP_COUNT_TOTAL,
    }

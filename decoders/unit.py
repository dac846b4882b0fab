"""Units that decoded objects come in, and their way into ours: value · factor + offset gives the dimension's base unit.

Sources of the factors: The International System of Units (BIPM, 9th edition) and, for inch, mile, knot and Fahrenheit,
NIST Special Publication 811 (2008), appendix B.
"""

from typing import NamedTuple

from decoders.quantity import Quantity


class Unit(NamedTuple):
    """A unit of a dimension: value · factor + offset is the value in the dimension's base unit."""

    dimension: str
    factor: float
    offset: float = 0.0


UNITS: dict[str, Unit] = {
    "°C": Unit("temperature", 1.0),
    "K": Unit("temperature", 1.0, -273.15),
    "°F": Unit("temperature", 5 / 9, -160 / 9),
    "hPa": Unit("pressure", 100.0),
    "mbar": Unit("pressure", 100.0),
    "Pa": Unit("pressure", 1.0),
    "kPa": Unit("pressure", 1000.0),
    "bar": Unit("pressure", 100_000.0),
    "psi": Unit("pressure", 6894.757293168),
    "mmHg": Unit("pressure", 133.322387415),
    "V": Unit("voltage", 1.0),
    "mV": Unit("voltage", 0.001),
    "A": Unit("current", 1.0),
    "mA": Unit("current", 0.001),
    "µA": Unit("current", 0.000001),
    "W": Unit("power", 1.0),
    "mW": Unit("power", 0.001),
    "kW": Unit("power", 1000.0),
    "kWh": Unit("energy", 1000.0),
    "Wh": Unit("energy", 1.0),
    "MWh": Unit("energy", 1_000_000.0),
    "MJ": Unit("energy", 1_000_000 / 3600),
    "GJ": Unit("energy", 1_000_000_000 / 3600),
    "mm": Unit("length", 0.001),
    "cm": Unit("length", 0.01),
    "m": Unit("length", 1.0),
    "km": Unit("length", 1000.0),
    "in": Unit("length", 0.0254),
    "ft": Unit("length", 0.3048),
    "nm": Unit("length", 0.000000001),
    "m/s": Unit("speed", 1.0),
    "km/h": Unit("speed", 1 / 3.6),
    "mph": Unit("speed", 0.44704),
    "kn": Unit("speed", 1852 / 3600),
    "mm/h": Unit("rain rate", 1.0),
    "in/h": Unit("rain rate", 25.4),
    "s": Unit("time", 1.0),
    "ms": Unit("time", 0.001),
    "min": Unit("time", 60.0),
    "h": Unit("time", 3600.0),
    "d": Unit("time", 86_400.0),
    "l": Unit("volume", 1.0),
    "L": Unit("volume", 1.0),
    "m³": Unit("volume", 1000.0),
    "m3": Unit("volume", 1000.0),
    "l/h": Unit("flow", 1.0),
    "m³/h": Unit("flow", 1000.0),
    "m3/h": Unit("flow", 1000.0),
    "l/min": Unit("flow", 60.0),
    "ppm": Unit("mole fraction", 1.0),
    "ppb": Unit("mole fraction", 0.001),
    "µg/m³": Unit("mass concentration", 1.0),
    "ug/m3": Unit("mass concentration", 1.0),
    "mg/m³": Unit("mass concentration", 1000.0),
    "mg/m3": Unit("mass concentration", 1000.0),
    "µS/cm": Unit("conductivity", 1.0),
    "uS/cm": Unit("conductivity", 1.0),
    "mS/cm": Unit("conductivity", 1000.0),
    "dS/m": Unit("conductivity", 1000.0),
    "%": Unit("share", 1.0),
    "1": Unit("share", 100.0),
    "‰": Unit("share", 0.1),
    "°": Unit("angle", 1.0),
    "rad": Unit("angle", 57.29577951308232),
}
ALIASES = {
    "C": "°C",
    "degC": "°C",
    "F": "°F",
    "degF": "°F",
    "deg": "°",
    "uA": "µA",
    "cbar": "kPa",
    "percent": "%",
    "lux": "lx",
    "liter": "l",
    "litre": "l",
    "meter": "m",
}


class UnitError(ValueError):
    """A unit that is not known, or that measures something else."""


def conversion(unit: str, quantity: Quantity) -> tuple[float, float]:
    """(factor, offset) that turn a value in this unit into the quantity's own; raises UnitError."""
    name = ALIASES.get(unit, unit)
    if name == quantity.unit:
        return 1.0, 0.0
    theirs, ours = UNITS.get(name), UNITS.get(quantity.unit)
    if theirs is None:
        raise UnitError(f"unknown unit {unit!r}; {quantity.field} is kept in {quantity.unit or 'no unit'}")
    if ours is None or theirs.dimension != ours.dimension:
        raise UnitError(f"{unit} cannot become {quantity.unit or 'a number without unit'} ({quantity.field})")
    return theirs.factor / ours.factor, (theirs.offset - ours.offset) / ours.factor

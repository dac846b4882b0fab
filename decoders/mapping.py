"""A decoded object (a vendor's JavaScript, or ChirpStack's own `object`) becomes readings through a declarative table.

    family = "environment"
    time = { path = "measuredAt", as = "unix_s" }      # unix_s, unix_ms or iso; else the uplink's time

    [[field]]
    path = "soil.0.temp"                # keys by dots, places in lists by number
    quantity = "soil_temperature"
    channel = "depth_20cm"
    unit = "°F"                         # theirs; ours follows from the quantity
    factor = 0.1                        # theirs · factor + offset, before the unit
    offset = 0
    invalid = [-9999, "n/a"]            # "no reading", of a number also as text, and as 3276.7000000000003 for 3276.7
    words = { open = 1, closed = 0 }    # text into numbers; flags (true), whole numbers ("2") are words, too

Numbers may come as text ("21.5"), flags count 1 and 0, {value, unit} is read as such; null, NaN, other text and what no
line names is no reading. An object in which nothing is known is an error, never an empty measurement.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from math import isclose, isfinite, nan
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from decoders.error import MappingError
from decoders.measurement import Measurement, Reading
from decoders.quantity import Family, Privacy, Quantity
from decoders.unit import UnitError, conversion

QUANTITIES = {quantity.field: quantity for quantity in Quantity}
SHOWN = 8
LAST_TIME_MS = 9_223_372_036_854
"""In April 2262: what 64 bits of nanoseconds, as time series databases keep them, can hold."""
NUMERAL = re.compile(r"\s*[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,4})?\s*")
"""What counts as a number in a text: not "1_000", which Python takes for one, nor other scripts' digits."""
T = TypeVar("T")
Clock = Literal["unix_s", "unix_ms", "iso"]


class Entry(NamedTuple):
    """One line of a table: where a value stands, and how it becomes a reading."""

    path: tuple[str, ...]
    quantity: Quantity
    channel: str = ""
    unit: str = ""
    factor: float = 1.0
    offset: float = 0.0
    invalid: tuple[float | str, ...] = ()
    words: Mapping[str, float] = MappingProxyType({})

    def reading(self, found: object) -> Reading | None:
        """The reading of what stands at the path; None where it means "no reading"."""
        unit = self.unit
        if isinstance(found, Mapping) and "value" in found:
            stated = found.get("unit")
            unit = unit or (stated if isinstance(stated, str) else "")
            found = found["value"]
        number = as_number(found)
        if self.invalid and self._marks(found, number):
            return None
        if self.words:
            number = self.words.get(_word(found), number)
        if number is None:
            return None
        value = number * self.factor + self.offset
        if unit:
            factor, offset = conversion(unit, self.quantity)
            value = value * factor + offset
        return Reading(self.quantity, value, self.channel) if isfinite(value) else None

    def _marks(self, found: object, number: float | None) -> bool:
        """Whether a value is one that means "no reading"; a flag never is."""
        return not isinstance(found, bool) and any(
            found == marker if isinstance(marker, str) or number is None else isclose(number, marker, rel_tol=1e-12)
            for marker in self.invalid
        )


class Table:
    """How the objects of one device profile become measurements; `family` names the Influx measurement."""

    def __init__(
        self,
        name: str,
        entries: Sequence[Entry],
        *,
        family: Family = Family.ENVIRONMENT,
        privacy: Privacy = Privacy.OPEN,
        time: tuple[tuple[str, ...], Clock] | None = None,
    ) -> None:
        self.name = name
        self.entries = tuple(entries)
        self.family = family
        self.privacy = privacy
        self._time = time

    def measurement(self, found: Mapping[str, object], time_ms: int) -> Measurement:
        """The readings of an object; raises MappingError when nothing of it is known, or a unit does not fit."""
        readings: dict[tuple[Quantity, str], Reading] = {}
        for entry, value in self.values(found):
            try:
                reading = entry.reading(value)
            except UnitError as error:
                raise MappingError(f"{self.name}: {'.'.join(entry.path)}: {error}") from error
            if reading is not None:
                readings.setdefault((reading.quantity, reading.channel), reading)
        if not readings:
            names = ", ".join(list(found)[:SHOWN]) or "nothing"
            raise MappingError(f"{self.name}: no value in the object is known; it has {names}")
        if self._time is not None:
            time_ms = self._own_time(found, time_ms)
        return Measurement.of(time_ms, tuple(readings.values()))

    def values(self, found: Mapping[str, object]) -> Iterable[tuple[Entry, object]]:
        """The lines of the table that the object has something for."""
        for entry in self.entries:
            value = at(found, entry.path)
            if value is not None:
                yield entry, value

    def _own_time(self, found: Mapping[str, object], time_ms: int) -> int:
        if self._time is None:
            return time_ms
        path, clock = self._time
        value = at(found, path)
        if value is None:
            return time_ms
        moment = as_time_ms(value, clock)
        if moment is None:
            raise MappingError(f"{self.name}: {'.'.join(path)} = {value!r} is no time ({clock})")
        return moment


class CommonNames(Table):
    """The table for objects of which nobody told us anything: names that mean one thing wherever they are used.

    The sensors of ChirpStack's own CayenneLPP codec ({"temperatureSensor": {"1": 21.5}}) are told apart by channel.
    """

    def __init__(self, names: Mapping[str, Entry]) -> None:
        super().__init__("common names", tuple(names.values()))
        self._names = {plain(name): entry for name, entry in names.items()}

    def values(self, found: Mapping[str, object]) -> Iterable[tuple[Entry, object]]:
        """Values whose name is known: those at the top first, then those inside."""
        waiting: list[Mapping[str, object]] = [found]
        while waiting:
            inside: list[Mapping[str, object]] = []
            for key, value in waiting.pop().items():
                entry = self._names.get(plain(key))
                sensor = CAYENNE.get(key)
                if sensor is not None and isinstance(value, Mapping):
                    yield from _numbered(sensor, value)
                elif entry is not None and (not isinstance(value, Mapping) or "value" in value):
                    yield entry._replace(path=(key,)), value
                elif isinstance(value, Mapping):
                    inside.append(value)
            waiting += reversed(inside)


def _numbered(sensor: Mapping[str, Quantity], value: Mapping[str, object]) -> Iterable[tuple[Entry, object]]:
    """The sensors of one Cayenne type by channel; of several numbers by their names."""
    for number, found in value.items():
        if not CHANNEL.fullmatch(number):
            continue
        for part, quantity in sensor.items():
            axis = f"_{part}" if part and part in AXES else ""
            entry = Entry((number, part) if part else (number,), quantity, f"ch{number}{axis}")
            yield entry, at(found, (part,)) if part else found


def plain(name: str) -> str:
    """A name without case, blanks, dashes and underscores."""
    return name.replace("_", "").replace("-", "").replace(" ", "").lower()


def at(found: object, path: Sequence[str]) -> object:
    """What stands at a path; None where nothing does."""
    for key in path:
        if isinstance(found, Mapping):
            found = found.get(key)
        elif isinstance(found, list) and key.isdecimal() and int(key) < len(found):
            found = found[int(key)]
        else:
            return None
    return found


def _word(found: object) -> str:
    """A value as a table's `words` name it: as JSON writes it, whole numbers without a point."""
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(int(found)) if isinstance(found, float) and found.is_integer() else str(found)


def as_number(found: object) -> float | None:
    """A number, a flag as 1 or 0, a number written as text; None for anything else, and for what is too large."""
    if not isinstance(found, bool | int | float | str) or (isinstance(found, str) and not NUMERAL.fullmatch(found)):
        return None
    try:
        return float(found)
    except (ValueError, OverflowError):
        return None


def as_time_ms(found: object, clock: Clock) -> int | None:
    """Ms since 1970 of a time in an object; None if it is none that can be stored. A text without a zone is UTC."""
    try:
        if clock == "iso":
            moment = datetime.fromisoformat(str(found))
            if moment.tzinfo is None:
                moment = datetime.fromisoformat(f"{found}+00:00")
            time_ms = int(moment.timestamp() * 1000)
        else:
            number = as_number(found)
            time_ms = int((nan if number is None else number) * (1000 if clock == "unix_s" else 1))
    except (ValueError, OverflowError):
        return None
    return time_ms if abs(time_ms) <= LAST_TIME_MS else None


# -- names that everybody uses ----------------------------------------------------------------------------------------

AXES = "xyz"
CHANNEL = re.compile("[0-9]{1,3}")
CAYENNE: Mapping[str, Mapping[str, Quantity]] = {
    "digitalInput": {"": Quantity.DIGITAL_INPUT},
    "digitalOutput": {"": Quantity.DIGITAL_OUTPUT},
    "analogInput": {"": Quantity.ANALOG_INPUT},
    "analogOutput": {"": Quantity.ANALOG_OUTPUT},
    "illuminanceSensor": {"": Quantity.ILLUMINANCE},
    "presenceSensor": {"": Quantity.PRESENCE},
    "temperatureSensor": {"": Quantity.AIR_TEMPERATURE},
    "humiditySensor": {"": Quantity.AIR_HUMIDITY},
    "accelerometer": dict.fromkeys(AXES, Quantity.ACCELERATION),
    "barometer": {"": Quantity.AIR_PRESSURE},
    "gyrometer": dict.fromkeys(AXES, Quantity.ANGULAR_VELOCITY),
    "gpsLocation": {
        "latitude": Quantity.LATITUDE,
        "longitude": Quantity.LONGITUDE,
        "altitude": Quantity.ALTITUDE,
    },
}
"""Names of ChirpStack 4's CayenneLPP codec (chirpstack/src/codec/cayenne_lpp.rs), each with what its numbers are."""

NAMES: Mapping[Quantity, tuple[str, ...]] = {
    Quantity.AIR_TEMPERATURE: ("temperature", "temp", "air_temperature", "TempC_SHT", "ambient_temperature"),
    Quantity.AIR_HUMIDITY: ("humidity", "hum", "air_humidity", "relative_humidity", "Hum_SHT", "rh"),
    Quantity.AIR_PRESSURE: ("air_pressure", "barometric_pressure", "barometer"),
    Quantity.CO2: ("co2", "co2_ppm"),
    Quantity.TVOC: ("tvoc",),
    Quantity.PM1: ("pm1", "pm1_0"),
    Quantity.PM2_5: ("pm2_5", "pm25"),
    Quantity.PM10: ("pm10",),
    Quantity.ILLUMINANCE: ("illuminance", "illumination", "lux"),
    Quantity.UV_INDEX: ("uv_index", "uvi"),
    Quantity.WIND_SPEED: ("wind_speed",),
    Quantity.WIND_DIRECTION: ("wind_direction",),
    Quantity.SOIL_TEMPERATURE: ("soil_temperature", "temp_SOIL"),
    Quantity.SOIL_MOISTURE: ("soil_moisture", "water_SOIL"),
    Quantity.SOIL_CONDUCTIVITY: ("soil_conductivity", "conduct_SOIL"),
    Quantity.WATER_TEMPERATURE: ("water_temperature",),
    Quantity.WATER_LEAK: ("water_leak",),
    Quantity.OCCUPIED: ("occupied",),
    Quantity.FILL_LEVEL: ("fill_level", "filling_level", "fillinglvl"),
    Quantity.BATTERY_VOLTAGE: ("batV", "battery_voltage", "battery_volt", "bat_v"),
    Quantity.BATTERY_LEVEL: ("battery_level", "bat_level", "battery_percent"),
}
"""Names that mean one quantity in one unit in every codec repository; "battery" and "pressure" alone do not."""

DEFAULT = CommonNames(
    {name: Entry((name,), quantity) for quantity, names in NAMES.items() for name in (quantity.field, *names)}
)


# -- tables as TOML ---------------------------------------------------------------------------------------------------


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class _Time(_Strict):
    path: str
    clock: Clock = Field(alias="as")


class _Line(_Strict):
    path: str = Field(min_length=1)
    quantity: str
    channel: str = Field("", pattern="^[a-z0-9_]*$")
    unit: str = ""
    factor: float = 1.0
    offset: float = 0.0
    invalid: list[float | int | str] = []
    words: dict[str, float] = {}


class _File(_Strict):
    model_config = ConfigDict(extra="ignore", strict=True)

    family: str = "environment"
    privacy: str = "open"
    time: _Time | None = None
    field: list[_Line] = Field(min_length=1)


def parse(text: str, name: str) -> Table:
    """A table from TOML; raises MappingError that names the file and the line or key."""
    try:
        file = _File.model_validate(tomllib.loads(text))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise MappingError(f"{name}: {where}: {first['msg']}") from error
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, and what tomllib leaves of numbers and nesting
        raise MappingError(f"{name}: {error}") from error
    time = None if file.time is None else (tuple(file.time.path.split(".")), file.time.clock)
    return Table(
        name,
        [_entry(name, number, line) for number, line in enumerate(file.field)],
        family=_named(name, "family", file.family, {family.value: family for family in Family}),
        privacy=_named(name, "privacy", file.privacy, {privacy.name.lower(): privacy for privacy in Privacy}),
        time=time,
    )


def _named(name: str, key: str, text: str, known: Mapping[str, T]) -> T:
    if text not in known:
        near = get_close_matches(text, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
        raise MappingError(f"{name}: {key}: unknown {text!r}{hint}")
    return known[text]


def _entry(name: str, number: int, line: _Line) -> Entry:
    key = f"field.{number}"
    quantity = _named(name, f"{key}.quantity", line.quantity, QUANTITIES)
    if line.unit:
        try:
            conversion(line.unit, quantity)
        except UnitError as error:
            raise MappingError(f"{name}: {key}.unit: {error}") from error
    return Entry(
        tuple(line.path.split(".")),
        quantity,
        line.channel,
        line.unit,
        line.factor,
        line.offset,
        tuple(line.invalid),
        line.words,
    )


class ObjectCodec:
    """A codec for devices that ChirpStack decodes itself: reads the `object` of the event instead of its bytes."""

    ports: Mapping[int, object] = MappingProxyType({})
    any_port: object = None
    parameters: tuple[object, ...] = ()
    vendor = "ChirpStack"
    source = "the event's `object`, as the codec in ChirpStack's device profile made it"

    def __init__(self, id_: str, table: Table) -> None:
        self.id = id_
        self.model = f"decoded object ({table.name})"
        self.family = table.family
        self.privacy = table.privacy
        self.table = table

    def decode(
        self,
        f_port: int,  # noqa: ARG002 - a codec's signature
        payload: bytes,  # noqa: ARG002 - the same
        time_ms: int,
        parameters: Mapping[str, float] | None = None,  # noqa: ARG002 - the same
    ) -> tuple[Measurement, ...]:
        """Always MappingError: bytes without the network server's object say nothing to it."""
        return self.read(None, time_ms)

    def read(self, found: Mapping[str, object] | None, time_ms: int) -> tuple[Measurement, ...]:
        """The measurement in an object; raises MappingError, also when ChirpStack sent none."""
        if found is None:
            raise MappingError(f"{self.id}: the event has no object; has the device profile a codec in ChirpStack?")
        return (self.table.measurement(found, time_ms),)


OBJECT = ObjectCodec("chirpstack/object", DEFAULT)

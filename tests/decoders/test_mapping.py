"""Decoded objects become readings by a table."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.error import MappingError
from decoders.mapping import DEFAULT, as_number, parse
from decoders.measurement import Measurement, Reading
from decoders.quantity import Family, Privacy, Quantity
from decoders.unit import UnitError, conversion

NOW_MS = 1_800_000_000_000
TABLE = """
family = "waste"
privacy = "internal"
time = { path = "meta.ts", as = "unix_s" }

[[field]]
path = "level_cm"
quantity = "distance"
unit = "cm"
invalid = [-1, "n/a"]

[[field]]
path = "probes.1.temp"
quantity = "soil_temperature"
channel = "depth_20cm"
unit = "°F"

[[field]]
path = "lid"
quantity = "open"
words = { open = 1, closed = 0 }

[[field]]
path = "raw"
quantity = "battery_voltage"
factor = 0.025
offset = 2
"""


def values(measurement: Measurement) -> dict[tuple[str, str], float]:
    """Readings by field name and channel."""
    return {(item.quantity.field, item.channel): round(item.value, 9) for item in measurement.readings}


def test_a_table_converts_what_it_names() -> None:
    """Paths, lists, units, factor and offset, words, and the object's own time."""
    found = {
        "level_cm": "143.5",
        "probes": [{"temp": 50}, {"temp": 68}],
        "lid": "open",
        "raw": 40,
        "meta": {"ts": 1_700_000_000},
        "unknown": 3,
    }
    table = parse(TABLE, "bin.toml")
    measurement = table.measurement(found, NOW_MS)
    assert (table.family, table.privacy) == (Family.WASTE, Privacy.INTERNAL)
    assert measurement.time_ms == 1_700_000_000_000
    assert values(measurement) == {
        ("distance", ""): 1435.0,
        ("soil_temperature", "depth_20cm"): 20.0,
        ("open", ""): 1.0,
        ("battery_voltage", ""): 3.0,
    }


@pytest.mark.parametrize("nothing", [-1, "n/a", None, "NaN", "inf", "full", [], {}, 10**400, "1e999"])
def test_no_reading_is_no_number(nothing: object) -> None:
    """Markers, null, NaN, infinity, other words and structures leave the reading out."""
    found = {"level_cm": nothing, "lid": "closed"}
    assert values(parse(TABLE, "bin.toml").measurement(found, NOW_MS)) == {("open", ""): 0.0}


@pytest.mark.parametrize("found", [65535, 65535.0, "65535", " 65535.0 ", 3276.7000000000003, "3276.7", -327.68, "N/A"])
def test_a_marker_is_known_however_it_is_written(found: object) -> None:
    """As a number, as its text, as what division by ten made of it."""
    table = parse('[[field]]\npath = "x"\nquantity = "co2"\ninvalid = [65535, 3276.7, -327.68, "N/A"]', "t")
    with pytest.raises(MappingError):
        table.measurement({"x": found}, NOW_MS)
    assert values(table.measurement({"x": 3276.6}, NOW_MS)) == {("co2", ""): 3276.6}


@pytest.mark.parametrize(
    ("found", "value"), [(True, 0.0), (False, 1.0), (2, 7.0), (2.0, 7.0), ("2", 7.0), (3, 3.0), (2.5, 2.5), ("ja", 9.0)]
)
def test_words_are_found_for_flags_and_numbers(found: object, value: float) -> None:
    """As JSON writes them, and as ChirpStack does, whose numbers all have a point; what no word is for stays."""
    line = '[[field]]\npath = "x"\nquantity = "co2"\nwords = { true = 0, false = 1, "2" = 7, ja = 9 }'
    assert values(parse(line, "t").measurement({"x": found}, NOW_MS)) == {("co2", ""): value}


@pytest.mark.parametrize(
    ("text", "value"),
    [("21.5", 21.5), (" -5 ", -5.0), ("+.5e1", 5.0), ("7.", 7.0), ("1_000", None), ("٢١", None), ("0x10", None)]
    + [(text, None) for text in ("", "1e", "nan", "-Infinity", "21,5", "21.5 °C", "1 2")],
)
def test_which_texts_are_numbers(text: str, value: float | None) -> None:
    """Those of JSON and a little more; nothing that only Python reads as one."""
    assert as_number(text) == value


def test_a_flag_is_not_mistaken_for_a_marker() -> None:
    """`true` equals 1 in Python, and is a value all the same."""
    table = parse('[[field]]\npath = "x"\nquantity = "occupied"\ninvalid = [1]', "t")
    assert values(table.measurement({"x": True}, NOW_MS)) == {("occupied", ""): 1.0}
    with pytest.raises(MappingError):
        table.measurement({"x": 1}, NOW_MS)


@pytest.mark.parametrize(
    ("clock", "value", "expected"),
    [
        ("unix_s", 1_700_000_000, 1_700_000_000_000),
        ("unix_ms", "1700000000123", 1_700_000_000_123),
        ("iso", "2023-11-14T22:13:20Z", 1_700_000_000_000),
        ("iso", "2023-11-14T23:13:20+01:00", 1_700_000_000_000),
        ("iso", "2023-11-14 22:13:20", 1_700_000_000_000),
    ],
)
def test_times(clock: str, value: object, expected: int) -> None:
    """Unix seconds, Unix milliseconds and ISO 8601; a text without a zone is UTC."""
    table = parse(f'time = {{ path = "t", as = "{clock}" }}\n[[field]]\npath = "x"\nquantity = "co2"', "t")
    assert table.measurement({"x": 1, "t": value}, NOW_MS).time_ms == expected
    assert table.measurement({"x": 1}, NOW_MS).time_ms == NOW_MS
    late: object = "2262-04-12T00:00:00Z" if clock == "iso" else 10**16
    for nonsense in ("yesterday", late, 10**400, float("nan"), {}):
        with pytest.raises(MappingError, match="is no time"):
            table.measurement({"x": 1, "t": nonsense}, NOW_MS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("family = ", "table.toml: Invalid value"),
        ("", "table.toml: field: Field required"),
        ('[[field]]\npath = "x"\nquantity = "temperatur"', "field.0.quantity: unknown 'temperatur'; did you mean"),
        ('[[field]]\npath = "x"\nquantity = "co2"\nunit = "°C"', "field.0.unit: °C cannot become ppm"),
        ('[[field]]\npath = "x"\nquantity = "co2"\nunit = "furlong"', "field.0.unit: unknown unit 'furlong'"),
        ('[[field]]\npath = "x"\nquantity = "co2"\nscale = 2', "field.0.scale: Extra inputs"),
        ('family = "wast"\n[[field]]\npath = "x"\nquantity = "co2"', "family: unknown 'wast'; did you mean 'waste'"),
        ('[[field]]\npath = "x"\nquantity = "co2"\nchannel = "A b"', "field.0.channel"),
        ("x = " + "9" * 5000, "limit (4300 digits)"),
        ("x = " + "[" * 5000, "recursion"),
    ],
)
def test_a_bad_table_is_named(text: str, message: str) -> None:
    """The file, the key and what is wrong with it."""
    with pytest.raises(MappingError) as error:
        parse(text, "table.toml")
    assert message in str(error.value)
    assert str(error.value).startswith("table.toml: ")


def test_nothing_known_is_an_error() -> None:
    """An empty measurement would look like a device that measures nothing."""
    with pytest.raises(MappingError, match="no value in the object is known; it has mystery"):
        DEFAULT.measurement({"mystery": 1}, NOW_MS)
    with pytest.raises(MappingError, match="it has nothing"):
        DEFAULT.measurement({}, NOW_MS)


def test_a_name_in_a_message_is_printable() -> None:
    """Keys come from devices' codecs: line ends and lone surrogates could neither be logged nor stored."""
    with pytest.raises(MappingError) as error:
        DEFAULT.measurement({"a\nb\ud800\x1b": 1}, NOW_MS)
    assert "it has a\\nb\\ud800\\x1b" in str(error.value)


def test_an_object_as_deep_as_a_parser_makes_it() -> None:
    """A value is found however deep it lies, those before it in the object first."""
    found: dict[str, object] = {"co2": 612}
    for _ in range(5000):
        found = {"inside": found, "beside": {"co2": 1}}
    assert values(DEFAULT.measurement({"a": found, "b": {"co2": 2}}, NOW_MS)) == {("co2", ""): 612.0}
    assert values(DEFAULT.measurement({"a": {"x": {"co2": 3}}, "b": {"co2": 4}}, NOW_MS)) == {("co2", ""): 3.0}


def test_common_names() -> None:
    """Names that everybody uses, in any spelling, at the top before those inside; `battery` alone says too little."""
    found = {
        "data": {"temperature": 99, "CO2": 612},
        "Temperature": "21.5",
        "hum": 55,
        "batV": 3.61,
        "battery": 87,
        "air_pressure": {"value": 101.3, "unit": "kPa"},
    }
    assert values(DEFAULT.measurement(found, NOW_MS)) == {
        ("air_temperature", ""): 21.5,
        ("air_humidity", ""): 55.0,
        ("battery_voltage", ""): 3.61,
        ("air_pressure", ""): 1013.0,
        ("co2", ""): 612.0,
    }


def test_a_unit_that_does_not_fit_is_an_error() -> None:
    """An object that says V for a temperature is not guessed at."""
    with pytest.raises(MappingError, match="temperature: V cannot become °C"):
        DEFAULT.measurement({"temperature": {"value": 21, "unit": "V"}}, NOW_MS)


def test_cayenne_of_chirpstack() -> None:
    """The object of ChirpStack's own CayenneLPP codec: a channel each, axes and positions by part."""
    found = {
        "temperatureSensor": {"1": 21.5, "7": -3.25},
        "accelerometer": {"2": {"x": 0.5, "y": -1.0, "z": 0.25}},
        "gpsLocation": {"1": {"latitude": 51.68, "longitude": 7.82, "altitude": 63.0}},
        "digitalInput": {"3": 1, "٣": 1, "1234": 1, "": 1},
    }
    assert values(DEFAULT.measurement(found, NOW_MS)) == {
        ("air_temperature", "ch1"): 21.5,
        ("air_temperature", "ch7"): -3.25,
        ("acceleration", "ch2_x"): 0.5,
        ("acceleration", "ch2_y"): -1.0,
        ("acceleration", "ch2_z"): 0.25,
        ("latitude", "ch1"): 51.68,
        ("longitude", "ch1"): 7.82,
        ("altitude", "ch1"): 63.0,
        ("digital_input", "ch3"): 1.0,
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
NAMED = st.dictionaries(
    st.sampled_from(["temperature", "co2", "gpsLocation", "level_cm", "lid", "probes", "meta"]) | st.text(max_size=6),
    JSON,
    max_size=6,
)


@given(found=NAMED)
def test_any_object_gives_readings_or_a_mapping_error(found: dict[str, object]) -> None:
    """Whatever a codec returns: finite readings with closed channels, or MappingError."""
    for table in (DEFAULT, parse(TABLE, "t")):
        try:
            measurement = table.measurement(found, NOW_MS)
        except MappingError:
            continue
        assert all(reading.value - reading.value == 0.0 for reading in measurement.readings)
        assert json.dumps([reading.channel for reading in measurement.readings])


@pytest.mark.parametrize(
    ("unit", "quantity", "value", "ours"),
    [
        ("°F", Quantity.AIR_TEMPERATURE, 212, 100.0),
        ("K", Quantity.AIR_TEMPERATURE, 273.15, 0.0),
        ("Pa", Quantity.AIR_PRESSURE, 101_325, 1013.25),
        ("in", Quantity.DISTANCE, 10, 254.0),
        ("kn", Quantity.WIND_SPEED, 36, 18.52),
        ("m/s", Quantity.VEHICLE_SPEED, 10, 36.0),
        ("m³", Quantity.VOLUME_TOTAL, 1.5, 1500.0),
        ("MJ", Quantity.ENERGY_TOTAL, 3.6, 1.0),
        ("1", Quantity.FILL_LEVEL, 0.35, 35.0),
        ("mg/m³", Quantity.PM10, 0.02, 20.0),
        ("ppm", Quantity.NO2, 0.021, 21.0),
        ("degC", Quantity.AIR_TEMPERATURE, 5, 5.0),
    ],
)
def test_units(unit: str, quantity: Quantity, value: float, ours: float) -> None:
    """A known value in another unit becomes ours."""
    factor, offset = conversion(unit, quantity)
    assert value * factor + offset == pytest.approx(ours, abs=1e-9)


def test_a_mass_is_no_mole_fraction() -> None:
    """µg/m³ of a gas needs its molar mass and the air's temperature: refused, not guessed."""
    with pytest.raises(UnitError, match="µg/m³ cannot become ppb"):
        conversion("µg/m³", Quantity.NO2)


def test_no_reading_has_a_channel_twice() -> None:
    """Of two values of one quantity the first one named holds."""
    found = {"temperature": 1, "temp": 2}
    assert DEFAULT.measurement(found, 0).readings == (Reading(Quantity.AIR_TEMPERATURE, 1.0),)

"""The vocabulary: every quantity with its one unit, plausible range, public name and privacy class.

The UCUM codes follow the Unified Code for Units of Measure, revision 2.1; Smart Data Models names are the attribute
names of the data models at smartdatamodels.org (dataModel.Environment, .Parking, .Transportation, .WasteManagement).
"""

from enum import Enum, IntEnum


class Privacy(IntEnum):
    """Who may see a value; the strictest of application, codec and quantity wins."""

    OPEN = 0
    INTERNAL = 1
    PERSONAL = 2


class Family(Enum):
    """What kind of device a codec describes; names the Influx measurement of its readings."""

    ENVIRONMENT = "environment"
    PARKING = "parking"
    TRAFFIC = "traffic"
    WASTE = "waste"
    METER = "meter"
    LIGHTING = "lighting"


class Quantity(Enum):
    """One thing a city measures: unit (as printed), UCUM code, plausible range, Smart Data Models name."""

    # air and weather
    AIR_TEMPERATURE = ("°C", "Cel", -50, 70, "temperature")
    AIR_HUMIDITY = ("%", "%", 0, 100, "relativeHumidity")
    AIR_PRESSURE = ("hPa", "hPa", 300, 1100, "atmosphericPressure")
    ILLUMINANCE = ("lx", "lx", 0, 200_000, "illuminance")
    CO2 = ("ppm", "[ppm]", 0, 40_000, "CO2")
    PM1 = ("µg/m³", "ug/m3", 0, 1000, "PM1")
    PM2_5 = ("µg/m³", "ug/m3", 0, 1000, "PM2.5")
    PM4 = ("µg/m³", "ug/m3", 0, 1000, "PM4")
    PM10 = ("µg/m³", "ug/m3", 0, 2000, "PM10")
    PARTICLE_SIZE = ("nm", "nm", 0, 100_000, "typicalParticleSize")
    PARTICLE_CONCENTRATION = ("1/cm³", "/cm3", 0, 100_000, "particleConcentration")
    SOUND_LEVEL_PEAK = ("dB", "dB", 0, 160, "LAmax")
    SOUND_LEVEL_AVERAGE = ("dB", "dB", 0, 160, "LAeq")
    TVOC = ("ppb", "[ppb]", 0, 60_000, "TVOC")
    SURFACE_TEMPERATURE = ("°C", "Cel", -60, 120, "surfaceTemperature")
    EXTERNAL_TEMPERATURE = ("°C", "Cel", -60, 150, "externalTemperature")
    # parking
    OCCUPIED = ("", "1", 0, 1, "status")
    STATE_DURATION = ("min", "min", 0, 100_000, "stateDuration")
    # traffic and people
    VEHICLE_COUNT = ("", "1", 0, 10_000, "intensity")
    VEHICLE_SPEED = ("km/h", "km/h", 0, 255, "averageVehicleSpeed")
    PEOPLE_COUNT = ("", "1", 0, 65_535, "peopleCount")
    PEOPLE_COUNT_TOTAL = ("", "1", 0, 4_294_967_295, "peopleCountTotal")
    # waste and level
    DISTANCE = ("mm", "mm", 0, 65_535, "distance")
    FILL_LEVEL = ("%", "%", 0, 100, "fillingLevel")
    WATER_LEVEL = ("mm", "mm", 0, 65_535, "waterLevel")
    TILTED = ("", "1", 0, 1, "tilted")
    # any device
    BATTERY_VOLTAGE = ("V", "V", 0, 30, "batteryVoltage")
    BATTERY_LEVEL = ("%", "%", 0, 100, "batteryLevel")
    DEVICE_TEMPERATURE = ("°C", "Cel", -60, 125, "deviceTemperature")

    def __init__(self, unit: str, ucum: str, low: float, high: float, smart_data_model: str) -> None:
        self.field = self.name.lower()
        self.unit = unit
        self.ucum = ucum
        self.low = float(low)
        self.high = float(high)
        self.smart_data_model = smart_data_model
        self.privacy = Privacy.OPEN

    def __hash__(self) -> int:
        return hash(self.field)

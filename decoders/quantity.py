"""The vocabulary: every quantity with its one unit, plausible range, public name and privacy class.

The UCUM codes follow the Unified Code for Units of Measure, revision 2.1. Smart Data Models names are attributes of
the data models at smartdatamodels.org (AirQualityObserved, WeatherObserved, NoiseLevelObserved, ParkingSpot,
TrafficFlowObserved, CrowdFlowObserved, WasteContainer, Device); the empty name means that none of them has one. Those
models give relativeHumidity, fillingLevel and batteryLevel as parts of one, we as percent.
"""

from enum import Enum, IntEnum, unique


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


INTERNAL = Privacy.INTERNAL
CITY = False
DEVICE = True


@unique
class Quantity(Enum):
    """One thing a device reports.

    Name as stored, unit (as printed), UCUM code, plausible range, Smart Data Models name; then whether it says
    something about the device rather than about the city (`diagnostic`), and its privacy class.
    """

    # air and weather
    AIR_TEMPERATURE = ("air_temperature", "°C", "Cel", -50, 70, "temperature")
    AIR_HUMIDITY = ("air_humidity", "%", "%", 0, 100, "relativeHumidity")
    AIR_PRESSURE = ("air_pressure", "hPa", "hPa", 300, 1100, "atmosphericPressure")
    ILLUMINANCE = ("illuminance", "lx", "lx", 0, 200_000, "illuminance")
    CO2 = ("co2", "ppm", "[ppm]", 0, 40_000, "co2")
    TVOC = ("tvoc", "ppb", "[ppb]", 0, 60_000, "volatileOrganicCompoundsTotal")
    PM1 = ("pm1", "µg/m³", "ug/m3", 0, 1000, "pm1")
    PM2_5 = ("pm2_5", "µg/m³", "ug/m3", 0, 1000, "pm25")
    PM4 = ("pm4", "µg/m³", "ug/m3", 0, 1000, "")
    PM10 = ("pm10", "µg/m³", "ug/m3", 0, 2000, "pm10")
    PARTICLE_SIZE = ("particle_size", "nm", "nm", 0, 100_000, "")
    PARTICLE_CONCENTRATION = ("particle_concentration", "1/cm³", "/cm3", 0, 100_000, "")
    SOUND_LEVEL_PEAK = ("sound_level_peak", "dB", "dB[SPL]", 0, 160, "LAmax")
    SOUND_LEVEL_AVERAGE = ("sound_level_average", "dB", "dB[SPL]", 0, 160, "LAeq")
    SURFACE_TEMPERATURE = ("surface_temperature", "°C", "Cel", -60, 120, "surfaceTemperature")
    EXTERNAL_TEMPERATURE = ("external_temperature", "°C", "Cel", -60, 150, "")
    WATER_LEAK = ("water_leak", "", "1", 0, 255, "")
    # things that happen at a sensor
    MOTION_COUNT = ("motion_count", "", "1", 0, 255, "")
    VIBRATION_COUNT = ("vibration_count", "", "1", 0, 65_535, "")
    ACCELERATION = ("acceleration", "g", "[g]", -16, 16, "")
    PULSE_COUNT = ("pulse_count", "", "1", 0, 65_535, "")
    PULSE_COUNT_TOTAL = ("pulse_count_total", "", "1", 0, 4_294_967_295, "")
    DIGITAL_INPUT = ("digital_input", "", "1", 0, 255, "")
    INPUT_VOLTAGE = ("input_voltage", "V", "V", -2200, 2200, "")
    ALARM = ("alarm", "", "1", 0, 255, "")
    # people: a single room or desk says who is there
    PRESENCE = ("presence", "", "1", 0, 2, "", CITY, INTERNAL)
    # where a device is; the place of a fixed asset stands in the city's file
    LATITUDE = ("latitude", "°", "deg", -90, 90, "", CITY, INTERNAL)
    LONGITUDE = ("longitude", "°", "deg", -180, 180, "", CITY, INTERNAL)
    # parking
    OCCUPIED = ("occupied", "", "1", 0, 1, "status")
    STATE_DURATION = ("state_duration", "min", "min", 0, 100_000, "")
    STATE_CHANGE_COUNT_TOTAL = ("state_change_count_total", "", "1", 0, 4_294_967_295, "")
    OCCUPIED_TIME_TOTAL = ("occupied_time_total", "s", "s", 0, 4_294_967_295, "")
    # traffic and people in public space
    VEHICLE_COUNT = ("vehicle_count", "", "1", 0, 10_000, "intensity")
    VEHICLE_SPEED = ("vehicle_speed", "km/h", "km/h", 0, 255, "averageVehicleSpeed")
    PEOPLE_COUNT = ("people_count", "", "1", 0, 65_535, "peopleCount")
    PEOPLE_COUNT_TOTAL = ("people_count_total", "", "1", 0, 4_294_967_295, "")
    # waste and level
    DISTANCE = ("distance", "mm", "mm", 0, 655_350, "distance")
    FILL_LEVEL = ("fill_level", "%", "%", 0, 100, "fillingLevel")
    WATER_LEVEL = ("water_level", "mm", "mm", 0, 65_535, "")
    TILTED = ("tilted", "", "1", 0, 1, "")
    # the device itself
    BATTERY_VOLTAGE = ("battery_voltage", "V", "V", 0, 30, "", DEVICE)
    BATTERY_LEVEL = ("battery_level", "%", "%", 0, 100, "batteryLevel", DEVICE)
    SUPPLY_VOLTAGE = ("supply_voltage", "V", "V", 0, 60, "", DEVICE)
    SUPPLY_CURRENT = ("supply_current", "µA", "uA", 0, 1_000_000, "", DEVICE)
    SOLAR_POWER = ("solar_power", "mW", "mW", 0, 100_000, "", DEVICE)
    DEVICE_TEMPERATURE = ("device_temperature", "°C", "Cel", -60, 125, "", DEVICE)
    DEVICE_CLOCK = ("device_clock", "min", "min", 0, 1439, "", DEVICE)
    HARDWARE_STATUS = ("hardware_status", "", "1", 0, 127, "", DEVICE)
    ECHO_AMPLITUDE = ("echo_amplitude", "", "1", 0, 255, "", DEVICE)
    UPTIME = ("uptime", "s", "s", 0, 4_294_967_295, "", DEVICE)
    OPERATING_TIME = ("operating_time", "s", "s", 0, 4_294_967_295, "", DEVICE)
    UPLINK_COUNT_TOTAL = ("uplink_count_total", "", "1", 0, 4_294_967_295, "", DEVICE)
    MEASUREMENT_COUNT_TOTAL = ("measurement_count_total", "", "1", 0, 4_294_967_295, "", DEVICE)
    RESET_COUNT_TOTAL = ("reset_count_total", "", "1", 0, 65_535, "", DEVICE)

    def __init__(
        self,
        field: str,
        unit: str,
        ucum: str,
        low: float,
        high: float,
        smart_data_model: str,
        diagnostic: bool = CITY,
        privacy: Privacy = Privacy.OPEN,
    ) -> None:
        self.field = field
        self.unit = unit
        self.ucum = ucum
        self.low = float(low)
        self.high = float(high)
        self.smart_data_model = smart_data_model
        self.diagnostic = diagnostic
        self.privacy = privacy

    __hash__ = object.__hash__

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
    DIFFERENTIAL_PRESSURE = ("differential_pressure", "Pa", "Pa", -100_000, 100_000, "")
    ILLUMINANCE = ("illuminance", "lx", "lx", 0, 200_000, "illuminance")
    LIGHT_LEVEL = ("light_level", "", "1", 0, 10, "")
    LIGHT_RAW = ("light_raw", "", "1", 0, 65_535, "")
    UV_INDEX = ("uv_index", "", "1", 0, 20, "uVIndexMax")
    SOLAR_IRRADIANCE = ("solar_irradiance", "W/m²", "W/m2", 0, 2000, "solarRadiation")
    PAR = ("par", "µmol/(m²·s)", "umol/m2/s", 0, 4000, "")
    WIND_SPEED = ("wind_speed", "m/s", "m/s", 0, 90, "windSpeed")
    WIND_GUST = ("wind_gust", "m/s", "m/s", 0, 120, "gustSpeed")
    WIND_DIRECTION = ("wind_direction", "°", "deg", 0, 360, "windDirection")
    WIND_COMPONENT = ("wind_component", "m/s", "m/s", -120, 120, "")
    PRECIPITATION = ("precipitation", "mm", "mm", 0, 500, "precipitation")
    PRECIPITATION_RATE = ("precipitation_rate", "mm/h", "mm/h", 0, 1000, "")
    PRECIPITATION_TOTAL = ("precipitation_total", "mm", "mm", 0, 4_294_967, "")
    RAIN_DETECTED = ("rain_detected", "", "1", 0, 1, "")
    VAPOUR_PRESSURE = ("vapour_pressure", "hPa", "hPa", 0, 500, "")
    DEW_POINT = ("dew_point", "°C", "Cel", -80, 60, "dewPoint")
    LIGHTNING_COUNT = ("lightning_count", "", "1", 0, 65_535, "")
    LIGHTNING_DISTANCE = ("lightning_distance", "km", "km", 0, 60, "")
    CO2 = ("co2", "ppm", "[ppm]", 0, 40_000, "co2")
    TVOC = ("tvoc", "ppb", "[ppb]", 0, 60_000, "volatileOrganicCompoundsTotal")
    TVOC_MASS = ("tvoc_mass", "µg/m³", "ug/m3", 0, 100_000, "")
    GAS_RESISTANCE = ("gas_resistance", "Ω", "Ohm", 0, 16_777_215, "")
    AIR_QUALITY_INDEX = ("air_quality_index", "", "1", 0, 500, "airQualityIndex")
    IAQ_RATING = ("iaq_rating", "", "1", 0, 10, "")
    O3 = ("o3", "ppb", "[ppb]", 0, 100_000, "o3")
    NO2 = ("no2", "ppb", "[ppb]", 0, 100_000, "no2")
    NO = ("no", "ppb", "[ppb]", 0, 100_000, "no")
    SO2 = ("so2", "ppb", "[ppb]", 0, 100_000, "so2")
    CO = ("co", "ppb", "[ppb]", 0, 1_000_000, "co")
    H2S = ("h2s", "ppb", "[ppb]", 0, 100_000, "h2s")
    NH3 = ("nh3", "ppb", "[ppb]", 0, 100_000, "nh3")
    CL2 = ("cl2", "ppb", "[ppb]", 0, 100_000, "")
    OXYGEN = ("oxygen", "%", "%", 0, 100, "")
    HCHO = ("hcho", "ppb", "[ppb]", 0, 50_000, "")
    HCHO_MASS = ("hcho_mass", "µg/m³", "ug/m3", 0, 50_000, "")
    PM1 = ("pm1", "µg/m³", "ug/m3", 0, 1000, "pm1")
    PM2_5 = ("pm2_5", "µg/m³", "ug/m3", 0, 1000, "pm25")
    PM4 = ("pm4", "µg/m³", "ug/m3", 0, 1000, "")
    PM10 = ("pm10", "µg/m³", "ug/m3", 0, 2000, "pm10")
    PARTICLE_SIZE = ("particle_size", "nm", "nm", 0, 100_000, "")
    PARTICLE_CONCENTRATION = ("particle_concentration", "1/cm³", "/cm3", 0, 100_000, "")
    PARTICLE_COUNT = ("particle_count", "", "1", 0, 65_535, "")
    SOUND_LEVEL = ("sound_level", "dB", "dB[SPL]", 0, 160, "")
    SOUND_LEVEL_PEAK = ("sound_level_peak", "dB", "dB[SPL]", 0, 160, "LAmax")
    SOUND_LEVEL_AVERAGE = ("sound_level_average", "dB", "dB[SPL]", 0, 160, "LAeq")
    SURFACE_TEMPERATURE = ("surface_temperature", "°C", "Cel", -60, 120, "surfaceTemperature")
    GLOBE_TEMPERATURE = ("globe_temperature", "°C", "Cel", -50, 120, "")
    EXTERNAL_TEMPERATURE = ("external_temperature", "°C", "Cel", -60, 150, "")
    # soil, water, plants
    SOIL_MOISTURE = ("soil_moisture", "%", "%", 0, 100, "soilMoistureVwc")
    SOIL_MOISTURE_GRAVIMETRIC = ("soil_moisture_gravimetric", "%", "%", 0, 200, "")
    SOIL_TEMPERATURE = ("soil_temperature", "°C", "Cel", -40, 80, "soilTemperature")
    SOIL_CONDUCTIVITY = ("soil_conductivity", "µS/cm", "uS/cm", 0, 65_535, "soilMoistureEc")
    SOIL_PERMITTIVITY = ("soil_permittivity", "", "1", 0, 100, "")
    SOIL_WATER_TENSION = ("soil_water_tension", "kPa", "kPa", 0, 2000, "")
    LEAF_WETNESS = ("leaf_wetness", "%", "%", 0, 100, "")
    LEAF_WETNESS_INDEX = ("leaf_wetness_index", "", "1", 0, 1, "")
    WATER_TEMPERATURE = ("water_temperature", "°C", "Cel", -10, 100, "temperature")
    WATER_CONDUCTIVITY = ("water_conductivity", "µS/cm", "uS/cm", 0, 200_000, "conductivity")
    PH = ("ph", "pH", "[pH]", 0, 14, "pH")
    REDOX_POTENTIAL = ("redox_potential", "mV", "mV", -2000, 2000, "orp")
    DISSOLVED_OXYGEN = ("dissolved_oxygen", "mg/l", "mg/L", 0, 50, "O2")
    OXYGEN_SATURATION = ("oxygen_saturation", "%", "%", 0, 300, "")
    WATER_PRESSURE = ("water_pressure", "bar", "bar", -1, 1000, "")
    TURBIDITY = ("turbidity", "NTU", "{NTU}", 0, 10_000, "turbidity")
    SUSPENDED_SOLIDS = ("suspended_solids", "mg/l", "mg/L", 0, 100_000, "")
    WATER_LEAK = ("water_leak", "", "1", 0, 255, "")
    # things that happen at a sensor
    MOTION_COUNT = ("motion_count", "", "1", 0, 65_535, "")
    VIBRATION_COUNT = ("vibration_count", "", "1", 0, 65_535, "")
    ACCELERATION = ("acceleration", "g", "[g]", -16, 16, "")
    PULSE_COUNT = ("pulse_count", "", "1", 0, 65_535, "")
    PULSE_COUNT_TOTAL = ("pulse_count_total", "", "1", 0, 4_294_967_295, "")
    DIGITAL_INPUT = ("digital_input", "", "1", 0, 255, "")
    DIGITAL_OUTPUT = ("digital_output", "", "1", 0, 255, "")
    ANALOG_INPUT = ("analog_input", "", "1", -328, 328, "")
    ANALOG_OUTPUT = ("analog_output", "", "1", -328, 328, "")
    PERCENTAGE = ("percentage", "%", "%", 0, 100, "")
    ANGULAR_VELOCITY = ("angular_velocity", "°/s", "deg/s", -328, 328, "")
    INPUT_VOLTAGE = ("input_voltage", "V", "V", -2200, 2200, "")
    ALARM = ("alarm", "", "1", 0, 255, "")
    OPEN = ("open", "", "1", 0, 1, "")
    OPEN_COUNT_TOTAL = ("open_count_total", "", "1", 0, 16_777_215, "")
    OPEN_DURATION = ("open_duration", "min", "min", 0, 16_777_215, "")
    INPUT_CURRENT = ("input_current", "mA", "mA", -100, 100, "")
    TILT_ANGLE = ("tilt_angle", "°", "deg", -180, 180, "")
    SPEED = ("speed", "km/h", "km/h", 0, 1000, "", CITY, INTERNAL)
    HEADING = ("heading", "°", "deg", 0, 360, "", CITY, INTERNAL)
    ALTITUDE = ("altitude", "m", "m", -500, 9000, "", CITY, INTERNAL)
    # people: a single room or desk says who is there
    PRESENCE = ("presence", "", "1", 0, 2, "", CITY, INTERNAL)
    # where a device is; the place of a fixed asset stands in the city's file
    LATITUDE = ("latitude", "°", "deg", -90, 90, "", CITY, INTERNAL)
    LONGITUDE = ("longitude", "°", "deg", -180, 180, "", CITY, INTERNAL)
    MOVING = ("moving", "", "1", 0, 1, "", CITY, INTERNAL)
    TRIP_COUNT_TOTAL = ("trip_count_total", "", "1", 0, 4_294_967_295, "", CITY, INTERNAL)
    # parking
    OCCUPIED = ("occupied", "", "1", 0, 1, "status")
    STATE_DURATION = ("state_duration", "min", "min", 0, 100_000, "")
    STATE_CHANGE_COUNT_TOTAL = ("state_change_count_total", "", "1", 0, 4_294_967_295, "")
    OCCUPIED_TIME_TOTAL = ("occupied_time_total", "s", "s", 0, 4_294_967_295, "")
    # traffic and people in public space
    VEHICLE_COUNT = ("vehicle_count", "", "1", 0, 10_000, "intensity")
    VEHICLE_SPEED = ("vehicle_speed", "km/h", "km/h", 0, 255, "averageVehicleSpeed")
    VEHICLE_COUNT_TOTAL = ("vehicle_count_total", "", "1", 0, 4_294_967_295, "")
    PEOPLE_COUNT = ("people_count", "", "1", 0, 65_535, "peopleCount")
    PEOPLE_COUNT_TOTAL = ("people_count_total", "", "1", 0, 4_294_967_295, "")
    PEOPLE_PRESENT = ("people_present", "", "1", 0, 65_535, "")
    PEOPLE_COUNT_MAX = ("people_count_max", "", "1", 0, 65_535, "")
    DWELL_TIME = ("dwell_time", "s", "s", 0, 86_400, "")
    RADIO_DEVICE_COUNT = ("radio_device_count", "", "1", 0, 65_535, "")
    # waste and level
    DISTANCE = ("distance", "mm", "mm", 0, 655_350, "distance")
    FILL_LEVEL = ("fill_level", "%", "%", 0, 100, "fillingLevel")
    WATER_LEVEL = ("water_level", "mm", "mm", 0, 65_535, "")
    TILTED = ("tilted", "", "1", 0, 1, "")
    # meters and lighting
    VOLUME_TOTAL = ("volume_total", "l", "L", 0, 4_294_967_295, "")
    VOLUME_FLOW = ("volume_flow", "l/h", "L/h", -1_000_000, 1_000_000, "")
    ENERGY_TOTAL = ("energy_total", "kWh", "kW.h", 0, 4_294_967_295, "")
    POWER = ("power", "W", "W", -100_000_000, 100_000_000, "")
    FLOW_TEMPERATURE = ("flow_temperature", "°C", "Cel", -50, 200, "")
    RETURN_TEMPERATURE = ("return_temperature", "°C", "Cel", -50, 200, "")
    POWER_FACTOR = ("power_factor", "", "1", -1, 1, "")
    MAINS_VOLTAGE = ("mains_voltage", "V", "V", 0, 1000, "")
    MAINS_CURRENT = ("mains_current", "A", "A", 0, 10_000, "")
    CHARGE_TOTAL = ("charge_total", "A·h", "A.h", 0, 100_000_000, "")
    MAINS_FREQUENCY = ("mains_frequency", "Hz", "Hz", 0, 500, "")
    REACTIVE_POWER = ("reactive_power", "var", "V.A{reactive}", -100_000_000, 100_000_000, "")
    APPARENT_POWER = ("apparent_power", "VA", "V.A", -100_000_000, 100_000_000, "")
    REACTIVE_ENERGY_TOTAL = ("reactive_energy_total", "kvarh", "kV.A.h{reactive}", 0, 4_294_967_295, "")
    APPARENT_ENERGY_TOTAL = ("apparent_energy_total", "kVAh", "kV.A.h", 0, 4_294_967_295, "")
    DIMMING_LEVEL = ("dimming_level", "%", "%", 0, 100, "")
    SWITCHED_ON = ("switched_on", "", "1", 0, 1, "")
    # the device itself
    BATTERY_VOLTAGE = ("battery_voltage", "V", "V", 0, 30, "", DEVICE)
    BATTERY_LEVEL = ("battery_level", "%", "%", 0, 100, "batteryLevel", DEVICE)
    SUPPLY_VOLTAGE = ("supply_voltage", "V", "V", 0, 60, "", DEVICE)
    SUPPLY_CURRENT = ("supply_current", "µA", "uA", 0, 1_000_000, "", DEVICE)
    SOLAR_POWER = ("solar_power", "mW", "mW", 0, 100_000, "", DEVICE)
    DEVICE_TEMPERATURE = ("device_temperature", "°C", "Cel", -60, 125, "", DEVICE)
    DEVICE_HUMIDITY = ("device_humidity", "%", "%", 0, 100, "", DEVICE)
    MAGNETIC_FIELD = ("magnetic_field", "", "1", -32_768, 32_767, "", DEVICE)
    DEVICE_CLOCK = ("device_clock", "min", "min", 0, 1439, "", DEVICE)
    HARDWARE_STATUS = ("hardware_status", "", "1", 0, 127, "", DEVICE)
    ECHO_AMPLITUDE = ("echo_amplitude", "", "1", 0, 255, "", DEVICE)
    INFRARED_REFLECTION = ("infrared_reflection", "", "1", 0, 65_535, "", DEVICE)
    UPTIME = ("uptime", "s", "s", 0, 4_294_967_295, "", DEVICE)
    OPERATING_TIME = ("operating_time", "s", "s", 0, 4_294_967_295, "", DEVICE)
    UPLINK_COUNT_TOTAL = ("uplink_count_total", "", "1", 0, 4_294_967_295, "", DEVICE)
    MEASUREMENT_COUNT_TOTAL = ("measurement_count_total", "", "1", 0, 4_294_967_295, "", DEVICE)
    SAMPLE_COUNT = ("sample_count", "", "1", 0, 65_535, "", DEVICE)
    ACQUISITION_TIME = ("acquisition_time", "ms", "ms", 0, 1_000_000, "", DEVICE)
    POSITION_FIX = ("position_fix", "", "1", 0, 1, "", DEVICE)
    FIX_TIME = ("fix_time", "s", "s", 0, 86_400, "", DEVICE)
    SATELLITE_COUNT = ("satellite_count", "", "1", 0, 255, "", DEVICE)
    DILUTION_OF_PRECISION = ("dilution_of_precision", "", "1", 0, 655.35, "", DEVICE)
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

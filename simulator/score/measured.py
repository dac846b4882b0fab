"""What devices of a model measure in the city, as far as alerts stand on it: a codec can often carry more.

By codec id the names of quantities; models that measure nothing of it are not named.
"""

from collections.abc import Mapping, Sequence

MEASURED: Mapping[str, frozenset[str]] = {
    "decentlab/dl-cws2": frozenset({"surface_temperature", "air_temperature", "air_humidity"}),
    "decentlab/dl-mbx": frozenset({"distance"}),
    "decentlab/dl-pm": frozenset({"pm2_5", "pm10", "air_temperature", "air_humidity"}),
    "elsys/generic": frozenset({"air_temperature", "air_humidity", "sound_level_average"}),
    "milesight/em500-swl": frozenset({"water_level"}),
    "pmx/tcr": frozenset({"vehicle_speed"}),
    "seeed/sensecap-s2120": frozenset(
        {"air_temperature", "air_humidity", "wind_speed", "wind_gust", "precipitation_total", "precipitation_rate"}
    ),
    "synetica/enlink": frozenset({"no2", "o3"}),
}


def measured(models: Sequence[str]) -> frozenset[str]:
    """What devices of these models measure together."""
    return frozenset().union(*(MEASURED.get(model, frozenset()) for model in models))

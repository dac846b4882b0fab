"""Pollutants as directives and indices speak of them: µg/m³ at 20 °C and 1013 hPa.

That is the convention of the European air quality directives for gases (2008/50/EC annex VI C: 293 K and 101.3 kPa).
Sensors report ppb; one mol fills 24.055 l there. Molar masses: IUPAC standard atomic weights 2021.
"""

from collections.abc import Callable, Mapping

from decoders.quantity import Quantity

LITRES_PER_MOL = 8.314462618 * 293.15 / 101.325
GRAMS_PER_MOL: Mapping[Quantity, float] = {
    Quantity.O3: 47.997,
    Quantity.NO2: 46.006,
    Quantity.SO2: 64.06,
    Quantity.CO: 28.010,
}


def factor(quantity: Quantity) -> float:
    """µg/m³ in a ppb of this gas."""
    return GRAMS_PER_MOL[quantity] / LITRES_PER_MOL


def _converter(quantity: Quantity) -> Callable[[float], float]:
    times = factor(quantity)
    return lambda ppb: ppb * times


AS_MASS: Mapping[Quantity, Callable[[float], float] | None] = {
    Quantity.PM10: None,
    Quantity.PM2_5: None,
    **{quantity: _converter(quantity) for quantity in GRAMS_PER_MOL},
}
"""How each pollutant becomes µg/m³; None where it is reported so."""

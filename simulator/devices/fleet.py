"""A fleet of catalog models scattered over a city, in place of the city's own devices."""

from random import Random

from decoders import catalog
from decoders.catalog import CODECS
from decoders.error import UnknownCodec
from decoders.simulated import SIMULATED_PREFIX
from rules.city import Asset, City
from simulator.city import FIRST_COPY, LAST_COPY, SPREAD_DEGREES, Place
from simulator.error import SimulatorError

ALL = "all"
INTERVAL_S = 600.0


def models(text: str) -> tuple[str, ...]:
    """The codecs that `all` or a list `ID,ID` names, without those of our own; raises SimulatorError."""
    if text.strip() == ALL:
        return tuple(codec.id for codec in CODECS if codec.fields())
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    if not found:
        raise SimulatorError(f"models = {text!r}, expected {ALL} or ids of codecs, separated by commas")
    for codec_id in found:
        try:
            catalog.codec(codec_id)
        except UnknownCodec as error:
            raise SimulatorError(str(error)) from error
    return found


def scattered(city: City, chosen: tuple[str, ...], count: int | None, rng: Random) -> list[Place]:
    """So many devices, the models in turn, each somewhere near an asset; without a number one of each model."""
    wanted = len(chosen) if count is None else count
    if wanted > LAST_COPY - FIRST_COPY:
        raise SimulatorError(f"{wanted} devices are too many: the reserved range has {LAST_COPY - FIRST_COPY}")
    assets = [asset for asset in city.assets.values() if asset.devices]
    if not assets:
        raise SimulatorError("the city file has no device near which others could stand")
    return [_place(number, chosen[number % len(chosen)], assets[number % len(assets)], rng) for number in range(wanted)]


def _place(number: int, model: str, asset: Asset, rng: Random) -> Place:
    return Place(
        f"{SIMULATED_PREFIX}{FIRST_COPY + number:06x}",
        model,
        asset,
        INTERVAL_S,
        asset.latitude + rng.uniform(-SPREAD_DEGREES, SPREAD_DEGREES),
        asset.longitude + rng.uniform(-SPREAD_DEGREES, SPREAD_DEGREES),
        tagged=False,
        generic=True,
    )

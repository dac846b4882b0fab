"""What of the city's traffic is not decided about, and why: the lines of `stadtfunk check`."""

from rules.asset import Asset
from rules.city import City
from rules.traffic import bus_config, plan_config, wave_config


def refusals(city: City) -> list[tuple[str, str]]:
    """(asset id, reason) by asset; raises CityError. A corridor without programmes or bus stops wants none."""
    found: list[tuple[str, str]] = []
    for id_, asset in sorted(city.assets.items()):
        if asset.kind == "control_group":
            found += [(id_, reason) for reason in plan_config.configure(asset).refused]
        elif asset.kind == "corridor":
            found += [(id_, reason) for reason in dict.fromkeys(_of_corridor(asset))]
    return found


def _of_corridor(asset: Asset) -> list[str]:
    reasons: list[str] = []
    if "programmes" in asset.properties:
        wave = wave_config.configure(asset)
        reasons += [*wave.refused, *wave.lacking]
    bus = bus_config.configure(asset)
    return [*reasons, *bus.refused] if bus.wanted else reasons

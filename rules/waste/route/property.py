"""Properties of assets as planning reads them; each raises CityError with what was expected."""

from collections.abc import Collection, Mapping
from typing import TypeVar

from rules.asset import Asset
from rules.local_time import minutes_of

T = TypeVar("T", bound=str)
DAY_MIN = 1440
MICRO = 1_000_000


def one_of(asset: Asset, name: str, default: T, allowed: Collection[T]) -> T:
    """One of a few words."""
    value = asset.properties.get(name, default)
    for word in allowed:
        if word == value:
            return word
    raise asset.error(name, value, f"one of {', '.join(allowed)}")


def texts(asset: Asset, name: str) -> tuple[str, ...]:
    """A list of texts, each once; empty where the property is missing."""
    value = asset.properties.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        raise asset.error(name, value, "a list of texts")
    if len(set(value)) != len(value):
        raise asset.error(name, value, "each of them once")
    return tuple(value)


def named(asset: Asset, name: str, value: str, others: Mapping[str, Asset], kind: str) -> Asset:
    """The asset of a kind that a property names."""
    known = sorted(id_ for id_, other in others.items() if other.kind == kind)
    if value not in known:
        raise asset.error(name, value, f"the id of a {kind}: {', '.join(known) or 'the file has none'}")
    return others[value]


def span(asset: Asset, names: tuple[str, str], default: tuple[str, str]) -> tuple[int, int]:
    """Two times of day as minutes after midnight; one that is not before the other is on the next day."""
    begin, end = (minutes_of(asset, name, usual) for name, usual in zip(names, default, strict=True))
    return begin, end if end > begin else end + DAY_MIN


def optional_whole(asset: Asset, name: str, *, low: int, high: int) -> int | None:
    """A whole number, or None where the property is missing."""
    return asset.whole(name, low=low, high=high) if name in asset.properties else None


def micro_euros(asset: Asset, name: str, default: float, *, per: int = 1, high: float) -> int:
    """Money in euros as millionths of a euro for one of `per`."""
    return round(asset.number(name, default, low=0, high=high) * MICRO / per)

"""The parameters of a zone's guidance, from the asset's properties."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rules.asset import Asset

NEWS_S = 900
"""No lot is called free on news older than this, whatever a file says."""


@dataclass(frozen=True, slots=True)
class ZoneConfig:
    """`lots` are ids and names in the order of preference; limits are shares of a lot's capacity.

    Defaults: divert from 95 % on, until 90 % (the lots' own hysteresis of five points), 15 min of validity and of news:
    the usual figures of parking guidance. New figures when a lot changed by a tenth of its capacity (two spaces at
    least), 30 min of silence after somebody took over the signs, and 2 min for an answer, are judgement. A timeout of 0
    says that nobody answers.
    """

    asset: str
    lots: tuple[tuple[str, str], ...]
    divert_from: float
    divert_until: float
    update: float
    news_ms: int
    validity_ms: int
    hold_ms: int
    answer_timeout_ms: int
    tags: tuple[tuple[str, str], ...]
    position: tuple[tuple[str, float], ...]

    @property
    def renewal_ms(self) -> int:
        """How long before the end of its validity guidance is renewed."""
        return self.validity_ms // 2


def configure(asset: Asset) -> ZoneConfig:
    """The parameters of this zone; raises CityError."""
    divert_from = asset.number("divert_percent", 95, low=1, high=100)
    divert_until = asset.number("divert_until_percent", min(90, divert_from - 1), low=0, high=100)
    if divert_until >= divert_from:
        raise asset.error("divert_until_percent", divert_until, f"less than divert_percent ({divert_from:g})")
    return ZoneConfig(
        asset=asset.id,
        lots=tuple(_lots(asset)),
        divert_from=divert_from / 100,
        divert_until=divert_until / 100,
        update=asset.number("update_percent", 10, low=0, high=100) / 100,
        news_ms=asset.whole("news_max_s", NEWS_S, low=60, high=NEWS_S) * 1000,
        validity_ms=asset.whole("validity_s", NEWS_S, low=60, high=1800) * 1000,
        hold_ms=asset.whole("override_hold_s", 1800, low=60, high=86_400) * 1000,
        answer_timeout_ms=asset.whole("answer_timeout_s", 120, low=0, high=1800) * 1000,
        tags=asset.tags,
        position=asset.position,
    )


def lots_of(asset: Asset) -> tuple[str, ...]:
    """The ids of the lots that a zone follows; raises CityError."""
    return tuple(id_ for id_, _ in _lots(asset))


def _lots(asset: Asset) -> Iterator[tuple[str, str]]:
    value = asset.properties.get("lots", [])
    expected = 'a list of ids of lots, or of {"id": …, "name": …}, each once'
    if not isinstance(value, list):
        raise asset.error("lots", value, expected)
    seen = set()
    for each in value:
        id_ = each.get("id") if isinstance(each, Mapping) else each
        name = each.get("name", id_) if isinstance(each, Mapping) else each
        if not isinstance(id_, str) or not isinstance(name, str) or not id_ or id_ in seen:
            raise asset.error("lots", value, expected)
        seen.add(id_)
        yield id_, name

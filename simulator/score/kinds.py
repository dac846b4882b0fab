"""The kinds of alerts: whose they are, what must be measured there, and what is true of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from rules.city import Asset
from rules.environment import heat_config
from simulator.score import alerts, hourly, levels
from simulator.score.case import Case
from simulator.score.course import Course, Span
from simulator.score.hearing import QUEUE
from simulator.score.measured import measured
from simulator.score.truth import Truth

Levels: TypeAlias = Callable[[Asset, Truth, Span], Course[int]]
POLLUTANTS = ("pm10", "pm2_5", "no2")
"""Of what the air quality index goes by, what the truth knows."""
AIR, HEAT, STATION = "air_quality", "heat", "station"
SILENT = Course[int]([(0, 0)])


class Kind(NamedTuple):
    """A kind of alert: its assets, what one of them must measure (any of it), its lowest level, its true levels."""

    name: str
    asset_kind: str
    needs: frozenset[str]
    lowest: int
    levels: Levels


KINDS = (
    Kind("heavy_rain", STATION, frozenset({"precipitation_total"}), 2, levels.heavy_rain),
    Kind("gauge", "gauge", frozenset({"distance", "water_level"}), 1, levels.gauge),
    Kind(HEAT, STATION, frozenset({"air_temperature"}), 1, hourly.heat),
    Kind("ice", "road_section", frozenset({"surface_temperature"}), 1, levels.ice),
    Kind("gust", STATION, frozenset({"wind_gust"}), 1, levels.gust),
    Kind("noise", STATION, frozenset({"sound_level_average"}), 1, hourly.noise),
    Kind(AIR, STATION, frozenset(POLLUTANTS), 1, hourly.air_quality(POLLUTANTS)),
    Kind(QUEUE, "detector", frozenset({"vehicle_speed"}), 1, levels.queue),
)


def score_alerts(case: Case) -> Iterator[alerts.AlertScore]:
    """Every kind that some asset of the play can tell."""
    for kind in KINDS:
        able = _able(case, kind)
        found = _true_levels(case, kind, able)
        if found:
            yield from _by_level(case, kind, found)
        elif not able:
            case.lacks(f"{kind.name} alerts", f"no {kind.asset_kind} of the play is known to be able to give one")
    case.lacks("tree_watering alerts", "soil is not among what is scored")
    _tropical_nights(case)


def _able(case: Case, kind: Kind) -> list[tuple[Asset, frozenset[str]]]:
    """The assets that measure what the kind needs, each with all that it measures."""
    known = [(asset, measured(case.devices.get(asset.id, ()))) for asset in case.of_kind(kind.asset_kind)]
    return [
        (asset, found)
        for asset, found in known
        if kind.needs & found and (kind.name != QUEUE or asset.properties.get("role") == QUEUE)
    ]


def _true_levels(case: Case, kind: Kind, able: Sequence[tuple[Asset, frozenset[str]]]) -> dict[str, Course[int]]:
    """The true levels by asset; where they are not known, that is said."""
    found: dict[str, Course[int]] = {}
    for asset, known in able:
        true = kind.levels
        if kind.name == AIR:
            true = hourly.air_quality([name for name in POLLUTANTS if name in known])
            if "o3" in known:
                case.lacks(f"o3 of {asset.id}", "the truth does not know it")
        with case.trying(f"{kind.name} of {asset.id}"):
            found[asset.id] = true(asset, case.truth, case.span)
    return found


def _by_level(case: Case, kind: Kind, true: Mapping[str, Course[int]]) -> Iterator[alerts.AlertScore]:
    """The lowest level, and each further one that was reached or published."""
    pairs = [(course, case.hearing.alerts.get((kind.name, asset), SILENT)) for asset, course in true.items()]
    reached = {value for pair in pairs for course in pair for value in course.values if value > kind.lowest}
    for level in (kind.lowest, *sorted(reached)):
        yield alerts.score(kind.name, level, pairs, case.span)


def _tropical_nights(case: Case) -> None:
    """Nights are told by points, not by events: how many there were is all that can be said."""
    stations = [each for each in case.of_kind(STATION) if "air_temperature" in measured(case.devices.get(each.id, ()))]
    for asset in stations[:1]:
        with case.trying("tropical nights"):
            warm = heat_config.configure(asset).warm_night
            lowest = [night.lowest for night in hourly.nights(asset, case.truth, case.span)]
            number = sum(low >= warm for low in lowest)
            case.lacks("tropical nights", f"no event tells them; {number} of {len(lowest)} whole nights were")

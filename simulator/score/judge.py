"""From the truth and what was heard to the score: which asset is scored how."""

from collections.abc import Iterator

from rules.local_time import timezone_of
from rules.parking.counter_config import counters_of
from rules.parking.lot_config import configure as configure_lot
from rules.traffic.plan_config import configure as configure_group
from rules.traffic.wave_config import configure as configure_wave
from simulator.score import fill, lots, plans
from simulator.score.case import Case
from simulator.score.collection import CollectionScore, collection, emptyings, known
from simulator.score.course import Course, Span
from simulator.score.hearing import SaidOfLot
from simulator.score.kinds import score_alerts
from simulator.score.loop import Loop
from simulator.score.report import Played, Score
from simulator.score.rounds import way_of
from simulator.truth import OCCUPIED_SPACES


def judge(case: Case, played: Played) -> Score:
    """The score."""
    by_lot = dict(_lots(case))
    groups, waves = tuple(_groups(case)), tuple(_waves(case))
    alerts, containers = tuple(score_alerts(case)), _containers(case)
    return Score(
        played,
        lots.together(by_lot.values()).score("all") if by_lot else None,
        tuple(tally.score(lot) for lot, tally in by_lot.items()),
        groups,
        waves,
        alerts,
        containers,
        _collection(case, case.loop) if containers is not None and case.loop is not None else None,
        tuple(case.unscored),
    )


def _lots(case: Case) -> Iterator[tuple[str, lots.Tally]]:
    for asset in case.simulated("lot"):
        config = configure_lot(asset)
        counting = {counter.model for counter in counters_of(asset)}
        sensors = sum(model not in counting for model in case.devices[asset.id])
        with case.trying(asset.id):
            taken = case.truth.of(asset.id, OCCUPIED_SPACES)
            if sensors < config.capacity:
                why = f"only {sensors} of {config.capacity} are simulated; the others are taken to be like them"
                case.lacks(f"{asset.id}: the rest of its spaces", why)
                taken = _scaled(taken, config.capacity / sensors)
            said = case.hearing.lots.get(asset.id) or Course[SaidOfLot | None]()
            yield asset.id, lots.tally(config, taken, said, case.span)


def _scaled(taken: Course[float], factor: float) -> Course[float]:
    steps = zip(taken.times, taken.values, strict=True)
    return Course([(time_ms, round(value * factor)) for time_ms, value in steps])


def _groups(case: Case) -> Iterator[plans.ChoiceScore]:
    for asset in case.of_kind("control_group"):
        with case.trying(asset.id):
            asked = case.hearing.plans.get(asset.id, [])
            yield plans.score_group(configure_group(asset), case.truth, asked, case.span)


def _waves(case: Case) -> Iterator[plans.ChoiceScore]:
    for asset in case.of_kind("corridor"):
        if "programmes" not in asset.properties:
            continue
        with case.trying(asset.id):
            asked = case.hearing.waves.get(asset.id, [])
            yield plans.score_wave(configure_wave(asset), case.truth, asked, case.span)


def _containers(case: Case) -> fill.FillScore | None:
    tally = fill.Tally()
    for asset in case.simulated("container"):
        with case.trying(asset.id):
            levels, collections = (case.truth.of(asset.id, name) for name in ("fill_level", "collections"))
            said = case.hearing.containers.get(asset.id, [])
            fill.add(tally, fill.TrueContainer(levels, collections), said, timezone_of(asset), case.span)
    if not tally.containers:
        return None
    score = tally.score()
    for horizon in score.horizons:
        if not horizon.forecasts:
            why = "the span is too short for it, or all were emptied before"
            case.lacks(f"fill forecasts {horizon.days} d ahead", why)
    if not score.full_forecasts:
        case.lacks("forecasts of the time when it is full", "no container became full after one")
    return score


def _collection(case: Case, loop: Loop) -> CollectionScore | None:
    span = Span(loop.settled_ms, case.span.end_ms)
    if span.length_ms <= 0:
        case.lacks("collection", "it counts from the third day on, and there was none")
        return None
    assets = case.of_kind("container")
    fixed, planned = known(assets, loop.fixed), known(assets, case.truth)
    way = None
    with case.trying("tours and km of the fixed rounds"):
        way = way_of(case.city, emptyings(fixed, span), timezone_of(assets[0]))
    return CollectionScore(
        collection(fixed, way, {}, span), collection(planned, loop.way, dict(sorted(loop.skips.items())), span)
    )

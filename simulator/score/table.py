"""The score as tables, for people."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from simulator.score.alerts import AlertScore
from simulator.score.collection import CollectionScore
from simulator.score.fill import FillScore
from simulator.score.lots import LotScore
from simulator.score.plans import ChoiceScore
from simulator.score.report import Score

NOT_KNOWN = "–"


def show(score: Score, console: Console) -> None:
    """Print all tables that have rows, and what could not be scored."""
    played = score.played
    console.print(f"{played.scenario}, seed {played.seed}", highlight=False)
    console.print(
        f"{played.begin} to {played.end}: {played.devices} devices, {played.uplinks} uplinks, {played.events} events",
        highlight=False,
    )
    if score.lots_together is not None:
        console.print(_lots((*score.lots, score.lots_together)))
    for title, found in (("Signal plans", score.signal_plans), ("Green waves", score.green_waves)):
        if found:
            console.print(_choices(title, found))
    if score.alerts:
        console.print(_alerts(score.alerts))
    if score.containers is not None:
        console.print(_forecasts(score.containers))
        console.print(_containers(score.containers))
    if score.collection is not None:
        console.print(_collection(score.collection))
    for each in score.unscored:
        console.print(f"not scored: {each.what}: {each.why}", highlight=False)


def _lots(scores: Iterable[LotScore]) -> Table:
    table = _table("Lots", "lot", "right %", "wrong %", "unknown %", "accuracy %", "changes", "followed")
    for name in ("delay median s", "95 % s", "free wrong by"):
        table.add_column(name, justify="right")
    for each in scores:
        figures = (each.right_pct, each.wrong_pct, each.unknown_pct, each.accuracy_pct, each.changes, each.followed)
        more = (each.delay_median_s, each.delay_p95_s, each.free_error)
        table.add_row(each.lot, *map(_text, (*figures, *more)))
    return table


def _choices(title: str, scores: Iterable[ChoiceScore]) -> Table:
    table = _table(
        title, "asset", "min", "other plan %", "vehicles %", "overload veh", "of the best", "requests", "switches"
    )
    for each in scores:
        shares = (each.differing_pct, each.vehicles_differing_pct)
        vehicles = (each.overload_vehicles, each.overload_best_vehicles)
        table.add_row(each.asset, *map(_text, (each.compared_min, *shares, *vehicles, each.requests, each.switches)))
    return table


def _alerts(scores: Iterable[AlertScore]) -> Table:
    table = _table(
        "Alerts", "kind", "level", "assets", "hit", "missed", "false", "false h", "open", "lead median s", "least s"
    )
    for each in scores:
        counts = (each.level, each.assets, each.hit, each.missed, each.false, each.false_h, each.open)
        table.add_row(each.kind, *map(_text, (*counts, each.lead_median_s, each.lead_least_s)))
    return table


def _forecasts(score: FillScore) -> Table:
    table = _table("Fill forecasts", "days ahead", "forecasts", "error pp", "bias pp", "if nothing came pp")
    for each in score.horizons:
        figures: Sequence[float | None] = (each.forecasts, each.error_pp, each.bias_pp, each.unchanged_pp)
        table.add_row(str(each.days), *map(_text, figures))
    return table


def _containers(score: FillScore) -> Table:
    table = _table("Containers", "what", "figure")
    rows: Sequence[tuple[str, float | None]] = (
        ("containers", score.containers),
        ("became full", score.overflows),
        ("… announced before", score.overflows_announced),
        ("… warning h (median)", score.warning_median_h),
        ("days on which one was full", score.overflow_days),
        ("forecasts of when it is full", score.full_forecasts),
        ("… between p05 and p95 %", score.full_in_interval_pct),
        ("… p50 wrong by h (median)", score.full_error_h),
        ("emptyings seen", score.emptyings_seen),
        ("emptyings missed", score.emptyings_missed),
        ("emptyings invented", score.emptyings_invented),
        ("emptyings too late to say", score.emptyings_open),
    )
    for name, figure in rows:
        table.add_row(name, _text(figure))
    return table


def _collection(score: CollectionScore) -> Table:
    table = _table("Collection", "what", "fixed rounds", "tours planned by the service")
    both = score.fixed_rounds, score.planned_tours
    rows: Sequence[tuple[str, Sequence[float | None]]] = (
        ("days on which one was full", [each.overflow_days for each in both]),
        ("became full", [each.overflows for each in both]),
        ("hours full, of all", [each.full_h for each in both]),
        ("emptied", [each.emptied for each in both]),
        ("… how full % (mean)", [each.emptied_at_pct for each in both]),
        ("stops skipped", [sum(each.skipped.values()) for each in both]),
        ("tours", [each.tours for each in both]),
        ("km", [each.km for each in both]),
    )
    for name, figures in rows:
        table.add_row(name, *map(_text, figures))
    return table


def _table(title: str, first: str, *columns: str) -> Table:
    table = Table(first, title=title, title_justify="left", box=None)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _text(figure: float | None) -> str:
    return NOT_KNOWN if figure is None else f"{figure:g}"

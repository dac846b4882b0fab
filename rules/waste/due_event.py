"""The event `ContainerDue` and the points of a container, from what was judged."""

from rules.event import SOURCE_ROOT, Evidence, event_id, instant
from rules.event_waste import ContainerDue, ContainerDueData, FillForecast, SkippedStop
from rules.point import Point
from rules.rule import Input, TourFeedback
from rules.waste.due import Forecast, Judgement
from rules.waste.due_config import WEEKDAYS as DAYS
from rules.waste.due_config import ContainerConfig
from rules.waste.due_text import text_of
from rules.waste.fill import Fill
from rules.waste.forecast import MODEL_VERSION, History
from rules.waste.told import Skip

ID = "waste.collection_due"
VERSION = 4
SOURCE = f"{SOURCE_ROOT}/{ID}"
LEVEL, UNIT = "fill_level", "%"
HOUR_MS = 3_600_000


def due_event(
    config: ContainerConfig,
    judgement: Judgement,
    fill: Fill,
    history: History,
    *,
    known_ms: int,
    due_since_ms: int,
    until_ms: int,
    silent: bool,
    given: Input,
) -> ContainerDue:
    """The event of a judgement, valid until `until_ms`."""
    due, now_ms = judgement.obligation == "mandatory", given.now_ms
    text = text_of(config, judgement, fill, fill.emptied_ms or known_ms, now_ms)
    return ContainerDue(
        id=event_id(ID, config.asset, "due", given.cause),
        source=SOURCE,
        subject=config.asset,
        time=instant(now_ms),
        data=ContainerDueData(
            rule=ID,
            rule_version=VERSION,
            valid_until=instant(until_ms),
            evidence=(_evidence(config, fill, now_ms),),
            due=due,
            reason=judgement.reason,
            fill_level=None if silent else _rounded(fill.level),
            threshold=config.threshold,
            since=instant(due_since_ms) if due else None,
            obligation=judgement.obligation,
            prize_eur=judgement.prize,
            fraction=config.fraction,
            next_tour=instant(judgement.tour.begin_ms),
            tour_after=instant(judgement.after.begin_ms),
            last_emptied=instant(fill.emptied_ms) if fill.emptied_ms else None,
            emptying_confirmed=fill.confirmed,
            skipped=_skipped(judgement.told.skipped),
            odd=fill.odd or None,
            forecast=_forecast(judgement.forecast, history) if judgement.forecast else None,
            text_de=text.de,
            text_en=text.en,
        ),
    )


def level_point(
    config: ContainerConfig, fill: Fill, level: float, judgement: Judgement, history: History, now_ms: int
) -> Point:
    """The level under `asset` at its time; with a forecast what is foretold, was learned, the model's version."""
    fields = [*config.position, (LEVEL, level)]
    if judgement.forecast is not None:
        times, risk, _, model = judgement.forecast
        names = ("hours_to_full_p05", "hours_to_full", "hours_to_full_p95")
        fields += [(name, round((time_ms - now_ms) / HOUR_MS, 2)) for name, time_ms in zip(names, times, strict=True)]
        fields += [("overflow_risk", round(risk, 4)), ("fill_rate", round(model.rate, 3))]
        fields += [(f"weekday_factor_{day}", round(each, 4)) for day, each in zip(DAYS, model.factors, strict=True)]
        fields += [("forecast_cycles", float(len(history.rates))), ("forecast_errors", float(len(history.residuals)))]
        fields.append(("forecast_version", float(MODEL_VERSION)))
    return Point("asset", config.tags, tuple(fields), fill.measured_ms)


def told_point(config: ContainerConfig, given: TourFeedback) -> Point:
    """What was told under `asset` at its time: figures that people estimated or weighed, never which vehicle."""
    fields = [*config.position, ("side_waste", float(given.side_waste))]
    if given.result != "reported":
        fields.append(("stop_served", float(given.result == "served")))
    if given.fill_level is not None:
        fields.append(("fill_level_reported", given.fill_level))
    if given.mass is not None:
        fields.append(("collected_mass", given.mass))
    return Point("asset", config.tags, tuple(fields), given.time_ms)


def _skipped(skip: Skip | None) -> SkippedStop | None:
    return None if skip is None else SkippedStop(time=instant(skip.time_ms), reason=skip.reason)


def _forecast(forecast: Forecast, history: History) -> FillForecast:
    early, middle, late = (instant(time_ms) for time_ms in forecast.times)
    return FillForecast(
        model_version=MODEL_VERSION,
        full_p05=early,
        full_p50=middle,
        full_p95=late,
        risk=round(forecast.risk, 4),
        fill_rate=round(forecast.model.rate, 3),
        weekday_factors=tuple(round(factor, 3) for factor in forecast.model.factors),
        cycles=len(history.rates),
        errors=len(history.residuals),
    )


def _evidence(config: ContainerConfig, fill: Fill, now_ms: int) -> Evidence:
    heard = fill.level is not None
    return Evidence(
        quantity=LEVEL,
        value=_rounded(fill.level),
        unit=UNIT,
        window_s=None,
        threshold=config.threshold,
        hysteresis=config.threshold - config.cleared,
        n_samples=int(heard),
        newest_at=instant(fill.measured_ms) if heard else None,
        age_s=max(0, now_ms - fill.measured_ms) / 1000 if heard else None,
        sources=(fill.source,) if heard else (),
    )


def _rounded(level: float | None) -> float | None:
    return None if level is None else round(level, 2)

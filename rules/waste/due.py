"""Whether a container must be emptied on the next tour, may be, or need not: a pure judgement."""

from typing import Final, NamedTuple

from rules.event_waste import DueReason, Obligation
from rules.waste.days import DAY_MS, Tour, local_date, tour_after
from rules.waste.due_config import ContainerConfig
from rules.waste.fill import Fill
from rules.waste.forecast import History, Model, Times, days_known, full_times, model_of, risk_before
from rules.waste.told import Told

LEAST_DAYS: Final = 2
"""Days of which something must be known before forecasts decide."""
HYSTERESIS: Final = 5.0
"""% by which the level must fall below what makes a visit optional to end that."""
HOT_MS: Final = 2 * DAY_MS
"""How long a hot reading shortens the longest time between emptyings."""


class Forecast(NamedTuple):
    """When it is full, the chance of that before the end of the tour after next, and the model behind both."""

    times: Times
    risk: float
    risk_later: float
    model: Model


class Situation(NamedTuple):
    """What is judged.

    `known_ms` is when the container became known, `latched` whether it was over the threshold and not emptied since,
    `promised_ms` the begin of the tour for which a forecast already made it due, `offered` whether it was optional.
    """

    fill: Fill
    history: History
    known_ms: int
    now_ms: int
    latched: bool = False
    silent: bool = False
    promised_ms: int = 0
    offered: bool = False
    told: Told = Told()

    @property
    def since_ms(self) -> int:
        """Since when the container is filling, as far as is known."""
        return self.fill.emptied_ms or self.known_ms


class Judgement(NamedTuple):
    """What must, may or need not be done on `tour`, and why; `prize` in euros where it is optional.

    `told` is what crews and people said of the container that still holds.
    """

    obligation: Obligation
    reason: DueReason
    tour: Tour
    after: Tour
    prize: float | None = None
    forecast: Forecast | None = None
    told: Told = Told()


def judge(config: ContainerConfig, situation: Situation) -> Judgement:
    """Judge at a time; the reasons to empty stand in `_must`, the first one counts."""
    fill, now_ms, silent, told = situation.fill, situation.now_ms, situation.silent, situation.told
    tour, after = tours(config, fill, now_ms)
    forecast = None if silent else foretell(config, situation, after)
    reason = _must(config, situation, tour, after, forecast)
    if reason is not None:
        return Judgement("mandatory", reason, tour, after, None, forecast, told)
    if silent:
        return Judgement("none", "silent", tour, after, told=told)
    least = config.optional - (HYSTERESIS if situation.offered else 0.0)
    if forecast is not None and fill.level is not None and fill.level >= least:
        return Judgement("optional", "worthwhile", tour, after, prize(config, fill.level, forecast), forecast, told)
    fresh = fill.emptied_ms > 0 and fill.measured_ms - fill.emptied_ms <= DAY_MS
    return Judgement("none", "emptied" if fresh else "below_threshold", tour, after, None, forecast, told)


def tours(config: ContainerConfig, fill: Fill, now_ms: int) -> tuple[Tour, Tour]:
    """The next tour that can take the container, and the one after; one on which it was emptied is over for it."""
    tour = tour_after(config.service, now_ms)
    if tour.begin_ms <= fill.emptied_ms < tour.end_ms:
        tour = tour_after(config.service, tour.end_ms)
    return tour, tour_after(config.service, tour.end_ms)


def foretell(config: ContainerConfig, situation: Situation, after: Tour) -> Forecast | None:
    """The forecast from the newest level on; None where it is switched off, or too little is known."""
    fill, history, now_ms = situation.fill, situation.history, situation.now_ms
    if config.forecast is None or fill.level is None or days_known(history) < LEAST_DAYS:
        return None
    model, level, from_ms = model_of(config.forecast, history), fill.level, fill.measured_ms
    times = full_times(model, level, from_ms)
    later = tour_after(config.service, after.end_ms)
    return Forecast(
        Times(*(max(now_ms, time_ms) for time_ms in times)),
        risk_before(model, level, from_ms, after.end_ms),
        risk_before(model, level, from_ms, later.end_ms),
        model,
    )


def prize(config: ContainerConfig, level: float, forecast: Forecast) -> float:
    """What an optional visit is worth: the overflow that waits if nobody comes, and the part of a later visit it saves.

    The chance looks one tour beyond the one that makes a visit mandatory, so that visits are drawn forward.
    """
    return round(config.overflow_cost * forecast.risk_later + config.visit_cost * (level / 100) ** 2, 2)


def _must(
    config: ContainerConfig, situation: Situation, tour: Tour, after: Tour, forecast: Forecast | None
) -> DueReason | None:
    """Why it must be emptied on the tour; None where it need not be."""
    fill, silent, now_ms, since_ms = situation.fill, situation.silent, situation.now_ms, situation.since_ms
    skipped, beside = situation.told.skipped, situation.told.beside
    level = fill.level if fill.level is not None and not silent else 0.0
    weekday = local_date(config.service.timezone, tour.begin_ms).weekday()
    full = forecast is not None and (forecast.risk >= config.least_risk or situation.promised_ms == tour.begin_ms)
    reasons: tuple[tuple[DueReason, bool], ...] = (
        ("side_waste", beside is not None or since_ms < config.side_waste_ms <= now_ms),
        ("skipped", skipped is not None and skipped.owed),
        ("silent", silent and situation.latched),
        ("over_threshold", situation.latched or level >= _threshold(config, forecast)),
        ("forecast_full", full),
        ("too_long", not silent and after.end_ms - since_ms > _longest_ms(config, fill, now_ms)),
        ("fixed_day", weekday in config.fixed_days),
        ("never_skip", config.never_skip),
        ("fixed_cycle", silent and _cycle_is_up(config, since_ms, tour)),
    )
    return next((reason for reason, holds in reasons if holds), None)


def _threshold(config: ContainerConfig, forecast: Forecast | None) -> float:
    return config.threshold if forecast is None else max(config.threshold, config.overflow)


def _longest_ms(config: ContainerConfig, fill: Fill, now_ms: int) -> int:
    hot = fill.hot_ms > 0 and now_ms - fill.hot_ms <= HOT_MS
    return config.longest_hot_ms if hot else config.longest_ms


def _cycle_is_up(config: ContainerConfig, since_ms: int, tour: Tour) -> bool:
    """Whether the tour is the first one after a whole number of cycles since the last known emptying."""
    whole = (tour.end_ms - since_ms) // config.cycle_ms
    return whole >= 1 and tour_after(config.service, since_ms + whole * config.cycle_ms) == tour

"""Why a container is due, in words that a driver believes: what was seen, what follows, and until when."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from rules.event_waste import DueReason, FillOddity, Obligation
from rules.feedback import SkipReason
from rules.waste.due import Judgement
from rules.waste.due_config import ContainerConfig
from rules.waste.fill import Fill
from rules.waste.told import Skip
from rules.waste.words import Words

DAY_MS: Final = 86_400_000
DAYS_DE: Final = ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So")
DAYS_EN: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


WHAT: Final[dict[Obligation, Words]] = {
    "mandatory": Words("Am {} leeren", "Empty on {}"),
    "optional": Words("Am {} leeren, falls es auf dem Weg liegt", "Empty on {} if it is on the way"),
    "none": Words("Nicht leeren", "Do not empty"),
}
ODD: Final[dict[FillOddity, Words]] = {
    "tilted": Words("Behälter war gekippt", "container was tilted"),
    "lid_open": Words("Klappe womöglich offen, kein Füllstand", "lid may be open, no fill level"),
    "held_rise": Words("Sprung nach oben noch nicht bestätigt", "jump upwards not confirmed yet"),
    "implausible_rise": Words("ungewöhnlich schnell gestiegen", "rose unusually fast"),
    "held_drop": Words("Leerung noch nicht bestätigt", "emptying not confirmed yet"),
    "bag": Words("kurz verdeckt, vermutlich ein Sack", "covered for a while, probably by a bag"),
}

SKIPPED: Final[dict[SkipReason, Words]] = {
    "blocked": Words("zugestellt", "blocked"),
    "not_accessible": Words("nicht zugänglich", "not accessible"),
    "not_full": Words("nicht voll", "not full"),
    "damaged": Words("beschädigt", "damaged"),
    "wrong_content": Words("falsch befüllt", "wrong content"),
    "not_on_route": Words("nicht auf der Tour", "not on the route"),
    "out_of_time": Words("Zeit reichte nicht", "out of time"),
    "other": Words("anderer Grund", "another reason"),
}


def text_of(config: ContainerConfig, judgement: Judgement, fill: Fill, since_ms: int, now_ms: int) -> Words:
    """What the event says to people; `since_ms` is the last known emptying, or when the container became known."""
    what, why = WHAT[judgement.obligation], REASONS[judgement.reason](config, judgement, fill, since_ms, now_ms)
    notes = _notes(config, judgement, fill)
    day = _day(config, judgement.tour.begin_ms)
    return Words(
        f"{what.de.format(day.de)}: {why.de}{notes.de}.",
        f"{what.en.format(day.en)}: {why.en}{notes.en}.",
    )


def _notes(config: ContainerConfig, judgement: Judgement, fill: Fill) -> Words:
    """What else is to be known, in brackets."""
    skipped = judgement.told.skipped
    notes = [_skip(config, skipped)] if skipped is not None and judgement.reason != "skipped" else []
    notes += [ODD[fill.odd]] if fill.odd else []
    if not notes:
        return Words("", "")
    return Words(f" ({'; '.join(note.de for note in notes)})", f" ({'; '.join(note.en for note in notes)})")


def _skip(config: ContainerConfig, skipped: Skip) -> Words:
    day, why = _day(config, skipped.time_ms), SKIPPED[skipped.reason]
    return Words(f"am {day.de} nicht geleert: {why.de}", f"not emptied on {day.en}: {why.en}")


def _level(fill: Fill) -> Words:
    if fill.level is None:
        return Words("Füllstand unbekannt", "fill level unknown")
    return Words(f"Füllstand {fill.level:.0f} %", f"fill level {fill.level:.0f} %")


def _day(config: ContainerConfig, time_ms: int) -> Words:
    local = datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(ZoneInfo(config.service.timezone))
    day = local.weekday()
    return Words(f"{DAYS_DE[day]} {local:%d.%m.}", f"{DAYS_EN[day]} {local:%d %b}")


def _days(count: int) -> Words:
    """So many days, after `seit` and `for`."""
    return Words("einem Tag", "one day") if count == 1 else Words(f"{count} Tagen", f"{count} days")


def _over(config: ContainerConfig, judgement: Judgement, fill: Fill, _since_ms: int, _now_ms: int) -> Words:
    limit = config.threshold if judgement.forecast is None else max(config.threshold, config.overflow)
    level = _level(fill)
    if fill.level is not None and fill.level < limit:
        return Words(
            f"war über {limit:.0f} % und wurde nicht geleert, {level.de}",
            f"was above {limit:.0f} % and not emptied, {level.en}",
        )
    return Words(f"{level.de}, Grenze {limit:.0f} %", f"{level.en}, limit {limit:.0f} %")


def _forecast(config: ContainerConfig, judgement: Judgement, fill: Fill, _since_ms: int, _now_ms: int) -> Words:
    forecast, level, after = judgement.forecast, _level(fill), _day(config, judgement.after.begin_ms)
    if forecast is None:
        return level
    rate, middle = forecast.model.rate, _day(config, forecast.times.p50_ms)
    chance = forecast.risk * 100
    if judgement.reason == "forecast_full" and forecast.risk < config.least_risk:
        return Words(f"für diese Tour schon gemeldet, {level.de}", f"already told for this tour, {level.en}")
    return Words(
        f"{level.de}, rund {rate:.0f} % am Tag, voraussichtlich voll am {middle.de}; bis zur übernächsten Tour am "
        f"{after.de} ist er mit {chance:.0f} % Wahrscheinlichkeit voll",
        f"{level.en}, about {rate:.0f} % a day, probably full on {middle.en}; by the tour after, on {after.en}, it is "
        f"full with a chance of {chance:.0f} %",
    )


def _too_long(_config: ContainerConfig, _judgement: Judgement, fill: Fill, since_ms: int, now_ms: int) -> Words:
    days, level = (now_ms - since_ms) // DAY_MS, _level(fill)
    return Words(f"seit {_days(days).de} nicht geleert, {level.de}", f"not emptied for {_days(days).en}, {level.en}")


def _fixed_day(_config: ContainerConfig, _judgement: Judgement, fill: Fill, _since_ms: int, _now_ms: int) -> Words:
    return Words(f"fester Leerungstag, {_level(fill).de}", f"fixed day, {_level(fill).en}")


def _skipped(config: ContainerConfig, judgement: Judgement, fill: Fill, _since_ms: int, _now_ms: int) -> Words:
    skipped, level = judgement.told.skipped, _level(fill)
    if skipped is None:
        return level
    why = _skip(config, skipped)
    return Words(f"{why.de}, {level.de}", f"{why.en}, {level.en}")


def _side_waste(config: ContainerConfig, judgement: Judgement, fill: Fill, _since_ms: int, _now_ms: int) -> Words:
    beside = judgement.told.beside
    day, level = _day(config, beside.time_ms if beside is not None else config.side_waste_ms), _level(fill)
    return Words(
        f"am {day.de} wurde Abfall daneben gemeldet, {level.de}",
        f"waste beside it was reported on {day.en}, {level.en}",
    )


def _never_skip(_config: ContainerConfig, _judgement: Judgement, fill: Fill, _since_ms: int, _now_ms: int) -> Words:
    return Words(f"wird auf jeder Tour geleert, {_level(fill).de}", f"is emptied on every tour, {_level(fill).en}")


def _fixed_cycle(config: ContainerConfig, _judgement: Judgement, fill: Fill, _since_ms: int, now_ms: int) -> Words:
    days = config.cycle_ms // DAY_MS
    heard = _unheard(fill, now_ms)
    if days == 1:
        return Words(f"{heard.de}, deshalb täglich", f"{heard.en}, therefore every day")
    return Words(f"{heard.de}, deshalb alle {days} Tage", f"{heard.en}, therefore every {days} days")


def _silent(_config: ContainerConfig, judgement: Judgement, fill: Fill, _since_ms: int, now_ms: int) -> Words:
    heard = _unheard(fill, now_ms)
    if judgement.obligation == "mandatory":
        return Words(f"war fällig, danach: {heard.de}", f"was due, after that: {heard.en}")
    return Words(f"{heard.de}, fester Turnus noch nicht um", f"{heard.en}, fixed cycle not over yet")


def _unheard(fill: Fill, now_ms: int) -> Words:
    if not fill.measured_ms:
        return Words("noch nie ein Füllstand gemessen", "no fill level was ever measured")
    days = (now_ms - fill.measured_ms) // DAY_MS
    return Words(f"seit {_days(days).de} kein Füllstand", f"no fill level for {_days(days).en}")


def _below(_config: ContainerConfig, _judgement: Judgement, fill: Fill, _since_ms: int, _now_ms: int) -> Words:
    return _level(fill)


def _emptied(config: ContainerConfig, _judgement: Judgement, fill: Fill, _since_ms: int, _now_ms: int) -> Words:
    day, level = _day(config, fill.emptied_ms), _level(fill)
    sure = (
        Words("geleert", "emptied")
        if fill.confirmed
        else Words("dem Füllstand nach geleert", "emptied by its fill level")
    )
    return Words(f"am {day.de} {sure.de}, {level.de}", f"{sure.en} on {day.en}, {level.en}")


REASONS: Final[dict[DueReason, Callable[[ContainerConfig, Judgement, Fill, int, int], Words]]] = {
    "over_threshold": _over,
    "below_threshold": _below,
    "emptied": _emptied,
    "silent": _silent,
    "forecast_full": _forecast,
    "too_long": _too_long,
    "fixed_day": _fixed_day,
    "side_waste": _side_waste,
    "never_skip": _never_skip,
    "fixed_cycle": _fixed_cycle,
    "worthwhile": _forecast,
    "skipped": _skipped,
}

"""What a lot's space sensors tell day by day: how long cars stay, and which sensors do not behave as their neighbours.

Stays and overstays leave this rule as figures of a lot and a day, never of a space or a time. A day is one of the
city's calendar and is closed by the first input after it; what comes later counts for the next day. Words that change
nothing are remembered once an hour. A day on which hardly a sensor was heard gives no figures and no judgement.
"""

from decoders.quantity import Quantity
from rules.local_time import day_of
from rules.parking.gates import changed, counted
from rules.parking.space_days_config import DaysConfig, configure
from rules.parking.space_record import Change, Days, Gates, Stays, dump, read
from rules.parking.stays import at_day_end, heard, point
from rules.parking.suspicion import ID, VERSION, event, judged
from rules.rule import NOTHING, Input, Json, Observation, Outputs, Rule

__all__ = ["ID", "RULE", "configure", "dump", "initial", "load", "step", "wake"]

OCCUPIED = Quantity.OCCUPIED


def initial(_config: DaysConfig) -> Days:
    """A lot from whose spaces nothing was heard yet."""
    return Days({}, (0, 0), 0, 0.0, Stays(), 0.0, 0.0, Gates({}), ())


def step(config: DaysConfig, days: Days, given: Input) -> tuple[Days, Outputs]:
    """Close the day when it is over, then take up the word of a space or a counter."""
    outputs = NOTHING
    if given.now_ms >= days.day[1]:
        days, outputs = _close(config, days, given)
    if isinstance(given, Observation):
        days = _hear(config, days, given)
    return days, outputs


def wake(_config: DaysConfig, days: Days) -> int | None:
    """The end of the day, once something was heard."""
    return days.day[1] if days.spaces else None


def load(_config: DaysConfig, version: int, kept: Json) -> Days | None:
    """The state from JSON; None when another version of the rule wrote it."""
    return read(kept) if version == VERSION else None


def _hear(config: DaysConfig, days: Days, given: Observation) -> Days:
    counting, dev_eui = config.counters, given.dev_eui
    if counting is not None and dev_eui in counting.ways:
        return counted(config, counting, days, given) if days.spaces else days
    value = next((value for quantity, value, _ in given.readings if quantity is OCCUPIED), None)
    before = days.spaces.get(dev_eui)
    if value not in {0.0, 1.0} or not given.usable(before.newest_ms if before else 0):
        return days
    after = heard(config, days, dev_eui, given.time_ms, occupied=value == 1.0)
    if counting is None or before is None or before.occupied == (value == 1.0):
        return after
    return changed(after, Change(dev_eui, given.time_ms, value == 1.0))


def _close(config: DaysConfig, days: Days, given: Input) -> tuple[Days, Outputs]:
    """The figures of the day, whom to suspect after it, and the next day; the first day begins with the first input."""
    now_ms = given.now_ms
    today = day_of(config.timezone, now_ms)
    if not days.spaces:
        return days._replace(day=today), NOTHING
    figures = point(config, days, at_day_end(config, days))
    points = () if figures is None else (figures,)
    ended, suspects = judged(config, days)
    following = ended._replace(day=today, stays=Stays())
    if suspects is None or (not suspects and not days.suspects):
        return following, Outputs((), points)
    said = event(config, days, suspects, now_ms, given.cause)
    return following._replace(suspects=suspects), Outputs((said,), points)


RULE = Rule(
    id=ID,
    version=VERSION,
    kind="lot",
    configure=configure,
    initial=initial,
    step=step,
    wake=wake,
    dump=dump,
    load=load,
)

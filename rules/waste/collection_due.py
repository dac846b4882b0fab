"""Whether a container is due for collection: from its fill level, its forecast, its last emptying, the tours ahead."""

from typing import Final, NamedTuple, cast

from pydantic import TypeAdapter

from rules.event_waste import DueReason, Obligation
from rules.rule import NOTHING, Input, Json, Observation, Outputs, Rule, TourFeedback
from rules.waste.days import local_date
from rules.waste.due import Judgement, Situation, judge
from rules.waste.due_config import ContainerConfig, configure
from rules.waste.due_event import ID, VERSION, due_event, level_point, told_point
from rules.waste.fill import Change, Fill, full_until, served, take
from rules.waste.forecast import History, from_model_1, learn
from rules.waste.told import Told, ended, hear

UPDATE: Final = 10.0
"""% by which the level must move for an event that says nothing else new."""
KEPT_WHILE_SILENT: Final = frozenset({"forecast_full", "silent"})


class Shown(NamedTuple):
    """What the newest event said."""

    due: bool
    obligation: Obligation
    reason: DueReason
    tour_ms: int
    level: float | None
    valid_until_ms: int
    skipped_ms: int = 0


class Container(NamedTuple):
    """What is remembered of a container; `known_ms` is when it was judged first, `due_ms` since when it is due.

    `latched` while it was over the threshold and was not emptied since; `promised_ms` is the begin of the tour for
    which a forecast made it due, `judge_ms` when it has to be judged again, heard or not. `told` is what crews and
    people said of it, `mandatory_ms` the begin of the newest tour on which it had to be emptied.
    """

    fill: Fill = Fill()
    history: History = History()
    known_ms: int = 0
    due: bool = False
    reason: DueReason = "below_threshold"
    due_ms: int = 0
    latched: bool = False
    promised_ms: int = 0
    judge_ms: int = 0
    shown: Shown | None = None
    told: Told = Told()
    mandatory_ms: int = 0


class ShownBefore(NamedTuple):
    """What the newest event said, as version 1 kept it."""

    due: bool
    reason: DueReason
    valid_until_ms: int


class ContainerBefore(NamedTuple):
    """A container as version 1 kept it."""

    measured_ms: int
    fill_level: float | None
    source: str
    due: bool
    since_ms: int
    reason: DueReason
    shown: ShownBefore | None


STATE = TypeAdapter(Container)
BEFORE = TypeAdapter(ContainerBefore)


def initial(_config: ContainerConfig) -> Container:
    """A container from which nothing was heard yet."""
    return Container()


def step(config: ContainerConfig, container: Container, given: Input) -> tuple[Container, Outputs]:
    """Take up what was heard and judge; say so when something changes or a renewal is due."""
    if isinstance(given, TourFeedback):
        return _hear_tour(config, container, given)
    if not isinstance(given, Observation):
        return _conclude(config, container, given, "nothing")
    fill, change = take(config.fill, container.fill, given)
    if fill is container.fill:
        return container, NOTHING
    if change == "emptied":
        container = container._replace(told=ended(container.told, fill.emptied_ms, full_until(container.fill, fill)))
    return _conclude(config, _heard(config, container, fill, change), given, change)


def wake(config: ContainerConfig, container: Container) -> int:
    """When a tour is over, the sensor falls silent or the event wants renewal."""
    shown = container.shown
    if shown is None:
        return 0
    renewal_ms = shown.valid_until_ms - config.renewal_ms
    if shown.level is None:
        return min(renewal_ms, container.judge_ms)
    silent_ms = container.fill.measured_ms + config.silent_ms
    if shown.valid_until_ms < silent_ms:
        return min(renewal_ms, container.judge_ms, silent_ms)
    return min(silent_ms, container.judge_ms)


def dump(container: Container) -> Json:
    """The state as JSON: named tuples of numbers and texts are that already."""
    return cast("Json", container)


def load(_config: ContainerConfig, version: int, kept: Json) -> Container | None:
    """The state from JSON."""
    return restored(version, kept)


def restored(version: int, kept: Json) -> Container | None:
    """A kept state, None: that of another version.

    Version 3 learned with model 1 of forecasts, 2 heard of no tours, 1 knew levels and a threshold only.
    """
    if version in {2, 3, VERSION}:
        container = STATE.validate_python(kept)
        return container if version == VERSION else container._replace(history=from_model_1(container.history))
    if version == 1:
        before = BEFORE.validate_python(kept)
        fill = Fill(before.measured_ms, before.measured_ms, before.fill_level, before.source)
        return Container(fill=fill, due=before.due, reason=before.reason, due_ms=before.since_ms, latched=before.due)
    return None


def situation(config: ContainerConfig, container: Container, now_ms: int) -> Situation:
    """What is to be judged of a container at a time."""
    fill, shown = container.fill, container.shown
    silent = _is_silent(config, fill, now_ms)
    kept = silent and container.due and container.reason in KEPT_WHILE_SILENT
    return Situation(
        fill=fill,
        history=container.history,
        known_ms=container.known_ms or now_ms,
        now_ms=now_ms,
        latched=container.latched or kept,
        silent=silent,
        promised_ms=container.promised_ms,
        offered=shown is not None and shown.obligation == "optional",
        told=container.told,
    )


def _hear_tour(config: ContainerConfig, container: Container, given: TourFeedback) -> tuple[Container, Outputs]:
    """What a tour made of the container; what is known already changes nothing."""
    fill, point = container.fill, told_point(config, given)
    change: Change = "nothing"
    if given.result == "served":
        fill, change = served(config.fill, fill, given.time_ms, given.vehicle)
    owed = container.due or _had_to_be(config, container, given.time_ms)
    told = hear(container.told, given, fill.emptied_ms, config.fill.confirm_ms, owed=owed)
    if (told, fill) == (container.told, container.fill):
        return container, Outputs((), (point,))
    heard = _heard(config, container._replace(told=told), fill, change, measured=False)
    container, outputs = _conclude(config, heard, given, change)
    return container, Outputs(outputs.events, (point, *outputs.points))


def _had_to_be(config: ContainerConfig, container: Container, time_ms: int) -> bool:
    """Whether it had to be emptied on the day of a time: vehicles often tell only back at the depot."""
    zone = config.service.timezone
    return container.mandatory_ms > 0 and local_date(zone, time_ms) == local_date(zone, container.mandatory_ms)


def _heard(
    config: ContainerConfig, container: Container, fill: Fill, change: Change, *, measured: bool = True
) -> Container:
    """What a new word changes before it is judged; `measured` where a sensor says it."""
    container = container._replace(fill=fill)
    if change == "nothing" or fill.level is None:
        return container
    if config.forecast is not None:
        fresh, moved = change == "emptied", change == "moved"
        level = fill.level if measured else None
        history = learn(config.forecast, container.history, fill.measured_ms, level, fresh=fresh, moved=moved)
        container = container._replace(history=history)
    if change == "emptied" or fill.level <= config.cleared:
        return container._replace(latched=False, promised_ms=0, due=False)
    return container


def _is_silent(config: ContainerConfig, fill: Fill, now_ms: int) -> bool:
    return fill.level is None or now_ms >= fill.measured_ms + config.silent_ms


def _conclude(config: ContainerConfig, container: Container, given: Input, change: Change) -> tuple[Container, Outputs]:
    now_ms, fill, history = given.now_ms, container.fill, container.history
    now = situation(config, container, now_ms)
    silent, known_ms, found = now.silent, now.known_ms, judge(config, now)
    container = _judged(container, found, given, known_ms)
    points = (
        ()
        if change == "nothing" or fill.level is None
        else (level_point(config, fill, fill.level, found, history, now_ms),)
    )
    until_ms = now_ms + config.validity_ms
    if not silent:
        until_ms = min(until_ms, fill.measured_ms + config.silent_ms)
    level = None if silent else fill.level
    if not _is_news(config, container.shown, found, level, now_ms, until_ms):
        return container, Outputs((), points)
    event = due_event(
        config,
        found,
        fill,
        history,
        known_ms=known_ms,
        due_since_ms=container.due_ms,
        until_ms=until_ms,
        silent=silent,
        given=given,
    )
    shown = Shown(
        container.due, found.obligation, found.reason, found.tour.begin_ms, level, until_ms, skipped_ms(found)
    )
    return container._replace(shown=shown), Outputs((event,), points)


def _judged(container: Container, found: Judgement, given: Input, known_ms: int) -> Container:
    due = found.obligation == "mandatory"
    due_ms = container.due_ms if due and container.due else 0
    if due and not due_ms:
        due_ms = given.time_ms if isinstance(given, Observation) else given.now_ms
    return container._replace(
        known_ms=known_ms,
        due=due,
        reason=found.reason,
        due_ms=due_ms,
        latched=container.latched or found.reason == "over_threshold",
        promised_ms=found.tour.begin_ms if found.reason == "forecast_full" else 0,
        judge_ms=found.tour.end_ms,
        mandatory_ms=found.tour.begin_ms if due else container.mandatory_ms,
    )


def _is_news(
    config: ContainerConfig, shown: Shown | None, found: Judgement, level: float | None, now_ms: int, until_ms: int
) -> bool:
    """Whether the newest event does not say this yet, or wants renewal; `level` is None while the sensor is silent."""
    if shown is None or (shown.level is None) is not (level is None):
        return True
    if (shown.obligation, shown.reason, shown.tour_ms) != (found.obligation, found.reason, found.tour.begin_ms):
        return True
    if shown.skipped_ms != skipped_ms(found):
        return True
    if shown.level is not None and level is not None and abs(shown.level - level) >= UPDATE:
        return True
    return now_ms >= shown.valid_until_ms - config.renewal_ms and until_ms > shown.valid_until_ms


def skipped_ms(found: Judgement) -> int:
    """When a tour came and did not empty it; 0 for never since the last emptying."""
    return found.told.skipped.time_ms if found.told.skipped is not None else 0


RULE = Rule(
    id=ID,
    version=VERSION,
    kind="container",
    configure=configure,
    initial=initial,
    step=step,
    wake=wake,
    dump=dump,
    load=load,
    tours=True,
)

"""How full a parking lot is, from the sensors of its spaces, from counters at its entries and exits, or from both.

A space counts as long as its sensor was heard within `space_silent_s`. Where spaces have no working sensor, they are
taken to be like the others and the event says `estimated`. Cars in and out are a balance that is anchored each night.
Without news for `unknown_after_s`, with too few of the installed sensors working and a balance that is too uncertain,
the state is unknown. A state is never valid longer than the news that it stands on.
"""

from rules.event import LotLevel, LotReason
from rules.parking.anchor import anchor, is_due
from rules.parking.counters import begin, count, heard_ms, moves
from rules.parking.estimate import estimate, fresh_ms, sensed_figure
from rules.parking.lot import NEVER_MS, Lot, Shown, Space, dump, read
from rules.parking.lot_config import LotConfig, configure
from rules.parking.lot_event import ID, VERSION, told
from rules.parking.sensed import hear, recount
from rules.parking.trend import remembered
from rules.rule import NOTHING, Input, Json, Observation, Outputs, Rule, Tick

__all__ = ["ID", "RULE", "Lot", "Shown", "Space", "configure", "dump", "load"]

READABLE = (1, VERSION)


def initial(config: LotConfig) -> Lot:
    """A lot from which nothing was heard yet."""
    counters = begin(config.counters, config.capacity) if config.counters else None
    return Lot({}, 0, 0, 0, NEVER_MS, "free", None, counters)


def step(config: LotConfig, lot: Lot, given: Input) -> tuple[Lot, Outputs]:
    """Count the space or the cars heard, or the time that passed; say what changes the lot, or a renewal."""
    if isinstance(given, Tick):
        return _conclude(config, recount(config, lot, given.now_ms), given)
    if not isinstance(given, Observation):
        return lot, NOTHING
    heard = _count(config, lot, given) if config.counters else hear(config, lot, given)
    if heard is None:
        return lot, NOTHING
    if given.now_ms >= heard.recount_ms:
        heard = recount(config, heard, given.now_ms)
    return (heard, NOTHING) if _says_the_same(config, lot, heard, given.now_ms) else _conclude(config, heard, given)


def wake(config: LotConfig, lot: Lot) -> int:
    """When the state goes stale, a sensor falls silent or the event wants renewal."""
    shown = lot.shown
    if shown is None:
        return 0
    renewal_ms = shown.valid_until_ms - config.renewal_ms
    if shown.reason != "counted":
        return renewal_ms
    stale_ms = fresh_ms(config, lot, shown.basis, shown.valid_until_ms)
    return min(stale_ms, lot.recount_ms, renewal_ms if stale_ms > shown.valid_until_ms else stale_ms)


def load(config: LotConfig, version: int, kept: Json) -> Lot | None:
    """The state from JSON; None when a version of the rule wrote it that is not known here."""
    if version not in READABLE:
        return None
    lot = read(kept)
    if (lot.counters is None) == (config.counters is None):
        return lot
    return lot._replace(counters=initial(config).counters)


def _says_the_same(config: LotConfig, before: Lot, heard: Lot, now_ms: int) -> bool:
    """Whether nothing that the figures stand on changed, and no time has come: what nearly every heartbeat says."""
    shown = heard.shown
    return (
        heard.taken == before.taken
        and heard.working == before.working
        and heard.counters is before.counters
        and shown is not None
        and shown.reason == "counted"
        and (heard.counters is None or shown.basis == "both")
        and now_ms < wake(config, heard)
    )


def _count(config: LotConfig, lot: Lot, given: Observation) -> Lot | None:
    """The lot after the word of one of its counters, or of a space."""
    counting, counters = config.counters, lot.counters
    if counting is None or counters is None or given.dev_eui not in counting.ways:
        return hear(config, lot, given)
    found = moves(counting, counters.totals, given)
    if found is None:
        return None
    now_ms = given.now_ms
    counters = count(counting, counters, config.capacity, found, given.time_ms)
    if is_due(counters, now_ms) and now_ms < heard_ms(counting, counters.totals, now_ms) + config.unknown_after_ms:
        counters = anchor(counting, counters, sensed_figure(config, lot, now_ms), now_ms)
    return lot._replace(counters=counters)


def _conclude(config: LotConfig, lot: Lot, given: Input) -> tuple[Lot, Outputs]:
    now_ms, shown = given.now_ms, lot.shown
    known, occupied, basis, known_until_ms, contradicting = estimate(config, lot, now_ms)
    reason: LotReason = "closed" if config.closed else known
    level = lot.level if occupied is None else _level(config, lot.level, occupied)
    until_ms = now_ms + config.validity_ms
    if reason == "counted":
        until_ms = min(until_ms, known_until_ms)
    if shown is not None and (reason, level, occupied) == shown[:3] and contradicting == shown.contradicting:
        renewal_ms = shown.valid_until_ms - config.renewal_ms
        if now_ms < renewal_ms or until_ms <= shown.valid_until_ms:
            return lot, NOTHING
    saying = Shown(reason, level, occupied, until_ms, basis, contradicting)
    history = () if occupied is None else remembered(lot.history, occupied, now_ms)
    lot = lot._replace(level=level, shown=saying, history=history)
    event, point = told(config, lot, saying, given)
    return lot, Outputs((event,), (point,))


def _level(config: LotConfig, before: LotLevel, occupied: int) -> LotLevel:
    free = config.capacity - occupied
    if free <= config.full_in or (before == "full" and free < config.full_out):
        return "full"
    if occupied >= config.almost_in or (before != "free" and occupied > config.almost_out):
        return "almostFull"
    return "free"


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

"""Whether the counters of a lot saw the cars that its space sensors tell of.

A car that parks came in within `counter_match_s`, one that leaves goes out within it. Where the counters saw nobody on
that way, the change is held against the sensor; nothing is held against it while a counter is silent.
"""

from rules.layered import put
from rules.parking.counter_config import CounterConfig
from rules.parking.counters import heard_ms, moves
from rules.parking.space_days_config import DaysConfig
from rules.parking.space_record import Change, Days
from rules.rule import Observation

MOST_WAITING = 64


def changed(days: Days, change: Change) -> Days:
    """Let a change wait for the counters; of too many the oldest is let go."""
    gates = days.gates
    return days._replace(gates=gates._replace(waiting=(*gates.waiting, change)[-MOST_WAITING:]))


def counted(config: DaysConfig, counting: CounterConfig, days: Days, given: Observation) -> Days:
    """The spaces after the word of a counter: changes that waited long enough are settled."""
    found = moves(counting, days.gates.totals, given)
    if found is None:
        return days
    gates = days.gates
    entered = found.entered > 0 or found.breaks > 0
    left = found.left > 0 or found.breaks > 0
    gates = gates._replace(
        totals=found.totals,
        entered_ms=max(gates.entered_ms, given.time_ms) if entered else gates.entered_ms,
        left_ms=max(gates.left_ms, given.time_ms) if left else gates.left_ms,
    )
    newest_ms = heard_ms(counting, gates.totals, given.now_ms)
    waiting = tuple(change for change in gates.waiting if change.time_ms + config.match_ms > newest_ms)
    ripe = [change for change in gates.waiting if change.time_ms + config.match_ms <= newest_ms]
    days = days._replace(gates=gates._replace(waiting=waiting))
    return _settled(config, days, ripe)


def _settled(config: DaysConfig, days: Days, ripe: list[Change]) -> Days:
    gates, spaces = days.gates, days.spaces
    for dev_eui, time_ms, occupied in ripe:
        seen_ms = gates.entered_ms if occupied else gates.left_ms
        space = spaces.get(dev_eui)
        if space is not None and seen_ms < time_ms - config.match_ms:
            spaces = put(spaces, dev_eui, space._replace(unseen=space.unseen + 1))
    return days._replace(spaces=spaces)

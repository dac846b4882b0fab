"""Measurements a second through all rules of a made city, on one core, with the states that they leave written as JSON.

500 junctions with four detectors each, 200 lots of 50 spaces, 1,000 stations; every device at the interval of a real
one, a tick each ten seconds. A batch goes the way of the service's: overlay, inputs, rows of changed states, merge. The
reference is the least that keeps the newest values: each measurement parsed from JSON, put into a dictionary by asset
and quantity, what changed written as JSON once a batch.
"""

import argparse
import gc
import json
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple, TypeAlias, TypeVar, get_args

from pydantic_core import to_json
from rule_city import Kind, Made, inputs, made

from rules.catalog import RULES
from rules.engine import Engine, Overlay
from rules.event import Event
from rules.rule import Observation, StateRow, Tick

Given: TypeAlias = "tuple[Kind, Observation] | Tick"
T = TypeVar("T")
PLACES = (100, 1_000, 10_000)
WARM_MINUTES = 65
"""Until every window and hour has been through its turn once."""
THRESHOLDS = (500_000, 50, 100)
"""Of the garbage collector, as the service sets them."""


class Result(NamedTuple):
    """CPU seconds for measurements, rows and bytes of state, events, and the CPU seconds that their JSON takes."""

    seconds: float
    measurements: int
    rows: int
    bytes: int
    events: int
    event_seconds: float
    event_bytes: int

    @property
    def each_us(self) -> float:
        """µs a measurement."""
        return self.seconds / self.measurements * 1e6


class Trace(NamedTuple):
    """A city with the states it has after warming up, and what comes then."""

    made: Made
    rows: Sequence[StateRow]
    given: Sequence[Given]


def main() -> None:
    """Print the whole, where its time goes, and the cost by the number of places."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measurements", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=500, help="inputs of a batch at most, as in the service")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--places", type=int, nargs="*", default=list(PLACES), help="for the cost by size")
    options = parser.parse_args()
    trace = prepared(made(500, 200, 1000), options.measurements)
    print(f"{len(trace.made.city.assets)} assets, {len(trace.made.devices)} devices, best of {options.rounds} rounds")
    for size in sorted({50, options.batch}):
        print(f"\nbatches of {size}")
        tell(*measured(trace, size, options.rounds))
    print(f"\nwhere the time goes, batches of {options.batch}")
    tell_split(trace, [split(trace, options.batch) for _ in range(options.rounds)])
    if options.places:
        print("\nby number of places (junctions, lots, stations as 5 : 2 : 10), batches of 100")
        sizes(options.places, options.measurements, options.rounds)


def prepared(city: Made, measurements: int) -> Trace:
    """The city after its warming up."""
    stream = inputs(city.devices)
    engine = Engine(city.city, RULES)
    rows: dict[tuple[str, str], StateRow] = {}
    first = None
    warm: list[Observation | Tick] = []
    for item in stream:
        if isinstance(item, Tick):
            first = first or item.time_ms
            if item.time_ms - first >= WARM_MINUTES * 60_000:
                break
        warm.append(item if isinstance(item, Tick) else item[1])
    for batch in batches(warm, 500):
        overlay = engine.overlay()
        feed(overlay, batch)
        rows |= {(row.rule, row.subject): row for row in overlay.dirty()}
        if overlay.failures:
            raise SystemExit(str(overlay.failures[0]))
        engine.merge(overlay)
    return Trace(city, list(rows.values()), list(limited(stream, measurements)))


def feed(overlay: Overlay, batch: Iterable[Observation | Tick]) -> None:
    """Give a batch to the rules."""
    for item in batch:
        if isinstance(item, Tick):
            overlay.tick(item)
        else:
            overlay.observe(item)


def limited(stream: Iterable[Given], measurements: int) -> Iterable[Given]:
    """What comes until that many measurements have come."""
    left = measurements
    for item in stream:
        yield item
        left -= not isinstance(item, Tick)
        if not left:
            return


def plain(given: Iterable[Given]) -> list[Observation | Tick]:
    """What comes, without its kinds."""
    return [item if isinstance(item, Tick) else item[1] for item in given]


def batches(given: Iterable[T], size: int) -> list[list[T]]:
    """What is given, in batches of that many."""
    rest = iter(given)
    found = []
    while batch := list(islice(rest, size)):
        found.append(batch)
    return found


def measured(trace: Trace, size: int, rounds: int) -> tuple[Result, float]:
    """The best round through the rules, and the best of the reference in µs a measurement, taken in turns."""
    results, references = [], []
    given = batches(plain(trace.given), size)
    texts = [[text(item) for item in batch if not isinstance(item, Tick)] for batch in given]
    for _ in range(rounds):
        references.append(reference(texts))
        results.append(run(trace, given))
    return min(results), min(references)


def started(trace: Trace) -> Engine:
    """An engine with the states of the warm city."""
    engine = Engine(trace.made.city, RULES)
    if engine.load(trace.rows):
        raise SystemExit("a state could not be taken up")
    spared()
    return engine


def run(trace: Trace, given: list[list[Observation | Tick]]) -> Result:
    """One round from the same states."""
    engine = started(trace)
    rows = size = 0
    events: list[Event] = []
    begin = time.process_time()
    for batch in given:
        overlay = engine.overlay()
        feed(overlay, batch)
        kept = overlay.dirty()
        engine.merge(overlay)
        rows += len(kept)
        size += sum([len(row.body) for row in kept])
        events += overlay.events
    seconds = time.process_time() - begin
    begin = time.process_time()
    written = sum([len(event.payload()) for event in events])
    event_seconds = time.process_time() - begin
    measurements = sum(not isinstance(item, Tick) for batch in given for item in batch)
    return Result(seconds, measurements, rows, size, len(events), event_seconds, written)


def reference(texts: list[list[str]]) -> float:
    """µs a measurement of the least that keeps the newest values."""
    newest: dict[str, dict[str, float]] = {}
    changed: dict[str, dict[str, float]]
    spared()
    begin = time.process_time()
    for batch in texts:
        changed = {}
        for each in batch:
            body = json.loads(each)
            place = newest.setdefault(body["asset"], {})
            place.update(body["values"])
            changed[body["asset"]] = place
        for place in changed.values():
            to_json(place).decode()
    return (time.process_time() - begin) / sum(map(len, texts)) * 1e6


def text(given: Observation) -> str:
    """A measurement as JSON."""
    values = {f"{quantity.field} {channel}".rstrip(): value for quantity, value, channel in given.readings}
    return json.dumps(
        {"dev_eui": given.dev_eui, "asset": given.asset, "time_ms": given.time_ms, "id": given.cause, "values": values}
    )


def tell(found: Result, reference_us: float) -> None:
    """The figures of a whole city."""
    each = found.measurements
    print(
        f"{1e6 / found.each_us:9.0f} measurements/s  {found.each_us:6.2f} µs each, {found.each_us / reference_us:.1f} x"
    )
    print(f"{1e6 / reference_us:9.0f} a second with the reference, {reference_us:.2f} µs each")
    print(f"{found.bytes / each:9.0f} bytes of state a measurement, {found.rows / each:.2f} rows")
    print(f"{1000 * found.events / each:9.0f} events per 1,000, {found.event_bytes / max(1, found.events):.0f} bytes")
    print(f"{found.event_seconds / each * 1e6:9.2f} µs a measurement for their JSON, not in the figures above")


def split(trace: Trace, size: int) -> dict[str, int]:
    """Where the time of a round goes: ns for each kind of measurement, for ticks, rows and merges."""
    engine = started(trace)
    spent = dict.fromkeys((*get_args(Kind), "ticks", "rows", "merge"), 0)
    clock = time.process_time_ns
    for batch in batches(trace.given, size):
        overlay = engine.overlay()
        for item in batch:
            begin = clock()
            if isinstance(item, Tick):
                overlay.tick(item)
                spent["ticks"] += clock() - begin
            else:
                overlay.observe(item[1])
                spent[item[0]] += clock() - begin
        begin = clock()
        overlay.dirty()
        spent["rows"] += clock() - begin
        begin = clock()
        engine.merge(overlay)
        spent["merge"] += clock() - begin
    return spent


def tell_split(trace: Trace, rounds: Sequence[dict[str, int]]) -> None:
    """The shares of the best round, and µs each of every kind of measurement."""
    best = min(rounds, key=lambda spent: sum(spent.values()))
    counts: Counter[str] = Counter(item[0] for item in trace.given if not isinstance(item, Tick))
    whole, every = sum(best.values()), counts.total()
    for name, spent in best.items():
        count = counts[name]
        each = f"{spent / count / 1000:7.1f} µs each, {count / every:5.1%} of the measurements" if count else ""
        print(f"{name:10} {spent / whole:6.1%} {spent / every / 1000:7.2f} µs a measurement {each}")


def sizes(places: Sequence[int], measurements: int, rounds: int) -> None:
    """The cost of a measurement in cities of these sizes."""
    first = None
    for number in places:
        trace = prepared(made(number * 5 // 17, number * 2 // 17, number * 10 // 17), measurements)
        found, _ = measured(trace, 100, rounds)
        first = first or found.each_us
        print(f"{number:8} places {found.each_us:7.2f} µs each {found.each_us / first:6.2f} x", flush=True)


def spared() -> None:
    """Garbage collection as in the service."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)


if __name__ == "__main__":
    main()

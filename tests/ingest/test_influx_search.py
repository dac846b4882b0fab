"""The search for guilty lines, without a server: any mixture of faults ends with every line where it belongs."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.influxdb.answer import Answer, Fault, read
from ingest.influxdb.search import Failing, Part, Search, ServerFault

OK, UNREADABLE, CONFLICT, LARGE, POISON = b"ok", b"unreadable", b"conflict", b"large", b"poison"


class Server:
    """Answers as InfluxDB would; `names` is how many unreadable lines it quotes at once."""

    def __init__(self, names: int, *, counts: bool) -> None:
        self.names = names
        self.counts = counts
        self.taken: set[bytes] = set()
        self.asked = 0
        self.read = 0

    def answer(self, part: Part) -> Answer | None:
        """What a write of this part leads to; None stores it."""
        self.asked += 1
        self.read += len(part.lines)
        kinds = {kind: [line for line in part.lines if line.startswith(kind)] for kind in (UNREADABLE, CONFLICT)}
        if any(line.startswith(POISON) for line in part.lines):
            return read(500, {}, '{"error": "internal error"}')
        if any(line.startswith(LARGE) for line in part.lines):
            return read(413, {}, "")
        if kinds[UNREADABLE]:
            quotes = "\n".join(f"unable to parse '{line.decode()}': why" for line in kinds[UNREADABLE][: self.names])
            return Answer(Fault.LINES, quotes, quotes)
        if kinds[CONFLICT]:
            return Answer(Fault.LINES, "partial write", dropped=len(kinds[CONFLICT]) if self.counts else None)
        self.taken.update(part.lines)
        return None


def run(lines: list[bytes], server: Server) -> dict[bytes, str]:
    """Search to the end, with a server that has long been failing; returns the rejected lines."""
    search = Search(lines, Failing(lambda: 0.0), quarantine_after_s=0)
    while search.pending:
        part = search.pending.pop()
        assert part.lines
        search.answered(part, server.answer(part))
    assert len(search.rejected) == len({line for line, _ in search.rejected})
    return dict(search.rejected)


@settings(deadline=None)
@given(
    kinds=st.lists(st.sampled_from([OK, OK, OK, UNREADABLE, CONFLICT, LARGE, POISON]), min_size=1, max_size=60),
    names=st.integers(0, 60),
    counts=st.booleans(),
)
def test_every_line_is_taken_or_rejected(kinds: list[bytes], names: int, *, counts: bool) -> None:
    """The good are taken, the guilty rejected, with at most a few requests for each guilty one."""
    lines = [b"%s %d" % (kind, number) for number, kind in enumerate(kinds)]
    server = Server(names, counts=counts)
    guilty = {line for line in lines if not line.startswith(OK)}
    if len(lines) > 1 and set(kinds) == {POISON}:
        with pytest.raises(ServerFault, match=f"each of {len(lines)} lines"):
            run(lines, server)
        return
    assert set(run(lines, server)) == guilty
    assert server.taken == set(lines) - guilty
    halvings = math.ceil(math.log2(len(lines))) + 1
    assert server.asked <= 2 + 2 * len(guilty) * halvings


def test_a_good_line_left_over_by_named_ones_is_sent() -> None:
    """A server that names one unreadable line at a time condemns no neighbour."""
    server = Server(1, counts=False)
    assert set(run([b"unreadable 1", b"ok 1", b"unreadable 2"], server)) == {b"unreadable 1", b"unreadable 2"}
    assert server.taken == {b"ok 1"}


def test_lines_named_one_at_a_time_are_not_sent_over_and_over() -> None:
    """A thousand unreadable lines are each sent some ten times, not five hundred times."""
    server = Server(1, counts=False)
    assert len(run([b"unreadable %d" % number for number in range(1000)], server)) == 1000
    assert server.read <= 1000 * (2 + math.ceil(math.log2(1000)))


def test_lines_that_were_taken_start_anew() -> None:
    """A failure that passed says nothing about the next one."""
    times = iter((0.0, 900.0, 1800.0))
    failing = Failing(lambda: next(times))
    for _ in range(3):
        search = Search([b"ok"], failing, 900)
        with pytest.raises(ServerFault):
            search.answered(search.pending.pop(), read(500, {}, ""))
        search.answered(Part([b"ok"]), None)


def test_the_memory_of_failures_is_bounded() -> None:
    """The oldest of more than a thousand failing batches is forgotten."""
    now = 0.0
    failing = Failing(lambda: now)
    for number in range(1001):
        failing.seconds(b"%d" % number)
    now = 5.0
    assert failing.seconds(b"1000") == 5
    assert failing.seconds(b"0") == 0

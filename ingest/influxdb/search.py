"""The search for the lines that InfluxDB refuses: which bytes to send next, given the answers so far."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from ingest.influxdb.answer import Answer, Fault, named
from ingest.sink import Rejected

MAX_FAILING = 1000


class ServerFault(Exception):
    """Not the lines but server, settings or the way between; the same lines must come again later."""

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s


class Failing:
    """Since when the server fails on which lines, known by the first of them; remembers the newest thousand.

    By the first, since a sink that lags behind gets the same lines again with more behind them.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since: dict[bytes, float] = {}

    def seconds(self, first: bytes) -> float:
        """How long lines that begin with this one have been failing; 0 at their first time."""
        now = self._clock()
        since = self._since.setdefault(first, now)
        if len(self._since) > MAX_FAILING:
            del self._since[next(iter(self._since))]
        return now - since

    def forget(self, first: bytes) -> None:
        """These lines were dealt with, or start anew."""
        self._since.pop(first, None)


class Part(NamedTuple):
    """Lines to send in one request; `suspect` when the server has been failing on them for too long."""

    lines: Sequence[bytes]
    suspect: bool = False

    @property
    def body(self) -> bytes:
        """The lines as they are sent."""
        return b"\n".join(self.lines)


class Search:
    """Halves what is refused until the guilty lines stand alone: k guilty of n cost O(k log n) requests.

    Send what `pending` ends with, report each answer, until nothing is pending; then every line was either taken in a
    request without complaint or is among `rejected`.
    """

    def __init__(self, lines: Sequence[bytes], failing: Failing, quarantine_after_s: float) -> None:
        self.pending = [Part(lines)]
        self.rejected: list[Rejected] = []
        self._failing = failing
        self._quarantine_after_s = quarantine_after_s
        self._suspects: list[Part] = []
        self._blamed = 0
        self._named = False

    def answered(self, part: Part, answer: Answer | None) -> None:
        """Note what became of a part; raises ServerFault when the lines are not to blame."""
        if answer is None:
            if not part.suspect:
                self._failing.forget(part.lines[0])
        elif answer.fault is Fault.SERVER:
            raise ServerFault(answer.reason, answer.retry_after_s)
        elif answer.fault is Fault.STRANGE:
            self._strange(part, answer)
        else:
            self._refused(part, answer)
        if not self.pending:
            self._acquit_the_lines()

    def _refused(self, part: Part, answer: Answer) -> None:
        guilty = named(answer.message, part.lines)
        if not guilty:
            self._halve(part, answer)
            return
        self.rejected += [Rejected(line, guilty[line]) for line in part.lines if line in guilty]
        rest = [line for line in part.lines if line not in guilty]
        middle = len(rest) // 2 if self._named else 0
        self._named = True
        self._send([Part(rest[:middle], part.suspect), Part(rest[middle:], part.suspect)])

    def _strange(self, part: Part, answer: Answer) -> None:
        """Wait and see whether it lasts; then take it for the lines' fault."""
        if not part.suspect:
            lasting_s = self._failing.seconds(part.lines[0])
            if lasting_s < self._quarantine_after_s:
                raise ServerFault(f"{answer.reason}; the same lines for {lasting_s:.0f} s", answer.retry_after_s)
            part = Part(part.lines, suspect=True)
            self._suspects.append(part)
        self._blamed += len(part.lines) == 1
        self._halve(part, answer)

    def _halve(self, part: Part, answer: Answer) -> None:
        lines, suspect = part
        if len(lines) == 1 or answer.dropped == len(lines):
            self.rejected += [Rejected(line, answer.reason) for line in lines]
            return
        middle = len(lines) // 2
        self._send([Part(lines[:middle], suspect), Part(lines[middle:], suspect)])

    def _send(self, parts: Iterable[Part]) -> None:
        self.pending += [part for part in reversed(list(parts)) if part.lines]

    def _acquit_the_lines(self) -> None:
        """A server that fails on each of several lines would fail on any."""
        count = sum(len(part.lines) for part in self._suspects)
        for part in self._suspects:
            self._failing.forget(part.lines[0])
        if count > 1 and self._blamed == count:
            for part in self._suspects:
                self._failing.seconds(part.lines[0])
            raise ServerFault(f"fails on each of {count} lines, so it is not the lines: {self.rejected[-1].reason}")

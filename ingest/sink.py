"""The seam between the journal and the places where readings go."""

from typing import NamedTuple, Protocol

from decoders.quantity import Privacy


class Rejected(NamedTuple):
    """A line that a sink will never take, and why."""

    line: bytes
    reason: str


class SinkUnavailable(Exception):
    """The sink took nothing or not surely everything; the same lines must come again later."""

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class Sink(Protocol):
    """Takes line protocol. Writing the same lines twice changes nothing."""

    name: str

    async def write(self, privacy: Privacy, body: bytes) -> list[Rejected]:
        """Store the lines (joined by newline) durably; returns those refused for good, or raises SinkUnavailable."""
        ...

    async def close(self) -> None:
        """Finish what was begun."""
        ...

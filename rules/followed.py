"""What a rule concluded about another subject, as an input of a rule that follows it."""

from typing import NamedTuple

from rules.event import Event


class Followed(NamedTuple):
    """An event of an asset that the subject follows, in the step in which it came about; `now_ms` is rule time."""

    event: Event
    now_ms: int
    cause: str

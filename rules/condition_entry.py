"""What conditioning remembers of a continuous quantity or a counter of a device, from one value to the next.

An entry holds raw values and times in ms; its last figure is the newest time.

* `(value, changed_ms)`; while the value stands still `(value, run, since_ms, newest_ms)`, where a negative run says
  that it never varied; after a jump `(value, run, since_ms, good_ms, suspect, suspect_ms)`, with a run of 0 while a
  fast change goes on and nothing is suspected;
* of a counter `(count, counted_ms)`, from the second count on `(count, pace, counted_ms)` with its fastest counts an
  hour; of what a device tells itself beside a counter `(told_ms,)`.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

MINUTE_MS: Final = 60_000
MOST_KEPT: Final = 48
"""Entries of one device; what comes beyond is judged by its range alone."""
CHANGED, SUSPECT = 2, 6
"""Lengths of entries."""

Entry = tuple[float, ...]
Entries = Mapping[str, Entry]
"""What is remembered of a device, by `quantity` or `quantity/channel`."""
NOTHING: Final[Entries] = {}


class Doubt(IntEnum):
    """Why a value is doubtful; stored beside it as `<quantity>_quality`."""

    RANGE = 1
    STUCK = 2
    SPIKE = 3
    RESET = 4
    CLOCK = 5

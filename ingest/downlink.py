"""A downlink that a rule requested, from where it is handed to ChirpStack to what became of it.

```
sending ─▶ queued ─▶ sent ─▶ acknowledged | not_acknowledged
   │          └────▶ expired | failed | unanswered
   └─▶ expired | withdrawn;   rejected: it was never to go out
```
`sending` may be with ChirpStack or not, `queued` surely is; `sent` means that a gateway took it, which proves nothing
about the device. Only a confirmed downlink is acknowledged. What ChirpStack says later is stronger than what was
concluded from its silence.
"""

from typing import Final, Literal, NamedTuple

from decoders.quantity import Privacy
from rules.event import TOPIC_ROOT

DownlinkStatus = Literal[
    "sending",
    "queued",
    "sent",
    "acknowledged",
    "not_acknowledged",
    "expired",
    "failed",
    "unanswered",
    "rejected",
    "withdrawn",
]
OPEN: Final = frozenset[DownlinkStatus]({"sending", "queued"})
"""What may still become something else by itself."""
TAKEN: Final = frozenset[DownlinkStatus]({"sent", "acknowledged", "not_acknowledged"})
"""What a gateway took."""
TROUBLE: Final = frozenset[DownlinkStatus]({"not_acknowledged", "expired", "failed", "unanswered", "rejected"})
"""What somebody should look at."""
REQUESTS: Final = f"{TOPIC_ROOT}/custom/"
LEVEL: Final = "/downlink"


class Downlink(NamedTuple):
    """A downlink by the id of its request; times in ms since 1970 (UTC).

    `size` are the bytes of its payload, which the request has; `given_ms` is when it was handed over first, None for
    one that was not; `since_ms` when it became what it is, and `reason` why, where there is something to say.
    """

    id: str
    dev_eui: str
    rule: str
    subject: str
    f_port: int
    size: int
    confirmed: bool
    time_ms: int
    valid_until_ms: int
    privacy: Privacy
    given_ms: int | None
    status: DownlinkStatus
    since_ms: int
    reason: str = ""

    def become(self, status: DownlinkStatus, time_ms: int, reason: str = "") -> "Downlink":
        """The same with another status."""
        return self._replace(status=status, since_ms=time_ms, reason=reason)


class Named(NamedTuple):
    """Which downlink an event is about; without an id, those of the device that are not sent yet."""

    dev_eui: str
    id: str


def is_downlink(topic: str) -> bool:
    """Whether requests of downlinks are kept under this topic: `…/custom/{rule}/{subject}/downlink`."""
    return topic.startswith(REQUESTS) and topic.endswith(LEVEL)

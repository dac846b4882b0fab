"""The service's clock, as far as a depot hears it."""

import time
from collections.abc import Callable

from simulator.device import NS_PER_S


class ServiceClock:
    """Shows what was heard of the service's clock last, runs on from there at `speed`, and never goes back.

    `start_ns` is where it begins; None: with the first that is heard.
    """

    def __init__(
        self, speed: float, start_ns: int | None = None, source: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self.speed = speed
        self._source = source
        self._heard_ns = start_ns
        self._at_ns = source()
        self._newest_ns = start_ns or 0

    @property
    def known(self) -> bool:
        """Whether it shows anything yet."""
        return self._heard_ns is not None

    def hear(self, time_ns: int) -> float:
        """The service's clock shows this now; by how many simulated seconds ours was ahead."""
        ahead_ns = self._shown_ns() - time_ns if self.known else 0
        self._heard_ns, self._at_ns = time_ns, self._source()
        return ahead_ns / NS_PER_S

    def now_ns(self) -> int:
        """The time, ns since 1970; 0 while nothing is known."""
        self._newest_ns = max(self._newest_ns, self._shown_ns())
        return self._newest_ns

    def left_s(self, time_ns: int) -> float:
        """Real seconds until it shows that time."""
        return max(0.0, (time_ns - self._shown_ns()) / NS_PER_S / self.speed)

    def _shown_ns(self) -> int:
        if self._heard_ns is None:
            return 0
        return self._heard_ns + round((self._source() - self._at_ns) * self.speed)

"""What a device keeps of readings that nobody has, and sends later in frames of their own times."""

from collections import deque
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import NamedTuple

from decoders import catalog
from decoders.codec import Codec
from decoders.error import DecodeError, EncodeError
from decoders.measurement import Measurement, Reading

NS_PER_MS = 1_000_000
MOST_KEPT = 100
"""Readings of most of a day; what is older goes."""
MOST_IN_A_FRAME = 16


class Kept(NamedTuple):
    """A frame at a time by the device's own clock: as bytes, which take a quarter of what its readings would."""

    time_ms: int
    f_port: int
    data: bytes


class History(NamedTuple):
    """A frame of earlier readings, and the times that it carries."""

    f_port: int
    data: bytes
    times_ms: tuple[int, ...]


@lru_cache(512)
def keeps(codec_id: str) -> bool:
    """Whether a model's format has places for readings of earlier times that need not keep to a meter's steps."""
    codec = catalog.codec(codec_id)
    return codec_id not in STEPPED and any(codec.history_port(port) is not None for port in codec.ports)


STEPPED = frozenset({"alpha-omega/klax", "axioma/qalcosonic-w1"})
"""Their earlier times are steps of a log, in every frame, whether or not one was missed."""


class Memory:
    """The readings that one device keeps, the oldest first."""

    __slots__ = ("_codec", "_figures", "_kept", "_port")

    def __init__(self, codec: Codec, figures: Mapping[str, float]) -> None:
        self._codec = codec
        self._figures = figures
        self._kept: deque[Kept] = deque(maxlen=MOST_KEPT)
        self._port = 0

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, f_port: int, data: bytes, time_ms: int) -> None:
        """Keep what a frame said at a time, as far as a record of an earlier time has places for it."""
        port = self._codec.history_port(f_port)
        if port is None:
            return
        kept = Kept(time_ms, f_port, data)
        try:
            found = self._readings(kept, port)
        except DecodeError:
            return
        if found:
            self._port = port
            self._kept.append(kept)

    def frame(self, longest: int, time_ms: int) -> History | None:
        """The oldest of what is kept, as much as goes into so many bytes; None when nothing does.

        What is too long stays for a faster data rate, what the format cannot say goes.
        """
        begin, count = 0, MOST_IN_A_FRAME
        while begin < len(self._kept):
            oldest = list(self._kept)[begin : begin + count]
            try:
                data = self._encoded(oldest, time_ms)
            except EncodeError:
                data = None
            if data is not None and len(data) <= longest:
                return History(self._port, data, tuple(each.time_ms for each in oldest))
            if len(oldest) == 1 and data is None:
                del self._kept[begin]
            elif len(oldest) == 1:
                begin += 1
            count = max(1, len(oldest) // 2)
        return None

    def told(self, times_ms: Collection[int]) -> None:
        """The network has what was measured at these times."""
        for each in [each for each in self._kept if each.time_ms in times_ms]:
            self._kept.remove(each)

    def _encoded(self, oldest: list[Kept], time_ms: int) -> bytes:
        history = [Measurement.of(each.time_ms, self._readings(each, self._port)) for each in reversed(oldest)]
        return self._codec.encode_history(self._port, history, time_ms, self._figures)

    def _readings(self, kept: Kept, port: int) -> tuple[Reading, ...]:
        """What a record of an earlier time on that port has places for; raises DecodeError."""
        now = self._codec.decode(kept.f_port, kept.data, kept.time_ms, self._figures)[0]
        return self._codec.kept(port, now.readings)

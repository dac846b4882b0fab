"""Frames behind which something follows that is not read."""

from collections.abc import Collection, Mapping

from decoders.codec import CodecField, Frame
from decoders.error import WrongLength
from decoders.measurement import Measurement


class Leading:
    """A frame of `size` bytes behind which `behind` bytes may follow, of no use to us or not to be kept."""

    __slots__ = ("_behind", "_frame", "_size")

    def __init__(self, frame: Frame, size: int, behind: Collection[int]) -> None:
        self._frame = frame
        self._size = size
        self._behind = behind

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:
        """What stands in front."""
        if len(payload) - self._size not in self._behind:
            raise WrongLength(f"{len(payload)} bytes; the frame has {self._size} and may have more of a certain length")
        return self._frame.decode(payload[: self._size], time_ms, parameters)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:
        """The frame alone, and zeros where something must follow."""
        return self._frame.encode(measurement, parameters) + bytes(min(self._behind))

    def fields(self) -> tuple[CodecField, ...]:
        """What the frame carries."""
        return self._frame.fields()

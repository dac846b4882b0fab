"""Frames behind which something follows that is not read."""

from collections.abc import Collection, Mapping

from decoders.codec import CodecField
from decoders.direct import Direct, Values, Words, Written
from decoders.error import WrongLength
from decoders.layout import Layout
from decoders.measurement import Measurement, Place


class Leading(Direct):
    """A frame of `size` bytes behind which `behind` bytes may follow, of no use to us or not to be kept."""

    __slots__ = ("_behind", "_frame", "_size")

    def __init__(self, frame: Layout, size: int, behind: Collection[int]) -> None:
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

    def written(self, values: Values, words: Words, parameters: Mapping[str, float]) -> Written | None:
        """The frame alone, and zeros where something must follow."""
        found = self._frame.written(values, words, parameters)
        return found and found._replace(payload=found.payload + bytes(min(self._behind)))

    def has_places(self, places: Collection[Place]) -> bool:
        """Whether readings of just these places could be carried, whatever their values are."""
        return self._frame.has_places(places)

    def fields(self) -> tuple[CodecField, ...]:
        """What the frame carries."""
        return self._frame.fields()

"""Frames whose tables depend on figures of the single device: a range, a tip size, a container's height."""

from collections.abc import Callable, Mapping

from decoders.codec import CodecField, Frame
from decoders.error import MissingParameter
from decoders.measurement import Measurement

KEPT_TABLES = 256
NO_TABLE = (ValueError, ZeroDivisionError)


class Fitted:
    """A table built for the figures of a device; those of the last figures are kept.

    `build` makes the frame from the figures named in `typical` and raises ValueError for figures that cannot be;
    decoding and encoding then raise MissingParameter. `fields` tells the ranges of a typical device.
    """

    __slots__ = ("_build", "_names", "_tables", "_typical")
    MADE_LATER = frozenset({"_tables"})
    """What devices asked for is no part of the codec's definition."""

    def __init__(self, build: Callable[[Mapping[str, float]], Frame], typical: Mapping[str, float]) -> None:
        self._build = build
        self._names = tuple(typical)
        self._tables: dict[tuple[float, ...], Frame] = {}
        self._typical = self._fit(typical)

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:
        """What the table of this device makes of the payload."""
        return self._fit(parameters).decode(payload, time_ms, parameters)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:
        """The frame that this device would send."""
        return self._fit(parameters).encode(measurement, parameters)

    def fields(self) -> tuple[CodecField, ...]:
        """What a typical device carries."""
        return self._typical.fields()

    def _fit(self, parameters: Mapping[str, float]) -> Frame:
        figures = tuple(parameters[name] for name in self._names)
        table = self._tables.get(figures)
        if table is None:
            if len(self._tables) >= KEPT_TABLES:
                self._tables.clear()
            table = self._tables[figures] = self._make(figures)
        return table

    def _make(self, figures: tuple[float, ...]) -> Frame:
        named = dict(zip(self._names, figures, strict=True))
        try:
            return self._build(named)
        except NO_TABLE as error:
            raise MissingParameter(f"no table for {named}: {error}") from error

"""A codec: the frames of one device model by f_port, decoded and encoded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

from decoders.direct import Direct, values_of
from decoders.error import DecodeError, EncodeError, MissingParameter, UnknownPort
from decoders.measurement import NO_ATTRIBUTES, Measurement, Reading, same_places
from decoders.quantity import Family, Privacy, Quantity

NO_PARAMETERS: Mapping[str, float] = {}
TIME_STEP_MS = 1000
Decode = Callable[[bytes, int, Mapping[str, float]], tuple[Measurement, ...]]
"""What a frame's `decode` is: payload, time, figures of the device → measurements."""


class CodecField(NamedTuple):
    """One value that a frame can carry: its range and resolution in the quantity's unit, where it stands.

    `verified` is false when no published payload vector covers it. `frame` names one of several forms on an f_port;
    f_port None stands for every port that the codec does not name.
    """

    quantity: Quantity
    channel: str
    verified: bool
    low: float
    high: float
    step: float
    frame: str = ""
    f_port: int | None = None


class Frame(Protocol):
    """One frame format: bytes to measurements and back.

    `decode` raises DecodeError for every payload that is not a frame of this format, and nothing else.
    `encode` builds the frame that decodes to these readings, or raises EncodeError.
    """

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:
        """The measurements in a payload, newest first."""
        ...

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:
        """The frame that carries the measurement's readings and attributes."""
        ...

    def fields(self) -> tuple[CodecField, ...]:
        """What the frame can carry."""
        ...


@runtime_checkable
class HistoryFrame(Protocol):
    """A frame format that has places for measurements of earlier times.

    `encode_history` builds the frame that, sent at `time_ms`, decodes to these measurements, newest first; one of just
    that time is the present. It raises EncodeError.
    """

    def kept(self, measurement: Measurement) -> tuple[Reading, ...]:
        """Those of its readings for which a record of an earlier time has a place."""
        ...

    def encode_history(self, history: tuple[Measurement, ...], time_ms: int, parameters: Mapping[str, float]) -> bytes:
        """The frame that carries the measurements with their times."""
        ...

    def history_fields(self) -> tuple[CodecField, ...]:
        """What a record of an earlier time can carry."""
        ...


@runtime_checkable
class Fixed(Frame, Protocol):
    """A frame format whose `decode` can be had as a function, which costs less than the method."""

    def reader(self) -> Decode:
        """What `decode` does."""
        ...


@dataclass(frozen=True, slots=True)
class Parameter:
    """A figure of the single device that its codec needs: range, height, tip size; with unit.

    `ports` are those whose frames need it; none stands for all.
    """

    name: str
    unit: str
    meaning: str
    ports: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """One device model (or a vendor's line with one format).

    `ports` maps an f_port to its frame; `any_port` is used for all others (devices whose port is configurable).
    `source` names the document, revision and section that the layout comes from; `untested` is set while nobody has
    published a payload of a real device, so that only the document speaks for us.
    """

    id: str
    vendor: str
    model: str
    family: Family
    source: str
    ports: Mapping[int, Frame] = field(default_factory=dict)
    any_port: Frame | None = None
    parameters: tuple[Parameter, ...] = ()
    privacy: Privacy = Privacy.OPEN
    untested: bool = False
    _readers: dict[int, Decode] = field(default_factory=dict, init=False, repr=False, compare=False)
    MADE_LATER: ClassVar[frozenset[str]] = frozenset({"_readers"})
    """Made with the first frame on a port."""

    def frame(self, f_port: int) -> Frame:
        """The frame format on this f_port, or UnknownPort."""
        frame = self.ports.get(f_port, self.any_port)
        if frame is None:
            known = ", ".join(str(port) for port in sorted(self.ports))
            raise UnknownPort(f"{self.id}: no frame on f_port {f_port}; known are {known}")
        return frame

    def decode(
        self, f_port: int, payload: bytes, time_ms: int, parameters: Mapping[str, float] = NO_PARAMETERS
    ) -> tuple[Measurement, ...]:
        """The measurements in a payload, newest first; raises DecodeError and nothing else."""
        try:
            read = self._readers[f_port]
        except KeyError:
            read = self._reader(f_port)
        return read(payload, time_ms, parameters)

    def _reader(self, f_port: int) -> Decode:
        """The way of reading frames of an f_port, made once."""
        frame = self.frame(f_port)
        read = frame.reader() if isinstance(frame, Fixed) else frame.decode

        def checked(payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:
            return read(payload, time_ms, self._given(parameters, f_port))

        found = self._readers[f_port] = checked if self.parameters else read
        return found

    def encode(
        self,
        f_port: int,
        readings: Sequence[Reading],
        parameters: Mapping[str, float] | None = None,
        attributes: Mapping[str, str] = NO_ATTRIBUTES,
    ) -> bytes:
        """The payload that decodes to these readings, rounded to the format's resolution.

        Attributes that are not given are sent as zero. Raises EncodeError (or UnknownPort).
        """
        values = values_of(readings)
        if len(values) < len(readings):
            raise EncodeError(f"{self.id}: two readings of one quantity and channel")
        given = self._given(parameters, f_port)
        frame = self.frame(f_port)
        found = frame.written(values, attributes, given) if isinstance(frame, Direct) else None
        return frame.encode(Measurement.of(0, tuple(readings), attributes), given) if found is None else found.payload

    def history_port(self, f_port: int) -> int | None:
        """Where a device sends later what it kept of the frames of an f_port; None where no frame has earlier times."""
        if _has_history(self.ports.get(f_port, self.any_port)):
            return f_port
        return next((port for port, frame in self.ports.items() if _has_history(frame)), None)

    def kept(self, f_port: int, readings: Sequence[Reading]) -> tuple[Reading, ...]:
        """Those of the readings for which a record of an earlier time on this f_port has a place."""
        return self._history(f_port).kept(Measurement.of(0, tuple(readings)))

    def encode_history(
        self,
        f_port: int,
        history: Sequence[Measurement],
        time_ms: int,
        parameters: Mapping[str, float] | None = None,
    ) -> bytes:
        """The payload that, sent at `time_ms`, decodes to these measurements, newest first.

        Times are cut to whole seconds, values rounded to the format's resolution. Raises EncodeError where the format
        has no earlier times, or would say something else: two times within a second, steps that it does not know.
        """
        frame, given = self._history(f_port), self._given(parameters, f_port)
        payload = frame.encode_history(tuple(history), time_ms, given)
        try:
            found = self.decode(f_port, payload, time_ms, given)
        except DecodeError as error:
            raise EncodeError(f"{self.id}: {payload.hex()} would not be read: {error}") from error
        if len(found) != len(history) or not all(map(_alike, found, history)):
            raise EncodeError(f"{self.id}: {payload.hex()} would mean something else")
        return payload

    def fields(self) -> tuple[CodecField, ...]:
        """Every value that the codec can give, in the order of ports and frames."""
        found = [field._replace(f_port=port) for port, frame in self.ports.items() for field in frame.fields()]
        if self.any_port is not None and self.any_port not in self.ports.values():
            found += self.any_port.fields()
        return tuple(found)

    def channels(self) -> dict[Quantity, tuple[str, ...]]:
        """The closed vocabulary of channels of every quantity; the empty name where it needs none."""
        found: dict[Quantity, dict[str, None]] = {}
        for item in self.fields():
            found.setdefault(item.quantity, {})[item.channel] = None
        return {quantity: tuple(channels) for quantity, channels in found.items()}

    def _history(self, f_port: int) -> HistoryFrame:
        frame = self.frame(f_port)
        if not isinstance(frame, HistoryFrame):
            raise EncodeError(f"{self.id}: frames on f_port {f_port} have no earlier times")
        return frame

    def _given(self, parameters: Mapping[str, float] | None, f_port: int) -> Mapping[str, float]:
        given = parameters or NO_PARAMETERS
        for parameter in self.parameters:
            if parameter.ports and f_port not in parameter.ports:
                continue
            figure = given.get(parameter.name)
            if figure is None:
                raise MissingParameter(f"{self.id}: parameter {parameter.name} ({parameter.unit}) is not set")
            if not isfinite(figure):
                raise MissingParameter(f"{self.id}: parameter {parameter.name} = {figure} is no number")
        return given


def _has_history(frame: Frame | None) -> bool:
    return isinstance(frame, HistoryFrame) and bool(frame.history_fields())


def _alike(found: Measurement, wanted: Measurement) -> bool:
    return abs(found.time_ms - wanted.time_ms) < TIME_STEP_MS and same_places((found,), wanted)

"""A codec: the frames of one device model by f_port, decoded and encoded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import NamedTuple, Protocol

from decoders.error import EncodeError, MissingParameter, UnknownPort
from decoders.measurement import NO_ATTRIBUTES, Measurement, Reading
from decoders.quantity import Family, Privacy, Quantity

NO_PARAMETERS: Mapping[str, float] = {}


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

    def frame(self, f_port: int) -> Frame:
        """The frame format on this f_port, or UnknownPort."""
        frame = self.ports.get(f_port, self.any_port)
        if frame is None:
            known = ", ".join(str(port) for port in sorted(self.ports))
            raise UnknownPort(f"{self.id}: no frame on f_port {f_port}; known are {known}")
        return frame

    def decode(
        self, f_port: int, payload: bytes, time_ms: int, parameters: Mapping[str, float] | None = None
    ) -> tuple[Measurement, ...]:
        """The measurements in a payload, newest first; raises DecodeError and nothing else."""
        given = self._given(parameters, f_port) if self.parameters else NO_PARAMETERS
        frame = self.ports.get(f_port) or self.frame(f_port)
        return frame.decode(payload, time_ms, given)

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
        if len({(reading.quantity, reading.channel) for reading in readings}) < len(readings):
            raise EncodeError(f"{self.id}: two readings of one quantity and channel")
        given = self._given(parameters, f_port)
        return self.frame(f_port).encode(Measurement(0, tuple(readings), attributes), given)

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

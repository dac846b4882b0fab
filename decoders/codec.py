"""A codec: the frames of one device model by f_port, decoded and encoded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from decoders.error import MissingParameter, UnknownPort
from decoders.measurement import Measurement, Reading
from decoders.quantity import Family, Privacy


class Frame(Protocol):
    """One frame format: bytes to measurements and back.

    `decode` raises DecodeError for every payload that is not a frame of this format, and nothing else.
    `encode` builds the frame that decodes to these readings, or raises EncodeError.
    """

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]: ...

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Parameter:
    """A figure of the single device that its codec needs: range, height, tip size; with unit."""

    name: str
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """One device model (or a vendor's line with one format).

    `ports` maps an f_port to its frame; `any_port` is used for all others (devices whose port is configurable).
    `source` names the document, revision and section that the layout comes from.
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
        return self.frame(f_port).decode(payload, time_ms, self._given(parameters))

    def encode(
        self, f_port: int, readings: Sequence[Reading], parameters: Mapping[str, float] | None = None
    ) -> bytes:
        """The payload that decodes to these readings; raises EncodeError (or UnknownPort)."""
        return self.frame(f_port).encode(Measurement(0, tuple(readings)), self._given(parameters))

    def _given(self, parameters: Mapping[str, float] | None) -> Mapping[str, float]:
        given = parameters or {}
        for parameter in self.parameters:
            if parameter.name not in given:
                raise MissingParameter(f"{self.id}: parameter {parameter.name} ({parameter.unit}) is not set")
        return given

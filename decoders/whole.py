"""Payloads that are kept whole: settings and replies in a device's own terms, which say nothing about the city."""

from collections.abc import Mapping

from decoders.codec import CodecField
from decoders.error import EncodeError, WrongLength
from decoders.field import Given
from decoders.measurement import Measurement


class Whole:
    """A payload of any length as hexadecimal digits, under an attribute's name; an empty one is WrongLength."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """A measurement without readings."""
        if not payload:
            raise WrongLength("the payload is empty")
        return (Measurement.of(time_ms, (), {self._name: payload.hex()}),)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a Frame's signature
        """The bytes of the given digits."""
        given = Given(measurement)
        digits = given.attributes.pop(self._name, "")
        given.refuse_rest()
        try:
            payload = bytes.fromhex(digits)
        except ValueError as error:
            raise EncodeError(f"{self._name} = {digits!r} are no hexadecimal digits") from error
        if not payload:
            raise EncodeError(f"{self._name} is needed")
        return payload

    def fields(self) -> tuple[CodecField, ...]:
        """Nothing."""
        return ()

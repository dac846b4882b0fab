"""Several forms of a frame on one f_port, told apart by their length, their first bytes, or a function."""

from collections.abc import Callable, Mapping

from decoders.codec import CodecField, Frame
from decoders.error import DecodeError, EncodeError, MalformedPayload, WrongLength
from decoders.layout import Layout
from decoders.measurement import Measurement, same, same_places

SHOWN_BYTES = 4


class Choice:
    """Forms by name; `select` names the form of a payload or raises DecodeError.

    Encoding takes the first form that carries all readings as they are, else the first that rounds them.
    """

    __slots__ = ("_forms", "_select")

    def __init__(self, forms: Mapping[str, Frame], select: Callable[[bytes], str]) -> None:
        self._forms = forms
        self._select = select

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:
        """What the selected form makes of the payload."""
        return self._forms[self._select(payload)].decode(payload, time_ms, parameters)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:
        """The form that carries the measurement, or EncodeError with every form's reason."""
        reasons, rounded = [], None
        for form, frame in self._forms.items():
            try:
                payload = frame.encode(measurement, parameters)
                found = self.decode(payload, measurement.time_ms, parameters)
            except (DecodeError, EncodeError) as error:
                reasons.append(f"{form}: {error}")
                continue
            if same(found, measurement):
                return payload
            if not same_places(found, measurement):
                reasons.append(f"{form}: {payload.hex()} would mean something else")
            elif rounded is None:
                rounded = payload
        if rounded is None:
            raise EncodeError("; ".join(reasons))
        return rounded

    def fields(self) -> tuple[CodecField, ...]:
        """What all forms carry, each under its name."""
        return tuple(
            field._replace(frame=field.frame or form) for form, frame in self._forms.items() for field in frame.fields()
        )


def by_length(forms: Mapping[str, Layout]) -> Choice:
    """Forms that differ in length."""
    names = {layout.size: form for form, layout in forms.items()}
    if len(names) < len(forms):
        raise ValueError(f"two of {', '.join(forms)} have the same length")
    known = ", ".join(str(size) for size in sorted(names))

    def select(payload: bytes) -> str:
        form = names.get(len(payload))
        if form is None:
            raise WrongLength(f"{len(payload)} bytes; frames have {known}")
        return form

    return Choice(forms, select)


def by_prefix(forms: Mapping[str, tuple[bytes, Frame]]) -> Choice:
    """Forms that differ in their first bytes, which remain a part of each."""
    prefixes = tuple((prefix, form) for form, (prefix, _) in forms.items())
    known = ", ".join(prefix.hex() for prefix, _ in prefixes)

    def select(payload: bytes) -> str:
        for prefix, form in prefixes:
            if payload.startswith(prefix):
                return form
        raise MalformedPayload(f"the payload begins with {payload[:SHOWN_BYTES].hex() or 'nothing'}; known are {known}")

    return Choice({form: frame for form, (_, frame) in forms.items()}, select)

"""Several forms of a frame on one f_port, told apart by their length, their first bytes, or a function."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from decoders.codec import CodecField, Decode, Frame, HistoryFrame
from decoders.columns import Chosen, compile_choice, compile_decode
from decoders.direct import Direct, Values, Words, Written, values_of
from decoders.error import DecodeError, EncodeError, MalformedPayload, WrongLength
from decoders.field import bit_place
from decoders.layout import Layout
from decoders.measurement import Measurement, Place, Reading, same, same_places

SHOWN_BYTES = 4
KEPT_PLACES = 256
Able = tuple[tuple[str, Direct | None], ...]


class Choice(Direct):
    """Forms by name; `select` names the form of a payload or raises DecodeError.

    `plain` are layouts whose length and constants alone say that they are meant, `chosen` those that a byte tells.
    Encoding takes the first form that carries all readings as they are, else the first that rounds them.
    """

    __slots__ = ("_chosen", "_forms", "_known", "_plain", "_select")
    MADE_LATER = frozenset({"_chosen", "_known", "_plain"})
    """What was asked for is no part of the forms; how they are told is what they and `select` say already."""

    def __init__(
        self,
        forms: Mapping[str, Frame],
        select: Callable[[bytes], str],
        plain: Sequence[Layout] = (),
        chosen: Chosen | None = None,
    ) -> None:
        self._forms = forms
        self._select = select
        self._known: dict[tuple[Place, ...], Able] = {}
        self._plain = plain
        self._chosen = chosen

    def reader(self) -> Decode:
        """What `decode` does, as a function."""
        if self._chosen is not None:
            return compile_choice(self._chosen, self.decode)
        forms = [form for layout in self._plain for form in layout.forms]
        return compile_decode(forms, self.decode) if forms else self.decode

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:
        """What the selected form makes of the payload."""
        return self._forms[self._select(payload)].decode(payload, time_ms, parameters)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:
        """The form that carries the measurement, or EncodeError with every form's reason."""
        written = self.written(values_of(measurement.readings), measurement.attributes, parameters)
        if written is not None:
            return written.payload
        reasons, rounded = [], None
        for form, frame in self._tried(measurement):
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

    def _tried(self, measurement: Measurement) -> Collection[tuple[str, Frame]]:
        """Forms that might carry a measurement: words may change what a form has places for."""
        able = () if measurement.attributes else self._able(tuple(values_of(measurement.readings)))
        return [(form, self._forms[form]) for form, _ in able] or self._forms.items()

    def written(self, values: Values, words: Words, parameters: Mapping[str, float]) -> Written | None:
        """The frame of the first form that rounds nothing, else of the first; None where forms have to be tried."""
        rounded: Written | None = None
        for form, frame in () if words else self._able(tuple(values)):
            found = None if frame is None else frame.written(values, words, parameters)
            if found is None and frame is not None and frame.decisive:
                continue
            if found is None or self._form(found.payload) != form:
                return None
            if found.exact:
                return found
            rounded = rounded or found
        return rounded

    def form(self, name: str) -> Frame | None:
        """The form of that name; None where there is none."""
        return self._forms.get(name)

    def has_places(self, places: Collection[Place]) -> bool:
        """Whether readings of just these places could be carried, whatever their values are."""
        return bool(self._able(tuple(places)))

    def _able(self, places: tuple[Place, ...]) -> Able:
        """The forms that could carry readings of these places; None in place of one that only trying tells of."""
        able = self._known.get(places)
        if able is None:
            if len(self._known) >= KEPT_PLACES:
                self._known.clear()
            able = tuple(
                (form, frame if isinstance(frame, Direct) else None)
                for form, frame in self._forms.items()
                if _has_places(frame, places)
            )
            self._known[places] = able
        return able

    def _form(self, payload: bytes) -> str | None:
        """The form that a payload is taken for."""
        try:
            return self._select(payload)
        except DecodeError:
            return None

    def fields(self) -> tuple[CodecField, ...]:
        """What all forms carry, each under its name."""
        return tuple(
            field._replace(frame=field.frame or form) for form, frame in self._forms.items() for field in frame.fields()
        )

    def kept(self, measurement: Measurement) -> tuple[Reading, ...]:
        """What the form keeps that keeps most of its readings."""
        return max((frame.kept(measurement) for frame in self._with_history()), key=len, default=())

    def encode_history(self, history: tuple[Measurement, ...], time_ms: int, parameters: Mapping[str, float]) -> bytes:
        """The first form that carries the measurements with their times, or EncodeError with every form's reason."""
        reasons = ["no form has earlier times"]
        for frame in self._with_history():
            try:
                return frame.encode_history(history, time_ms, parameters)
            except EncodeError as error:
                reasons.append(str(error))
        raise EncodeError("; ".join(reasons[1:] or reasons))

    def history_fields(self) -> tuple[CodecField, ...]:
        """What earlier times carry in all forms."""
        return tuple(field for frame in self._with_history() for field in frame.history_fields())

    def _with_history(self) -> list[HistoryFrame]:
        return [frame for frame in self._forms.values() if isinstance(frame, HistoryFrame)]


def _has_places(frame: Frame, places: Collection[Place]) -> bool:
    """Whether a frame might carry readings of these places, as far as its fields tell."""
    if isinstance(frame, Direct):
        return frame.has_places(places)
    return {(field.quantity, field.channel) for field in frame.fields()}.issuperset(places)


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

    return Choice(forms, select, tuple(forms.values()))


def by_bits(at: int, code: str, forms: Mapping[int, tuple[str, Layout]], meaning: str = "form") -> Choice:
    """Forms of one length, by the number that bits of the byte `at` are ("7", "0-7"); `meaning` names it in errors."""
    sizes = {layout.size for _, layout in forms.values()}
    if len(sizes) != 1 or at >= min(sizes):
        raise ValueError(f"{', '.join(form for form, _ in forms.values())} have no byte {at} in one length")
    (size,) = sizes
    place = bit_place(code)
    shift, mask = place
    names = {number: form for number, (form, _) in forms.items()}

    def select(payload: bytes) -> str:
        if len(payload) != size:
            raise WrongLength(f"{len(payload)} bytes; frames have {size}")
        number = payload[at] >> shift & mask
        form = names.get(number)
        if form is None:
            raise MalformedPayload(f"unknown {meaning} {number}")
        return form

    compiled = {number: form for number, (_, layout) in forms.items() for form in layout.forms}
    chosen = Chosen(at, place, compiled) if compiled else None
    return Choice(dict(forms.values()), select, chosen=chosen)


def by_prefix(forms: Mapping[str, tuple[bytes, Frame]]) -> Choice:
    """Forms that differ in their first bytes, which remain a part of each."""
    prefixes = tuple((prefix, form) for form, (prefix, _) in forms.items())
    known = ", ".join(prefix.hex() for prefix, _ in prefixes)

    def select(payload: bytes) -> str:
        for prefix, form in prefixes:
            if payload.startswith(prefix):
                return form
        raise MalformedPayload(f"the payload begins with {payload[:SHOWN_BYTES].hex() or 'nothing'}; known are {known}")

    return Choice({form: frame for form, (_, frame) in forms.items()}, select, _told_by_constants(forms.values()))


def _told_by_constants(forms: Iterable[tuple[bytes, Frame]]) -> tuple[Layout, ...]:
    """The layouts that begin with their prefix as constants, which no form before them could have, too."""
    found: list[Layout] = []
    before: list[bytes] = []
    for prefix, frame in forms:
        if isinstance(frame, Layout):
            head = frame.head
            if head.startswith(prefix) and not any(
                head.startswith(other) or other.startswith(head) for other in before
            ):
                found.append(frame)
        before.append(prefix)
    return tuple(found)

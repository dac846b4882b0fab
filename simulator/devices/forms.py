"""Which frames of a codec a device sends: forms that can be built, short ones where there are any."""

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from decoders import catalog
from decoders.codec import Codec, CodecField
from decoders.error import EncodeError
from decoders.measurement import NO_ATTRIBUTES, Reading
from decoders.quantity import Quantity
from simulator.devices.quantities import span
from simulator.error import SimulatorError

SHORT, LONGEST = 51, 222
MANY, SOME = 12, 5
MOST_FIELDS = 400
FIGURE = 15.0
FIGURES = {"pmin": 0.0, "pmax": 1.0, "kp": 8192.0, "kec": 1024.0, "resolution": 0.1, "distance_unit_mm": 1.0}


class Form(NamedTuple):
    """One form of a frame: where it goes, what it carries, how many bytes it has, and who builds it.

    `words` are attributes that every frame of the form has.
    """

    f_port: int
    fields: tuple[CodecField, ...]
    size: int
    codec: Codec
    words: Mapping[str, str] = NO_ATTRIBUTES

    @property
    def name(self) -> str:
        """Which of several forms on its f_port it is."""
        return self.fields[0].frame

    def carries(self, quantity: Quantity, channel: str | None = None) -> bool:
        """Whether it has a place for a quantity, on this channel or on any."""
        return any(item.quantity is quantity and channel in {None, item.channel} for item in self.fields)


def figures(codec: Codec) -> dict[str, float]:
    """A figure for each parameter that the codec needs."""
    return {parameter.name: FIGURES.get(parameter.name, FIGURE) for parameter in codec.parameters}


def figures_of(codec: Codec, tags: Mapping[str, str]) -> dict[str, float]:
    """The figures that a codec needs, as a device's tags have them."""
    return {parameter.name: float(tags[parameter.name]) for parameter in codec.parameters if parameter.name in tags}


@lru_cache(512)
def forms(codec_id: str) -> tuple[Form, ...]:
    """The forms of a codec, the one that says most of the city first; raises SimulatorError when there is none."""
    codec = catalog.codec(codec_id)
    found = [form for form in map(_Draft(codec).form, _places(codec)) if form is not None]
    kept = [form for form in found if form.size <= SHORT] or [form for form in found if form.size <= LONGEST]
    if not kept:
        raise SimulatorError(f"codec {codec_id} has no frame that can be simulated")
    return tuple(sorted(kept, key=_worth, reverse=True))


def _size(form: Form) -> int:
    return form.size


def _kinds(form: Form) -> int:
    return len({item.quantity for item in form.fields})


def _worth(form: Form) -> tuple[int, int]:
    quantities = {item.quantity for item in form.fields}
    return sum(not quantity.diagnostic for quantity in quantities), len(form.fields)


def _places(codec: Codec) -> list[tuple[int, tuple[CodecField, ...]]]:
    """The fields of each form; of two places for one value the coarser may be the only one that holds it."""
    found: dict[tuple[int, str], dict[tuple[Quantity, str], CodecField]] = {}
    for item in codec.fields():
        if item.f_port is not None:
            form = found.setdefault((item.f_port, item.frame), {})
            known = form.get((item.quantity, item.channel), item)
            form[item.quantity, item.channel] = item._replace(step=max(item.step, known.step))
    return [(f_port, tuple(fields.values())) for (f_port, _), fields in found.items()]


class _Draft:
    """Tries what a codec can send."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._figures = figures(codec)

    def form(self, place: tuple[int, tuple[CodecField, ...]]) -> Form | None:
        """One channel of each quantity where that will do, fewer where they are too long, else all of them.

        Of parking spaces it is every channel. Where a frame cannot do without some of them, one channel is taken of
        what it has very many of.
        """
        f_port, fields = place
        first = {item.quantity: item for item in reversed(fields)}
        few = tuple(item for item in fields if first[item.quantity] is item or item.quantity is Quantity.OCCUPIED)
        often = {quantity for quantity, times in Counter(item.quantity for item in fields).items() if times > MANY}
        lean = tuple(item for item in fields if item.quantity not in often or first[item.quantity] is item)
        tried = (few, few[:MANY], few[:SOME], lean, fields, fields[: len(fields) // 4])
        drafts = [self._built(f_port, chosen) for chosen in tried if len(chosen) <= MOST_FIELDS]
        built = [draft for draft in drafts if draft is not None]
        short = [draft for draft in built if draft.size <= SHORT]
        return max(short, key=_kinds, default=None) or min(built, key=_size, default=None)

    def _built(self, f_port: int, fields: tuple[CodecField, ...]) -> Form | None:
        readings = [Reading(item.quantity, sum(span(item)) / 2, item.channel) for item in fields]
        try:
            return Form(f_port, fields, len(self._codec.encode(f_port, readings, self._figures)), self._codec)
        except EncodeError:
            return None

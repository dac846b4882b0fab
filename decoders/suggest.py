"""A mapping table for an unknown object, proposed: by the names of its values, and by units that the names end with."""

from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from typing import NamedTuple

from decoders.mapping import NAMES, Clock, as_number, plain
from decoders.quantity import Quantity
from decoders.unit import UnitError, conversion

LEAST = 0.72
"""How alike two names must be."""
UNIT_ENDINGS = {
    "mv": "mV",
    "v": "V",
    "volt": "V",
    "c": "°C",
    "degc": "°C",
    "f": "°F",
    "degf": "°F",
    "pa": "Pa",
    "hpa": "hPa",
    "kpa": "kPa",
    "mbar": "mbar",
    "mm": "mm",
    "cm": "cm",
    "m": "m",
    "kmh": "km/h",
    "ms": "m/s",
    "ppm": "ppm",
    "ppb": "ppb",
    "percent": "%",
    "pct": "%",
    "lux": "lx",
    "min": "min",
    "s": "s",
    "l": "l",
    "m3": "m³",
    "kwh": "kWh",
    "wh": "Wh",
    "w": "W",
}
TIMES: Mapping[str, Clock] = {"timestamp": "unix_s", "ts": "unix_s", "time": "iso", "measuredat": "iso"}
UNIX_MS_FROM = 100_000_000_000


class Proposal(NamedTuple):
    """What a value may be; `quantity` None where nothing is like its name."""

    path: str
    value: object
    quantity: Quantity | None
    unit: str
    sure: bool


def proposals(found: Mapping[str, object]) -> list[Proposal]:
    """One for every number, flag and word of an object that a path can name, in its order."""
    return [
        _propose(".".join(keys), value)
        for keys, value in leaves(found)
        if all(keys) and not any("." in key or _unwritable(key) for key in keys)
    ]


def leaves(found: object) -> Iterable[tuple[tuple[str, ...], object]]:
    """Keys and values of an object; {value, unit} inside of it is a leaf."""
    waiting: list[tuple[tuple[str, ...], object]] = [((), found)]
    while waiting:
        keys, value = waiting.pop()
        if isinstance(value, Mapping) and not (keys and _is_stated(value)):
            waiting += reversed([((*keys, str(key)), inner) for key, inner in value.items()])
        elif isinstance(value, list):
            waiting += reversed([((*keys, str(number)), inner) for number, inner in enumerate(value)])
        else:
            yield keys, value


def _is_stated(value: Mapping[str, object]) -> bool:
    return "value" in value and not isinstance(value["value"], Mapping | list)


def _unwritable(text: str) -> bool:
    """Whether a text cannot stand in a TOML string as it is."""
    return not text.isprintable() or '"' in text or "\\" in text


def table(found: Mapping[str, object]) -> str:
    """The proposed table as TOML; what is not sure, or not known, stands in comments."""
    lines = ['family = "environment"    # environment, parking, traffic, waste, meter or lighting']
    taken: set[tuple[Quantity, str]] = set()
    timed = False
    for proposal in proposals(found):
        clock = None if timed else _clock(proposal)
        if clock is not None:
            timed = True
            lines.insert(1, f'time = {{ path = "{proposal.path}", as = "{clock}" }}')
            continue
        lines += ["", *_lines(proposal, taken)]
    return "\n".join(lines) + "\n"


def _lines(proposal: Proposal, taken: set[tuple[Quantity, str]]) -> Iterable[str]:
    shown = f"{proposal.value!r}"
    quantity = proposal.quantity
    if quantity is None:
        yield f"# {proposal.path} = {shown}: no quantity is like it; `quantity` takes a name of docs/schema.md"
        return
    channel = "" if (quantity, "") not in taken else _channel(proposal.path, quantity, taken)
    taken.add((quantity, channel))
    mark = "" if proposal.sure else "# "
    yield f"# {proposal.path} = {shown}" + ("" if proposal.sure else "; perhaps:")
    yield f"{mark}[[field]]"
    yield f'{mark}path = "{proposal.path}"'
    yield f'{mark}quantity = "{quantity.field}"'
    if channel:
        yield f'{mark}channel = "{channel}"'
    if proposal.unit:
        yield f'{mark}unit = "{proposal.unit}"'
    if isinstance(proposal.value, str) and as_number(proposal.value) is None and not _unwritable(proposal.value):
        yield f'{mark}words = {{ "{proposal.value}" = 1 }}'


def _channel(path: str, quantity: Quantity, taken: set[tuple[Quantity, str]]) -> str:
    """A name for the second value of a quantity, after what tells its path apart."""
    name = "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in path.lower()).strip("_")
    number = 2
    unique = name
    while (quantity, unique) in taken:
        unique, number = f"{name}_{number}", number + 1
    return unique


def _propose(path: str, value: object) -> Proposal:
    stated = ""
    if isinstance(value, Mapping):
        unit, value = value.get("unit"), value.get("value")
        stated = unit if isinstance(unit, str) else ""
    if value is None or isinstance(value, list | Mapping):
        return Proposal(path, value, None, "", sure=False)
    names = [part for part in path.split(".") if not part.isdecimal()] or [path]
    bare, unit = _without_unit(names[-1])
    quantity, alike = _nearest([names[-1], bare, *(f"{before}_{bare}" for before in names[-2:-1])])
    unit = stated or unit
    if quantity is not None and unit:
        try:
            conversion(unit, quantity)
        except UnitError:
            unit, alike = "", 0.0
    same = quantity is not None and conversion_is_one(unit, quantity)
    word = isinstance(value, str) and as_number(value) is None
    return Proposal(path, value, quantity, "" if same else unit, sure=alike >= 1 and not word)


def conversion_is_one(unit: str, quantity: Quantity) -> bool:
    """Whether values in this unit are ours already."""
    return not unit or conversion(unit, quantity) == (1.0, 0.0)


def _without_unit(name: str) -> tuple[str, str]:
    """A name without the unit that it ends with, and that unit."""
    bare, _, ending = name.replace("-", "_").rpartition("_")
    unit = UNIT_ENDINGS.get(ending.lower(), "")
    return (bare, unit) if bare and unit else (name, "")


def _nearest(names: Iterable[str]) -> tuple[Quantity | None, float]:
    """The quantity whose name, or one of whose common names, is most like one of these; and how like."""
    best: Quantity | None = None
    most = LEAST
    wanted = {plain(name) for name in names}
    for quantity in Quantity:
        for known in (quantity.field, *NAMES.get(quantity, ())):
            for name in wanted:
                alike = 1.0 if plain(known) == name else SequenceMatcher(None, plain(known), name).ratio() * 0.99
                if alike > most:
                    best, most = quantity, alike
    return best, most if best is not None else 0.0


def _clock(proposal: Proposal) -> Clock | None:
    """How the time of the object is written, if this is it."""
    clock = TIMES.get(plain(proposal.path))
    if clock is None or proposal.value is None:
        return None
    number = as_number(proposal.value)
    if number is None:
        return "iso" if isinstance(proposal.value, str) and proposal.value[:4].isdecimal() else None
    return "unix_ms" if number >= UNIX_MS_FROM else "unix_s"

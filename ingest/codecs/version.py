"""Which codecs read the devices, noted with raw messages: a correction can say what wrote the old points."""

import hashlib
import inspect
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import lru_cache
from itertools import chain
from types import FunctionType, MethodType
from typing import NamedTuple, Self

from decoders import catalog
from decoders.codec import Codec
from decoders.field import Attribute, Field
from decoders.javascript import ScriptCodec
from decoders.mapping import OBJECT, ObjectCodec, Table
from decoders.uplink import Device
from ingest.codecs.folder import AnyCodec, Content, Library
from ingest.settings import CodecSettings

BYTES = 6
NAME = "codecs"
"""The key in the journal's `meta` of the digest in force; `codecs/<digest>` holds what it stands for."""


class Version(NamedTuple):
    """A codec as it was: id, fingerprint of its definition, and the family that its readings go to."""

    id: str
    fingerprint: str
    family: str


class InForce(NamedTuple):
    """All that decides which codec reads a device: the settings' profiles, and the codecs by id."""

    profiles: Mapping[str, str]
    codecs: Mapping[str, Version]

    @classmethod
    def now(cls, settings: CodecSettings, codecs: Iterable[Codec] | None = None) -> Self:
        """What this program, the folder and these settings read devices with."""
        if codecs is not None:
            return cls._made(settings.profiles, codecs)
        library = Library(settings)
        return cls.with_folder(library, library.content)

    @classmethod
    def with_folder(cls, library: Library, content: Content) -> Self:
        """The same with this content of the folder."""
        codecs = chain(catalog.BY_ID.values(), (OBJECT,), content.scripts.values())
        return cls._made(library.profiles_of(content), codecs)

    @classmethod
    def _made(cls, profiles: Mapping[str, str], codecs: Iterable[AnyCodec]) -> Self:
        return cls(
            dict(profiles),
            {codec.id: Version(codec.id, fingerprint(codec), codec.family.value) for codec in codecs},
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """What `text` wrote."""
        found = json.loads(text)
        return cls(found["profiles"], {name: Version(*version) for name, version in found["codecs"].items()})

    @property
    def text(self) -> str:
        """As JSON; the same content gives the same text."""
        return json.dumps({"profiles": self.profiles, "codecs": self.codecs}, sort_keys=True)

    @property
    def digest(self) -> str:
        """The name of exactly this content."""
        return _digest(self.text)

    def of(self, device: Device) -> Version | None:
        """The codec that read this device, None when there was none."""
        return self.codecs.get(device.tags.get("codec") or self.profiles.get(device.profile, ""))


def note(remember: Callable[[str, str], object], in_force: InForce) -> None:
    """Keep what is in force under its digest, by `Journal.remember`: raw messages written from now on refer to it."""
    remember(f"{NAME}/{in_force.digest}", in_force.text)
    remember(NAME, in_force.digest)


def fingerprint(codec: AnyCodec) -> str:
    """The same as long as tables and code of the codec are the same: twelve hexadecimal digits.

    It covers every value in the codec's tables, and the source of each module that a frame's class or function is from;
    of a vendor's JavaScript its text, its mapping table and where its readings go.
    """
    description = Description()
    if isinstance(codec, ScriptCodec):
        for part in (codec.id, codec.script, codec.table, codec.family, codec.privacy):
            description.add(part)
    elif isinstance(codec, ObjectCodec):
        description.add(codec.id)
        description.add(codec.table)
    else:
        description.add(codec)
    return _digest("\n".join(description.text) + "".join(_source(name) for name in sorted(description.modules)))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=BYTES).hexdigest()


@lru_cache(512)
def _source(module: str) -> str:
    if module.partition(".")[0] in sys.stdlib_module_names:
        return module
    try:
        return inspect.getsource(sys.modules[module])
    except (OSError, TypeError, KeyError):
        return module


class Description:
    """The parts of a value as text, none of which depends on where it lies in memory, and the modules of its code."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.modules: set[str] = set()
        self._above: set[int] = set()

    def add(self, value: object) -> None:
        """Add a value; one that holds itself is not followed for ever."""
        if value is None or isinstance(value, Enum | bool | int | float | str | bytes):
            self.text.append(repr(value))
        elif isinstance(value, Attribute | Field | Table):
            text, modules = _of_part(value)
            self.text.append(text)
            self.modules |= modules
        elif id(value) not in self._above:
            self.look_into(value)

    def look_into(self, value: object) -> None:
        """Add what a value consists of."""
        name, parts = _parts(value, self.modules)
        self.text.append(name)
        self._above.add(id(value))
        for part in parts:
            self.add(part)
        self._above.remove(id(value))


class _Same:
    """A value as a key: itself, whatever it equals."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


def _of_part(part: Attribute | Field | Table) -> tuple[str, set[str]]:
    """A part of frames, described once however many frames it stands in."""
    return _described(_Same(part))


@lru_cache(8192)
def _described(part: _Same) -> tuple[str, set[str]]:
    description = Description()
    description.look_into(part.value)
    return "\n".join(description.text), description.modules


def _parts(value: object, modules: set[str]) -> tuple[str, Iterable[object]]:
    """What a value is, and what it consists of."""
    kind = type(value)
    if isinstance(value, Mapping):
        return "Mapping", chain.from_iterable(value.items())
    if isinstance(value, frozenset | set):
        return kind.__qualname__, sorted(value, key=repr)
    if isinstance(value, tuple | list):
        modules.add(kind.__module__)
        return f"{kind.__qualname__}[{len(value)}]", value
    if isinstance(value, FunctionType):
        modules.add(value.__module__)
        return value.__qualname__, [cell.cell_contents for cell in value.__closure__ or ()]
    if isinstance(value, MethodType):
        return value.__name__, (value.__func__, value.__self__)
    if isinstance(value, type):
        kind = value
    modules.add(kind.__module__)
    names = [] if kind is value else _attributes(value)
    return kind.__qualname__, chain.from_iterable((name, getattr(value, name)) for name in names)


def _attributes(value: object) -> list[str]:
    slots = {name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())}
    names = {*slots, *getattr(value, "__dict__", {})} - getattr(value, "MADE_LATER", frozenset())
    return sorted(name for name in names if hasattr(value, name))

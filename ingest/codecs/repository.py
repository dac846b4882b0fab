"""Repositories of vendors' codecs with their tests, as ChirpStack and The Things Stack keep them.

* ChirpStack (github.com/chirpstack/chirpstack-device-profiles): vendors/V/codecs/X.js with test_decode_X.json and
  test_encode_X.json beside it (JavaScript literals), vendors/V/vendor.toml, vendors/V/devices/D.toml.
* The Things Stack (github.com/TheThingsNetwork/lorawan-devices): vendor/V/C.yaml with uplinkDecoder and downlinkEncoder
  (fileName, examples), vendor/V/D.yaml for each device, vendor/index.yaml with the vendors' names.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

import yaml

from decoders.error import ScriptError
from decoders.script_engine import literal
from ingest import yaml_core

MAX_BYTES = 1_000_000
MAX_PARTS = 200_000
DEPTH = 50
CHIRPSTACK, THINGS_STACK = "vendors", "vendor"
UNUSABLE = re.compile(r"[^A-Za-z0-9._+-]+")
Kind = Literal["decode", "encode"]
KINDS: Mapping[str, Kind] = {"decode": "decode", "encode": "encode"}
PARTS: tuple[tuple[str, Kind], ...] = (("uplinkDecoder", "decode"), ("downlinkEncoder", "encode"))
Unreadable = Callable[[Path, str], None]


class RepositoryError(Exception):
    """A folder that is no repository of codecs, or a file of one that cannot be read; the message is one line."""


class Case(NamedTuple):
    """One test: what goes in, and what must come out."""

    kind: Kind
    name: str
    given: Mapping[str, object]
    expected: Mapping[str, object]


class Model(NamedTuple):
    """A device: its vendor's and its own name, and the key of the codec that reads it."""

    vendor: str
    name: str
    codec: str


@dataclass(slots=True)
class Script:
    """One codec: `key` is vendor and file name, as in milesight/am102."""

    key: str
    path: Path
    cases: list[Case] = field(default_factory=list)


@dataclass(slots=True)
class Vendor:
    """The codecs and devices in a vendor's folder."""

    scripts: dict[str, Script] = field(default_factory=dict)
    models: list[Model] = field(default_factory=list)


class Repository:
    """A repository; what cannot be read goes to `unreadable` as it is met, and the rest goes on."""

    def __init__(self, folder: Path, unreadable: Unreadable, literal: Callable[[str], object] = literal) -> None:
        if not folder.is_dir():
            raise RepositoryError(f"{folder}: {'no folder' if folder.exists() else 'no such folder'}")
        self.root = folder.resolve()
        self._unreadable = unreadable
        self._literal = literal
        kinds = [name for name in (CHIRPSTACK, THINGS_STACK) if (self.root / name).is_dir()]
        if not kinds:
            raise RepositoryError(
                f"{folder}: no codec repository; expected vendors/*/codecs (ChirpStack) or vendor/*/ (The Things Stack)"
            )
        self._kind = kinds[0]
        self.folders = sorted(path for path in (self.root / self._kind).iterdir() if path.is_dir())
        self._names = self._vendor_names() if self._kind == THINGS_STACK else {}

    def vendors(self) -> Iterator[Vendor]:
        """What is in each vendor's folder, in the order of `folders`."""
        for folder in self.folders:
            yield self._chirpstack(folder) if self._kind == CHIRPSTACK else self._things_stack(folder)

    def text(self, path: Path) -> str:
        """A file of the repository; raises RepositoryError."""
        try:
            if not path.resolve().is_relative_to(self.root):
                raise RepositoryError("leads out of the repository")
            if path.exists() and not path.is_file():
                raise RepositoryError("no file")
            with path.open("rb") as file:
                raw = file.read(MAX_BYTES + 1)
            if len(raw) > MAX_BYTES:
                raise RepositoryError(f"more than {MAX_BYTES} bytes")
            return raw.decode("utf-8")
        except (OSError, RuntimeError) as error:
            raise RepositoryError(getattr(error, "strerror", None) or str(error)) from error
        except UnicodeDecodeError as error:
            raise RepositoryError(f"not UTF-8: {error}") from error

    # -- ChirpStack ---------------------------------------------------------------------------------------------------

    def _chirpstack(self, folder: Path) -> Vendor:
        vendor = Vendor()
        codecs = folder / "codecs"
        for path in self._matching(codecs, "*.js"):
            vendor.scripts[path.stem] = Script(f"{folder.name}/{path.stem}", path)
        for path in self._matching(codecs, "test_*.json"):
            word, _, stem = path.stem.removeprefix("test_").partition("_")
            kind = KINDS.get(word)
            if kind is None:
                continue
            if stem not in vendor.scripts:
                self._unreadable(path, f"there is no {stem}.js")
                continue
            try:
                found = self._literal(self.text(path))
                vendor.scripts[stem].cases += _cases(kind, found, "name", "expected")
            except (RepositoryError, ScriptError) as error:
                self._unreadable(path, str(error))
        self._devices(folder, vendor)
        return vendor

    def _devices(self, folder: Path, vendor: Vendor) -> None:
        path = folder / "vendor.toml"
        name = _text(_at(self._toml(path), "vendor", "name")) if path.exists() else ""
        for path in self._matching(folder / "devices", "*.toml"):
            device = self._toml(path)
            firmware = _at(device, "device", "firmware")
            used = [_text(_at(item, "codec")) for item in firmware] if isinstance(firmware, list) else []
            stems = [codec.removesuffix(".js") for codec in used if codec]
            if stems:
                key = f"{folder.name}/{stems[-1]}"
                vendor.models.append(Model(name or folder.name, _text(_at(device, "device", "name")), key))

    def _toml(self, path: Path) -> object:
        try:
            return tomllib.loads(self.text(path))
        except (RepositoryError, ValueError, RecursionError) as error:  # and what tomllib leaves of numbers and nesting
            self._unreadable(path, str(error))
            return {}

    # -- The Things Stack ---------------------------------------------------------------------------------------------

    def _things_stack(self, folder: Path) -> Vendor:
        vendor = Vendor()
        codecs: dict[str, str] = {}
        devices: list[tuple[Path, object]] = []
        for path in self._matching(folder, "*.yaml"):
            found = self._yaml(path)
            if _at(found, "uplinkDecoder") is None and _at(found, "downlinkEncoder") is None:
                devices.append((path, found))
                continue
            for part, kind in PARTS:
                script = self._script(folder, path, _at(found, part), vendor)
                if script is not None:
                    self._examples(
                        path, _at(found, part, "examples"), "decode" if kind == "decode" else "encode", script
                    )
                    codecs.setdefault(path.stem, script.key)
        name = self._names.get(folder.name, folder.name)
        for _, device in devices:
            used = [codecs[stem] for stem in _codecs_of(device) if stem in codecs]
            if used:
                vendor.models.append(Model(name, _text(_at(device, "name")), used[-1]))
        return vendor

    def _script(self, folder: Path, described: Path, part: object, vendor: Vendor) -> Script | None:
        name = _text(_at(part, "fileName"))
        if not name:
            return None
        path = folder / name
        if not self._holds(path):
            self._unreadable(described, f"fileName {name!r}: no file of the repository")
            return None
        return vendor.scripts.setdefault(name, Script(f"{folder.name}/{path.stem}", path))

    def _holds(self, path: Path) -> bool:
        try:
            return path.is_file() and path.resolve().is_relative_to(self.root)
        except (OSError, RuntimeError):  # a name too long, a link to itself
            return False

    def _examples(self, path: Path, examples: object, kind: Kind, script: Script) -> None:
        try:
            script.cases += _cases(kind, examples or [], "description", "output")
        except RepositoryError as error:
            self._unreadable(path, str(error))

    def _vendor_names(self) -> dict[str, str]:
        path = self.root / THINGS_STACK / "index.yaml"
        listed = _at(self._yaml(path), "vendors") if path.exists() else None
        return {_text(_at(item, "id")): _text(_at(item, "name")) for item in listed} if isinstance(listed, list) else {}

    def _yaml(self, path: Path) -> object:
        try:
            found = yaml_core.load(self.text(path))
        except (RepositoryError, yaml.YAMLError, ValueError, RecursionError) as error:
            self._unreadable(path, " ".join(str(error).split()))
            return {}
        if _too_large(found):
            self._unreadable(path, f"more than {MAX_PARTS} values")
            return {}
        return found

    def _matching(self, folder: Path, pattern: str) -> list[Path]:
        try:
            return sorted(folder.glob(pattern))
        except OSError as error:
            self._unreadable(folder, str(error.strerror))
            return []


def usable_name(name: str) -> str:
    """A name as it can stand in a codec's id and as a file: without blanks and the like; empty for none."""
    return UNUSABLE.sub("-", name).strip("-.")


def _cases(kind: Kind, found: object, name: str, output: str) -> list[Case]:
    if not isinstance(found, list):
        raise RepositoryError("expected a list of tests")
    made = []
    for number, item in enumerate(found, 1):
        given, expected = _at(item, "input"), _at(item, output)
        if not isinstance(given, dict) or not isinstance(expected, dict):
            raise RepositoryError(f"test {number}: expected objects input and {output}")
        made.append(Case(kind, _text(_at(item, name)) or f"test {number}", given, expected))
    return made


def _codecs_of(device: object) -> Iterator[str]:
    """The codecs that a device's description names, those of its newest firmware last."""
    versions = _at(device, "firmwareVersions")
    for version in versions if isinstance(versions, list) else []:
        profiles = _at(version, "profiles")
        for profile in profiles.values() if isinstance(profiles, dict) else []:
            yield _text(_at(profile, "codec"))


def _at(found: object, *keys: str) -> object:
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _text(found: object) -> str:
    return found if isinstance(found, str) else ""


def _too_large(found: object) -> bool:
    """Whether a value has more parts than any description needs; names for parts make much of little text."""
    left = MAX_PARTS
    waiting: list[tuple[object, int]] = [(found, 0)]
    while waiting and left >= 0:
        item, depth = waiting.pop()
        left -= 1
        inner: Iterable[object] = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        if depth > DEPTH:
            return True
        waiting += [(part, depth + 1) for part in inner]
    return left < 0

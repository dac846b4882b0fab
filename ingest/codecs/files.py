"""The files of the folder of vendors' codecs: which there are, and a codec from a script and what lies beside it."""

import stat
import time
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple, TypeVar

from decoders import mapping
from decoders.error import MappingError, printable
from decoders.javascript import MakeBox, ScriptCodec
from decoders.mapping import ObjectCodec, Table
from decoders.quantity import Family, Privacy

PREFIX = "js/"
OBJECTS = "object/"
"""What the ids of tables begin with that stand alone: for devices that ChirpStack decodes itself."""
PROFILES = "profiles.toml"
SUFFIXES = (".js", ".toml")
MAX_BYTES = 1_000_000
MAX_FILES = 10_000
KEYS = ("family", "privacy", "time", "field", "vendor", "model")
Stamp = tuple[int, int, int, int]
"""Times of the last change of what is in it and of what is said about it in ns, size, inode."""
T = TypeVar("T")


class FolderError(Exception):
    """A file of the folder that cannot be used; the message says why."""


class Files(NamedTuple):
    """The files of one codec, each with its stamp; for the profiles, `script` is their file."""

    script: Path
    stamp: Stamp
    table: Path | None = None
    table_stamp: Stamp | None = None


def read_codec(name: str, files: Files, box: MakeBox) -> ScriptCodec:
    """A codec from its files; raises FolderError. Whether its script can be used is not looked at."""
    script = read_text(files.script)
    try:
        words, table = _table(files.table)
    except MappingError as error:
        raise FolderError(str(error)) from error
    vendor, _, model = name.removeprefix(PREFIX).rpartition("/")
    return ScriptCodec(
        name,
        script,
        table=table,
        vendor=str(words.get("vendor", vendor)),
        model=str(words.get("model", model)),
        family=_named(words, "family", {family.value: family for family in Family}),
        privacy=_named(words, "privacy", {privacy.name.lower(): privacy for privacy in Privacy}),
        source=f"vendor's JavaScript, {name.removeprefix(PREFIX)}.js",
        clock=time.monotonic,
        box=box,
    )


def read_table(name: str, path: Path) -> ObjectCodec:
    """A table that stands alone, for what ChirpStack decoded; raises FolderError."""
    text = read_text(path)
    try:
        return ObjectCodec(name, mapping.parse(text, path.name))
    except MappingError as error:
        raise FolderError(str(error)) from error


def _table(path: Path | None) -> tuple[Mapping[str, object], Table]:
    """What the file beside a script says, and its mapping table, or that of common names."""
    if path is None:
        return {}, mapping.DEFAULT
    text = read_text(path)
    words = _toml(text)
    for key in words:
        if key not in KEYS:
            near = get_close_matches(key, KEYS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(KEYS)}"
            raise MappingError(f"{path.name}: unknown key {key!r}; {hint}")
    if "time" in words and "field" not in words:
        raise MappingError(f"{path.name}: time: only a table with [[field]] has a time")
    return words, mapping.parse(text, path.name) if "field" in words else mapping.DEFAULT


def read_profiles(path: Path) -> dict[str, str]:
    """Codec ids by profile name; raises FolderError."""
    found = _toml(read_text(path)).get("profiles", {})
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found.values()):
        raise FolderError('expected [profiles] with lines of "profile name" = "codec id"')
    return found


def _toml(text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, and what tomllib leaves of numbers and nesting
        raise FolderError(str(error)) from error


def read_text(path: Path) -> str:
    """The text of a file of the folder; raises FolderError."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise FolderError(f"more than {MAX_BYTES} bytes")
        return raw.decode("utf-8")
    except OSError as error:
        raise FolderError(str(error.strerror)) from error
    except UnicodeDecodeError as error:
        raise FolderError(f"not UTF-8: {error}") from error


def codec_id(key: str) -> str:
    """The id of the codec whose script, or whose table alone, lies there in the folder."""
    return PREFIX + key.removesuffix(".js") if key.endswith(".js") else OBJECTS + key.removesuffix(".toml")


def _named(words: Mapping[str, object], key: str, known: Mapping[str, T]) -> T | None:
    if key not in words:
        return None
    found = known.get(str(words[key]))
    if found is None:
        raise FolderError(f"{key}: unknown {words[key]!r}; known are {', '.join(known)}")
    return found


def listed(folder: Path) -> tuple[dict[str, Files], dict[str, str]]:
    """The codecs' files by the path of the script in the folder, and why others cannot be used; raises OSError."""
    stamps: dict[str, Stamp] = {}
    problems: dict[str, str] = {}
    root = folder.resolve()
    for path in _paths(folder, problems):
        key = str(path.relative_to(folder))
        if len(stamps) >= MAX_FILES:
            problems[key] = f"more than {MAX_FILES} files; this one and those after it are left out"
            break
        try:
            stamps[key] = _stamp(path, root)
        except OSError as error:
            problems[printable(key)] = str(error.strerror)
        except FolderError as error:
            problems[printable(key)] = str(error)
    return {key: _files(folder, key, stamps) for key in stamps if _leads(key, stamps)}, problems


def _stamp(path: Path, root: Path) -> Stamp:
    found = path.stat()
    if not path.name.isprintable():
        raise FolderError("a name that cannot be shown")
    if (path.is_symlink() or path.parent.is_symlink()) and not path.resolve().is_relative_to(root):
        raise FolderError("a link out of the folder")
    if not stat.S_ISREG(found.st_mode):
        raise FolderError("no file")
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def _leads(key: str, stamps: Mapping[str, Stamp]) -> bool:
    """Whether a file is not the table of a script beside it."""
    return key.endswith(".js") or key == PROFILES or key.removesuffix(".toml") + ".js" not in stamps


def _files(folder: Path, key: str, stamps: Mapping[str, Stamp]) -> Files:
    table = key.removesuffix(".js") + ".toml"
    if PROFILES in {key, table} or not key.endswith(".js") or table not in stamps:
        return Files(folder / key, stamps[key])
    return Files(folder / key, stamps[key], folder / table, stamps[table])


def _paths(folder: Path, problems: dict[str, str]) -> Iterator[Path]:
    """Scripts and tables in the folder and in those below it, in order; why one below cannot be looked into."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.suffix in SUFFIXES:
            yield path
        elif path.is_dir():
            try:
                yield from [inner for inner in sorted(path.iterdir()) if inner.suffix in SUFFIXES]
            except OSError as error:
                problems[printable(path.name)] = str(error.strerror)

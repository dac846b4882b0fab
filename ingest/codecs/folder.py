"""The folder of vendors' JavaScript and of mapping tables: read at start, looked at every two seconds while we run.

    codecs/
      profiles.toml           [profiles]  "Milesight AM102" = "js/milesight/am102"
      milesight/am102.js      the codec js/milesight/am102
      milesight/am102.toml    optional: its mapping table, and vendor, model, family, privacy
      acme/bench.toml         a table alone: the codec object/acme/bench, for what ChirpStack itself decoded

A file that changed is loaded and tried before it is taken, and only once it did not change between two looks; one that
cannot be used is refused, and what was read before stays.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import NamedTuple

import structlog

from decoders import catalog
from decoders.codec import Codec
from decoders.error import ScriptError, UnknownCodec
from decoders.javascript import ScriptCodec
from decoders.mapping import OBJECT, ObjectCodec
from ingest.codecs.files import (
    OBJECTS,
    PREFIX,
    PROFILES,
    Files,
    FolderError,
    codec_id,
    listed,
    read_codec,
    read_profiles,
    read_table,
)
from ingest.codecs.script_process import ScriptProcess
from ingest.settings import CodecSettings

LOOK_S = 2.0
FolderCodec = ScriptCodec | ObjectCodec
AnyCodec = Codec | FolderCodec
NO_SCRIPTS: Mapping[str, FolderCodec] = MappingProxyType({})
NO_WORDS: Mapping[str, str] = MappingProxyType({})

log = structlog.get_logger(__name__)


class Content(NamedTuple):
    """What the folder gives: codecs by id, codec ids by profile name, and by file why it is refused."""

    scripts: Mapping[str, FolderCodec] = NO_SCRIPTS
    profiles: Mapping[str, str] = NO_WORDS
    problems: Mapping[str, str] = NO_WORDS


class Library:
    """All codecs: those of this program, and those of the folder. `generation` grows with every change taken.

    `look` may run in any thread, one at a time, and changes nothing that others see; `take` puts it in force.
    """

    def __init__(self, settings: CodecSettings) -> None:
        self.generation = 0
        self.content = Content()
        self._folder = settings.folder
        self._settled = settings.profiles
        self._process = ScriptProcess()
        self._trial = ScriptProcess()
        self._read: dict[str, Files] = {}
        self._refused: dict[str, str] = {}
        self._before: Mapping[str, Files] = {}
        first = self.look(settled=False)
        if first is not None:
            self.content = first

    def codec(self, name: str) -> AnyCodec:
        """The codec of an id, or UnknownCodec that names the nearest one."""
        if name == OBJECT.id:
            return OBJECT
        if not name.startswith((PREFIX, OBJECTS)):
            return catalog.codec(name)
        found = self.content.scripts.get(name)
        if found is None:
            near = get_close_matches(name, self.content.scripts, n=1)
            hint = (
                f"; did you mean {near[0]!r}?" if near else f" in {self._folder or 'codecs.folder, which is not set'}"
            )
            raise UnknownCodec(f"unknown codec {name!r}{hint}")
        return found

    @property
    def profiles(self) -> Mapping[str, str]:
        """Codec ids by device profile name: the settings win over the folder."""
        return self.profiles_of(self.content)

    def profiles_of(self, content: Content) -> Mapping[str, str]:
        """The same, with another content of the folder."""
        return {**content.profiles, **self._settled}

    def problems(self) -> dict[str, str]:
        """What is refused now, by what it is."""
        found = {f"codec file {path}": reason for path, reason in self.content.problems.items()}
        for name, codec in self.content.scripts.items():
            if isinstance(codec, ScriptCodec) and codec.problem:
                found[f"codec {name}"] = codec.problem
        return found

    def look(self, *, settled: bool = True) -> Content | None:
        """What the folder holds now, None when nothing changed; with `settled`, only what two looks in a row found."""
        files, unusable = self._listed()
        kept = {key for key in self._read.keys() | files.keys() if _hidden(key, unusable)}
        absent = self._read.keys() - files.keys() - kept
        gone = [key for key in absent if not settled or key not in self._before]
        changed = {
            key: item
            for key, item in files.items()
            if self._read.get(key) != item and key not in kept and (not settled or self._before.get(key) == item)
        }
        self._before = files
        if not changed and not gone and self._refused | unusable == self.content.problems:
            return None
        scripts, profiles = dict(self.content.scripts), dict(self.content.profiles)
        for key in gone:
            del self._read[key]
            self._refused.pop(key, None)
            scripts.pop(codec_id(key), None)
            profiles = {} if key == PROFILES else profiles
        for key, item in changed.items():
            self._read[key] = item
            self._refused.pop(key, None)
            try:
                if key == PROFILES:
                    profiles = read_profiles(item.script)
                else:
                    scripts[codec_id(key)] = self._codec(codec_id(key), item, load=settled)
            except FolderError as error:
                self._refused[key] = str(error)
        self._trial.close()
        return Content(scripts, profiles, self._refused | unusable)

    def take(self, content: Content) -> None:
        """Put what `look` found in force."""
        self.generation += self.changes(content)
        self.content = content

    def changes(self, content: Content) -> bool:
        """Whether devices are read otherwise with this content."""
        return (content.scripts, content.profiles) != (self.content.scripts, self.content.profiles)

    def close(self) -> None:
        """End the process in which JavaScript runs."""
        self._process.close()
        self._trial.close()

    def _codec(self, name: str, files: Files, *, load: bool) -> FolderCodec:
        """A codec from its files, tried in a process apart; raises FolderError."""
        if not name.startswith(PREFIX):
            return read_table(name, files.script)
        codec = read_codec(name, files, self._process.box)
        box = self._trial.box(codec.script)
        try:
            box.check()
            if load:
                box.learn()
        except ScriptError as error:
            raise FolderError(str(error)) from error
        return codec

    def _listed(self) -> tuple[Mapping[str, Files], dict[str, str]]:
        """What is there, and what of it cannot be used; a folder that went away leaves what was read."""
        if self._folder is None:
            return {}, {}
        try:
            return listed(self._folder)
        except OSError as error:
            quiet = isinstance(error, FileNotFoundError) and not self._read
            problem = {str(self._folder): f"{error.strerror}; what was read before stays"}
            return dict(self._read), {} if quiet else problem


def _hidden(key: str, unusable: Mapping[str, str]) -> bool:
    """Whether a file, its folder or the table beside it is there and cannot be used now: what was read of it stays."""
    table = key.removesuffix(".js") + ".toml"
    return not unusable.keys().isdisjoint((key, table, key.rpartition("/")[0]))


async def changes(library: Library) -> AsyncIterator[Content]:
    """Each change of the folder, to be taken; says in the log what is new, gone and refused."""
    while True:
        await asyncio.sleep(LOOK_S)
        content = await asyncio.to_thread(library.look)
        if content is not None:
            tell(library.content, content)
            yield content


def tell(before: Content, now: Content) -> None:
    """One log line for each codec that is new, changed or gone, and for each file that is newly refused."""
    for name in before.scripts.keys() | now.scripts.keys():
        old, new = before.scripts.get(name), now.scripts.get(name)
        if old is not new:
            what = "gone" if new is None else "new" if old is None else "changed"
            log.info("codec of the folder", codec=name, what=what)
    for path, reason in now.problems.items():
        if before.problems.get(path) != reason:
            log.error("codec file refused; what was read before stays", file=path, reason=reason)

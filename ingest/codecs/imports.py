"""Codecs of a repository copied into the folder of codecs, and their devices' names into its profiles file."""

import json
import os
import tempfile
from pathlib import Path
from typing import NamedTuple

from decoders.error import DecodeError
from decoders.javascript import MakeBox
from ingest.codecs.files import PREFIX, PROFILES, FolderError, read_profiles
from ingest.codecs.repository import Model, Repository, RepositoryError, Script, Vendor, usable_name

HEAD = (
    "# Which codec reads a device, by the name of its profile; `stadtfunk codecs import` adds lines and changes none.\n"
)


class Problem(NamedTuple):
    """What could not be taken, and why."""

    subject: str
    reason: str


class CopyError(Exception):
    """A folder that nothing can be written into; the message is one line."""


class Importer:
    """Takes vendor after vendor; `taken` are the ids of codecs written anew, `unchanged` were there before."""

    def __init__(self, repository: Repository, into: Path, box: MakeBox) -> None:
        self.taken: list[str] = []
        self.unchanged: list[str] = []
        self.problems: list[Problem] = []
        self.profiles: dict[str, str] = {}
        self.new_profiles = 0
        self._repository = repository
        self._into = into
        self._box = box
        try:
            into.mkdir(parents=True, exist_ok=True)
            self._root = into.resolve()
            if (into / PROFILES).exists():
                self.profiles = read_profiles(into / PROFILES)
        except OSError as error:
            raise CopyError(f"{into}: {error.strerror}") from error
        except FolderError as error:
            raise CopyError(f"{into / PROFILES}: {error}; mend it first") from error

    def take(self, vendor: Vendor) -> None:
        """Copy a vendor's codecs and note the names of its devices."""
        ids: dict[str, str] = {}
        for script in vendor.scripts.values():
            try:
                ids[script.key] = self._copy(script, [model for model in vendor.models if model.codec == script.key])
            except (RepositoryError, FolderError, DecodeError) as error:
                self.problems.append(Problem(script.key, str(error)))
            except OSError as error:
                raise CopyError(f"{error.filename or self._into}: {error.strerror}") from error
        for model in vendor.models:
            if model.codec in ids:
                for name in names(model):
                    self._note(name, ids[model.codec])

    def finish(self) -> None:
        """Write the profiles file, if it changed."""
        lines = [
            f"{json.dumps(name, ensure_ascii=False)} = {json.dumps(self.profiles[name])}"
            for name in sorted(self.profiles)
        ]
        if self.new_profiles:
            self._write(self._into / PROFILES, HEAD + "[profiles]\n" + "\n".join(lines) + "\n")

    def _copy(self, script: Script, models: list[Model]) -> str:
        vendor, _, stem = script.key.partition("/")
        vendor, stem = usable_name(vendor), usable_name(stem)
        if not vendor or not stem:
            raise FolderError("no name for a file can be made of this")
        text = self._repository.text(script.path)
        codec_id = f"{PREFIX}{vendor}/{stem}"
        if codec_id in self.taken or codec_id in self.unchanged:
            raise FolderError(f"another codec is {codec_id} already")
        self._box(text).learn()
        target = self._into / vendor / f"{stem}.js"
        if self._write(target, text):
            self.taken.append(codec_id)
        else:
            self.unchanged.append(codec_id)
        table = target.with_suffix(".toml")
        if models and not table.exists() and not table.is_symlink():
            named = sorted({model.name for model in models if model.name})
            lines = [f"vendor = {json.dumps(models[0].vendor, ensure_ascii=False)}"]
            lines += [f"model = {json.dumps(', '.join(named[:3]), ensure_ascii=False)}"] if named else []
            self._write(table, "\n".join(lines) + "\n")
        return codec_id

    def _note(self, name: str, codec_id: str) -> None:
        known = self.profiles.get(name)
        if known is None:
            self.profiles[name] = codec_id
            self.new_profiles += 1
        elif known != codec_id:
            self.problems.append(Problem(name, f"the profile's codec stays {known}; {codec_id} reads it, too"))

    def _write(self, path: Path, text: str) -> bool:
        """Write a file of the folder at once or not at all; False when it says the same already."""
        if not path.parent.resolve().is_relative_to(self._root):
            raise FolderError(f"{path.parent.name} leads out of {self._into}")
        body = text.encode()
        if path.is_file() and not path.is_symlink() and path.read_bytes() == body:
            return False
        path.parent.mkdir(exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".new")
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(file.fileno(), 0o644)
                file.write(body)
            Path(draft).replace(path)
        except OSError:
            Path(draft).unlink(missing_ok=True)
            raise
        return True


def names(model: Model) -> list[str]:
    """The names that ChirpStack's profile of a device may have: its own, with and without its vendor's before it."""
    if not model.name:
        return []
    if not model.vendor or model.name.lower().startswith(model.vendor.lower()):
        return [model.name]
    return [model.name, f"{model.vendor} {model.name}"]

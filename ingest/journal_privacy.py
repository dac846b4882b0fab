"""What the journal holds of people beside points and raw messages: dead letters and ledgers, and how long they live.

A message that cannot be read cannot be asked whose it is. Its class is told by the names that stand in its bytes,
however broken the rest may be: in ChirpStack's JSON, or in its protobuf (chirpstack-api 4.20, `integration.proto`:
DeviceInfo.application_name is field 4, device_profile_name field 6, the value of an entry of `tags` field 2).
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

from decoders import catalog
from decoders.quantity import Privacy
from ingest.codecs.folder import Library
from ingest.dead_letter import DeadLetter, Reason
from ingest.settings import Settings

PERSONAL_DAYS = 30.0
"""Days for what is personal where nothing else is set: as long as personal readings."""
_JSON = re.compile(rb'"(applicationName|deviceProfileName|codec)"\s*:\s*("(?:[^"\\]|\\.)*")')
_TAGS = {"applicationName": 4 << 3 | 2, "deviceProfileName": 6 << 3 | 2, "codec": 2 << 3 | 2}
VARINT = 0x80
Names = Mapping[str, Mapping[str, Privacy]]


@dataclass(frozen=True, slots=True)
class PersonalData:
    """How to tell it, and the days for which it is kept at most.

    `names` are the classes that names in a message stand for, by the field of ChirpStack's JSON that holds them.
    """

    days: float = PERSONAL_DAYS
    names: Names = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings, library: Library | None = None) -> Self:
        """As the settings say: the class of each application, and of the codec of each device profile.

        Codecs of the folder count as `library` knows them at the start: a class that is set later counts from the next.
        """
        applications = {name: Privacy[word.upper()] for name, word in settings.privacy.applications.items()}
        codecs = {codec.id: codec.privacy for codec in catalog.CODECS}
        named = settings.codecs.profiles if library is None else library.profiles
        if library is not None:
            codecs |= {name: codec.privacy for name, codec in library.content.scripts.items()}
        profiles = {profile: codecs.get(codec, Privacy.OPEN) for profile, codec in named.items()}
        names = {"applicationName": applications, "deviceProfileName": profiles, "codec": codecs}
        return cls(settings.influxdb.retention_personal_days, names)

    def privacy(self, letter: DeadLetter) -> Privacy:
        """The class of a dead letter, never open; a damaged row of the journal cannot say whose it was: personal."""
        if letter.reason == Reason.CHECKSUM:
            return Privacy.PERSONAL
        if letter.reason == Reason.SINK:
            return max(Privacy.INTERNAL, line_privacy(letter.source))
        own = self.names.get("codec", {}).get(letter.codec, Privacy.OPEN)
        return max(Privacy.INTERNAL, own, *self._said(letter.payload))

    def _said(self, payload: bytes) -> Iterator[Privacy]:
        yield Privacy.OPEN
        for key, text in _JSON.findall(payload):
            yield self.names.get(key.decode(), {}).get(_text(text), Privacy.OPEN)
        for key, known in self.names.items():
            for name, privacy in known.items():
                if privacy is Privacy.PERSONAL and _protobuf(key, name) in payload:
                    yield privacy


def line_privacy(source: str) -> Privacy:
    """The class of a line that a sink refused, which its source ends with."""
    return Privacy.__members__.get(source.rsplit("/", 1)[-1].upper(), Privacy.INTERNAL)


def _text(quoted: bytes) -> str:
    try:
        return str(json.loads(quoted))
    except ValueError:
        return ""


def _protobuf(key: str, name: str) -> bytes:
    """A text field as protobuf writes it: tag, length as a varint, text."""
    text = name.encode()
    head, length = bytearray([_TAGS[key]]), len(text)
    while length >= VARINT:
        head.append(length % VARINT + VARINT)
        length //= VARINT
    return bytes([*head, length]) + text

"""Which codecs read a message of a replay: the one of now, and those that may have written its points."""

import sqlite3

from decoders.uplink import Device
from ingest.codecs.version import InForce, Version
from ingest.raw import Kept
from ingest.replay import correction
from ingest.replay.decode_again import Decoder, Message


class Codecs:
    """The codecs in force now, when a message came, and in the corrections since; read from the journal once."""

    def __init__(self, connection: sqlite3.Connection, decoder: Decoder, in_force: InForce) -> None:
        corrections = correction.listed(connection)
        self._decoder = decoder
        self._in_force = in_force
        self._versions = correction.versions(connection)
        self._replays = [item for item in corrections if item.order.kind == "replay" and item.result]
        self._corrected = {item.order.codecs for item in corrections}
        self._families: dict[tuple[str, str, str], frozenset[str]] = {}

    def after(self, message: Message) -> Version | None:
        """What reads it now, None when nothing does."""
        codec = self._decoder.route(message).codec
        return self._in_force.codecs.get(codec.id) if codec else None

    def before(self, message: Message, kept: Kept) -> Version | None:
        """What wrote its points: the newest replay that covered them, else the service when it came."""
        digest = kept.codecs
        device = message.device
        for item in self._replays:
            then = self._in(item.order.codecs)
            version = then.of(device)
            model = version.id if version else ""
            if item.order.covers(device.dev_eui, model, device.application, message.time_ms):
                digest = item.order.codecs
                break
        return self._in(digest).of(device)

    def families(self, device: Device, kept: Kept) -> frozenset[str]:
        """The Influx measurements that its readings may stand in, by whichever correction, an interrupted one, too."""
        key = (kept.codecs, device.profile, device.tags.get("codec", ""))
        if key not in self._families:
            read_by = [self._in(digest).of(device) for digest in {kept.codecs, *self._corrected}]
            self._families[key] = frozenset(version.family for version in read_by if version)
        return self._families[key]

    def _in(self, digest: str) -> InForce:
        return self._versions.get(digest, self._in_force)

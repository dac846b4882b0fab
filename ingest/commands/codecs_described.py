"""What is known of a codec, as rows of tables and as JSON: native ones, vendors' JavaScript, mapping tables."""

from itertools import groupby
from typing import Any, NamedTuple

from rich.table import Table

from decoders.codec import Codec, CodecField
from decoders.javascript import ScriptCodec
from decoders.mapping import CommonNames, Entry
from ingest.codecs.folder import AnyCodec
from ingest.commands import codecs_vectors
from ingest.commands.codecs_vectors import NONE

SHOWN_CHANNELS = 32
UNTESTED = "untested against a device"
UNVERIFIED = "unverified"
ANY = "any"


class Line(NamedTuple):
    """One value that a codec can give: where it stands, what it becomes; range and step are None where nobody knows.

    `place` is the frame of a native codec, the path in the object otherwise; `theirs` is the unit there, if another.
    """

    f_port: int | None
    place: str
    quantity: str
    channel: str
    unit: str
    theirs: str
    low: float | None
    high: float | None
    step: float | None
    verified: bool

    def row(self) -> tuple[str, ...]:
        """For the table of `codecs show`."""
        spread = "" if self.low is None or self.high is None else f"{self.low:g} … {self.high:g}"
        step = "" if self.step is None else f"{self.step:g}"
        unit = f"{self.unit} (given in {self.theirs})" if self.theirs else self.unit
        port = ANY if self.f_port is None else str(self.f_port)
        return port, self.place, self.quantity, self.channel, unit, spread, step, "" if self.verified else UNVERIFIED

    def native(self) -> dict[str, Any]:
        """For JSON: a field of a frame."""
        found = {"f_port": self.f_port, "frame": self.place, **self._asdict()}
        del found["place"], found["theirs"]
        return found

    def mapped(self) -> dict[str, Any]:
        """For JSON: a line of a mapping table."""
        found = {"path": self.place, **self._asdict(), "given_in": self.theirs or self.unit}
        del found["place"], found["theirs"], found["f_port"]
        return found


def kind(codec: AnyCodec) -> str:
    """Where the knowledge is from: native, javascript, or object for what the network server decoded."""
    if isinstance(codec, Codec):
        return "native"
    return "javascript" if isinstance(codec, ScriptCodec) else "object"


def untested(codec: AnyCodec) -> bool:
    """Whether nobody has published a payload of a device, so that only the document speaks for a native codec."""
    return isinstance(codec, Codec) and codec.untested


def marks(codec: AnyCodec) -> list[str]:
    """What to know before trusting it: untested against a device, or values that no published payload covers."""
    if untested(codec):
        return [UNTESTED]
    return [UNVERIFIED] if not all(line.verified for line in lines(codec)) else []


def summary(codec: AnyCodec) -> dict[str, Any]:
    """A codec in a few words, for JSON."""
    count = codecs_vectors.counts().get(codec.id, NONE)
    return {
        "id": codec.id,
        "kind": kind(codec),
        "vendor": codec.vendor,
        "model": codec.model,
        "family": codec.family.value,
        "privacy": codec.privacy.name.lower(),
        "ports": sorted(codec.ports),
        "any_port": takes_any_port(codec),
        "source": codec.source,
        "untested": untested(codec),
        "marks": marks(codec),
        "vectors": count._asdict(),
    }


def details(codec: AnyCodec) -> dict[str, Any]:
    """All that is known of it, for JSON."""
    native = isinstance(codec, Codec)
    fields = [line.native() if native else line.mapped() for line in lines(codec)]
    return {**summary(codec), "fields": fields, "parameters": parameters(codec)}


def parameters(codec: AnyCodec) -> list[dict[str, Any]]:
    """Figures of the single device that the codec needs; no ports stand for all."""
    if not isinstance(codec, Codec):
        return []
    return [
        {"name": item.name, "unit": item.unit, "meaning": item.meaning, "ports": list(item.ports)}
        for item in codec.parameters
    ]


def ports(codec: AnyCodec) -> str:
    """The LoRaWAN ports that it reads."""
    return ", ".join([*(str(port) for port in sorted(codec.ports)), *([ANY] if takes_any_port(codec) else [])])


def takes_any_port(codec: AnyCodec) -> bool:
    """Whether it reads ports that it does not name; of a vendor's file nobody knows before asking it."""
    return codec.any_port is not None if isinstance(codec, Codec) else True


def lines(codec: AnyCodec) -> list[Line]:
    """Every value that a codec can give, in the order of its ports and frames, or of its table."""
    if isinstance(codec, Codec):
        return [_of_field(item) for item in codec.fields()]
    if isinstance(codec.table, CommonNames):
        same = groupby(codec.table.entries, key=lambda entry: entry.quantity)
        return [_of_entry(entries[0], " | ".join(map(_path, entries))) for entries in (list(each) for _, each in same)]
    return [_of_entry(entry, _path(entry)) for entry in codec.table.entries]


def head(codec: AnyCodec) -> list[str]:
    """What there is to say of a codec before its table."""
    found = [
        f"{codec.id}: {codec.vendor} {codec.model}",
        f"family {codec.family.value}, privacy {codec.privacy.name.lower()}, f_port {ports(codec)}",
        f"source: {codec.source}",
    ]
    if not isinstance(codec, Codec):
        return found
    count = codecs_vectors.counts().get(codec.id, NONE)
    found.append(f"vectors: {count.published} published, {count.by_hand} worked out by hand")
    if codec.untested:
        found.append(f"{UNTESTED}: nobody has published a payload of one")
    for item in codec.parameters:
        where = f", f_port {', '.join(map(str, item.ports))}" if item.ports else ""
        found.append(f"parameter {item.name} ({item.unit}{where}): {item.meaning}")
    return found


def table(codec: AnyCodec) -> Table:
    """The lines; where more than a few differ in nothing but the channel, as one of the first and the last."""
    place = "frame" if isinstance(codec, Codec) else "path"
    made = Table("f_port", place, "quantity", "channel", "unit", "range", "step", "", box=None)
    for _, same in groupby(lines(codec), key=lambda line: line._replace(channel="")):
        alike = list(same)
        if len(alike) > SHOWN_CHANNELS:
            alike = [alike[0]._replace(channel=f"{alike[0].channel} … {alike[-1].channel}")]
        for line in alike:
            made.add_row(*line.row())
    return made


def _of_field(item: CodecField) -> Line:
    quantity = item.quantity
    return Line(
        item.f_port,
        item.frame,
        quantity.field,
        item.channel,
        quantity.unit,
        "",
        item.low,
        item.high,
        item.step,
        item.verified,
    )


def _of_entry(entry: Entry, path: str) -> Line:
    quantity = entry.quantity
    theirs = "" if entry.unit == quantity.unit else entry.unit
    return Line(None, path, quantity.field, entry.channel, quantity.unit, theirs, None, None, None, verified=False)


def _path(entry: Entry) -> str:
    return ".".join(entry.path)

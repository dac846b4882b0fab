"""docs/sensors.md, made from the catalogue and the payload vectors under tests/vectors."""

import json
import tomllib
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

from decoders.catalog import CODECS
from decoders.codec import Codec
from decoders.quantity import Family, Privacy, Quantity

VECTORS = Path(__file__).parent.parent / "tests" / "vectors"
HEAD = """# Sensors

Generated from the codecs and the payload vectors of their tests. `stadtfunk codecs show ID` prints one with ranges and
channels; [how to add one](adding-a-sensor.md).

* **ports**: LoRaWAN f_port; `any` where the device's port can be set.
* **quantities** with their unit ([schema.md](schema.md) says what they are); † is one that no published payload covers.
* **vectors**: payloads of real devices that somebody published, + frames worked out by hand from the document.
  *Untested against a device* are codecs that nobody published a payload for.
* **needs**: figures of the single device, from its tags or the city's file; without them uplinks become dead letters.
* Personal codecs (trackers, counters of phones, household meters) stay off until `privacy.purpose` names why.
"""


class Vectors(NamedTuple):
    """How many payloads of a codec are known: published ones, and frames worked out by hand."""

    published: int
    by_hand: int


def sensors_page() -> str:
    """Every model with quantities, units, ports, source and the number of its vectors."""
    counts = vectors()
    lines = HEAD.splitlines()
    untested = sum(codec.untested for codec in CODECS)
    total = sum(count.published for count in counts.values())
    lines += ["", f"{len(CODECS)} codecs, {total} published payloads; {untested} codecs are untested against a device."]
    for family in Family:
        found = [codec for codec in CODECS if codec.family is family]
        if found:
            lines += ["", f"## {family.value.capitalize()}"]
            lines += ["", "| model | ports | quantities | vectors | needs | source |", "|---|---|---|---|---|---|"]
            lines += [_row(codec, counts.get(codec.id, Vectors(0, 0))) for codec in found]
    return "\n".join(lines) + "\n"


def vectors(folder: Path = VECTORS) -> dict[str, Vectors]:
    """The number of vectors by codec id."""
    published: Counter[str] = Counter()
    by_hand: Counter[str] = Counter()
    for path in sorted(folder.glob("*/*.toml")):
        notes = tomllib.loads(path.read_text(encoding="utf-8"))
        data = path.with_suffix(".json")
        theirs = json.loads(data.read_text(encoding="utf-8")) if data.exists() else []
        own = notes.get("vectors", {})
        published.update(own.get(str(number), {}).get("codec", notes["codec"]) for number in range(len(theirs)))
        by_hand.update(item.get("codec", notes["codec"]) for item in notes.get("hand", ()))
    return {name: Vectors(published[name], by_hand[name]) for name in published.keys() | by_hand.keys()}


def _row(codec: Codec, count: Vectors) -> str:
    ports = [str(port) for port in sorted(codec.ports)] + (["any"] if codec.any_port is not None else [])
    name = f"**{codec.vendor}** {codec.model}<br>`{codec.id}`"
    if codec.privacy is not Privacy.OPEN:
        name += f"<br>{codec.privacy.name.lower()}"
    shown = f"{count.published} + {count.by_hand}" + ("<br>*untested against a device*" if codec.untested else "")
    needs = ", ".join(f"`{parameter.name}` ({parameter.unit})" for parameter in codec.parameters)
    cells = (name, ", ".join(ports), _quantities(codec), shown, needs, codec.source)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _quantities(codec: Codec) -> str:
    verified: dict[Quantity, bool] = defaultdict(bool)
    for item in codec.fields():
        verified[item.quantity] |= item.verified
    return ", ".join(
        f"{quantity.field}{f' ({quantity.unit})' if quantity.unit else ''}{'' if known else '†'}"
        for quantity, known in verified.items()
    )

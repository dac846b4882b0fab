"""How many payloads of each codec are known: counted from tests/vectors, kept in a file that every installation has."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from ingest.docs_sensors import Vectors, vectors

FILE = "codecs_vectors.json"
NONE = Vectors(0, 0)


def page() -> str:
    """The file, made from the vectors of a checkout: published payloads and frames worked out by hand, by codec."""
    lines = [f"{json.dumps(name)}: {list(count)}" for name, count in sorted(vectors().items())]
    return "{\n" + ",\n".join(lines) + "\n}\n"


@cache
def counts() -> Mapping[str, Vectors]:
    """What the file says, by codec id; a codec without any is not in it."""
    found = json.loads(files("ingest.commands").joinpath(FILE).read_text(encoding="utf-8"))
    return {name: Vectors(*count) for name, count in found.items()}

"""States as JSON and back: named tuples become lists, and lists become the named tuples of a type."""

from collections.abc import Callable
from typing import TypeVar, cast

from pydantic import TypeAdapter

from rules.rule import Json

S = TypeVar("S")


def dump(state: object) -> Json:
    """The state as JSON: named tuples of numbers, texts, dictionaries and tuples are that already."""
    return cast("Json", state)


def loader(kind: type[S], version: int) -> Callable[[object, int, Json], S | None]:
    """The `load` of a rule whose state is of this type; None when another version of the rule wrote it."""
    adapter = TypeAdapter(kind)

    def load(_config: object, kept_version: int, kept: Json) -> S | None:
        return adapter.validate_python(kept) if kept_version == version else None

    return load

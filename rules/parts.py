"""States as they are kept: one row, or one with all that is small and a row for each part of what is many.

Where the JSON of a state has members of the type `Parts`, their entries are kept in rows of their own, so that a lot of
a thousand spaces writes one space when one is heard. Such a state is a named tuple with fields of these names, which
hold the same entries. `load` of a rule is given the whole again.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from pydantic_core import to_json

from rules.layered import differing
from rules.rule import Json

SEPARATOR = "\x1f"
"""Between asset, member and key in the subject of a part's row; no id holds a control character."""
V = TypeVar("V")
NOTHING_KEPT: Mapping[str, Any] = {}


class Parts(dict[str, Json]):
    """A member of a state whose entries are kept in rows of their own, each as `plain` makes of it.

    Named tuples can be JSON as they are, and cost four times what plain tuples do.
    """

    def __init__(self, entries: Mapping[str, V], plain: Callable[[V], Json]) -> None:
        super().__init__({key: plain(value) for key, value in entries.items()})
        self.plain = plain


class Member(NamedTuple):
    """A field of a state that is kept in parts: its place and name, and how an entry becomes JSON."""

    field: int
    name: str
    plain: Callable[[Any], Json]


def parted(state: object, dumped: Json) -> tuple[Member, ...]:
    """Which fields of a state are kept in parts."""
    if not isinstance(dumped, dict):
        return ()
    fields: tuple[str, ...] = getattr(state, "_fields", ())
    found = [Member(fields.index(name), name, value.plain) for name, value in dumped.items() if type(value) is Parts]
    return tuple(sorted(found))


def changes(member: Member, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Json]:
    """The entries of a member that differ, as JSON by `member key`; None for those that are gone."""
    _, name, plain = member
    found: dict[str, Json] = {}
    new = 0
    for key in differing(before, after):
        known = key in before
        new += not known
        if not known or after[key] != before[key]:
            found[f"{name}{SEPARATOR}{key}"] = plain(after[key])
    if len(before) + new > len(after):
        found |= {f"{name}{SEPARATOR}{key}": None for key in before if key not in after}
    return found


def joined(members: Iterable[Member], rest: Any, parts: Mapping[str, Json]) -> Any:  # noqa: ANN401 - JSON
    """The whole state of what was kept in one row and what in others; parts of other members are left alone."""
    found: dict[str, dict[str, Json]] = {member.name: {} for member in members}
    for place, value in parts.items():
        name, _, key = place.partition(SEPARATOR)
        if name in found and value is not None:
            found[name][key] = value
    return {**rest, **found}


def encoded(body: Json) -> str:
    """As JSON text."""
    return to_json(body).decode()

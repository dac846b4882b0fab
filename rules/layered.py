"""Mappings of which each state has a new one with one entry changed, without copying all the others."""

from collections.abc import Iterator, Mapping
from itertools import compress
from operator import is_not
from typing import Any, TypeVar, final

V = TypeVar("V")
SMALL = 16
"""Up to so many entries a copy costs less."""


@final
class Layered(Mapping[str, V]):
    """Entries above others, in the order of one dictionary; equal to any mapping with the same entries.

    A copy of a large dictionary touches every key and every value, most of them long out of the processor's cache. So
    changes pile up in a second, small dictionary, and are put together when they are more than the root of the number.
    """

    __slots__ = ("above", "base", "size")

    def __init__(self, base: dict[str, V], above: dict[str, V]) -> None:
        self.base = base
        self.above = above
        self.size = len(base) + sum([key not in base for key in above])

    def __getitem__(self, key: str) -> V:
        return self.above[key] if key in self.above else self.base[key]

    def __contains__(self, key: object) -> bool:
        return key in self.above or key in self.base

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 - as Mapping.get, which is overloaded
        """The entry of a key, or the default."""
        return self.above[key] if key in self.above else self.base.get(key, default)

    def __iter__(self) -> Iterator[str]:
        yield from self.base
        for key in self.above:
            if key not in self.base:
                yield key

    def __len__(self) -> int:
        return self.size

    def __repr__(self) -> str:
        return repr({**self.base, **self.above})


def put(entries: Mapping[str, V], key: str, value: V) -> Mapping[str, V]:
    """The entries with one of them new or changed; those given stay as they are."""
    if type(entries) is not Layered:
        if len(entries) < SMALL:
            return {**entries, key: value}
        return Layered(dict(entries) if type(entries) is not dict else entries, {key: value})
    above = {**entries.above, key: value}
    if len(above) * len(above) > len(entries.base):
        return {**entries.base, **above}
    return Layered(entries.base, above)


def differing(before: Mapping[str, V], after: Mapping[str, V]) -> list[str]:
    """The keys of entries in `after` that are not the same objects in `before`."""
    if type(after) is Layered:
        if after.base is (before.base if type(before) is Layered else before):
            return [key for key, value in after.above.items() if before.get(key) is not value]
        after = {**after.base, **after.above}
    was = {**before.base, **before.above} if type(before) is Layered else before
    return list(compress(after, map(is_not, after.values(), map(was.get, after))))

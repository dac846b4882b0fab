"""One rule about one asset, and how its state is kept: in one row, or in one and a row for each of its parts."""

import zlib
from collections.abc import Sequence
from typing import Any, TypeAlias, cast

from rules.asset import Asset
from rules.parts import NOTHING_KEPT, SEPARATOR, Member, changes, encoded, parted
from rules.rule import AnyRule, Json, RuleFailure, StateRow

State: TypeAlias = Any
"""Its rule's affair."""


class Subject:
    """One rule about one asset; `order` sorts subjects by asset and rule, `parted` are the fields kept in parts."""

    __slots__ = ("asset", "config", "doubtful", "fingerprint", "name", "order", "parted", "rule", "step", "wake")

    def __init__(self, rule: AnyRule, asset: Asset, order: int) -> None:
        self.rule = rule
        self.asset = asset
        self.order = order
        self.name = f"{rule.id}/{asset.id}"
        """Under which its newest request is kept."""
        self.config = rule.configure(asset)
        self.fingerprint = f"{zlib.crc32(repr(self.config).encode()):08x}"
        self.step, self.wake, self.doubtful = rule.step, rule.wake, rule.doubtful
        state = rule.initial(self.config)
        self.parted = parted(state, rule.dump(state))

    def rows(self, before: State, after: State, kept: frozenset[str] | None = None) -> Sequence[StateRow]:
        """The rows that change with the state, with the parameters' fingerprint.

        With `kept`, whatever is kept is of no use: all is written, and these parts are emptied where they are no more.
        """
        if not self.parted:
            return (self._row("state", encoded(self.rule.dump(after))),)
        found: dict[str, Json] = {}
        new = kept is not None
        for member in self.parted:
            was, now = NOTHING_KEPT if new else before[member.field], after[member.field]
            new = new or not was
            if was is not now:
                found |= changes(member, was, now)
        for place in kept or ():
            found.setdefault(place)
        rule, version, asset = self.rule.id, self.rule.version, self.asset.id
        rows = [StateRow(rule, f"{asset}{SEPARATOR}{place}", version, encoded(found[place])) for place in found]
        if new or _without(before, self.parted) != _without(after, self.parted):
            bare = [*after]
            for member in self.parted:
                bare[member.field] = NOTHING_KEPT
            rest = cast("dict[str, Json]", self.rule.dump(after._make(bare)))
            for member in self.parted:
                del rest[member.name]
            rows.append(self._row("rest", encoded(rest)))
        return rows

    def failure(self, cause: str, error: Exception) -> RuleFailure:
        """The failure of this subject's rule."""
        return RuleFailure(self.rule.id, self.asset.id, cause, f"{type(error).__name__}: {error}")

    def _row(self, name: str, text: str) -> StateRow:
        body = f'{{"config":"{self.fingerprint}","{name}":{text}}}'
        return StateRow(self.rule.id, self.asset.id, self.rule.version, body)


def _without(state: tuple[Any, ...], parted: tuple[Member, ...]) -> tuple[Any, ...]:
    """The state without these fields, as states are compared."""
    for field, _, _ in reversed(parted):
        state = state[:field] + state[field + 1 :]
    return state

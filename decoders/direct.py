"""Encoding without trial: what a format makes of values when nothing has to be tried, and whether it rounds them."""

from collections.abc import Collection, Mapping
from typing import ClassVar, NamedTuple

from decoders.measurement import Place
from decoders.quantity import Quantity

Values = Mapping[Place, float]
Words = Mapping[str, str]
"""Attributes by their names."""


class Written(NamedTuple):
    """A frame; whether it means just what was given (else it rounds); how many values and words it holds."""

    payload: bytes
    exact: bool
    used: int


class Direct:
    """A format that can often say at once which frame `encode` would build; where it cannot, `encode` looks closer.

    `decisive` formats would always say it if there was one.
    """

    __slots__ = ()
    decisive: ClassVar[bool] = False

    def written(self, values: Values, words: Words, parameters: Mapping[str, float]) -> Written | None:
        """The frame that `encode` builds of all these, None where it takes a closer look; raises nothing."""
        raise NotImplementedError

    def has_places(self, places: Collection[Place]) -> bool:
        """Whether readings of just these places could be carried, whatever their values are."""
        raise NotImplementedError


def values_of(readings: Collection[tuple[Quantity, float, str]]) -> dict[Place, float]:
    """Values by quantity and channel; of two for one place the later."""
    return {(quantity, channel): value for quantity, value, channel in readings}

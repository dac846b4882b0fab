"""A city with other parameters, for rules that are run again: `lot-markt.capacity=80`, `lot.full_percent=2`."""

import json
from collections.abc import Sequence
from dataclasses import replace

from rules.city import City


class ParameterError(ValueError):
    """A parameter that cannot be set; the message names it and what was expected."""


def with_parameters(city: City, given: Sequence[str]) -> City:
    """The city with these properties set, as `ASSET.PROPERTY=VALUE` or `KIND.PROPERTY=VALUE`; values are JSON or text.

    The longest asset id that fits wins, then the kind. Raises ParameterError; whether rules take the values is theirs
    to say.
    """
    assets = dict(city.assets)
    for text in given:
        place, equals, value = text.partition("=")
        names, name = _assets(city, place)
        if not equals or not names:
            expected = "ASSET.PROPERTY=VALUE or KIND.PROPERTY=VALUE of the city's file"
            raise ParameterError(f"parameter {text!r}: expected {expected}")
        for id_ in names:
            assets[id_] = replace(assets[id_], properties={**assets[id_].properties, name: _value(value)})
    return City(assets.values())


def _assets(city: City, place: str) -> tuple[list[str], str]:
    """The assets that are meant, and the property."""
    dots = [index for index, letter in enumerate(place) if letter == "."]
    for dot in reversed(dots):
        if place[:dot] in city.assets:
            return [place[:dot]], place[dot + 1 :]
    kind, _, name = place.partition(".")
    return [asset.id for asset in city.assets.values() if asset.kind == kind and name], name


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text

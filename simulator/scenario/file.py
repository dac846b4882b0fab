"""Scenarios as files: the shipped ones by name, anybody's by path."""

import importlib.resources
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from rules.city import Asset, City
from simulator.error import SimulatorError
from simulator.scenario.lines import Place, line_of, places
from simulator.scenario.model import SECTIONS, Scenario, Section

SUFFIX = ".toml"
UNKNOWN_KEY = "extra_forbidden"


class UnknownScenario(SimulatorError):
    """Neither a shipped scenario nor a file; the message names the nearest."""


class Loaded(NamedTuple):
    """A scenario, and where each of its keys stands."""

    source: str
    scenario: Scenario
    lines: Mapping[Place, int]

    def wrong(self, place: Sequence[str | int], text: str) -> SimulatorError:
        """The error that names file, line and key."""
        return _wrong(self.source, self.lines, place, text)


def shipped() -> dict[str, Traversable]:
    """The scenarios that are shipped, by name."""
    folder = importlib.resources.files("deploy") / "scenarios"
    found = {entry.name.removesuffix(SUFFIX): entry for entry in folder.iterdir() if entry.name.endswith(SUFFIX)}
    return dict(sorted(found.items()))


def load(name: str) -> Loaded:
    """A scenario by its name or its file; raises SimulatorError (UnknownScenario) that names file, line and key."""
    known = shipped()
    path = Path(name)
    if name not in known and not path.is_file():
        near = get_close_matches(name, known, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise UnknownScenario(f"no scenario and no file is called {name!r}: {hint}")
    source = known.get(name, path)
    try:
        text = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SimulatorError(f"cannot read scenario {source}: {error}") from error
    return parse(text, str(source))


def parse(text: str, source: str) -> Loaded:
    """The scenario of a text; raises SimulatorError that names file, line and key."""
    lines = places(text)
    try:
        return Loaded(source, Scenario.model_validate(tomllib.loads(text)), lines)
    except tomllib.TOMLDecodeError as error:
        raise SimulatorError(f"scenario {source}: no TOML: {error}") from error
    except ValidationError as error:
        first = min(error.errors(include_url=False), key=lambda each: each["type"] != UNKNOWN_KEY)
        raise _wrong(source, lines, first["loc"], _said(first)) from error


def check(loaded: Loaded, city: City) -> None:
    """Raises SimulatorError that names file, line and key of the first thing that the city does not have."""
    for place, given, known in _names(loaded.scenario, city):
        if given not in known:
            near = get_close_matches(given, known, n=1)
            hint = f", did you mean {near[0]}?" if near else ""
            raise loaded.wrong(place, f"the city has no {given!r}{hint}")


def _names(scenario: Scenario, city: City) -> Iterator[tuple[Place, str, Sequence[str]]]:
    """Everything of a city that a scenario names: where, what, and what there is."""
    devices = [each.dev_eui for asset in city.assets.values() for each in asset.devices]
    fractions = [str(each.properties.get("fraction", "")) for each in _of_kind(city, "container")]
    detectors = [each.id for each in _of_kind(city, "detector")]
    known = {
        "assets": list(city.assets),
        "to": detectors,
        "devices": devices,
        "models": sorted({each.model for asset in city.assets.values() for each in asset.devices}),
        "gateways": [each.id for each in _of_kind(city, "gateway")],
        "fractions": fractions,
    }
    by_kind = {
        "traffic": detectors,
        "incident": detectors,
        "parking": [each.id for each in _of_kind(city, "lot")],
    }
    for name in SECTIONS:
        for number, section in enumerate(getattr(scenario, name)):
            for key, there_are in known.items():
                for given in getattr(section, key, ()):
                    yield (name, number, key), given, by_kind.get(name, there_are) if key == "assets" else there_are


def _of_kind(city: City, kind: str) -> list[Asset]:
    return [asset for asset in city.assets.values() if asset.kind == kind]


def _wrong(source: str, lines: Mapping[Place, int], place: Sequence[str | int], text: str) -> SimulatorError:
    named = ".".join(str(part) for part in place if isinstance(part, str))
    return SimulatorError(f"scenario {source}, line {line_of(place, lines)}: {named or 'the file'}: {text}")


def _said(error: ErrorDetails) -> str:
    """Pydantic's message, for an unknown key with the nearest known one."""
    if error["type"] != UNKNOWN_KEY:
        return f"{error['msg'].removeprefix('Value error, ')}"
    *around, key = error["loc"]
    section: type[Section] = SECTIONS.get(str(around[0]), Scenario) if around else Scenario
    known = [field.alias or name for name, field in section.model_fields.items()]
    begun = [name for name in known if name.startswith(str(key))]
    near = begun or get_close_matches(str(key), known, n=1, cutoff=0.3)
    return f"no key is called {key!r}, " + (f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}")

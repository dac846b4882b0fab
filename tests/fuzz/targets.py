"""The table of everything that is fuzzed."""

from collections.abc import Mapping

from tests.fuzz import chain, cities, codecs, configuration, events, lines
from tests.fuzz.target import Target

TARGETS: tuple[Target, ...] = (
    *events.TARGETS,
    *codecs.TARGETS,
    *lines.TARGETS,
    *configuration.TARGETS,
    *cities.TARGETS,
    *chain.TARGETS,
)
BY_NAME: Mapping[str, Target] = {target.name: target for target in TARGETS}

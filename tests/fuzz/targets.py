"""The table of everything that is fuzzed."""

from collections.abc import Mapping

from tests.fuzz import (
    answers,
    chain,
    cities,
    codecs,
    configuration,
    events,
    feedback,
    feeds,
    lines,
    objects,
    repositories,
    scripts,
)
from tests.fuzz.target import Target

TARGETS: tuple[Target, ...] = (
    *events.TARGETS,
    *codecs.TARGETS,
    *lines.TARGETS,
    *configuration.TARGETS,
    *cities.TARGETS,
    *answers.TARGETS,
    *feedback.TARGETS,
    *feeds.TARGETS,
    *objects.TARGETS,
    *scripts.TARGETS,
    *repositories.TARGETS,
    *chain.TARGETS,
)
BY_NAME: Mapping[str, Target] = {target.name: target for target in TARGETS}

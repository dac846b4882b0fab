"""What is known of a container: from its sensor's words and what crews report, by the same steps as the rule's."""

from typing import NamedTuple

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.rule import Observation
from rules.waste.due_config import ContainerConfig
from rules.waste.fill import EMPTY, FULL, Fill, served, take
from rules.waste.forecast import History, learn

CREW = "crew"


class Known(NamedTuple):
    """What a policy may go by; `known_ms` is when the container was put up, as far as anybody knows."""

    known_ms: int
    fill: Fill = Fill()
    history: History = History()


def heard(config: ContainerConfig, known: Known, time_ms: int, level: float) -> Known:
    """A word of the sensor, in % of the volume."""
    readings = (Reading(Quantity.FILL_LEVEL, min(FULL, max(EMPTY, round(level)))),)
    fill, change = take(config.fill, known.fill, Observation("", "", "", time_ms, time_ms, readings, "", time_ms))
    if change == "nothing" or fill.level is None or config.forecast is None:
        return known._replace(fill=fill)
    fresh, moved = change == "emptied", change == "moved"
    history = learn(config.forecast, known.history, fill.measured_ms, fill.level, fresh=fresh, moved=moved)
    return known._replace(fill=fill, history=history)


def emptied(config: ContainerConfig, known: Known, time_ms: int) -> Known:
    """The crew reports that it emptied the container."""
    fill, change = served(config.fill, known.fill, time_ms, CREW)
    if change != "emptied" or config.forecast is None:
        return known._replace(fill=fill)
    return known._replace(fill=fill, history=learn(config.forecast, known.history, time_ms, None, fresh=True))

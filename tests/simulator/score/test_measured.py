"""What models are said to measure is what they do measure in the city."""

from random import Random

import pytest

from rules.asset import Asset
from simulator.models import SENSORS
from simulator.score.kinds import KINDS, POLLUTANTS
from simulator.score.measured import MEASURED, measured
from simulator.sensor import Surroundings
from simulator.world import Calendar

ALERTED = {quantity for kind in KINDS for quantity in kind.needs} | {"o3", *POLLUTANTS}


@pytest.mark.parametrize("model", sorted(SENSORS))
def test_each_model(model: str) -> None:
    """Of what alerts stand on a model measures what the table says, no less and no more."""
    noon = Calendar("Europe/Berlin").at(1_784_196_000_000)
    sensor = SENSORS[model](Surroundings(Random(1), noon), Asset("a", "station", "", {}, (), 7.8, 51.7))
    frame = sensor.report(noon, 3600, 1.0)
    said = {reading.quantity.field for reading in frame.readings}
    alerted = (
        ALERTED if model.startswith(("decentlab", "elsys", "seeed", "synetica", "milesight/em500", "pmx")) else set()
    )
    assert MEASURED.get(model, frozenset()) & ALERTED == said & alerted
    assert MEASURED.get(model, frozenset()) <= said


def test_models_together() -> None:
    """A station with several devices measures what any of them does; unknown models measure nothing."""
    assert measured(["decentlab/dl-pm", "synetica/enlink", "acme/none"]) >= {"pm10", "no2"}
    assert measured(["acme/none"]) == measured([]) == frozenset()

"""The event of planned tours."""

import pytest
from pydantic import ValidationError

from ingest.events_example import example
from rules.event_route import RoutePlanned

MADE = example(RoutePlanned.model_json_schema(), {})


def with_data(**data: object) -> RoutePlanned:
    """The example with these data."""
    return RoutePlanned.model_validate({**MADE, "data": {**MADE["data"], **data}})


def test_a_tour_is_retained_on_the_topic_of_its_vehicle() -> None:
    """One topic a vehicle, whatever its id; it makes nothing act by itself."""
    event = RoutePlanned.model_validate({**MADE, "subject": "truck/1"})
    assert event.topic == "stadtfunk/v1/waste/vehicle/truck%2F1/route"
    assert (event.retained, event.acting) == (True, False)
    assert RoutePlanned.model_validate_json(event.payload()) == event


@pytest.mark.parametrize("left", ["departs", "duration", "halts"])
def test_without_a_routing_engine_no_time_is_promised(left: str) -> None:
    """Start, duration and arrivals are null where nobody knows the streets; each alone is refused."""
    halts = [{**halt, "arrival": None} for halt in MADE["data"]["halts"]]
    silent = {"drivable": False, "departs": None, "duration": None, "halts": halts}
    assert with_data(**silent).data.halts[0].arrival is None
    with pytest.raises(ValidationError, match="not drivable"):
        with_data(**{**silent, left: MADE["data"][left]})

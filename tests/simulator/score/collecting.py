"""A town with a truck and containers whose sensors look into them, for plays in which tours empty them."""

from rules.city import City
from rules.event_route import RoutePlanned
from simulator.stage import Heard
from tests.rules.waste.route.cities import DAY_MS, MONDAY, Feature, container, depot, document, feature, site, vehicle

TRUCK = "truck-1"
BINS = ("bin-0", "bin-1")
NS_PER_MS = 1_000_000
NIGHT_NS = MONDAY * NS_PER_MS
HOUR_NS = 3_600_000 * NS_PER_MS
DAY_NS = DAY_MS * NS_PER_MS


def town(*more: Feature) -> str:
    """A gateway amid two containers for paper that are watched, with a truck for them."""
    bins = (
        container(
            name,
            (7.81 + number / 100, 51.68),
            depth_mm=1500,
            devices=[{"dev_eui": f"025354464b0000{number:02x}", "model": "milesight/em400-mud", "interval_s": 3600}],
        )
        for number, name in enumerate(BINS)
    )
    return document(feature("gateway", "gateway", (7.83, 51.68)), depot(), site(), vehicle(TRUCK), *bins, *more)


def place(*more: Feature) -> City:
    """The town."""
    return City.parse(town(*more))


def heard(event: RoutePlanned) -> Heard:
    """What is said of a tour."""
    return Heard(event.topic, event.model_dump_json().encode())

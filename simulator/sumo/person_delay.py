"""What people lose on their way: delay per person, stops, throughput, and how long pedestrians wait."""

from collections.abc import Iterable, Iterator, Mapping
from math import fsum
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

MOTORS = frozenset({"car", "truck", "bus"})
HOUR_S = 3600


class Outcome(NamedTuple):
    """What a run came to, of all people who set out in its counted span.

    Delays in s per person (None where nobody travelled so): time lost against free travel, waiting to enter the road
    included. `stops` per motor vehicle, `throughput_vph` arrivals of motor vehicles an hour, `switches_per_hour` of
    plans, `pedestrians_p95_wait_s` the time on foot without moving that 19 of 20 do not exceed; `persons` is how many
    set out.
    """

    person_delay_s: float
    car_delay_s: float | None
    bus_delay_s: float | None
    pedestrian_delay_s: float | None
    cyclist_delay_s: float | None
    stops: float
    throughput_vph: float
    switches_per_hour: float
    pedestrians_p95_wait_s: float
    persons: float


class Trip(NamedTuple):
    """Somebody's way: kind (`car`, `truck`, `bus`, `bicycle`, `walk`), when it should have begun, and what it cost.

    `lost_s` is the time lost against free travel, `stood_s` the part of it without moving, `arrived_s` None where the
    way did not end.
    """

    kind: str
    begin_s: float
    lost_s: float
    stood_s: float
    stops: int
    arrived_s: float | None


def outcome(trips: Iterable[Trip], persons: Mapping[str, float], span_s: tuple[float, float], switches: int) -> Outcome:
    """What the trips that began in the span came to; `persons` is how many travel together, by kind (else one)."""
    begin_s, end_s = span_s
    counted = [trip for trip in trips if trip.begin_s >= begin_s]
    motors = [trip for trip in counted if trip.kind in MOTORS]
    hours = (end_s - begin_s) / HOUR_S or 1.0
    weights = [(persons.get(trip.kind, 1.0), trip) for trip in counted]
    total = fsum(weight for weight, _ in weights)
    lost_s = fsum(weight * trip.lost_s for weight, trip in weights)
    return Outcome(
        person_delay_s=lost_s / total if total else 0.0,
        car_delay_s=_mean(counted, "car", "truck"),
        bus_delay_s=_mean(counted, "bus"),
        pedestrian_delay_s=_mean(counted, "walk"),
        cyclist_delay_s=_mean(counted, "bicycle"),
        stops=sum(trip.stops for trip in motors) / len(motors) if motors else 0.0,
        throughput_vph=sum(trip.arrived_s is not None for trip in motors) / hours,
        switches_per_hour=switches / hours,
        pedestrians_p95_wait_s=_quantile([trip.stood_s for trip in counted if trip.kind == "walk"], 0.95),
        persons=total,
    )


def read_trips(path: Path, end_s: float) -> Iterator[Trip]:
    """The trips in a SUMO `tripinfo` file, also those that had not begun or ended when the run did, at `end_s`."""
    for _, element in ET.iterparse(path):  # noqa: S314 - our own simulation wrote it
        if element.tag == "tripinfo":
            yield _ride(element.attrib, end_s)
        elif element.tag == "personinfo":
            walk = element.find("walk")
            if walk is not None:
                yield _walk(element.attrib, walk.attrib)


def _ride(told: Mapping[str, str], end_s: float) -> Trip:
    depart_s, waited_s, arrival_s = float(told["depart"]), float(told["departDelay"]), float(told["arrival"])
    begin_s = (depart_s if depart_s >= 0 else end_s) - waited_s
    lost_s = waited_s + (float(told["timeLoss"]) if depart_s >= 0 else 0.0)
    kind = told["vType"].partition("@")[0]
    stood_s = float(told["waitingTime"]) if depart_s >= 0 else 0.0
    return Trip(kind, begin_s, lost_s, stood_s, int(told["waitingCount"]), arrival_s if arrival_s >= 0 else None)


def _walk(told: Mapping[str, str], walk: Mapping[str, str]) -> Trip:
    begin_s, arrival_s = float(told["depart"]), float(walk["arrival"])
    lost_s, stood_s = float(walk["timeLoss"]), float(walk["waitingTime"])
    return Trip("walk", begin_s, lost_s, stood_s, 0, arrival_s if arrival_s >= 0 else None)


def _mean(trips: Iterable[Trip], *kinds: str) -> float | None:
    lost = [trip.lost_s for trip in trips if trip.kind in kinds]
    return sum(lost) / len(lost) if lost else None


def _quantile(values: list[float], share: float) -> float:
    """The smallest value that this share does not exceed; 0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]

"""From the city file to its gateways and devices."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random
from statistics import fmean
from typing import NamedTuple
from uuid import UUID

from decoders import catalog
from decoders.error import UnknownCodec
from decoders.simulated import SIMULATED_PREFIX, SIMULATED_TAG
from rules.city import Asset, Assignment, City
from simulator.chirpstack import Identity
from simulator.device import Device, Site
from simulator.devices.forms import figures, forms
from simulator.devices.spaces import sensor_of
from simulator.error import SimulatorError
from simulator.faults import UNKNOWN_PROFILE
from simulator.models import SENSORS
from simulator.radio import Gateway, Link
from simulator.scenario.script import Script
from simulator.sensor import Sensor, Surroundings
from simulator.truth import Fact
from simulator.world import Calendar, Moment

FIRST_COPY = 0x100000
LAST_COPY = 0xEFFFFF
UNKNOWN_NUMBER = 0xF00000
UNKNOWN_INTERVAL_S = 120.0
DEFAULT_INTERVAL_S = 600.0
SPREAD_DEGREES = 0.01
ANTENNA_M = 30.0
LOT = "lot"


class Place(NamedTuple):
    """A device's place: codec id, interval in s, position in degrees; `tagged` with the asset or a copy.

    A generic one says what its model can, not what the city is, but for the space of a lot.
    `asset` has the properties that the file gives the device, too.
    """

    dev_eui: str
    model: str
    asset: Asset
    interval_s: float
    latitude: float
    longitude: float
    tagged: bool
    generic: bool = False


def gateways(city: City) -> tuple[Gateway, ...]:
    """The gateways of the city file; raises SimulatorError when there are none."""
    found = tuple(
        Gateway(
            str(asset.properties.get("gateway_id", asset.id)),
            asset.latitude,
            asset.longitude,
            asset.number("antenna_height_m", ANTENNA_M, low=1, high=500),
        )
        for asset in city.assets.values()
        if asset.kind == "gateway"
    )
    if not found:
        raise SimulatorError("the city file has no gateway: expected a feature of kind `gateway`")
    return found


def places(city: City, count: int | None, rng: Random) -> list[Place]:
    """The first `count` devices of the city in the order of the file; beyond its number, copies scattered around.

    Copies have DevEUIs of their own and belong to no asset, so that no lot holds more cars than spaces.
    """
    found = [place for asset in city.assets.values() for place in _of_asset(asset)]
    if not found:
        raise SimulatorError("the city file has no device that can be simulated")
    if count is None or count <= len(found):
        return found[:count]
    if count - len(found) > LAST_COPY - FIRST_COPY:
        raise SimulatorError(
            f"{count} devices are too many: the reserved range has {LAST_COPY - FIRST_COPY} for copies"
        )
    return found + [_copy(found[number % len(found)], number, rng) for number in range(count - len(found))]


def _of_asset(asset: Asset) -> Iterator[Place]:
    for assignment in asset.devices:
        generic = assignment.model not in SENSORS
        if generic:
            _can_be_played(asset, assignment)
        if not assignment.dev_eui.startswith(SIMULATED_PREFIX):
            raise SimulatorError(
                f"feature {asset.id!r}: device {assignment.dev_eui} is outside the range of simulated devices, "
                f"expected {SIMULATED_PREFIX}……"
            )
        interval = assignment.properties.get("interval_s", DEFAULT_INTERVAL_S)
        if isinstance(interval, bool) or not isinstance(interval, int | float) or not interval > 0:
            raise SimulatorError(
                f"feature {asset.id!r}: interval_s of {assignment.dev_eui} is {interval!r}, expected seconds above 0"
            )
        told = replace(asset, properties={**asset.properties, **assignment.properties})
        yield Place(
            assignment.dev_eui,
            assignment.model,
            told,
            interval,
            asset.latitude,
            asset.longitude,
            tagged=True,
            generic=generic,
        )


def _can_be_played(asset: Asset, assignment: Assignment) -> None:
    """Raises SimulatorError for a model that the catalog does not know or has no frames of."""
    try:
        catalog.codec(assignment.model)
        forms(assignment.model)
    except (UnknownCodec, SimulatorError) as error:
        raise SimulatorError(f"feature {asset.id!r}: device {assignment.dev_eui}: {error}") from error


def _copy(original: Place, number: int, rng: Random) -> Place:
    return original._replace(
        dev_eui=f"{SIMULATED_PREFIX}{FIRST_COPY + number:06x}",
        latitude=original.latitude + rng.uniform(-SPREAD_DEGREES, SPREAD_DEGREES),
        longitude=original.longitude + rng.uniform(-SPREAD_DEGREES, SPREAD_DEGREES),
        tagged=False,
    )


class Builder:
    """Makes devices that share one world."""

    def __init__(
        self,
        rng: Random,
        calendar: Calendar,
        start: Moment,
        heard_by: tuple[Gateway, ...],
        script: Script | None = None,
    ) -> None:
        self._rng = rng
        self._calendar = calendar
        self._gateways = heard_by
        centre = fmean(each.latitude for each in heard_by), fmean(each.longitude for each in heard_by)
        self._around = Surroundings(rng, start, script, centre)
        self._elsewhere = self._around.elsewhere()

    @property
    def facts(self) -> list[Fact]:
        """What is true of the assets whose devices were made."""
        return self._around.facts

    def empty(self, asset_id: str, now: Moment) -> bool:
        """A container is emptied now; False where no sensor looks into one of that name."""
        return self._around.empty(asset_id, now)

    def device(self, place: Place) -> Device:
        """The device at a place."""
        tags = {SIMULATED_TAG: "true", "codec": place.model}
        if place.tagged:
            tags["asset"] = place.asset.id
        if place.asset.district:
            tags["district"] = place.asset.district
        codec = catalog.codec(place.model)
        if place.generic:
            tags |= {name: str(figure) for name, figure in figures(codec).items()}
        profile = f"{codec.vendor} {place.model.rpartition('/')[2]}"
        return self._device(place, profile, codec.family.value, tags)

    def unknown(self, near: Sequence[Place]) -> Device:
        """A device whose profile no codec is set for."""
        place = near[0]._replace(
            dev_eui=f"{SIMULATED_PREFIX}{UNKNOWN_NUMBER:06x}", interval_s=UNKNOWN_INTERVAL_S, tagged=False
        )
        return self._device(place, UNKNOWN_PROFILE, "unknown", {SIMULATED_TAG: "true"})

    def _device(self, place: Place, profile: str, application: str, tags: dict[str, str]) -> Device:
        identity = Identity(
            place.dev_eui,
            f"{place.model.rpartition('/')[2]}-{place.dev_eui[-6:]}",
            profile,
            _fixed_id(profile),
            application,
            _fixed_id(application),
            tags,
        )
        sensor = self._sensor(place)
        link = Link(self._rng, self._gateways, place.latitude, place.longitude, sensor.extra_loss_db)
        return Device(
            identity, catalog.codec(place.model), sensor, place.interval_s, Site(self._rng, self._calendar, link)
        )

    def _sensor(self, place: Place) -> Sensor:
        around = self._around if place.tagged else self._elsewhere
        if not place.generic:
            return SENSORS[place.model](around, place.asset)
        return sensor_of(place.model, around if place.asset.kind == LOT else self._elsewhere, place.asset)


def _fixed_id(name: str) -> str:
    """The same UUID for the same name."""
    return str(UUID(bytes=hashlib.sha256(name.encode()).digest()[:16], version=4))

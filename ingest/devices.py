"""What the service knows of each device: its codec, its parameters, its privacy class, the names of its series."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import isfinite

from decoders.error import UnknownCodec
from decoders.javascript import ScriptCodec
from decoders.mapping import ObjectCodec
from decoders.measurement import Measurement
from decoders.quantity import Privacy, Quantity
from decoders.uplink import Device, Uplink
from ingest.codecs.folder import AnyCodec, Library
from ingest.dead_letter import Reason
from ingest.fleet.assignments import Assignments
from ingest.journal_records import Assigned, Stay
from ingest.series import DeviceTags
from ingest.settings import Settings
from rules.city import NO_PARAMETERS, Asset, City
from rules.condition import Plan
from rules.device.record import About

REMEMBERED = 10_000
FIELDS = {quantity: f"{quantity.field}=" for quantity in Quantity}
DEVICE = "device"
LINK = "link"
Home = tuple[str, Privacy]
"""The Influx measurement of a reading, and whose eyes it is for."""


class Series:
    """The line protocol prefix of one series, and whose eyes its lines are for."""

    __slots__ = ("prefix", "privacy")

    def __init__(self, prefix: str, privacy: Privacy) -> None:
        self.prefix = prefix
        self.privacy = privacy


class Place:
    """The names of a device's series while it belongs to one asset; `slots` are those that readings had so far."""

    __slots__ = ("_family", "_known", "_privacy", "_tags", "about", "asset", "link", "slots", "stays")

    def __init__(self, device: Device, model: str, family: str, privacy: Privacy, asset: Asset | None) -> None:
        self.asset = asset
        self.slots: dict[tuple[Quantity, str], tuple[Series, str]] = {}
        self.about = About(
            device.name,
            model,
            device.application,
            asset.id if asset else "",
            (asset.district if asset else "") or device.tags.get("district", ""),
            device.tags.get("asset", ""),
            privacy,
        )
        self.stays: tuple[Stay, ...] = (Stay(0, self.about.asset, self.about.district),)
        self._family = family
        self._privacy = privacy
        self._tags = DeviceTags(device.dev_eui, self.about)
        self._known: dict[tuple[Home, str], Series] = {}
        self.link = self._tags.series(LINK)

    def series(self, measurement: str, channel: str = "") -> str:
        """The escaped prefix of one series."""
        return self._tags.series(measurement, channel)

    def slot(self, quantity: Quantity, channel: str) -> tuple[Series, str]:
        """The series of a reading and the beginning of its field; a quantity's name needs no escaping."""
        home = _home(quantity, self._family, self._privacy)
        found = self._known.get((home, channel))
        if found is None:
            name, privacy = home
            found = self._known[home, channel] = Series(self._tags.series(name, channel), privacy)
        slot = self.slots[quantity, channel] = found, FIELDS[quantity]
        return slot


class Route:
    """How one device's uplinks are read and named; valid as long as the network server says the same of it.

    `plan` is how its readings are conditioned, with the parameters that it was made for.
    """

    __slots__ = (
        "_places",
        "codec",
        "device",
        "family",
        "parameters",
        "plan",
        "privacy",
        "problem",
        "reason",
        "self_privacy",
    )

    def __init__(
        self,
        device: Device,
        codec: AnyCodec | None,
        problem: str,
        privacy: Privacy,
        reason: Reason = Reason.UNKNOWN_PROFILE,
    ) -> None:
        self.device = device
        self.codec = codec
        self.family = codec.family.value if codec else ""
        self.problem = problem
        self.reason = reason
        self.privacy = privacy
        self.self_privacy = own_privacy(privacy)
        self.parameters: Mapping[str, float] = tag_parameters(device.tags)
        self.plan: tuple[Mapping[str, float], Plan] | None = None
        self._places: dict[str | None, Place] = {}

    def measurements(self, codec: AnyCodec, uplink: Uplink, city: City) -> tuple[Measurement, ...]:
        """What an uplink of this device says, newest first; raises DecodeError.

        Codecs that want figures of the device find them in the city's file, or else among its tags; a vendor's script
        gets all of both as its variables.
        """
        f_port, payload, time_ms = uplink.f_port, uplink.payload, uplink.time_ms
        if isinstance(codec, ObjectCodec):
            return codec.read(uplink.decoded, time_ms)
        if isinstance(codec, ScriptCodec):
            return codec.decode(f_port, payload, time_ms, {**uplink.device.tags, **self._of_city(city, time_ms)})
        if not codec.parameters:
            return codec.decode(f_port, payload, time_ms, NO_PARAMETERS)
        return codec.decode(f_port, payload, time_ms, {**self.parameters, **self._of_city(city, time_ms)})

    def _of_city(self, city: City, time_ms: int) -> Mapping[str, float]:
        return city.parameters(self.device.dev_eui, time_ms, self.device.tags.get("asset"))

    def place(self, asset: Asset | None) -> Place:
        """The names of this device's series at this asset."""
        key = asset.id if asset else None
        known = self._places.get(key)
        if known is None or known.asset is not asset:
            model = self.codec.id if self.codec else self.device.profile
            known = self._places[key] = Place(self.device, model, self.family or DEVICE, self.privacy, asset)
        return known


class Devices:
    """Routes by device, made once and remembered until the library of codecs changes."""

    def __init__(
        self, settings: Settings, city: City, assignments: Assignments | None = None, library: Library | None = None
    ) -> None:
        self.city = city
        self.assignments = assignments or Assignments()
        self.library = library or Library(settings.codecs)
        self._generation = self.library.generation
        self._profiles = self.library.profiles
        self._applications = {name: Privacy[word.upper()] for name, word in settings.privacy.applications.items()}
        self._has_purpose = settings.privacy.has_purpose
        self._routes: dict[str, Route] = {}

    def route(self, device: Device) -> Route:
        """The route of this device as the network server describes it now."""
        if self._generation != self.library.generation:
            self._generation, self._profiles = self.library.generation, self.library.profiles
            self._routes.clear()
        route = self._routes.get(device.dev_eui)
        if route is None or route.device != device:
            if len(self._routes) >= REMEMBERED:
                self._routes.clear()
            route = self._routes[device.dev_eui] = self._new_route(device)
        return route

    def asset(self, device: Device, time_ms: int, fresh: Sequence[Assigned] = ()) -> Asset | None:
        """Where the device was at that time; `fresh` are changed tags that are not in force yet."""
        name = self.assignments.place(device.dev_eui, time_ms, device.tags.get("asset"), fresh)
        return self.city.asset_of(device.dev_eui, time_ms, name)

    def _new_route(self, device: Device) -> Route:
        name = device.tags.get("codec") or self._profiles.get(device.profile)
        application = self._applications.get(device.application, Privacy.OPEN)
        if name is None:
            problem = f"no codec for device profile {device.profile!r}: set codecs.profiles or the tag `codec`"
            return Route(device, None, problem, application)
        try:
            codec = self.library.codec(name)
        except UnknownCodec as error:
            return Route(device, None, f"device profile {device.profile!r}: {error}", application)
        privacy = max(application, codec.privacy)
        if codec.privacy is Privacy.PERSONAL and not self._has_purpose(codec.id):
            return Route(device, None, no_purpose(codec.id), privacy, Reason.NO_PURPOSE)
        return Route(device, codec, "", privacy)


def no_purpose(codec_id: str) -> str:
    """Why a codec of personal data stays off, and what turns it on."""
    vendor = codec_id.rpartition("/")[0]
    return f"codec {codec_id} reads personal data: set privacy.purpose for {codec_id!r} or '{vendor}/*'"


def join_stay(stays: tuple[Stay, ...], time_ms: int, place: Place) -> tuple[Stay, ...]:
    """The stays with another: a measurement of that time belongs elsewhere than the ones after it."""
    later = [stay for stay in stays if stay.from_ms > time_ms] or [stays[-1]._replace(from_ms=time_ms + 1)]
    earlier = [stay for stay in stays[:-1] if stay.from_ms <= time_ms]
    return (*earlier, Stay(time_ms, place.about.asset, place.about.district), *later)


@lru_cache(4096)
def _home(quantity: Quantity, family: str, privacy: Privacy) -> Home:
    if quantity.diagnostic:
        return DEVICE, max(own_privacy(privacy), quantity.privacy)
    return family, max(privacy, quantity.privacy)


def own_privacy(privacy: Privacy) -> Privacy:
    """The privacy class of what a device says of itself, given that of what it measures."""
    return max(Privacy.INTERNAL, privacy)


def tag_parameters(tags: Mapping[str, str]) -> dict[str, float]:
    """The tags that are numbers: codecs take a device's figures (range, height) from them."""
    return {key: number for key, text in tags.items() if (number := _number(text)) is not None}


@lru_cache(8192)
def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None

"""What rules concluded, as points of the Influx measurement `event`: words for people, and queries for annotations.

One point an event: tags asset, district and channel (the rule, and what it says beside its main matter), device or
gateway where it is about one; fields `id`, `kept` (as the mode has it), `status`, `text_de`, `text_en`, for alerts
`alert_level`, for a city's own conditions `severity`, for tours `distance_m`, `stops` and `saved_m`. Figures are no
news: what `TrafficMeasured` and `LotState` say stands in `asset`.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from decoders.quantity import Privacy
from ingest.journal_records import EventRow
from ingest.line_protocol import line, series
from rules.asset import Asset
from rules.event import DeviceHealth, Event, LotState, NetworkHealth
from rules.event_custom import CustomCondition, DownlinkReported, DownlinkRequested
from rules.event_environment import EnvironmentalAlert
from rules.event_parking import GuidanceHealth, SensorSuspicion
from rules.event_route import RoutePlanned
from rules.event_traffic import ControlHealth, TrafficMeasured
from rules.event_waste import ContainerDue
from rules.parking.lot_config import MIN_OPEN_SPACES

Words: TypeAlias = tuple[str, str]
"""German and English."""
Assets: TypeAlias = Mapping[str, Asset]
KEPT = {"pending": "active", "waiting": "confirm", "shadow": "shadow"}
"""By the status that an event is kept with; one with another status did not happen for people."""
FIGURES = frozenset({TrafficMeasured, LotState})
SMALL = frozenset({"lot", "space"})
DUE: dict[str, Words] = {
    "over_threshold": ("Leerung fällig", "collection due"),
    "below_threshold": ("nicht mehr fällig", "no longer due"),
    "emptied": ("geleert", "emptied"),
    "silent": ("Sensor stumm", "sensor silent"),
    "forecast_full": ("Leerung fällig, bald voll", "collection due, full soon"),
    "too_long": ("Leerung fällig, lange nicht geleert", "collection due, not emptied for long"),
    "fixed_day": ("Leerung fällig, fester Tag", "collection due, fixed day"),
    "side_waste": ("Leerung fällig, Abfall daneben", "collection due, waste beside it"),
    "never_skip": ("Leerung fällig, auf jeder Tour", "collection due, on every tour"),
    "fixed_cycle": ("Leerung fällig, fester Turnus", "collection due, fixed cycle"),
    "worthwhile": ("Leerung lohnt sich", "collection worthwhile"),
    "skipped": ("Leerung fällig, auf der Tour ausgelassen", "collection due, left out on a tour"),
}
PROBLEMS: dict[str, Words] = {
    "silent": ("stumm", "silent"),
    "battery_low": ("Batterie schwach", "battery low"),
    "link_weak": ("Funkverbindung schwach", "link weak"),
    "f_cnt_reset": ("Zähler neu begonnen", "counter restarted"),
    "clock_implausible": ("Uhr geht falsch", "clock wrong"),
}
WELL: Words = ("wieder in Ordnung", "all right again")
NETWORK: Words = ("Funknetz stumm", "network silent")
GATEWAY: Words = ("Gateway stumm", "gateway silent")


class About(NamedTuple):
    """Device or gateway that an event is about; empty where it is about none."""

    dev_eui: str = ""
    device: str = ""
    model: str = ""
    gateway: str = ""


NOTHING = About()


class Said(NamedTuple):
    """What a point says of an event.

    `beside` is added to the rule where it is not its main matter; `weight` are further fields, as a line has them.
    """

    asset: str
    status: str
    words: Words
    about: About = NOTHING
    weight: str = ""
    beside: str = ""
    internal: bool = False


def point_of(event: Event, row: EventRow, assets: Assets) -> tuple[Privacy, str] | None:
    """The line of an event that is kept as this row, and whose eyes it is for; None for one that has none."""
    kept, kind = KEPT.get(row.status), type(event)
    if kept is None or kind in FIGURES:
        return None
    said = SAID.get(kind, _usual)(event)
    asset = assets.get(said.asset)
    prefix = _prefix(event.data.rule, said.beside, said.asset, asset.district if asset else "", said.about)
    german, english = said.words
    written = (
        f'{prefix} id="{row.id}",kept="{kept}",status="{said.status}",text_de="{_quotable(german)}",'
        f'text_en="{_quotable(english)}"{said.weight} {row.time_ms}'
    )
    return _privacy(said, asset), written


def _quotable(text: str) -> str:
    """The text as a line has it between quotation marks; nearly always it is that already."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return text
    written = line("e", (("t", text),), 0) or 'e t="" 0'
    return written[len('e t="') : -len('" 0')]


def _privacy(said: Said, asset: Asset | None) -> Privacy:
    """Of single cars, spaces and devices nothing leaves."""
    if said.internal:
        return Privacy.INTERNAL
    if asset is None or asset.kind not in SMALL:
        return Privacy.OPEN
    capacity = asset.properties.get("capacity", 0)
    large = isinstance(capacity, int | float) and capacity >= MIN_OPEN_SPACES
    return Privacy.OPEN if large else Privacy.INTERNAL


@lru_cache(8192)
def _prefix(rule: str, beside: str, asset: str, district: str, about: About) -> str:
    tags = {"channel": rule + beside, "asset": asset, "district": district, **about._asdict()}
    return series("event", tags.items())


# -- by type ----------------------------------------------------------------------------------------------------------


def _usual(event: Event) -> Said:
    """An event with words of its own, or named by its type."""
    data, name = event.data, event.type.removeprefix("city.stadtfunk.")
    status: str = "requested" if event.acting else getattr(data, "status", "") or getattr(data, "state", "said")
    return Said(event.subject, status, (getattr(data, "text_de", name), getattr(data, "text_en", name)))


def _alert(event: EnvironmentalAlert) -> Said:
    data = event.data
    weight = f",alert_level={data.level}"
    return Said(event.subject, data.status, (data.text_de, data.text_en), weight=weight)


def _condition(event: CustomCondition) -> Said:
    data = event.data
    return Said(event.subject, data.status, (data.text_de, data.text_en), weight=f',severity="{data.severity}"')


def _request_health(event: ControlHealth | GuidanceHealth) -> Said:
    return _usual(event)._replace(beside="/health")


def _suspicion(event: SensorSuspicion) -> Said:
    return _usual(event)._replace(internal=True)


def _container(event: ContainerDue) -> Said:
    return Said(event.subject, "due" if event.data.due else "ok", DUE[event.data.reason])


def _tour(event: RoutePlanned) -> Said:
    stops = sum(halt.kind == "stop" for halt in event.data.halts)
    weight = f",distance_m={event.data.distance},stops={stops}"
    if event.data.fixed_distance is not None:
        weight += f",saved_m={event.data.fixed_distance - event.data.distance}"
    return _usual(event)._replace(weight=weight)


def _device(event: DeviceHealth) -> Said:
    data = event.data
    told = [PROBLEMS[problem] for problem in data.problems]
    words = (", ".join(german for german, _ in told), ", ".join(english for _, english in told)) if told else WELL
    about = About(event.subject, data.device, data.model)
    return Said(data.asset or "", data.state, words, about, internal=True)


def _network(event: NetworkHealth) -> Said:
    silent = NETWORK if event.subject == "all" else GATEWAY
    words = WELL if event.data.state == "ok" else silent
    return Said("", event.data.state, words, About(gateway=event.subject), internal=True)


def _downlink(event: DownlinkRequested) -> Said:
    data = event.data
    size, port = len(data.payload) // 2, data.f_port
    words = (f"Downlink: {size} Byte an Port {port}", f"downlink: {size} bytes to port {port}")
    return Said(event.subject, "requested", words, About(data.dev_eui), beside="/downlink", internal=True)


def _reported(event: DownlinkReported) -> Said:
    data = event.data
    words = (f"Downlink: {data.status} {data.reason}", f"downlink: {data.status} {data.reason}")
    return Said(event.subject, data.status, words, About(data.dev_eui), internal=True)


SAID: dict[type[Event], Callable[[Any], Said]] = {
    EnvironmentalAlert: _alert,
    CustomCondition: _condition,
    ControlHealth: _request_health,
    GuidanceHealth: _request_health,
    SensorSuspicion: _suspicion,
    ContainerDue: _container,
    RoutePlanned: _tour,
    DeviceHealth: _device,
    NetworkHealth: _network,
    DownlinkRequested: _downlink,
    DownlinkReported: _reported,
}
"""What an event of a type says; each function takes the type it stands beside. By type, for isinstance costs more."""

"""ChirpStack's events other than uplinks, as lines: health under `device`, what happened under `event`."""

from collections.abc import Iterable

from ingest.chirpstack import AckEvent, Event, JoinEvent, LocationEvent, LogEvent, StatusEvent, TxAckEvent
from ingest.devices import Route
from ingest.line_protocol import line
from rules.city import Asset

Fields = Iterable[tuple[str, float | str]]


def event_line(event: Event, route: Route, asset: Asset | None) -> str | None:
    """The line of one event; its channel is the kind of event, so that two of one instant keep apart."""
    measurement, channel, fields = _fields(event)
    return line(route.place(asset).series(measurement, channel), fields, event.time_ms)


def _fields(event: Event) -> tuple[str, str, Fields]:
    match event:
        case StatusEvent():
            return "device", "", _status(event)
        case LocationEvent(location=place):
            fields = (("latitude", place.latitude), ("longitude", place.longitude), ("altitude", place.altitude))
            return "device", "", fields
        case JoinEvent():
            return "event", "join", (("text", f"joined with address {event.dev_addr}"),)
        case AckEvent():
            word = "acknowledged" if event.acknowledged else "not acknowledged in time"
            return "event", "ack", (("text", f"downlink {event.queue_item_id} {word}"), ("f_cnt", event.f_cnt_down))
        case TxAckEvent():
            text = f"gateway {event.gateway_id} took downlink {event.queue_item_id}"
            return "event", "txack", (("text", text), ("f_cnt", event.f_cnt_down))
        case LogEvent():
            return "event", "log", (("level", event.level), ("code", event.code), ("text", event.description))
        case _:
            raise TypeError(f"no line for {type(event).__name__}")


def _status(event: StatusEvent) -> Fields:
    yield "link_margin", event.margin
    yield "external_power", float(event.external_power_source)
    if event.battery_level is not None:
        yield "battery_level", event.battery_level

"""An uplink as the fleet hears it: what its radio, its readings and its device's tags say of the device."""

from collections.abc import Iterable, Sequence

from decoders.measurement import Measurement
from decoders.quantity import Quantity
from decoders.uplink import Reception, Uplink
from ingest.devices import Place, Route
from ingest.fleet.fleet import Fleet
from rules.condition_entry import Entries
from rules.device.hearing import SNR_FLOOR_DB, Heard

# NamedTuple's own constructor costs twice this one.
new_tuple = tuple.__new__
BATTERY_LEVEL, BATTERY_VOLTAGE = Quantity.BATTERY_LEVEL, Quantity.BATTERY_VOLTAGE


def heard_by(
    fleet: Fleet,
    uplink: Uplink,
    route: Route,
    place: Place,
    best: Reception | None,
    measurements: Sequence[Measurement] | None,
    entries: Entries,
    taken_ms: int,
    application_id: str,
) -> Heard:
    """The uplink for the fleet: `best` is its best copy, `measurements` None when it could not be decoded.

    `entries` are what conditioning remembers now; `taken_ms` is the network server's time, believable or not;
    `application_id` is empty where nobody may command the device.
    """
    ns_time_ms, about, calendar = uplink.ns_time_ms, place.about, fleet.calendar
    level, volts = charge(measurements) if measurements else (None, False)
    newest_ms = uplink.time_ms
    for measurement in measurements or ():
        newest_ms = max(newest_ms, measurement.time_ms)
    gateway, margin_db = "", None
    if best is not None:
        gateway = best.gateway_id
        if uplink.spreading_factor:
            margin_db = best.snr - SNR_FLOOR_DB.get(uplink.spreading_factor, 0.0)
    day = calendar.day_of(ns_time_ms)
    return new_tuple(
        Heard,
        (
            about,
            ns_time_ms,
            day,
            calendar.begin_ms(day),
            uplink.f_cnt,
            uplink.dev_addr,
            gateway,
            margin_db,
            newest_ms - taken_ms,
            level,
            volts,
            route.parameters.get("battery_low_v") if volts else None,
            route.parameters.get("battery_empty_v") if volts else None,
            measurements is not None,
            fleet.counts(uplink.device.dev_eui, about.asset, ns_time_ms),
            entries,
            application_id,
            uplink.data_rate,
        ),
    )


def charge(measurements: Iterable[Measurement]) -> tuple[float | None, bool]:
    """The newest battery level in % or V, and whether it is in V; percent wins where a device reports both."""
    level, volts = None, False
    for measurement in measurements:
        for (quantity, _), value in measurement.pairs():
            if quantity is BATTERY_LEVEL:
                return value, False
            if quantity is BATTERY_VOLTAGE:
                level, volts = value, True
    return level, volts

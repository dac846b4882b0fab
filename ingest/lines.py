"""The lines of an uplink: its radio side, and what its measurements say."""

from decoders.measurement import Measurement
from decoders.quantity import Privacy
from decoders.uplink import Uplink
from ingest.devices import Place, Series
from rules.rule import AHEAD_MS

Lines = dict[Privacy, list[str]]
"""Lines by privacy class; every class has its list."""


def link_line(uplink: Uplink, place: Place) -> str:
    """The radio side of an uplink: best copy's RSSI (dBm) and SNR (dB), gateways, spreading factor, f_cnt, bytes."""
    receptions = uplink.receptions
    radio = ""
    if receptions:
        best = receptions[0]
        for copy in receptions:
            if copy.snr > best.snr:
                best = copy
        radio = f"rssi={best.rssi},snr={best.snr!r},"
    offset_ms = uplink.time_ms - uplink.ns_time_ms
    doubt = "clock_offset_s_quality=1," if offset_ms > AHEAD_MS else ""
    return (
        f"{place.link} {radio}gateways={len(receptions)},spreading_factor={uplink.spreading_factor},"
        f"f_cnt={uplink.f_cnt},payload_bytes={len(uplink.payload)},{doubt}clock_offset_s={offset_ms / 1000!r}"
        f" {uplink.time_ms}"
    )


def write_readings(measurement: Measurement, place: Place, lines: Lines) -> None:
    """Add a line for each series: what the device measured, by channel, and (`device`) what it says of itself.

    An infinity or NaN is never written.
    """
    known = place.slots
    written: dict[Series, str] = {}
    for quantity, value, channel in measurement.readings:
        if value - value != 0.0:
            continue
        series, name = known.get((quantity, channel)) or place.slot(quantity, channel)
        before = written.get(series)
        written[series] = f"{before},{name}{value!r}" if before else f"{name}{value!r}"
    for series, fields in written.items():
        lines[series.privacy].append(f"{series.prefix} {fields} {measurement.time_ms}")

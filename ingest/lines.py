"""The lines of an uplink: its radio side, and what its measurements say."""

from decoders.measurement import Measurement
from decoders.quantity import Privacy
from decoders.uplink import Reception, Uplink
from ingest.devices import Place, Series
from rules.condition import NO_DOUBTS, Doubts
from rules.rule import AHEAD_MS

Lines = dict[Privacy, list[str]]
"""Lines by privacy class; every class has its list."""


def best_copy(uplink: Uplink) -> Reception | None:
    """The copy of an uplink with the best SNR."""
    best = None
    for copy in uplink.receptions:
        if best is None or copy.snr > best.snr:
            best = copy
    return best


def link_line(uplink: Uplink, place: Place, best: Reception | None, lost: int) -> str:
    """The radio side of an uplink: best copy's RSSI (dBm) and SNR (dB), gateways, spreading factor, f_cnt, bytes.

    `lost` are the frames lost just before it.
    """
    receptions = uplink.receptions
    radio = f"rssi={best.rssi},snr={best.snr!r}," if best is not None else ""
    offset_ms = uplink.time_ms - uplink.ns_time_ms
    doubt = "clock_offset_s_quality=1," if offset_ms > AHEAD_MS else ""
    return (
        f"{place.link} {radio}gateways={len(receptions)},spreading_factor={uplink.spreading_factor},"
        f"f_cnt={uplink.f_cnt},payload_bytes={len(uplink.payload)},{doubt}clock_offset_s={offset_ms / 1000!r},"
        f"frames_lost={lost} {uplink.time_ms}"
    )


def write_readings(measurement: Measurement, place: Place, lines: Lines, doubts: Doubts = NO_DOUBTS) -> None:
    """Add a line for each series: what the device measured, by channel, and (`device`) what it says of itself.

    A value in doubt has its reason beside it as `<quantity>_quality`. An infinity or NaN is never written.
    """
    known = place.slots
    written: dict[Series, str] = {}
    for each, value in measurement.pairs():
        if value - value != 0.0:
            continue
        series, name = known.get(each) or place.slot(*each)
        before = written.get(series)
        text = f"{before},{name}{value!r}" if before else f"{name}{value!r}"
        if doubts and (doubt := doubts.get(each)):
            text += f",{each[0].field}_quality={int(doubt)}"
        written[series] = text
    for series, fields in written.items():
        lines[series.privacy].append(f"{series.prefix} {fields} {measurement.time_ms}")

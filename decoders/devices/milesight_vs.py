"""Milesight people counters: VS121 (AI camera), VS132, VS133, VS135 (time of flight).

Source: Milesight-IoT/SensorDecoders vs-series (README tables and decoders). Counts are those of a period, totals run
on until they are set back. Lines are the device's own, in and out as they were drawn; `child` are those whom a VS133
or VS135 takes for children. A VS121's total and its numbers by region are those of the moment; its decoder reads how
many went in and out as signed numbers, which counts are not. Newer firmware of a
VS121 may have a serial number of eight bytes, which ends the frame that a device sends when it starts.
"""

from decoders.devices.milesight_common import (
    ANSWERED,
    SHORT_SERIAL_START,
    START,
    alarm,
    answers,
    compiled,
    covered,
    extended_answers,
    hexadecimal,
    model,
    number,
    switch,
    version,
)
from decoders.direct import Values, Words, Written
from decoders.error import EncodeError
from decoders.field import Bits, Field, Given, Pad
from decoders.layout import Layout
from decoders.measurement import Reading
from decoders.quantity import Family, Quantity
from decoders.tlv import ChannelTlv
from decoders.typed import Table

WAYS = ("in", "out")
LINES, LINE_REGIONS = range(1, 5), range(1, 5)
REGIONS = range(1, 17)
PLACES = "abcd"

VERSIONS = compiled({0xFF09: version("hardware_version", 2), 0xFF1F: version("firmware_version", 4)})
PLAIN_PROTOCOL = compiled({0xFF01: number("protocol_version", "B")})
VS_ANSWERED = {
    **ANSWERED,
    **answers(
        {
            0x40: switch("adr_enabled"),
            0x42: switch("wifi_enabled"),
            0x43: switch("periodic_report_enabled"),
            0x44: switch("report_on_change_enabled"),
            0x51: number("totals_cleared", "B"),
        }
    ),
    **extended_answers(
        {
            0x84: hexadecimal("time_synchronisation", 3),
            0x85: hexadecimal("rejoin", 2),
            0x86: number("data_rate", "B"),
            0x87: number("tx_power_level", "B"),
            0x88: hexadecimal("log_levels", 2),
        }
    ),
}


def counts(prefix: str = "") -> tuple[Field, Field]:
    """How many went in and out in a period."""
    first, second = (Field(Quantity.PEOPLE_COUNT, "H", prefix + way) for way in WAYS)
    return first, second


def totals() -> tuple[Field, Field]:
    """How many went in and out since the totals were set back; they wrap at 65535."""
    first, second = (Field(Quantity.PEOPLE_COUNT_TOTAL, "H", way) for way in WAYS)
    return first, second


def _flow(start: str, ends: str = PLACES) -> tuple[Field, ...]:
    return tuple(Field(Quantity.PEOPLE_COUNT, "H", f"{start}_to_{end}") for end in ends)


def _present(*regions: int, suffix: str = "") -> tuple[Field, ...]:
    return tuple(Field(Quantity.PEOPLE_PRESENT, "B", f"region{region}{suffix}") for region in regions)


class _Regions(Layout):
    """People in all, how many regions are drawn, and whether somebody is in each of those."""

    __slots__ = ()
    CHANNELS = tuple(f"region{region}" for region in REGIONS)
    DRAWN_AT = 1
    COVERED = 8

    def __init__(self) -> None:
        bits = [
            Field(Quantity.PRESENCE, str((region - 1) % 8), f"region{region}", verified=region <= self.COVERED)
            for region in REGIONS
        ]
        people = Field(Quantity.PEOPLE_PRESENT, "B")
        super().__init__("<", people, number("region_count", "B"), Bits("B", *bits[8:]), Bits("B", *bits[:8]))

    def read(self, payload: bytes, at: int, readings: list[Reading], attributes: dict[str, str]) -> None:
        """Leave out the regions that are not drawn."""
        every: list[Reading] = []
        super().read(payload, at, every, attributes)
        drawn = self.CHANNELS[: payload[at + self.DRAWN_AT]]
        readings += [item for item in every if not item.channel or item.channel in drawn]

    def carries(self, given: Given) -> bool:
        """Whether there are people to be sent; regions need not be."""
        return (Quantity.PEOPLE_PRESENT, "") in given.values

    def part(self, values: Values, words: Words) -> Written | None:
        """All regions; None where there are fewer, or their number is stated."""
        drawn = words or any((Quantity.PRESENCE, channel) not in values for channel in self.CHANNELS)
        return None if drawn else super().part(values, {"region_count": str(len(self.CHANNELS))})

    def write(self, given: Given) -> bytes:
        """Regions from the first one on, as many as are given; EncodeError where their stated number is another."""
        drawn = sum((Quantity.PRESENCE, channel) in given.values for channel in self.CHANNELS)
        for channel in self.CHANNELS[drawn:]:
            given.values.setdefault((Quantity.PRESENCE, channel), 0.0)
        stated = given.attributes.setdefault("region_count", str(drawn))
        if not stated.isdecimal() or min(int(stated), len(REGIONS)) != drawn:
            raise EncodeError(f"region_count = {stated!r} cannot be sent beside {drawn} regions")
        return super().write(given)


PERIOD, TOTALS, LINE = counts(), totals(), counts("line_")
MOST = Field(Quantity.PEOPLE_COUNT_MAX, "B")
DWELL = (
    number("dwell_region", "B"),
    Field(Quantity.DWELL_TIME, "H", "avg"),
    Field(Quantity.DWELL_TIME, "H", "max"),
)
VS121 = model(
    "VS121",
    "people in rooms and places",
    Family.TRAFFIC,
    "vs-series/vs121",
    ChannelTlv(
        "<",
        {
            0x04C9: _Regions(),
            **covered(
                {
                    0x05CC: PERIOD,
                    0x06CD: MOST,
                    0x07D5: _present(*REGIONS[:8]),
                    0x08D5: _present(*REGIONS[8:]),
                    **{0x09DA + 0x100 * row: _flow(start) for row, start in enumerate(PLACES)},
                    0x0DCC: TOTALS,
                    0x0EE4: DWELL,
                    0x10F7: LINE,
                },
                *("people_count.in", "people_count.out", "people_count_max"),
            ),
            **SHORT_SERIAL_START,
            **VERSIONS,
            **PLAIN_PROTOCOL,
            **VS_ANSWERED,
            **answers(
                {
                    0x03: hexadecimal("report_interval", 3),
                    0x05: hexadecimal("channel_mask", 3),
                    0x41: number("f_port", "B"),
                    0x45: number("report_mode", "B"),
                    0x46: hexadecimal("jitter", 3),
                    0x48: switch("line_detection_enabled"),
                    0x50: switch("region_counting_enabled"),
                }
            ),
        },
        history={
            0x20CE01: _Regions(),
            0x20CE02: PERIOD,
            0x20CE03: MOST,
            **{0x20CE04 + part: _present(*REGIONS[4 * part : 4 * part + 4]) for part in range(4)},
            **{0x20CE08 + 2 * row: _flow(start, PLACES[:2]) for row, start in enumerate(PLACES)},
            **{0x20CE09 + 2 * row: _flow(start, PLACES[2:]) for row, start in enumerate(PLACES)},
            0x20CE10: TOTALS,
            0x20CE11: DWELL,
            0x20CE12: LINE,
        },
        clock=0x0F85,
    ),
)

VS132 = model(
    "VS132",
    "people at doors",
    Family.TRAFFIC,
    "vs-series/vs132",
    ChannelTlv(
        "<",
        {
            0x03D2: Field(Quantity.PEOPLE_COUNT_TOTAL, "I", "in"),
            0x04D2: Field(Quantity.PEOPLE_COUNT_TOTAL, "I", "out"),
            0x05CC: PERIOD,
            **START,
            **VERSIONS,
            **PLAIN_PROTOCOL,
            **VS_ANSWERED,
        },
    ),
)


def _line(line: int, suffix: str = "") -> tuple[Field, Field, tuple[Field, Field]]:
    """A line's totals in and out, and its counts of a period."""
    name = f"line{line}{suffix}_"
    first, second = (Field(Quantity.PEOPLE_COUNT_TOTAL, "I", name + way) for way in WAYS)
    return first, second, counts(name)


def _lines(first: int, suffix: str = "") -> Table:
    """Three numbers each for the lines: what they carry."""
    numbered = enumerate((item for line in LINES for item in _line(line, suffix)), start=first)
    return dict(numbered)


def _dwell(region: int, suffix: str, kind: str) -> Field:
    return Field(Quantity.DWELL_TIME, "H", f"region{region}{suffix}_{kind}")


ADULT_LINES, CHILD_LINES = _lines(0x03), _lines(0x11, "_child")
ADULT_REGIONS, CHILD_REGIONS = 0x0F, 0x1D
TOTAL_TYPE, PERIOD_TYPE = 0xD2, 0xCC
PEOPLE: Table = {
    **{
        number << 8 | (PERIOD_TYPE if isinstance(item, tuple) else TOTAL_TYPE): item
        for number, item in {**ADULT_LINES, **CHILD_LINES}.items()
    },
    0x0FE3: _present(*LINE_REGIONS),
    0x1DE3: _present(*LINE_REGIONS, suffix="_child"),
    **{
        start | region: (_dwell(region, suffix, "avg"), _dwell(region, suffix, "max"))
        for start, suffix in ((0x10E400, ""), (0x1EE400, "_child"))
        for region in LINE_REGIONS
    },
    0x50FC: (Pad(1), number("occluded_node", "B"), alarm("occlusion")),
}
PEOPLE_RECORDS: Table = {
    **{0x20CE00 | number: item for number, item in {**ADULT_LINES, **CHILD_LINES}.items()},
    0x20CE0F: _present(*LINE_REGIONS),
    0x20CE1D: _present(*LINE_REGIONS, suffix="_child"),
    **{
        0x20CE0000 | start | region: _dwell(region, suffix, kind)
        for start, suffix, kind in (
            (0x1000, "", "avg"),
            (0x2000, "", "max"),
            (0x1E00, "_child", "avg"),
            (0x3C00, "_child", "max"),
        )
        for region in LINE_REGIONS
    },
}
LINE_CHANNELS = [f"line{line}_{way}" for line in LINES for way in WAYS]
LINE_NAMES = [f"{name}.{channel}" for name in ("people_count", "people_count_total") for channel in LINE_CHANNELS]


def _people(*names: str) -> ChannelTlv:
    table = {**covered(PEOPLE, *LINE_NAMES, *names), **START, **VERSIONS, **VS_ANSWERED}
    return ChannelTlv("<", table, history=PEOPLE_RECORDS)


VS133 = model(
    "VS133",
    "people at lines and in regions",
    Family.TRAFFIC,
    "vs-series/vs133",
    _people(*(f"people_present.region{region}" for region in LINE_REGIONS)),
)
VS135 = model(
    "VS135",
    "people at lines and in regions",
    Family.TRAFFIC,
    "vs-series/vs135",
    _people(*(f"dwell_time.region{region}_{kind}" for region in LINE_REGIONS for kind in ("avg", "max"))),
)

CODECS = (VS121, VS132, VS133, VS135)

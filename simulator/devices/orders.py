"""What downlinks order a device to do: a reporting interval, a light's level, a switch.

Sources. Intervals: Milesight user guides, "Set the Reporting Interval" (FF 03, s, little-endian); Dragino user manuals,
"Set Transmit Interval Time" (01, s in 3 bytes); ELSYS downlink payload v2.1 (3E, length, settings; 14 SplPer in s times
1F SendPer; port 6); Elvaco CMi4110 user manual 1.3, table 13 (00 06 02, min, little-endian; port 2); Netvox RA07 user
manual, ConfigReportReq (01, device type, MinTime and MaxTime in s; port 7); SenseCAP S210x user guide, §10.1 (00 89 00,
two bytes of the sender's, min, little-endian, CRC-16/KERMIT; port 2); MClimate's device communication protocols,
"Keep-alive" (02, min). Lights: nasys/nas-codecs for UL20xx (port 60: 01, then address and level each; 09, address,
level, min); Milesight-IoT/SensorDecoders ws558 (FF 32, number, delay in s little-endian, which, states).
"""

from binascii import crc_hqx
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, Protocol, runtime_checkable

from decoders.devices.nas_blocks import OUTPUTS
from decoders.quantity import Quantity

MS_PER_S = 1000
S_PER_MIN = 60
MILESIGHT_INTERVAL, DRAGINO_INTERVAL, MCLIMATE_INTERVAL = b"\xff\x03", b"\x01", b"\x02"
ELSYS_PORT, ELSYS_SETTINGS, ELSYS_PERIOD, ELSYS_TIMES, ELSYS_SIZE = 6, b"\x3e", 0x14, 0x1F, 4
ELVACO_PORT, ELVACO_INTERVAL = 2, b"\x00\x06\x02"
NETVOX_PORT, NETVOX_CONFIGURE, NETVOX_SIZE = 7, b"\x01", 11
SEEED_PORT, SEEED_INTERVAL, SEEED_SIZE = 2, b"\x00\x89\x00", 9
NAS_PORT, NAS_DIM, NAS_DIM_FOR = 60, 0x01, 0x09
FULL = 100
WS558, WS558_DELAYED, WS558_SIZE = "milesight/ws558", b"\xff\x32", 7
SWITCHES = 8


class Setting(NamedTuple):
    """A value that a device is ordered to have, from a time on and until another one, in ms since 1970."""

    quantity: Quantity
    channel: str
    value: float
    from_ms: int
    until_ms: int | None = None

    def holds(self, time_ms: int) -> bool:
        """Whether it does."""
        return self.from_ms <= time_ms and (self.until_ms is None or time_ms < self.until_ms)


@runtime_checkable
class Obedient(Protocol):
    """A sensor whose device has something that can be set."""

    def obey(self, settings: tuple[Setting, ...]) -> None:
        """From now on reports say so."""
        ...


def interval_s(codec_id: str, data: bytes, f_port: int = 0) -> float | None:
    """The reporting interval that a downlink sets; None where it sets none, or nobody told us how the model does.

    Without a port it is taken for that of such commands.
    """
    found = INTERVALS.get(codec_id) or INTERVALS.get(codec_id.partition("/")[0])
    if found is None or (found[0] and f_port not in (0, found[0])):
        return None
    return found[1](data) or None


def settings(codec_id: str, f_port: int, data: bytes, time_ms: int) -> tuple[Setting, ...]:
    """What a downlink sets at a light or a switch; nothing where it sets nothing that we know of."""
    if codec_id == "nas/luminaire" and f_port == NAS_PORT:
        return tuple(_dimmed(data, time_ms))
    if codec_id == WS558 and data[:2] == WS558_DELAYED and len(data) == WS558_SIZE:
        return tuple(_switched(data, time_ms))
    return ()


def _milesight(data: bytes) -> float:
    return int.from_bytes(data[2:], "little") if data[:2] == MILESIGHT_INTERVAL and len(data) == 4 else 0  # noqa: PLR2004 - the command's size


def _dragino(data: bytes) -> float:
    return int.from_bytes(data[1:], "big") if data[:1] == DRAGINO_INTERVAL and len(data) == 4 else 0  # noqa: PLR2004 - the command's size


def _mclimate(data: bytes) -> float:
    return data[1] * S_PER_MIN if data[:1] == MCLIMATE_INTERVAL and len(data) == 2 else 0  # noqa: PLR2004 - the command's size


def _elvaco(data: bytes) -> float:
    named = data[:3] == ELVACO_INTERVAL and len(data) == 5  # noqa: PLR2004 - the command's size
    return int.from_bytes(data[3:], "little") * S_PER_MIN if named else 0


def _netvox(data: bytes) -> float:
    named = data[:1] == NETVOX_CONFIGURE and len(data) == NETVOX_SIZE
    return int.from_bytes(data[4:6], "big") if named else 0


def _seeed(data: bytes) -> float:
    """CRC-16/KERMIT is CRC-CCITT of the bits of each byte backwards."""
    named = data[:3] == SEEED_INTERVAL and len(data) == SEEED_SIZE
    backwards = crc_hqx(bytes(map(_mirrored, data[:-2])), 0)
    crc = _mirrored(backwards >> 8) | _mirrored(backwards & 0xFF) << 8
    return int.from_bytes(data[5:7], "little") * S_PER_MIN if named and data[7:] == crc.to_bytes(2, "little") else 0


def _mirrored(byte: int) -> int:
    return int(f"{byte:08b}"[::-1], 2)


def _elsys(data: bytes) -> float:
    """The sensor's period, and how many of them lie between two reports; other settings are stepped over."""
    found = {ELSYS_PERIOD: 0, ELSYS_TIMES: 1}
    if data[:1] != ELSYS_SETTINGS or len(data) < 2 or data[1] != len(data) - 2:  # noqa: PLR2004 - header and length
        return 0
    for at in range(2, len(data), 1 + ELSYS_SIZE):
        if data[at] not in found or at + ELSYS_SIZE >= len(data):
            return 0
        found[data[at]] = int.from_bytes(data[at + 1 : at + 1 + ELSYS_SIZE], "big")
    return found[ELSYS_PERIOD] * found[ELSYS_TIMES]


INTERVALS: Mapping[str, tuple[int, Callable[[bytes], float]]] = {
    "milesight": (0, _milesight),
    "dragino": (0, _dragino),
    "mclimate": (0, _mclimate),
    "elsys": (ELSYS_PORT, _elsys),
    "elvaco": (ELVACO_PORT, _elvaco),
    "netvox": (NETVOX_PORT, _netvox),
    "seeed/sensecap-s210x": (SEEED_PORT, _seeed),
}
"""By vendor or model: the port of the command, 0 for any, and how it is read; 0 where it is none."""


def _dimmed(data: bytes, time_ms: int) -> Iterator[Setting]:
    """Pairs of address and level; or one, and for how long."""
    until_ms = None
    pairs = data[1:]
    if data[:1] == bytes((NAS_DIM_FOR,)) and len(data) == 4:  # noqa: PLR2004 - the command's size
        pairs, until_ms = data[1:3], time_ms + data[3] * S_PER_MIN * MS_PER_S
    elif data[:1] != bytes((NAS_DIM,)) or len(pairs) % 2:
        return
    for address, level in zip(pairs[::2], pairs[1::2], strict=True):
        if address in OUTPUTS and level <= FULL:
            yield Setting(Quantity.DIMMING_LEVEL, OUTPUTS[address], float(level), time_ms, until_ms)


def _switched(data: bytes, time_ms: int) -> Iterator[Setting]:
    from_ms = time_ms + int.from_bytes(data[3:5], "little") * MS_PER_S
    for switch in range(SWITCHES):
        if data[5] >> switch & 1:
            yield Setting(Quantity.SWITCHED_ON, f"switch{switch + 1}", float(data[6] >> switch & 1), from_ms)

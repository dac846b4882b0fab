"""Odd frames of the codecs, to begin with: what real vectors seldom show and formats allow."""

import struct
from collections.abc import Callable, Mapping, Sequence

from decoders.devices import emu, seeed

Seal = Callable[[bytes], bytes]


def _mbus(*records: str, head: str = "") -> str:
    """Records behind each other, and once more in the other order."""
    return head + "".join((*records, *reversed(records)))


def _real(dif: str, value: float) -> str:
    return dif + struct.pack("<f", value).hex()


TARIFFS = ("8410060a000000", "84200614000000", "840a061e000000", "c4100628000000", "8480400600000000")
DECIMALS = ("0c06785634f2", "0c067856341a", "0e06907856341200", "0b2d563412", "0a5a3502", "0a5e99f9")
WIDE = ("0706ffffffffffffff7f", "07060000000000000080", "0613010000000000", "0413ffffff7f", "04fb0001000000")
REALS = (_real("0506", 1e38), _real("0506", 1e-7), _real("053b", -0.1), _real("055a", float("nan")))
TEXTS = ("0d7803414243", "0d06bf" + "31" * 191, "2f2f", "0f010203")
RECORDS = (*TARIFFS, *DECIMALS, *WIDE, *REALS)
"""Tariffs, subunits, storage numbers; decimals below zero and none; the largest; floats."""

ODD: Mapping[str, Sequence[tuple[int, str]]] = {
    "alpha-omega/klax": (
        (3, "004ad11101" + "03" + "00000001" * 8 + "02" + "21" + "7fffffff" * 4),
        (3, "044a" + "011102" + "21" + "7f7fffff" * 4 + "0222" + "ff800000" * 4),
        (3, "044a" + "011103" + "0a01454d480000" + "08" + "00000000"),
        (3, "054a0111"),
        (103, "fc45c011" + "ffffff" * 16),
    ),
    "bosch/tps110": ((3, "00000e10000000d10007000000270206ff"), (6, "00000e10d10000d10007")),
    "cayenne/lpp": (
        (1, "0067800000677fff" + "ff6800ff67ffff"),
        (1, "ff88800000800000800000" + "ff797fff"),
        (99, "0182ffffffff0183ffffffff0184ffff" + "01717fff80000000"),
        (2, "016700d201ff00"),
    ),
    "decentlab/dl-iam": ((1, "020bbd0008ffff0000"), (1, "020bbd000800010000"), (1, "020bbd00083fff2000")),
    "decentlab/dl-pm": ((1, "031b5000010c25"), (1, "021b5000100c25")),
    "digital-matter/oyster-3": ((4, "000000000000ff0f00"), (4, "0000008000008000ff"), (33, "01" + "ff" * 10)),
    "dragino/lht65": ((2, "00" * 11), (2, "000000000000" + "41" + "00000001"), (2, "7fff7fff7fff" + "09" + "ffffffff")),
    "elsys/generic": ((5, "4100e23c8100dc000a4100d805c100e1000001"), (5, "0cff9c1900641900c8"), (5, "020102023e")),
    "elvaco/cmi41xx": (
        (1, _mbus(*RECORDS, head="15")),
        (1, _mbus(*TEXTS, head="00")),
        (1, "15" + "0486ff0210000000" * 2),
        (1, b'\x02{"E":"-1.5","U":"GJ","ID":"7"}'.hex()),
        (1, b'\x02{"E":1e308,"U":"MWh","ID":7}'.hex()),
        (1, b'\x02{"E":1'.hex() + b"0".hex() * 200 + b',"U":"kWh","ID":"\\u0000"}'.hex()),
    ),
    "emu/professional-ii": (
        (1, "ffffffff" + "01ffffffff" + "f4ffffff"),
        (1, "00000000" + "f80000" + "02ff" + "00"),
    ),
    "kamstrup/water": (
        (1, _mbus("426c7f2c", "4413ec000000", "4d931307610100000000ff", head="78")),
        (1, _mbus("426c212c", "4413ec000000", "4d931308b3fe01020304ff80", head="78")),
        (1, _mbus(*RECORDS[:6], "02ff25ffff", "04933c05000000", head="7a00000000")),
    ),
    "landis-gyr/t550": ((2, _mbus(*RECORDS, head="00")), (2, _mbus(*RECORDS[5:], *TEXTS, head="ff"))),
    "milesight/ct101": ((85, "0498ffff8498b80bd007c40905"), (85, "0498ffff8498ffffffffffff07")),
    "milesight/em400-mud": ((85, "8367e800018482410601"), (85, "fe03b00401755cff7101fe77d007")),
    "milesight/vs121": (
        (85, "04c9025400040dcc120016000ee4033c007800"),
        (85, "20ce0000000001ff10ffff20ceffffffff020100020020ce0000000003ff"),
        (85, "0f8500000000" + "20ce010000000405060708"),
    ),
    "milesight/vs133": ((85, "20ce0000000003ffffffff20ce00000000100100ff"), (85, "10e404ffffffff1ee40100000000")),
    "milesight/vs360": ((85, "20ceffffffff000b00040020ceffffffff01ffffffffffffffff"), (85, "0aef0000000003f400ff")),
    "netvox/ra0715": (
        *((6, f"0105{kind:02x}ffffffffffffffff") for kind in range(16)),
        *((6, f"01ff{kind:02x}80" + "0000" * 3 + "00") for kind in (0, 8, 10, 13)),
        (7, "8105ff0000000000000000"),
    ),
    "parametric/pcr2": ((14, "be0105" + "00" * 15), (190, "be0109" + "00" * 32)),
    "pepperl-fuchs/wilsen-sonic": (
        (1, "0602017fc00000"),
        (1, "0602017f800000"),
        (1, "102a25" + "0aff1bc3" * 3 + "80c2"),
    ),
    "pmx/tcr": ((1, "c2ee01"), (1, "c2510102030405"), (13, "a2ffff00000000000033"), (13, "a3000000000000000033")),
    "pni/placepod": ((2, "21008021006c"), (2, "21006c210080"), (2, "37007f2100ff")),
    "seeed/sensecap-s210x": (
        (1, "01010000000080" + "0000"),
        (1, "01011000000080010210ffffff7f" + "0000"),
        (1, "010006ffffffff00000601000000" + "0000"),
        (1, "ffffffffffffff" + "0000"),
    ),
    "seeed/sensecap-s2120": ((3, "018000ffffffffffffffff03ff"), (3, "06ff1001" + "00" * 8 + "7f")),
    "sensative/strips": (
        (1, "ffff8000"),
        (1, "00019306920001017f"),
        (2, "0001" + "0000000a02ffff" * 3 + "ffffffff0101"),
        (2, "0001" + "0000000a82ffff" + "0000000a7f"),
        (11, "0201000000ff02fe00000000"),
    ),
    "synetica/enlink": ((1, "0b0001587fc000000e0100000000"), (1, "0c0003583e99999a5affffffff")),
    "tekelek/tek766": ((16, "1000ff00" + "00000001" * 4), (16, "300000000000000000ff0064000000000000")),
    "vega/vegapuls-air": (
        (1, "0840a000002c2401a62109"),
        (1, "0860a000002f64fefc2109"),
        (1, "087fc000002901ffff20ff"),
        (1, "0840a00000292480002200"),
    ),
    "watteco/presso": ((125, "318a000c0055394584d000"), (125, "310a000c0055397fc00000"), (125, "1600" + "ff" * 20)),
    "watteco/vaqao-plus": (
        (125, "318a800c0000210320"),
        (125, "26000020000000000000000000"),
        (125, "10200030ff0000a4ffffffffff"),
    ),
}
"""Ages, infinities, markers, unknown keys and versions, units, text that is none, zeros alone."""

SEALS: Mapping[str, Seal] = {
    "emu/professional-ii": lambda payload: payload[:-1] + bytes((emu.checksum(payload[:-1]),)),
    "seeed/sensecap-s210x": lambda payload: payload[:-2] + seeed.checksum(payload[:-2]).to_bytes(2, "little"),
}
"""Right checksums, without which damaged frames would all be refused for the same reason."""

"""Microseconds per payload for each codec, beside a bare struct.unpack of as many bytes in the same run.

CPU time; for JavaScript in its process, whose CPU time is another's, that of the wall.
"""

import argparse
import struct
import time
from collections.abc import Callable

from uplinks import MODELS

from decoders import catalog
from decoders.codec import Codec
from decoders.javascript import ScriptCodec
from ingest.codecs.script_process import ScriptProcess

ROUNDS = 7
REMOTE = "JavaScript in its process"
Row = tuple[str, int, str, Codec | ScriptCodec]
SCRIPT = """
function decodeUplink(input) {
  var decoded = {}, bytes = input.bytes;
  for (var i = 0; i < bytes.length;) {
    var channel = bytes[i++], type = bytes[i++];
    if (channel === 0x01 && type === 0x75) { decoded.battery_level = bytes[i]; i += 1; }
    else if (channel === 0x03 && type === 0x67) { decoded.temperature = int16(bytes.slice(i, i + 2)) / 10; i += 2; }
    else if (channel === 0x04 && type === 0x68) { decoded.humidity = bytes[i] / 2; i += 1; }
    else if (channel === 0x07 && type === 0x7d) { decoded.co2 = uint16(bytes.slice(i, i + 2)); i += 2; }
    else break;
  }
  return {data: decoded};
}
function uint16(bytes) { return bytes[1] << 8 | bytes[0]; }
function int16(bytes) { return uint16(bytes) << 16 >> 16; }
"""
"""Written as vendors write theirs, with sixty more functions as theirs have for downlinks."""
UNUSED = "".join(f"function set{number}(value) {{ return [0xff, {number}, value]; }}\n" for number in range(60))
SCRIPT_PAYLOAD = "01755c0367340104686b077d2002"
ENGINES = [
    ("elvaco/cmi41xx", 1, "000c06354189000c14951560020b2d2402000b3b5106000a5a07080a5e07050c789897967002fd170000"),
    ("kamstrup/water", 1, "78446d003318374413030000004d93132261010000000300" + "00" * 27),
    ("alpha-omega/klax", 3, "004add11030901454d4800006efd0f01390100bdd99000bdd99000bdd99000bdd5a8" + "00" * 51),
    (
        "watteco/vaqao-plus",
        125,
        "70060000e2760090cfc0015b028423fb03272919804c121c003ebc5bd6895f0040000b68b72c27a0ddb4dc8076db920c68b72c19605b04",
    ),
    ("sensative/strips", 2, "00050000003c0200d70000003c066400000e100200c8"),
    (
        "seeed/sensecap-s210x",
        1,
        "010100010100010102006a01001501030030f1f72c010400090c13140105007f4d0000010600000000004cbe",
    ),
    ("milesight/vs360", 85, "01756402756203f4010120ce7b3af164000b00040020ceff3df16401070002001d000800"),
    ("cayenne/lpp", 1, "0100010201000302fffe04030065056501f406660107687b0873279509740149"),
    ("synetica/enlink", 1, "0100e702330403c1050048123f5397b03f44346af9080271573f21e8a4583f4fa87c593f6db608"),
    ("netvox/ra0715", 6, "01050278006400c802bc00"),
    ("digital-matter/oyster-3", 33, "e825f49b9e872b6a992aab"),
    ("sensoneo/single", 1, "2855332e3736542b313444323531503129"),
]
"""One payload for each way of reading: records, profiles, batches, histories, checksums, choices, bits, text."""


def main() -> None:
    """Print a line for each payload: codec, struct, ratio, readings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loops", type=int, default=20_000)
    loops = parser.parse_args().loops
    print(f"{'codec':28} {'f_port':>6} {'bytes':>5} {'readings':>8} {'codec µs':>9} {'struct µs':>9} {'ratio':>6}")
    process = ScriptProcess()
    native: list[Row] = [(*item, catalog.codec(item[0])) for item in (*MODELS, *ENGINES)]
    for model, f_port, text, codec in [*native, *scripts(process)]:
        payload = bytes.fromhex(text)
        figures = dict.fromkeys((parameter.name for parameter in codec.parameters), 15.0)
        readings = sum(len(measurement.readings) for measurement in codec.decode(f_port, payload, 0, figures))
        unpack = struct.Struct(f">{len(payload) // 2}H{len(payload) % 2}B").unpack
        clock = time.perf_counter if model == REMOTE else time.process_time
        mine = best(lambda: codec.decode(f_port, payload, 0, figures), loops, clock)  # noqa: B023 - called at once
        bare = best(lambda: unpack(payload), loops)  # noqa: B023 - called at once
        print(f"{model:28} {f_port:6} {len(payload):5} {readings:8} {mine:9.2f} {bare:9.2f} {mine / bare:6.1f}")
    process.close()


def scripts(process: ScriptProcess) -> list[Row]:
    """JavaScript called directly, and as the service calls it."""
    return [
        ("JavaScript", 85, SCRIPT_PAYLOAD, ScriptCodec("js/x/x", SCRIPT + UNUSED)),
        (REMOTE, 85, SCRIPT_PAYLOAD, ScriptCodec("js/x/y", SCRIPT + UNUSED, box=process.box)),
    ]


def best(work: Callable[[], object], loops: int, clock: Callable[[], float] = time.process_time) -> float:
    """The best mean of several rounds, in µs."""
    rounds = []
    for _ in range(ROUNDS):
        begin = clock()
        for _ in range(loops):
            work()
        rounds.append((clock() - begin) / loops * 1e6)
    return min(rounds)


if __name__ == "__main__":
    main()

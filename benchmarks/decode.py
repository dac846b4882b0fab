"""Microseconds per payload for each codec, beside a bare struct.unpack of as many bytes in the same run."""

import argparse
import struct
import time
from collections.abc import Callable

from uplinks import MODELS

from decoders import catalog

ROUNDS = 7


def main() -> None:
    """Print a line for each payload: codec, struct, ratio, readings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loops", type=int, default=20_000)
    loops = parser.parse_args().loops
    print(f"{'codec':28} {'f_port':>6} {'bytes':>5} {'readings':>8} {'codec µs':>9} {'struct µs':>9} {'ratio':>6}")
    for model, f_port, text in MODELS:
        payload = bytes.fromhex(text)
        codec = catalog.codec(model)
        readings = sum(len(measurement.readings) for measurement in codec.decode(f_port, payload, 0))
        unpack = struct.Struct(f">{len(payload) // 2}H{len(payload) % 2}B").unpack
        mine = best(lambda: codec.decode(f_port, payload, 0), loops)  # noqa: B023 - called at once
        bare = best(lambda: unpack(payload), loops)  # noqa: B023 - called at once
        print(f"{model:28} {f_port:6} {len(payload):5} {readings:8} {mine:9.2f} {bare:9.2f} {mine / bare:6.1f}")


def best(work: Callable[[], object], loops: int) -> float:
    """The best mean of several rounds, in µs of CPU."""
    rounds = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        for _ in range(loops):
            work()
        rounds.append((time.process_time() - begin) / loops * 1e6)
    return min(rounds)


if __name__ == "__main__":
    main()

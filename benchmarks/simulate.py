"""What the simulator does: uplinks a second, memory of many devices, a day of the example city; seeds are printed.

CPU time of one process. The reference in the same run is `json.dumps` of one event's parts.
"""

import argparse
import importlib.resources
import json
import resource
import statistics
import time

from decoders.catalog import CODECS
from rules.city import City
from simulator.device import NS_PER_S
from simulator.devices.fleet import ALL, models
from simulator.play import Plan, Simulation

START_NS = 1_795_000_000 * NS_PER_S
HOUR_S, DAY_S = 3600, 86_400
SLICES, SLICE_S = 12, 1200
SEED = 1
KB_PER_MB = 1024


def main() -> None:
    """Print a line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=100_000)
    many = parser.parse_args().devices
    city = City.parse((importlib.resources.files("deploy") / "city" / "hamm.geojson").read_text(encoding="utf-8"))
    print(f"seed {SEED}")
    reference(city)
    played("the example city, a day", Simulation(city, Plan(seed=SEED, start_ns=START_NS)), DAY_S)
    chosen = models(ALL)
    fleet = Plan(seed=SEED, start_ns=START_NS, devices=10 * len(CODECS), models=chosen)
    simulation = Simulation(city, fleet)
    played(f"{len(chosen)} codecs, 10 devices of each, their first hour", simulation, HOUR_S)
    sliced("the hours after it", simulation)
    began = time.process_time()
    kept = Simulation(city, Plan(seed=SEED, start_ns=START_NS, devices=many, models=chosen))
    played(f"{many} devices, built in {time.process_time() - began:.0f} s, a minute", kept, 60)


def reference(city: City) -> None:
    """How long writing one event as JSON takes here."""
    simulation = Simulation(city, Plan(seed=SEED, start_ns=START_NS))
    message = next(found for found in simulation.messages() if found.topic.endswith("/up"))
    parts, loops = json.loads(message.payload), 5000
    began = time.process_time()
    for _ in range(loops):
        json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    print(f"json.dumps of an event: {(time.process_time() - began) / loops * 1e6:.1f} µs")


def played(title: str, simulation: Simulation, seconds: int) -> None:
    """Play, and print what it took."""
    began = time.process_time()
    uplinks = sum(message.topic.endswith("/up") for message in simulation.messages(START_NS + seconds * NS_PER_S))
    took = time.process_time() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KB_PER_MB
    unheard = simulation.report.lost
    print(f"{title}: {took:.1f} s CPU, {uplinks} uplinks, {uplinks / took:.0f}/s, {unheard} unheard, {memory:.0f} MB")


def sliced(title: str, simulation: Simulation) -> None:
    """Play on in slices, and print the median and the best of them: what else runs here comes and goes."""
    took, end_ns = [], START_NS + HOUR_S * NS_PER_S
    for _ in range(SLICES):
        end_ns += SLICE_S * NS_PER_S
        began = time.process_time()
        uplinks = sum(message.topic.endswith("/up") for message in simulation.messages(end_ns))
        took.append((time.process_time() - began) / uplinks)
    for name, each in (("median", statistics.median(took)), ("best", min(took))):
        print(f"{title}, {name} of {SLICES} slices: {each * 1e6:.0f} µs an uplink, {1 / each:.0f}/s")


if __name__ == "__main__":
    main()

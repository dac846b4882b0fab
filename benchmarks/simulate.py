"""What the simulator does: uplinks a second, memory of many devices, a day of the example city; seeds are printed.

CPU time of one process. The reference in the same run is `json.dumps` of one event's parts.
"""

import argparse
import importlib.resources
import json
import resource
import time

from decoders.catalog import CODECS
from rules.city import City
from simulator.device import NS_PER_S
from simulator.devices.fleet import ALL, models
from simulator.play import Plan, Simulation

START_NS = 1_795_000_000 * NS_PER_S
HOUR_S, DAY_S = 3600, 86_400
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
    played(f"{len(chosen)} codecs, 10 devices of each, an hour", Simulation(city, fleet), HOUR_S)
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


if __name__ == "__main__":
    main()

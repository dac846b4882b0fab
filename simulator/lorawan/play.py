"""A city's devices on the air in front of a network server: simulated time for sensors, real time for LoRaWAN."""

import time
from collections.abc import Callable, Iterator
from random import Random, SystemRandom
from threading import Event
from typing import NamedTuple, Protocol

from typing_extensions import override

from rules.city import City
from simulator import chirpstack
from simulator.chirpstack import Encoding, Flight, Up
from simulator.city import gateways
from simulator.device import Device
from simulator.devices.telling import Telling
from simulator.faults import Outcome
from simulator.lorawan import region
from simulator.lorawan.air import Air, Pace
from simulator.lorawan.bridge import NS_PER_S, Packet, Topics
from simulator.lorawan.end_device import EndDevice
from simulator.lorawan.frame import Data
from simulator.lorawan.keys import Activation, credentials, personalised
from simulator.lorawan.mac import DeviceStatus
from simulator.lorawan.node import Hooks, Node, Tally
from simulator.lorawan.station import Station
from simulator.play import Plan, Simulation

DEFAULT_PREFIX = "eu868"
LONGEST_WAIT_S = 0.25
LAST_WINDOWS_S = 10
CLOCK_BITS = 32
FULL_BATTERY, EMPTY_BATTERY = 254, 1
PERCENT = 100


class Link(Protocol):
    """The broker between gateways and network server."""

    def send(self, packet: Packet) -> None:
        """Publish; waits while too many are on their way."""
        ...

    def receive(self, timeout_s: float) -> Packet | None:
        """The next command to a gateway; None when none comes in time."""
        ...


class Clock:
    """Ns since 1970 that never jump: the wall clock at the start, and what has passed since."""

    def __init__(self) -> None:
        self._began_ns, self._began_mono = time.time_ns(), time.monotonic_ns()

    def now_ns(self) -> int:
        """Now."""
        return self._began_ns + time.monotonic_ns() - self._began_mono


class AirPlan(NamedTuple):
    """How gateways speak, simulated seconds in a second, and the share of uplinks that ask for an acknowledgement."""

    encoding: Encoding = "protobuf"
    prefix: str = DEFAULT_PREFIX
    speed: float = 1.0
    confirmed_percent: int = 0
    activation: Activation = Activation.OTAA


OnDownlink = Callable[[Device, Data], None]


def ignore(_device: Device, _data: Data) -> None:
    """Nobody else wants to know what comes down."""


class LorawanSimulation(Simulation):
    """The same devices as in the plan's simulation, which join first and then send frames instead of events.

    `nonces` is where DevNonces come from: a network server takes each only once, so that two runs must differ in them.
    `on_downlink` hears of all data that reached a device, which has obeyed it by then.
    """

    def __init__(
        self,
        city: City,
        plan: Plan,
        air: AirPlan,
        link: Link,
        *,
        clock: Clock | None = None,
        nonces: Random | None = None,
        on_downlink: OnDownlink = ignore,
    ) -> None:
        super().__init__(city, plan)
        rng = Random(plan.seed)
        stations = [Station(gateway, rng.getrandbits(CLOCK_BITS)) for gateway in gateways(city)]
        self.tally = Tally()
        self._air_plan = air
        self._link = link
        self._clock = clock or Clock()
        self._began_ns = self._clock.now_ns()
        pace = Pace(self._city_ns, air.speed)
        self._air = Air(stations, Topics(air.prefix), air.encoding, link.send, self._ether, pace)
        self._on_downlink = on_downlink
        self._telling = Telling(self._rng, self.tally, self._at, self._uplink, self._options_size)
        hooks = Hooks(self._accepted, self._came_down, self._answered, Device.given_up)
        self._nodes = {
            device.identity.dev_eui: Node(
                device,
                self._end_device(device, nonces or SystemRandom()),
                self._air,
                rng,
                self.tally,
                hooks,
                confirmed_percent=air.confirmed_percent,
            )
            for device in self.devices
        }
        for device in self.devices:
            device.clock.right_ns = self._now_ns

    def run(self, end_ns: int | None, stop: Event) -> Iterator[int]:
        """Play until that simulated time, or until stopped; gives the simulated time with each step."""
        self._began_ns = self._clock.now_ns()
        self._air.begin(self._began_ns)
        try:
            while not stop.is_set():
                simulated_ns = self._simulated_ns()
                if end_ns is not None and simulated_ns >= end_ns:
                    break
                self._step(simulated_ns)
                yield simulated_ns
            self._last_windows(stop)
        finally:
            self._air.end(self._clock.now_ns())

    def as_dict(self) -> dict[str, object]:
        """What happened, as JSON."""
        air, told = self._air, self.tally.as_dict()
        arrived = {"unheard": told["unheard"] + air.lost, "frames": told["frames"] - air.drowned}
        answered = {"commands": air.commands, "too_late": air.too_late, "refused": air.refused}
        return {**told, **arrived, **answered, "seed": self.plan.seed}

    def _step(self, simulated_ns: int) -> None:
        """Do what is due in both times, then wait for a command or for the next thing that is due."""
        for _ in self.messages(simulated_ns):
            pass
        self._air.advance(self._clock.now_ns())
        self._wait()

    def _wait(self) -> None:
        now_ns = self._clock.now_ns()
        next_ns = self._air.next_ns
        if self._queue:
            ahead_ns = self._queue[0][0] - self._simulated_ns()
            next_ns = min(next_ns, now_ns + int(ahead_ns / self._air_plan.speed))
        packet = self._link.receive(min(LONGEST_WAIT_S, max(0.0, (next_ns - now_ns) / NS_PER_S)))
        if packet is not None:
            self._air.command(packet.topic, packet.payload, self._clock.now_ns())

    def _last_windows(self, stop: Event) -> None:
        """Nothing new begins, but who listens may still be answered."""
        self._air.ending = True
        until_ns = self._clock.now_ns() + LAST_WINDOWS_S * NS_PER_S
        while self._air.busy and not stop.is_set() and self._clock.now_ns() < until_ns:
            self._air.advance(self._clock.now_ns())
            packet = self._link.receive(LONGEST_WAIT_S)
            if packet is not None:
                self._air.command(packet.topic, packet.payload, self._clock.now_ns())

    def _simulated_ns(self) -> int:
        return self._city_ns(self._clock.now_ns())

    def _city_ns(self, now_ns: int) -> int:
        return self.plan.start_ns + int((now_ns - self._began_ns) * self._air_plan.speed)

    def _now_ns(self, city_ns: int) -> int:
        """The real clock's time, which a network tells its devices, at a time of the city's."""
        return self._began_ns + int((city_ns - self.plan.start_ns) / self._air_plan.speed)

    def _end_device(self, device: Device, nonces: Random) -> EndDevice:
        dev_eui, by_person = device.identity.dev_eui, self._air_plan.activation is Activation.ABP

        def status() -> DeviceStatus:
            told = device.status(self._simulated_ns())
            level = EMPTY_BATTERY + round(told.battery_level / PERCENT * (FULL_BATTERY - EMPTY_BATTERY))
            return DeviceStatus(level, told.margin)

        return EndDevice(
            credentials(self.plan.seed, dev_eui),
            nonces,
            session=personalised(self.plan.seed, dev_eui) if by_person else None,
            data_rate=region.data_rate(device.link.spreading_factor),
            status=status,
        )

    def _accepted(self, device: Device) -> None:
        self._joined(device, self._simulated_ns())

    def _came_down(self, device: Device, data: Data) -> None:
        """Data for a port of the application's is the sensor's matter; port 0 has been the MAC's."""
        if data.f_port:
            device.obey(data.f_port, data.payload, self._simulated_ns())
        self._on_downlink(device, data)

    def _answered(self, device: Device, up: Up) -> None:
        self._telling.answered(device, up, self._simulated_ns())

    def _options_size(self, device: Device) -> int:
        return self._nodes[device.identity.dev_eui].options_size

    @override
    def _join(self, device: Device, time_ns: int, attempt: int = 1) -> None:
        if self._air_plan.activation is Activation.ABP:
            self._joined(device, time_ns)
            return
        self._nodes[device.identity.dev_eui].join(self._clock.now_ns())

    @override
    def _uplink(self, device: Device, up: Up | None) -> None:
        """A frame that no gateway could hear counts as one, too."""
        before = self.report.lost
        super()._uplink(device, up)
        node = self._nodes[device.identity.dev_eui]
        if self.report.lost > before:
            node.uplink(None, self._clock.now_ns())
        node.tune()

    @override
    def _begin(self, device: Device, up: Up, flight: Flight | None) -> None:
        """It goes on the air as soon as the device does not listen for answers; ADR is the real network's matter."""
        node = self._nodes[device.identity.dev_eui]
        node.uplink(up, self._clock.now_ns())
        node.tune()

    @override
    def _publish(self, event: chirpstack.Join | chirpstack.Status, outcome: Outcome) -> None:
        """Joins and status are the network server's events here, not ours."""

    @override
    def _status(self, device: Device, time_ns: int) -> None:
        """The network server asks by itself."""

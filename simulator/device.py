"""One simulated device: joins, counts frames, reports at its interval, and is heard or not."""

from random import Random
from typing import NamedTuple

from decoders.codec import Codec
from simulator.chirpstack import Copy, Flight, Identity, Join, Status, Up
from simulator.duty_cycle import DutyCycle, airtime_ns, band, fitting
from simulator.radio import CHANNELS_HZ, Link
from simulator.sensor import Frame, Sensor
from simulator.world import Calendar, Moment

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000
JOIN_SPREAD_S = 60.0
FIRST_REPORT_S = (2.0, 30.0)
STATUS_INTERVAL_S = 86_400.0
LOWEST_MARGIN_DB = -32
HIGHEST_MARGIN_DB = 31
DEDUPLICATION_WINDOW_NS = 150_000_000
NETWORK_DELAY_NS = (40_000_000, 120_000_000)
BATTERY_STEPS = 254
BATTERY_LIFE_DAYS = 3000.0
VARIANTS = "89ab"
LONGEST_WAIT_NS = 300 * NS_PER_S
WINDOWS_NS = 2_200_000_000
"""Until both receive windows are over."""
BANDS = [band(frequency_hz) for frequency_hz in CHANNELS_HZ]
IN_BAND = [[number for number, of_band in enumerate(BANDS) if of_band == wanted] for wanted in range(2)]


class Site(NamedTuple):
    """What a device needs of its city: randomness, calendar, and its paths to the gateways."""

    rng: Random
    calendar: Calendar
    link: Link


def identifier(rng: Random) -> str:
    """A random UUID of version 4."""
    bits = f"{rng.getrandbits(128):032x}"
    return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-{VARIANTS[int(bits[16], 16) & 3]}{bits[17:20]}-{bits[20:]}"


class Device:
    """A device of the city. Times are ns since 1970.

    `report` and `change` give None when no gateway can hear the frame; the frame counter grows all the same. A frame
    waits while its sub-band has no airtime left, and is not sent at all when that takes more than five minutes.
    """

    def __init__(self, identity: Identity, codec: Codec, sensor: Sensor, interval_s: float, site: Site) -> None:
        self.identity = identity
        self.codec = codec
        self.sensor = sensor
        self.interval_s = interval_s
        self._rng = site.rng
        self._calendar = site.calendar
        self._link = site.link
        self._dev_addr = f"{site.rng.getrandbits(25):08x}"
        self._f_cnt = 0
        self._reported_ns: int | None = None
        self._charge = site.rng.uniform(0.6, 1.0)
        self._since_ns = 0
        self._duty = DutyCycle()
        self._free_ns = 0
        self.unsent = 0

    @property
    def link(self) -> Link:
        """The device's paths to the gateways."""
        return self._link

    def join(self, time_ns: int) -> Join:
        """The device comes on air."""
        self._since_ns = time_ns
        return Join(self.identity, identifier(self._rng), time_ns, self._dev_addr)

    def report(self, time_ns: int) -> Up | None:
        """The regular report."""
        elapsed = self.interval_s if self._reported_ns is None else (time_ns - self._reported_ns) / NS_PER_S
        self._reported_ns = time_ns
        return self._send(self.sensor.report(self._moment(time_ns), elapsed, self._battery(time_ns)), time_ns)

    def until_change_s(self, time_ns: int) -> float | None:
        """When something happens that is reported at once; None where nothing ever does."""
        return self.sensor.until_change_s(self._moment(time_ns))

    def change(self, time_ns: int) -> Up | None:
        """It happens."""
        return self._send(self.sensor.change(self._moment(time_ns)), time_ns)

    def status(self, time_ns: int) -> Status:
        """The answer to the network server's question."""
        heard = self._link.send().heard
        margin = round(max((copy.snr for copy in heard), default=0.0)) + 5
        battery = round(self._battery(time_ns) * (BATTERY_STEPS - 1)) * 100 / BATTERY_STEPS
        return Status(
            self.identity,
            identifier(self._rng),
            time_ns,
            min(HIGHEST_MARGIN_DB, max(LOWEST_MARGIN_DB, margin)),
            round(battery, 2),
        )

    def _moment(self, time_ns: int) -> Moment:
        return self._calendar.at(time_ns // NS_PER_MS)

    def _battery(self, time_ns: int) -> float:
        days = (time_ns - self._since_ns) / NS_PER_S / 86_400
        return max(0.0, self._charge - days / BATTERY_LIFE_DAYS)

    def _send(self, frame: Frame, time_ns: int) -> Up | None:
        data = self.codec.encode(frame.f_port, frame.readings) if frame.data is None else frame.data
        flight = self._fly(len(data), max(time_ns, self._free_ns))
        if flight.start_ns - time_ns > LONGEST_WAIT_NS:
            self.unsent += 1
            return None
        self._go(flight)
        f_cnt = self._f_cnt
        self._f_cnt += 1
        if not flight.air.heard:
            self._link.missed()
            return None
        copies = self._copies(flight)
        air = flight.air
        return Up(
            self.identity,
            identifier(self._rng),
            copies[0].ns_time,
            self._dev_addr,
            f_cnt,
            frame.f_port,
            data,
            air.frequency_hz,
            air.spreading_factor,
            copies,
            flight,
        )

    def _fly(self, size: int, now_ns: int) -> Flight:
        """A frame of that size on any channel now, or on one of the other sub-band, or later."""
        factor = fitting(self._link.spreading_factor, size)
        airtime = airtime_ns(size, factor)
        air = self._link.send(factor)
        mine = BANDS[air.channel]
        start_ns = self._duty.free_ns(mine, airtime, now_ns)
        if start_ns > now_ns:
            other_ns = self._duty.free_ns(1 - mine, airtime, now_ns)
            if other_ns < start_ns:
                start_ns, air = other_ns, self._link.send(factor, self._rng.choice(IN_BAND[1 - mine]))
        return Flight(start_ns, airtime, air)

    def _go(self, flight: Flight) -> None:
        self._duty.take(BANDS[flight.air.channel], flight.airtime_ns, flight.start_ns)
        self._free_ns = flight.start_ns + flight.airtime_ns + WINDOWS_NS

    def _copies(self, flight: Flight) -> tuple[Copy, ...]:
        """What gateways deliver; a slow backhaul comes within the network server's window."""
        rng = self._rng
        taken = flight.start_ns + flight.airtime_ns + _between(rng, *NETWORK_DELAY_NS)
        return tuple(
            Copy(
                heard.gateway,
                rng.getrandbits(32),
                taken + (_between(rng, 0, DEDUPLICATION_WINDOW_NS) if number else 0),
                heard.rssi,
                heard.snr,
                flight.air.channel,
            )
            for number, heard in enumerate(flight.air.heard)
        )


def _between(rng: Random, low: int, high: int) -> int:
    """A whole number from low up to high; a third of what `randint` costs."""
    return low + int(rng.random() * (high - low))
